"""The backend for ONNX networks: what goes in, what comes out, in the house's labels."""

import cv2
import numpy as np
import pytest

from preprocessing import networks
from preprocessing.labels import Body25, Parse
from preprocessing.networks import NetworkFailed
from preprocessing.networks.session import Session
from tests import tiny_networks as tiny
from tests.tiny_networks import PURE


def blob(shape: tuple[int, int], x: float, y: float, spread: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))


def look(network: networks.Network, image: np.ndarray) -> np.ndarray:
    return Session(network).look(image)


def failure(network: networks.Network, image: np.ndarray | None = None) -> str:
    with pytest.raises(NetworkFailed) as raised:
        look(network, tiny.flags() if image is None else image)
    return str(raised.value)


# --- Label maps -------------------------------------------------------------------------------------------


def test_a_parser_gives_the_houses_labels_at_the_pictures_size(tmp_path):
    image = tiny.flags()
    found = look(tiny.parser(tmp_path / "p.onnx"), image)
    assert found.dtype == np.uint8
    expected = np.zeros(image.shape[:2], np.uint8)
    for colour, label in tiny.COLOURS:
        expected[(image == PURE[colour]).all(-1)] = label
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("shape", [(640, 480), (301, 199), (20, 15)])
def test_borders_are_where_they_are_in_the_picture(tmp_path, shape):
    image = tiny.flags(shape)
    found = look(tiny.parser(tmp_path / "p.onnx"), image)
    assert found.shape == shape
    assert set(np.unique(found)) <= {label for _, label in tiny.COLOURS}
    green = (image == PURE["green"]).all(-1)
    rows, columns = np.nonzero(found == Parse.PANTS)
    cell = max(shape) / 32
    assert abs(rows.min() - np.nonzero(green)[0].min()) <= max(1, cell)
    assert abs(columns.max() - np.nonzero(green)[1].max()) <= max(1, cell / 2)
    assert rows.max() == shape[0] - 1


def test_a_letterboxed_picture_keeps_its_shape_and_loses_its_padding(tmp_path):
    image = tiny.flags((90, 30))  # three times as high as wide, into a square
    found = look(tiny.parser(tmp_path / "p.onnx", size=(90, 90), fit="letterbox"), image)
    stretched = look(tiny.parser(tmp_path / "p.onnx", size=(90, 90)), image)
    expected = np.zeros(image.shape[:2], np.uint8)
    for colour, label in tiny.COLOURS:
        expected[(image == PURE[colour]).all(-1)] = label
    assert np.array_equal(found, expected)
    assert np.array_equal(stretched, expected)


def test_padding_is_the_mean_colour_and_reaches_no_pixel_of_the_picture(tmp_path):
    white = np.full((16, 64, 3), 255, np.uint8)
    network = tiny.masker(tmp_path / "m.onnx", size=(64, 64), fit="letterbox", mean=(0.5,) * 3, std=(0.5,) * 3)
    assert np.array_equal(look(network, white), np.ones((16, 64), np.float32))


def test_colours_can_be_wanted_the_other_way_round(tmp_path):
    image = np.full((40, 30, 3), PURE["red"], np.uint8)
    assert (look(tiny.parser(tmp_path / "p.onnx", order="BGR"), image) == Parse.HAIR).all()
    assert (look(tiny.parser(tmp_path / "p.onnx", order="RGB"), image) == Parse.UPPER).all()


def test_pixels_are_normalised_as_declared(tmp_path):
    grey = np.full((32, 24, 3), 100, np.uint8)
    declared = {"mean": (0.2, 0, 0), "std": (0.5, 1, 1)}
    assert look(tiny.masker(tmp_path / "m.onnx", divide=200, **declared), grey)[0, 0] == pytest.approx(0.6)
    assert look(tiny.masker(tmp_path / "m.onnx", divide="max", mean=(0.25, 0, 0)), grey)[0, 0] == pytest.approx(0.75)
    assert not look(tiny.masker(tmp_path / "m.onnx", divide="max"), grey * 0).any()


def test_labels_that_the_network_has_chosen_itself_stay_exact(tmp_path):
    node = tiny.helper.make_node("ArgMax", ["scores"], ["numbers"], axis=1, keepdims=1)
    cast = tiny.helper.make_node("Cast", ["numbers"], ["map"], to=tiny.TensorProto.FLOAT)
    mix = tiny.helper.make_node("Conv", ["picture", "kernel", "offset"], ["scores"])
    kernel = np.vstack([np.zeros(3), np.eye(3)]).astype(np.float32)[:, :, None, None]
    constants = {"kernel": kernel, "offset": np.array([0.4, 0, 0, 0], np.float32)}
    path = tmp_path / "l.onnx"
    network = tiny.declare(path, tiny.save(path, [mix, node, cast], constants, (32, 24)), decode="labels")
    assert np.array_equal(look(network, tiny.flags()), look(tiny.parser(tmp_path / "p.onnx"), tiny.flags()))
    unknown = tiny.declare(path, network.sha256, decode="labels", labels=tiny.COLOURS[:3])
    assert failure(unknown) == "l gives labels that its table of 3 does not have: 3"


# --- Soft masks -------------------------------------------------------------------------------------------


def test_a_soft_mask_stays_soft(tmp_path):
    image = np.zeros((320, 240, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, 240)
    found = look(tiny.masker(tmp_path / "m.onnx"), image)
    assert found.dtype == np.float32
    assert np.abs(found - image[..., 0] / 255).max() < 0.03
    assert (np.diff(found, axis=1) >= -1e-6).all()  # no steps of the network's 24 columns


def test_scores_become_masks(tmp_path):
    image = tiny.flags()
    scores = tiny.mixing(tmp_path / "s.onnx", [[20, 0, 0]], [-10], role="cloth_mask", decode="sigmoid", labels=())
    found = look(scores, image)
    assert found[0, 0] > 0.999
    assert found[-1, 0] < 0.001
    stretched = tiny.mixing(tmp_path / "x.onnx", [[3, 0, 0]], [5], role="cloth_mask", decode="minmax", labels=())
    assert set(np.unique(look(stretched, image))[[0, -1]]) == {0, 1}
    hard = tiny.masker(tmp_path / "m.onnx", threshold=0.5)
    assert set(np.unique(look(hard, image))) == {0, 1}


def test_a_refined_mask_follows_the_pictures_edge(tmp_path):
    image = np.zeros((640, 480, 3), np.uint8)
    cv2.circle(image, (240, 320), 170, PURE["red"], -1)
    truth = image[..., 0] > 127

    def wrong(refine: bool) -> int:
        found = look(tiny.masker(tmp_path / "m.onnx", size=(16, 12), refine=refine), image)
        return int(((found > 0.5) != truth).sum())

    assert wrong(refine=False) > 500
    assert wrong(refine=True) < 50


# --- Keypoints --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_joints_lie_between_the_cells_of_a_heatmap(tmp_path, fit):
    shape, size = (400, 240), (50, 40)
    image = np.zeros((*shape, 3), np.uint8)
    image[..., 0] = np.round(255 * blob(shape, 101.3, 57.8, 18))
    image[..., 1] = np.round(200 * blob(shape, 33.1, 302.4, 18))
    found = look(tiny.pointer(tmp_path / "k.onnx", size=size, fit=fit), image)
    assert found.shape == (len(Body25), 3)
    assert found.dtype == np.float32
    assert np.abs(found[Body25.NOSE, :2] - 0.5 - (101.3, 57.8)).max() < 0.8  # a cell has 8 pixels
    assert np.abs(found[Body25.L_WRIST, :2] - 0.5 - (33.1, 302.4)).max() < 0.8
    assert 0.9 < found[Body25.NOSE, 2] <= 1
    assert 0.7 < found[Body25.L_WRIST, 2] < 0.8
    others = np.delete(found, [Body25.NOSE, Body25.L_WRIST], axis=0)
    assert not others.any()


def test_a_faint_peak_is_no_joint(tmp_path):
    image = np.zeros((64, 48, 3), np.uint8)
    image[..., 0] = np.round(60 * blob((64, 48), 20, 30, 6))
    assert not look(tiny.pointer(tmp_path / "k.onnx", threshold=0.5), image).any()
    assert look(tiny.pointer(tmp_path / "k.onnx"), image)[Body25.NOSE, 2] > 0.1


def test_a_joint_at_the_edge_stays_in_the_picture(tmp_path):
    image = np.zeros((64, 48, 3), np.uint8)
    image[0, 0] = image[1, 1] = image[0, 1] = image[1, 0] = PURE["red"]
    x, y, _ = look(tiny.pointer(tmp_path / "k.onnx"), image)[Body25.NOSE]
    assert 0 <= x < 2
    assert 0 <= y < 2


# --- Which output, which channels -------------------------------------------------------------------------


def test_an_output_is_chosen_by_name_number_and_channels(tmp_path):
    path = tmp_path / "p.onnx"
    assert (look(tiny.parser(path, output="map"), tiny.flags())[0] == Parse.UPPER).all()
    some = {"channels": (1, 3), "labels": tiny.COLOURS[1:3]}
    assert (look(tiny.parser(path, **some), tiny.flags())[0] == Parse.UPPER).all()
    assert failure(tiny.parser(path, output="edges")) == "p has no output 'edges'; it has map"
    assert failure(tiny.parser(path, output=1)) == "p has no output 1; it has map"


def test_a_channel_count_other_than_the_label_table_stops(tmp_path):
    path = tmp_path / "p.onnx"
    assert failure(tiny.parser(path, labels=tiny.COLOURS[:3])) == "p gives 4 channels; its label table has 3"
    cut = tiny.parser(path, channels=(2, 9))
    assert failure(cut) == "p gives 2 channels of those declared; its label table has 4"
    many = tiny.parser(path, role="cloth_mask", decode="soft", labels=())
    assert failure(many) == "p gives 4 channels; its mask has 1"


def test_an_output_that_is_no_map_stops(tmp_path):
    path = tmp_path / "flat.onnx"
    node = tiny.helper.make_node("Flatten", ["picture"], ["map"])
    flat = tiny.declare(path, tiny.save(path, [node], {}, (32, 24)))
    assert failure(flat) == "flat gives the shape (1, 2304) instead of (1, channels, height, width)"
    nan = tiny.masker(tmp_path / "nan.onnx", mean=(np.nan, 0, 0))
    assert failure(nan) == "nan gives values that are no numbers"


# --- The file ---------------------------------------------------------------------------------------------


def test_a_missing_a_changed_and_a_broken_file_are_told_apart(tmp_path):
    network = tiny.parser(tmp_path / "p.onnx")
    whole = network.file.read_bytes()
    network.file.write_bytes(whole[:-1])
    assert "has the sha256" in failure(network)
    network.file.write_bytes(b"no network")
    digest = tiny.hashlib.sha256(b"no network").hexdigest()
    assert failure(tiny.declare(network.file, digest)).startswith("p cannot be loaded: ")
    network.file.unlink()
    assert failure(network) == f"p: p.onnx is not in {tmp_path}"


def test_an_input_other_than_declared_stops(tmp_path):
    network = tiny.parser(tmp_path / "p.onnx")
    other = tiny.declare(network.file, network.sha256, size=(64, 48))
    assert failure(other) == "p takes [1, 3, 32, 24]; declared is [1, 3, 64, 48]"
