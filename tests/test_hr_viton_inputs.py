"""What HR-VITON's networks are given: made as its data was, and refused where no good picture can come of it."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import Body25, DensePose, Parse
from preprocessing.networks.person import frame
from preprocessing.person import densepose
from preprocessing.person.agnostic import GREY, agnostic, parse_agnostic
from tests import drawn_garments, drawn_person
from tryon.engines.hr_viton.inputs import PAPER, check, placed, sample

SHAPE = (1024, 768)


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def seen(person):
    return frame(person)


@pytest.fixture(scope="module")
def image(person, seen):
    return seen.crop.to_frame(person.image)


@pytest.fixture(scope="module")
def tee():
    return prepare_garment(drawn_garments.tee()[0], "upper", Attributes(sleeve="short"))


@pytest.fixture(scope="module")
def made(image, seen, tee):
    return sample(image, seen, tee, 7)


def cut(colour, background, half=drawn_garments.TEE):
    """A garment without shadow, with the mask it was drawn with."""
    picture, mask = drawn_garments.draw(half, colour, background, shadow=False, folds=0)
    return prepare_garment(picture, "upper", mask=mask)


def edges(mask):
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return rows[0], SHAPE[0] - 1 - rows[-1], columns[0], SHAPE[1] - 1 - columns[-1]


# --- Made -------------------------------------------------------------------------------------------------


def test_a_sample_holds_what_the_published_data_does(made, image, seen):
    points, parse, surface = seen.maps.points, seen.maps.parse, seen.maps.densepose
    assert np.array_equal(made.agnostic, agnostic("upper", image, parse, points, surface))
    assert np.array_equal(made.parse_agnostic, parse_agnostic("upper", parse, points))
    assert np.array_equal(densepose.labels_of(made.densepose), surface)
    assert made.cloth.shape == (*SHAPE, 3)
    assert made.cloth.dtype == np.uint8
    assert made.cloth_mask.dtype == bool
    assert made.seed == 7


def test_the_same_input_gives_the_same_sample(made, image, seen, tee):
    again = sample(image, seen, tee, 7)
    for name in ("cloth", "cloth_mask", "parse_agnostic", "densepose", "agnostic"):
        assert np.array_equal(getattr(again, name), getattr(made, name)), name


def test_a_garment_lies_in_the_middle_with_the_datas_margins():
    top, bottom, left, right = edges(placed(cut((170, 40, 50), (228, 228, 226)))[1])
    assert left == pytest.approx(72, abs=2)
    assert right == pytest.approx(72, abs=2)
    assert top == pytest.approx(bottom, abs=2)
    assert top > 90
    narrow = [(20, 40), (26, 44), (28, 60), (30, 90), (30, 320)]
    top, bottom, left, right = edges(placed(cut((170, 40, 50), (228, 228, 226), narrow))[1])
    assert top == pytest.approx(90, abs=2)
    assert bottom == pytest.approx(90, abs=2)
    assert left == pytest.approx(right, abs=2)
    assert left > 72


@pytest.mark.parametrize("side", [0.3, 0.6, 1.6])
def test_size_and_place_in_the_picture_do_not_matter(side):
    garment = cut((170, 40, 50), (228, 228, 226))
    matrix = np.float32([[side, 0, 40], [0, side, 60]])
    size = (1000, 1300)
    moved = replace(
        garment,
        image=cv2.warpAffine(garment.image, matrix, size, borderMode=cv2.BORDER_REPLICATE),
        mask=cv2.warpAffine(garment.mask, matrix, size),
    )
    ours, theirs = placed(garment)[1], placed(moved)[1]
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.985


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255), (0, 160, 0)])
def test_nothing_is_left_of_the_background(background):
    cloth, mask = placed(cut((170, 40, 50), background))
    around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
    assert (cloth[~around] == PAPER).all()
    rim = around & ~(cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0)
    along = cloth[rim].astype(float)
    mixed = np.linspace(0, 1, 21)[:, None] * np.array([170, 40, 50]) + np.linspace(1, 0, 21)[:, None] * PAPER
    away = np.abs(along[:, None] - mixed).max(-1).min(1)
    assert np.percentile(away, 99) < 14


def test_files_of_other_programs_may_be_jpegs(made):
    def as_jpeg(picture):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=90)
        return np.asarray(Image.open(file))

    check(replace(made, **{name: as_jpeg(getattr(made, name)) for name in ("cloth", "densepose", "agnostic")}))


# --- Refused: what is made ready of a photo and a garment -------------------------------------------------


def refused(call, *arguments) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value


def joints(seen, **changed):
    points = seen.maps.points.copy()
    for name, place in changed.items():
        points[Body25[name], :2] = place
    return points


@pytest.mark.parametrize(
    "maps, code",
    [
        (lambda f: {"points": joints(f, L_HIP=0)}, "keypoints.hips_missing"),
        (lambda f: {"points": joints(f, R_SHOULDER=0)}, "keypoints.shoulders_missing"),
        (lambda f: {"points": joints(f, NOSE=np.nan)}, "keypoints.not_numbers"),
        (lambda f: {"points": f.maps.points[:18]}, "keypoints.coco_order"),
        (lambda f: {"parse": np.where(f.maps.parse == 0, 255, f.maps.parse).astype(np.uint8)}, "inputs.labels"),
        (lambda f: {"parse": f.maps.parse[::2, ::2]}, "inputs.size"),
        (lambda f: {"parse": f.maps.parse.astype(np.float32)}, "inputs.type"),
        (lambda f: {"parse": f.maps.parse * 0}, "inputs.parse_empty"),
        (lambda f: {"densepose": f.maps.densepose * 0}, "inputs.densepose_empty"),
        (lambda f: {"densepose": f.maps.densepose + np.uint8(20)}, "inputs.labels"),
        (lambda f: {"parse": np.roll(f.maps.parse, 384, 1)}, "inputs.maps_disagree"),
    ],
)
def test_maps_of_a_network_that_went_wrong(image, seen, tee, maps, code):
    wrong = replace(seen, maps=replace(seen.maps, **maps(seen)))
    assert refused(sample, image, wrong, tee, 0).code == code


@pytest.mark.parametrize(
    "photo, code",
    [
        (lambda i: i[:, :600], "inputs.size"),
        (lambda i: i.astype(np.float64) / 0, "inputs.not_numbers"),
        (lambda i: i * 0, "inputs.blank"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_photos_that_are_none(image, seen, tee, photo, code):
    assert refused(sample, photo(image), seen, tee, 0).code == code


@pytest.mark.parametrize("mask", [None, 0, 100])
def test_a_garment_without_a_mask(image, seen, tee, mask):
    nothing = replace(tee, mask=None if mask is None else np.full_like(tee.mask, mask))
    assert refused(sample, image, seen, nothing, 0).code == "inputs.cloth_mask_empty"


# --- Refused: arrays of whoever calls the networks --------------------------------------------------------


def with_nan(array):
    array = array.astype(np.float32)
    array[5, 5] = np.nan
    return array


def viridis(picture):
    labels = densepose.labels_of(picture)
    colours = cv2.applyColorMap((labels * (255 / 24)).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
    colours[labels == DensePose.BACKGROUND] = 0
    return colours


def hidden(sample):
    return (sample.agnostic == GREY).all(-1)


def labelled_where_hidden(sample, label):
    parse = sample.parse_agnostic.copy()
    parse[hidden(sample) & (parse == 0)] = label
    return parse


def painted(sample, grey):
    """The agnostic with another colour than the networks know."""
    return np.where(hidden(sample)[..., None], np.uint8(grey), sample.agnostic)


def half_hidden(sample):
    """As it comes of COCO's joints: only a corner is grey."""
    shown = painted(sample, 200)
    shown[:300, :300] = 128
    return shown


@pytest.mark.parametrize(
    "changes, code",
    [
        (lambda s: {"cloth": s.cloth[:1000]}, "inputs.size"),
        (lambda s: {"agnostic": s.agnostic.transpose(1, 0, 2)}, "inputs.size"),
        (lambda s: {"agnostic": s.agnostic[None]}, "inputs.size"),
        (lambda s: {"densepose": s.densepose[..., 0]}, "inputs.size"),
        (lambda s: {"cloth": np.dstack([s.cloth, s.cloth[..., :1]])}, "inputs.size"),
        (lambda s: {"cloth_mask": None}, "inputs.size"),
        (lambda s: {"cloth": with_nan(s.cloth)}, "inputs.not_numbers"),
        (lambda s: {"agnostic": with_nan(s.agnostic)}, "inputs.not_numbers"),
        (lambda s: {"cloth_mask": with_nan(s.cloth_mask)}, "inputs.not_numbers"),
        (lambda s: {"parse_agnostic": with_nan(s.parse_agnostic)}, "inputs.not_numbers"),
        (lambda s: {"cloth": s.cloth / np.float32(127.5) - 1}, "inputs.type"),
        (lambda s: {"cloth_mask": s.cloth_mask * np.uint8(255)}, "inputs.type"),
        (lambda s: {"parse_agnostic": s.parse_agnostic.astype(np.int64)}, "inputs.type"),
        (lambda s: {"agnostic": s.agnostic * 0}, "inputs.blank"),
        (lambda s: {"cloth": np.full_like(s.cloth, PAPER)}, "inputs.blank"),
        (lambda s: {"densepose": s.densepose * 0}, "inputs.densepose_empty"),
        (lambda s: {"cloth_mask": s.cloth_mask & False}, "inputs.cloth_mask_empty"),
        (lambda s: {"cloth_mask": s.cloth_mask | True}, "inputs.cloth_mask_full"),
        (lambda s: {"cloth_mask": ~s.cloth_mask}, "inputs.cloth_background"),
        (lambda s: {"cloth": np.where(s.cloth_mask[..., None], s.cloth, np.uint8(0))}, "inputs.cloth_background"),
        (lambda s: {"parse_agnostic": s.parse_agnostic | np.uint8(255)}, "inputs.labels"),
        (lambda s: {"parse_agnostic": s.parse_agnostic * 0}, "inputs.parse_empty"),
        (lambda s: {"parse_agnostic": labelled_where_hidden(s, Parse.UPPER)}, "inputs.parse_not_agnostic"),
        (lambda s: {"parse_agnostic": labelled_where_hidden(s, Parse.TORSO_SKIN)}, "inputs.parse_not_agnostic"),
        (lambda s: {"densepose": viridis(s.densepose)}, "inputs.densepose_colours"),
        (lambda s: {"densepose": s.densepose[..., ::-1]}, "inputs.densepose_colours"),
        (lambda s: {"densepose": np.where(s.densepose == 0, 255, s.densepose)}, "inputs.densepose_colours"),
        (lambda s: {"agnostic": painted(s, 200)}, "inputs.nothing_hidden"),
        (lambda s: {"agnostic": half_hidden(s)}, "inputs.garment_in_sight"),
        (
            lambda s: {"agnostic": np.where(np.arange(1024)[:, None, None] < 60, s.agnostic, 128).astype(np.uint8)},
            "inputs.all_hidden",
        ),
        (lambda s: {n: np.roll(getattr(s, n), 350, 1) for n in ("densepose", "agnostic")}, "inputs.maps_disagree"),
        (lambda s: {"seed": -1}, "inputs.seed"),
        (lambda s: {"seed": 0.5}, "inputs.seed"),
        (lambda s: {"seed": 2**63}, "inputs.seed"),
    ],
)  # fmt: skip
def test_arrays_that_no_good_picture_can_be_made_of(made, changes, code):
    check(made)
    assert refused(check, replace(made, **changes(made))).code == code
