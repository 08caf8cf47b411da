"""Encoders: what a picture becomes, the default's network, and which of them is wanted. CLIP has test_clip.py."""

import sys
import tempfile

import numpy as np
import pytest
from django.core.management import call_command

from preprocessing import weights
from preprocessing.errors import Refusal
from recommend import encoders
from recommend.encoders import efficientnet, pictures, runtime, vectors
from recommend.encoders.clip import WEIGHTS_FILE
from recommend.encoders.colour import DIM as COLOUR_DIM
from recommend.encoders.colour import Colour, histogram
from recommend.encoders.efficientnet import EfficientNet
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


# --- EfficientNet-Lite2 -----------------------------------------------------------------------------------


def test_the_default_encoder_sees_shape_and_colour():
    encoder = EfficientNet()
    assert encoder.problem() == ""
    blue, navy, red, trousers = encoder.encode([image(BLUE), image((35, 80, 155)), image(RED), stripes()])
    assert blue.shape == (480,)
    assert blue.dtype == np.float32
    for vector in (blue, navy, red, trousers):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert blue @ navy > blue @ red > blue @ trousers
    assert np.array_equal(blue, encoder.encode([image(BLUE)])[0])


def stripes() -> np.ndarray:
    picture = image().copy()
    picture[np.arange(len(picture)) % 20 < 4] = 255
    return picture[:, :150]


def test_the_network_is_exported_once_and_equals_torch(tmp_path, monkeypatch):
    import onnxruntime
    import torch

    from recommend.encoders.exports.efficientnet import build

    source = weights.path(efficientnet.WEIGHT)
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    (tmp_path / source.name).symlink_to(source)
    made = efficientnet.onnx_file()
    assert made.parent == tmp_path / "cache"
    assert efficientnet.SHA256[:12] in made.name
    assert [path for path in made.parent.iterdir() if path.name != "export.lock"] == [made]
    stamp = made.stat().st_mtime_ns
    assert efficientnet.onnx_file().stat().st_mtime_ns == stamp
    state = torch.load(source, map_location="cpu", weights_only=True)
    batch = np.concatenate([efficientnet.prepared(image()), efficientnet.prepared(image(RED))])
    with torch.inference_mode():
        expected = build(state)(torch.from_numpy(batch)).numpy()
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"input": batch})[0] - expected).max() < 1e-4


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
        runtime.export("efficientnet", (str(weights.path(efficientnet.WEIGHT)),), tmp_path / "made.onnx")
    assert refusal.value.code == "encoder.not_exported"
    assert not list(tmp_path.iterdir())


# --- Which encoder ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_default_is_wanted_unless_the_shop_says_otherwise(settings, tmp_path):
    default = encoders.wanted()
    assert (default.label, default.has_words) == ("EfficientNet-Lite2 with colour", False)
    assert encoders.problem() == ""
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    settings.RECOMMEND_CLIP = str(tmp_path)
    settings.RECOMMEND_CLIP_PRECISION = "int8"
    assert encoders.wanted().label == f"CLIP {tmp_path.name}"
    assert encoders.wanted().version.endswith("-int8")


def test_vectors_are_traced_to_the_encoder_that_made_them(settings, tmp_path):
    default = encoders.wanted()
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    settings.RECOMMEND_CLIP = str(tmp_path)
    assert encoders.of(default.name, default.version).label == default.label
    assert encoders.of(default.name, "older") is None
    assert encoders.of("clip_vit_b32_laion2b", "1") is None


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
def test_missing_weights_fall_back_and_are_told(settings, tmp_path, monkeypatch, setting, told, caplog, capsys):
    settings.RECOMMEND_CLIP = setting
    source = weights.path(efficientnet.WEIGHT)
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    (tmp_path / source.name).symlink_to(source)
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
