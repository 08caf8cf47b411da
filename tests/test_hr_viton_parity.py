"""HR-VITON against the published computation: a drawn person and garment, small networks with fixed weights.

tests/data/hr_viton holds the inputs, the labels, and sixty figures of every array that came out on the way. The whole
arrays, other pairs and networks of full size: `./dev parity FILE.npz`.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import parity
from benchmarks.fixed_weights import with_fixed_weights

FOLDER = Path(__file__).parent / "data" / "hr_viton"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
NOISE = 0.1  # deviation of the noise scales of what was recorded with noise
SIZES = {"meta_condition_ngf": 24, "meta_image_ngf": 16, "meta_condition_seed": 101, "meta_image_seed": 102}


def picture(name: str) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / name))


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    """The inputs, as a file for `./dev parity` has them."""
    inputs = {
        "in_image_u8": picture("image.webp"),
        "in_cloth_u8": picture("cloth.webp"),
        "in_cloth_mask_u8": picture("cloth_mask.png"),
        "in_densepose_u8": picture("densepose.webp"),
        "in_parse20_u8": picture("parse.png"),
        "in_parse_agnostic20_u8": picture("parse_agnostic.png"),
        "in_keypoints25x3": np.array(EXPECTED["keypoints"]),
    }
    inputs["in_agnostic_u8"] = dict(parity.drawn(inputs))["in_agnostic_u8"]
    made = with_fixed_weights(parity.pipeline(SIZES).image, SIZES["meta_image_seed"], NOISE)
    scales = {f"noise_scale:{key}": value for key, value in made.state_dict().items() if key.endswith("noise_scale")}
    return inputs | SIZES | {key: value.numpy() for key, value in scales.items()}


@pytest.fixture(scope="module")
def ours(recorded) -> dict[str, np.ndarray]:
    torch.set_num_threads(1)
    return dict(parity.everything(recorded, parity.pipeline(recorded)))


def test_the_agnostic_is_the_published_one_to_the_byte(recorded):
    assert hashlib.sha256(recorded["in_agnostic_u8"].tobytes()).hexdigest() == EXPECTED["agnostic_sha256"]


def test_the_parse_agnostic_is_the_published_one_to_the_byte(recorded, ours):
    assert np.array_equal(ours["in_parse_agnostic20_u8"], recorded["in_parse_agnostic20_u8"])


def test_the_labels_are_the_published_ones(ours):
    assert np.array_equal(ours["label13"], picture("label13.png"))
    assert len(np.unique(ours["label13"])) > 8


@pytest.mark.parametrize("name", EXPECTED["arrays"])
def test_every_array_on_the_way_is_the_published_one(ours, name):
    expected = EXPECTED["arrays"][name]
    values = np.array(expected["values"])
    found = ours[name].ravel()[expected["at"]]
    assert np.abs(found - values).max() <= parity.TOLERANCE
    assert values.std() > 10 * parity.TOLERANCE  # it says something


def run(monkeypatch, capsys, *arguments: object) -> tuple[int | str | None, str]:
    monkeypatch.setattr("sys.argv", ["parity", *map(str, arguments)])
    try:
        parity.main()
    except SystemExit as end:
        return end.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


def saved(path: Path, recorded: dict, ours: dict, **changed: np.ndarray) -> Path:
    np.savez(path, **(recorded | ours | changed))
    return path


def test_the_command_passes_what_is_equal(tmp_path, monkeypatch, capsys, recorded, ours):
    code, out = run(monkeypatch, capsys, saved(tmp_path / "pair.npz", recorded, ours))
    assert code == 0
    assert all(name in out for name in EXPECTED["arrays"])


def test_the_command_finds_what_differs(tmp_path, monkeypatch, capsys, recorded, ours):
    flow, labels = ours["flow_4"].copy(), ours["label13"].copy()
    flow[0, 3, 4, 1] += 0.01
    labels[500, 400] += 1
    code, out = run(monkeypatch, capsys, saved(tmp_path / "p.npz", recorded, ours, flow_4=flow, label13=labels))
    assert code == 1
    above = [line.split()[0] for line in out.splitlines() if "above the bar" in line]
    assert above == ["flow_4", "label13"]


def test_a_nan_is_above_every_bar():
    nan = np.array([np.nan], np.float32)
    assert not parity.largest_difference(nan, nan) <= 1e9
    assert parity.largest_difference(np.zeros(2), np.zeros(3)) == np.inf


def test_a_file_that_is_none_and_one_that_lacks_arrays_are_told(tmp_path, monkeypatch, capsys, recorded):
    text = tmp_path / "text.npz"
    text.write_text("nothing")
    assert "cannot be read" in run(monkeypatch, capsys, text)[0]
    assert "cannot be read" in run(monkeypatch, capsys, tmp_path / "absent.npz")[0]
    few = tmp_path / "few.npz"
    np.savez(few, **{name: value for name, value in recorded.items() if name != "in_cloth_u8"})
    assert "in_cloth_u8" in run(monkeypatch, capsys, few)[0]


def test_an_array_nobody_compares_is_told(recorded):
    with pytest.raises(ValueError, match="mystery"):
        parity.compare({**recorded, "mystery": np.zeros(1)}, parity.pipeline(SIZES))
