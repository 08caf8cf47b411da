"""Encoders: what a picture becomes, the default's network, and which of them is wanted. CLIP has test_clip.py."""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from preprocessing import weights
from preprocessing.errors import Refusal
from preprocessing.pretrained import WEIGHTS
from recommend import encoders
from recommend.encoders import networks, pictures, runtime, vectors
from recommend.encoders.clip import WEIGHTS_FILE
from recommend.encoders.colour import DIM as COLOUR_DIM
from recommend.encoders.colour import Colour, histogram
from recommend.encoders.joined import BOTH, EFFICIENTNET, Joined, Part
from recommend.encoders.networks import Network
from tests.looks import BLUE, RED, cut_out, image

FIRST_THREE = [0.004461, -0.035224, -0.033902]


# --- Pictures ---------------------------------------------------------------------------------------------


def test_a_picture_is_put_whole_on_a_square_of_its_background():
    picture = np.full((400, 200, 3), 250, np.uint8)
    picture[:10, 50:150] = picture[-10:, 50:150] = 0  # collar and hem
    square = pictures.squared(picture, 100)
    assert square.shape == (100, 100, 3)
    assert (square[:, :20] == 250).all()
    assert square[0, 50].max() < 60
    assert square[-1, 50].max() < 60


def test_a_mask_on_a_plain_background_crops_to_the_garment():
    near = cut_out()
    far = np.zeros((1600, 1500, 4), np.uint8)
    far[..., :3] = near[0, 0, :3]
    far[300:1100, 800:1400] = near
    one, other = (pictures.squared(picture, 120).astype(int) for picture in (near, far))
    assert np.abs(one - other).mean() < 2
    rows = np.flatnonzero((np.abs(one - one[0, 0]) > 30).any((1, 2)))
    assert rows[0] == pytest.approx(120 * pictures.MARGIN, abs=2)


def test_a_mask_on_a_busy_background_is_not_trusted():
    picture = cut_out()
    picture[::40, :, :3] = picture[:, ::40, :3] = picture[1::40, :, :3] = 255
    picture[2::20, :, :3] = 0
    assert np.array_equal(pictures.squared(picture, 64), pictures.squared(picture[..., :3], 64))


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_mask_that_says_nothing_is_not_trusted(alpha):
    plain = image()
    masked = np.dstack([plain, np.full(plain.shape[:2], alpha, np.uint8)])
    assert np.array_equal(pictures.squared(masked, 64), pictures.squared(plain, 64))


def test_lab_is_what_the_standard_says():
    from skimage.color import rgb2lab

    colours = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    assert np.abs(pictures.to_lab(colours) - rgb2lab(colours)).max() < 0.05


def test_colours_come_from_the_garment_alone():
    expected = pictures.to_lab(np.uint8([BLUE]))[0]
    for picture in (image(), cut_out()):
        assert np.median(pictures.garment_colours(picture), axis=0) == pytest.approx(expected, abs=3)
    covering = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    assert len(pictures.garment_colours(covering)) > 1000


# --- Colour -----------------------------------------------------------------------------------------------


def test_a_histogram_shares_colours_out_and_knows_near_from_far():
    def of(*lab):
        return histogram(np.array([lab], float))

    assert of(50, 10, 10).sum() == pytest.approx(1)
    assert (of(50, 10, 10) > 0).sum() == 8
    assert np.array_equal(of(120, 200, -200), of(100, 60, -60))
    base = np.sqrt(of(50, 10, 10))
    assert base @ np.sqrt(of(53, 13, 8)) > 0.95
    assert base @ np.sqrt(of(50, -50, 10)) < 0.1


def test_the_colour_encoder_tells_colours_apart():
    blue, navy, red = Colour().encode([image(BLUE), image((30, 70, 140)), image(RED)])
    assert blue.shape == (COLOUR_DIM,)
    assert blue @ navy > 0.8 > 0.5 > blue @ red


# --- Vectors ----------------------------------------------------------------------------------------------


def test_long_vectors_are_reduced_the_same_way_everywhere():
    rows = vectors.unit(np.random.RandomState(1).standard_normal((40, 768)))
    short = vectors.reduced(rows)
    assert short.shape == (40, 512)
    assert np.linalg.norm(short, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert np.abs(short @ short.T - rows @ rows.T).max() < 0.12
    # What is stored in a shop's database must fit what a later release makes.
    assert short[0, :3] == pytest.approx(FIRST_THREE, abs=1e-5)
    assert vectors.reduced(rows[:, :512]).shape == (40, 512)


def test_the_cosine_of_joined_rows_is_the_weighted_mean():
    a, b = vectors.unit(np.random.RandomState(1).standard_normal((2, 6))), vectors.unit(np.eye(2, 4) + 0.3)
    both = vectors.joined([(0.7, a), (0.3, b)])
    assert both[0] @ both[1] == pytest.approx(0.7 * (a[0] @ a[1]) + 0.3 * (b[0] @ b[1]), abs=1e-6)


def test_between_two_vectors_lies_a_unit_vector():
    assert vectors.amid(np.eye(2, 3, dtype=np.float32)) == pytest.approx([0.5**0.5, 0.5**0.5, 0])


# --- Networks with colour ---------------------------------------------------------------------------------


def blank(folder: Path, weight: str) -> Path:
    """A file of the right name and size with nothing in it."""
    file = WEIGHTS[weight].files[0]
    (folder / file.name).touch()
    os.truncate(folder / file.name, file.size)
    return folder / file.name


def test_the_default_encoder_sees_shape_and_colour():
    assert EFFICIENTNET.problem() == ""
    blue, navy, red, trousers = EFFICIENTNET.encode([image(BLUE), image((35, 80, 155)), image(RED), stripes()])
    assert blue.shape == (480,)
    assert blue.dtype == np.float32
    for vector in (blue, navy, red, trousers):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert blue @ navy > blue @ red > blue @ trousers
    assert np.array_equal(blue, EFFICIENTNET.encode([image(BLUE)])[0])


def stripes() -> np.ndarray:
    picture = image().copy()
    picture[np.arange(len(picture)) % 20 < 4] = 255
    return picture[:, :150]


def small_network(folder: Path, monkeypatch, seed: int, numbers: int) -> Network:
    """Made up, of one convolution, exported as the large ones are."""
    import torch

    from recommend.encoders.exports.features import Projected, export

    torch.manual_seed(seed)
    file = folder / f"{seed}.onnx"
    model = Projected(torch.nn.Conv2d(3, 32, 5, stride=4), vectors.subspace(32, numbers))
    assert export(model.eval(), 24, file) < 1e-4
    monkeypatch.setattr(Network, "onnx_file", lambda self: folder / self.weight)
    return Network(file.name, side=24, mean=127.5, deviation=127.5)


def test_networks_and_colour_share_the_cosine(tmp_path, monkeypatch):
    one, other = (small_network(tmp_path, monkeypatch, seed, 12) for seed in (1, 2))
    both = Joined("both", "Both", 1, (Part(one, 12, 0.5), Part(other, 6, 0.3)), same_look=0.9)
    given = [image(BLUE), image(RED)]
    made = both.encode(given)
    assert made.shape == (2, 12 + 6 + COLOUR_DIM)
    parts = [vectors.unit(one.features(given)), vectors.unit(other.features(given)[:, :6]), Colour().encode(given)]
    expected = sum(share * (part[0] @ part[1]) for share, part in zip((0.5, 0.3, 0.2), parts, strict=True))
    assert made[0] @ made[1] == pytest.approx(expected, abs=1e-5)


def test_the_encoders_fit_into_a_row_and_their_shares_into_one():
    for encoder in (EFFICIENTNET, BOTH):
        assert sum(part.numbers for part in encoder.parts) + COLOUR_DIM <= vectors.MOST
        assert 0 < sum(part.share for part in encoder.parts) < 1
        assert len(encoder.version) <= 40
    assert EFFICIENTNET.version == "3-9656183e"  # as long as its vectors are the same


def test_the_network_is_exported_once_and_equals_torch(only_efficientnet):
    made = networks.EFFICIENTNET.onnx_file()
    assert made.parent == only_efficientnet / "cache"
    assert networks.EFFICIENTNET.sha256[:12] in made.name
    assert [path for path in made.parent.iterdir() if path.name != "export.lock"] == [made]
    stamp = made.stat().st_mtime_ns
    assert networks.EFFICIENTNET.onnx_file().stat().st_mtime_ns == stamp
    assert_as_torch(networks.EFFICIENTNET, made)


def assert_as_torch(network: Network, onnx_file: Path) -> None:
    import torch

    from recommend.encoders.exports.features import build

    batch = np.concatenate([network.prepared(image()), network.prepared(image(RED))])
    with torch.inference_mode():
        expected = build(network.weight, weights.path(network.weight))(torch.from_numpy(batch)).numpy()
    assert np.abs(runtime.session(onnx_file).run(None, {"input": batch})[0] - expected).max() < 1e-4


def test_a_damaged_file_is_not_exported(tmp_path, monkeypatch):
    from recommend.encoders.exports.features import main

    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    file = blank(tmp_path, "efficientnet_lite2")
    with pytest.raises(SystemExit) as stopped:
        main("efficientnet_lite2", tmp_path / "made.onnx")
    assert f"{file} is damaged" in str(stopped.value)
    assert "./dev weights fetch efficientnet_lite2" in str(stopped.value)
    assert not (tmp_path / "made.onnx").exists()


def test_inception_has_the_papers_shapes():
    import torch

    from recommend.encoders.exports.inception import SIDE, Inception

    with torch.device("meta"):
        assert Inception()(torch.empty(2, 3, SIDE, SIDE)).shape == (2, 2048, 8, 8)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_tensors_are_read_from_torchscript_without_its_code(tmp_path):
    import torch

    from recommend.encoders.exports.torchscript import tensors

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, (1, 3)), torch.nn.Sequential(torch.nn.Linear(5, 2)))
    torch.jit.save(torch.jit.script(model), tmp_path / "model.pt")
    found, expected = tensors(tmp_path / "model.pt"), model.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_torchscript_file_that_names_anything_else_is_not_read(tmp_path):
    import pickle
    import zipfile

    from recommend.encoders.exports.torchscript import tensors

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps(Evil(), protocol=2))
    with pytest.raises(pickle.UnpicklingError, match="open is no tensor"):
        tensors(tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(not weights.present("inception_fid"), reason="./dev weights fetch inception_fid brings it")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_inception_as_written_down_is_the_one_in_the_file():
    import torch

    from recommend.encoders.exports.inception import load

    file, given = weights.path("inception_fid"), torch.from_numpy(networks.INCEPTION.prepared(image()))
    network, _ = load(file)
    with torch.inference_mode():
        ours, theirs = network.eval()(given).mean((2, 3)), torch.jit.load(file).eval()(given)
    assert float((ours - theirs).abs().max()) < 1e-5
    assert_as_torch(networks.INCEPTION, networks.INCEPTION.onnx_file())
    assert BOTH.encode([image()]).shape == (1, 512)


def test_where_the_weights_cannot_be_written_the_network_lies_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS_DIR", "/proc")  # not even root can make a folder there
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = runtime.cache_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert runtime.cache_folder() == folder


def test_a_failed_export_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Refusal) as refusal:
        runtime.export("features", ("efficientnet_lite2",), tmp_path / "made.onnx")
    assert refusal.value.code == "encoder.not_exported"
    assert not list(tmp_path.iterdir())


# --- Which encoder ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_default_is_wanted_unless_the_shop_says_otherwise(settings, only_efficientnet, tmp_path):
    default = encoders.wanted()
    assert (default.label, default.has_words) == ("EfficientNet-Lite2 with colour", False)
    assert encoders.problem() == ""
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    settings.RECOMMEND_CLIP = str(tmp_path)
    settings.RECOMMEND_CLIP_PRECISION = "int8"
    assert encoders.wanted().label == f"CLIP {tmp_path.name}"
    assert encoders.wanted().version.endswith("-int8")


def test_inception_is_used_where_it_is_and_not_missed_where_it_is_not(only_efficientnet, capsys):
    assert (encoders.wanted(), encoders.problem()) == (EFFICIENTNET, "")
    call_command("check")
    assert "Inception" not in capsys.readouterr().err
    file = blank(only_efficientnet, "inception_fid")
    assert (encoders.wanted(), encoders.problem()) == (BOTH, "")
    assert encoders.of(EFFICIENTNET.name, EFFICIENTNET.version) is EFFICIENTNET  # searches among what still serves
    file.unlink()
    assert encoders.of(BOTH.name, BOTH.version) is None


def test_vectors_are_traced_to_the_encoder_that_made_them(settings, tmp_path):
    default = encoders.wanted()
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    settings.RECOMMEND_CLIP = str(tmp_path)
    assert encoders.of(default.name, default.version).label == default.label
    assert encoders.of(default.name, "older") is None
    assert encoders.of("clip_vit_b32_laion2b", "1") is None


def test_what_looks_the_same_is_known_of_encoders_whose_weights_are_elsewhere(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    settings.RECOMMEND_CLIP = "marqo_fashion_siglip"
    names = EFFICIENTNET.name, BOTH.name, "marqo_fashion_siglip", "clip_vit_b32_laion2b"
    assert [encoders.same_look(name) for name in names] == [0.97, 0.96, 0.99, encoders.UNKNOWN_SAME_LOOK]
    assert encoders.same_look("colour") > 1


@pytest.mark.parametrize(
    "setting, told",
    [
        ("marqo_fashion_siglip", "./dev weights fetch marqo_fashion_siglip"),
        ("hf-hub:Marqo/marqo-fashionSigLIP", "./dev weights fetch marqo_fashion_siglip"),
        ("ViT-B-32/laion2b_s34b_b79k", "./dev weights fetch clip_vit_b32_laion2b"),
        ("ViT-B-16//nowhere/x.pt", "neither"),
        ("nonsense", "neither"),
        ("/nowhere", "nor a folder"),
    ],
)
def test_missing_weights_fall_back_and_are_told(settings, only_efficientnet, setting, told, caplog, capsys):
    settings.RECOMMEND_CLIP = setting
    encoders.say.cache_clear()
    assert encoders.wanted().name == "efficientnet_lite2"
    encoders.wanted()
    assert len(caplog.records) == 1
    assert told in caplog.text
    call_command("check")
    assert told in capsys.readouterr().err


def test_without_any_weights_colour_alone_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    assert encoders.wanted().name == "colour"
    assert "./dev weights fetch efficientnet_lite2" in encoders.problem()
