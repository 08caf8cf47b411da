"""A garment's picture is made ready, or has problems that say why not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from preprocessing.garment.landmarks import CUFFS, LEGS, REQUIRED, WAIST
from preprocessing.garment.prepare import BODY, LEFT_LEG, RIGHT_LEG, Attributes, PreparedGarment, prepare_garment
from tests import drawn_garments


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def same_fields(a, b):
    for name in a.__dataclass_fields__:
        first, second = getattr(a, name), getattr(b, name)
        if isinstance(first, np.ndarray):
            assert np.array_equal(first, second) and first.dtype == second.dtype, name
        else:
            assert first == second, name


@pytest.mark.parametrize(
    "drawn, sleeve",
    [(drawn_garments.tee, "short"), (drawn_garments.jumper, "long"), (drawn_garments.tank, "sleeveless")],
)
@pytest.mark.parametrize("colour", [(170, 40, 50), (40, 46, 60), (120, 150, 200)])
def test_a_top_is_found_without_its_shadow(drawn, sleeve, colour):
    picture, exact = drawn(colour=colour)
    garment = prepare_garment(picture, "upper", Attributes(sleeve=sleeve))
    assert garment.problems == ()
    assert garment.sleeve == sleeve
    assert iou(garment.mask > 127, exact) > 0.975
    assert set(REQUIRED) <= set(garment.landmarks)
    assert (CUFFS[0] in garment.landmarks) == (sleeve != "sleeveless")


def test_a_white_top_is_found_on_near_white():
    picture, exact = drawn_garments.tee(colour=(248, 248, 248), background=(236, 236, 235), folds=0.012)
    assert iou(prepare_garment(picture, "upper").mask > 127, exact) > 0.95


def test_a_top_is_found_on_a_coloured_cloth():
    picture, exact = drawn_garments.tee(colour=(225, 224, 220), background=(120, 20, 30))
    assert iou(prepare_garment(picture, "upper").mask > 127, exact) > 0.96


def test_landmarks_lie_where_they_were_drawn():
    picture, _ = drawn_garments.tee()
    garment = prepare_garment(picture, "upper")
    drawn = {
        "armpit_right": (90, 128),
        "cuff_outer_right": (142, 118),
        "hem_right": (92, 320),
        "collar_right": (32, 40),
    }
    for name, (x, y) in drawn.items():
        found = np.array(garment.landmarks[name])
        assert np.hypot(*(found - (x * 2 + 300, y * 2 + 20))) < 25, name


def test_a_transparent_picture_brings_its_own_mask():
    picture, exact = drawn_garments.tee(shadow=False)
    cut_out = np.dstack([picture, exact.astype(np.uint8) * 255])
    cut_out[720:740, 200:400] = (60, 60, 60, 255)  # a drawn shadow below
    garment = prepare_garment(cut_out, "upper")
    assert iou(garment.mask > 127, exact) > 0.99


def test_exact_mask_and_landmarks_are_taken_as_they_are():
    picture, exact = drawn_garments.tee()
    found = prepare_garment(picture, "upper")
    given = {**found.landmarks, "collar_left": (200.0, 90.0), "neckline": [(240, 100), (300, 180), (360, 100)]}
    garment = prepare_garment(picture, "upper", mask=exact, landmarks=given)
    assert garment.problems == ()
    assert np.array_equal(garment.mask > 127, exact)
    assert garment.landmarks["collar_left"] == (200.0, 90.0)
    assert garment.neckline.tolist() == [[240, 100], [300, 180], [360, 100]]


@pytest.mark.parametrize("drawn, sleeve", [(drawn_garments.tee, "long"), (drawn_garments.tank, "short")])
def test_a_sleeve_that_contradicts_the_catalogue_is_a_problem(drawn, sleeve):
    picture, _ = drawn()
    garment = prepare_garment(picture, "upper", Attributes(sleeve=sleeve))
    assert [problem.code for problem in garment.problems] == ["garment.sleeve_conflict"]


def test_a_picture_without_a_garment_is_a_problem_and_no_error():
    garment = prepare_garment(np.full((500, 400, 3), 230, np.uint8), "upper")
    assert garment.mask is None
    assert [problem.code for problem in garment.problems] == ["garment.not_found"]
    same_fields(PreparedGarment.from_bytes(garment.to_bytes()), garment)


def test_no_shape_makes_it_raise():
    chance = np.random.default_rng(5)
    for _ in range(40):
        corners = chance.integers((-20, -20), (220, 280), (chance.integers(3, 14), 2)).astype(np.int32)
        picture = cv2.fillPoly(np.full((260, 200, 3), 230, np.uint8), [corners], (120, 40, 60))
        garment = prepare_garment(picture, "upper")
        assert garment.parts is not None or garment.problems


@pytest.mark.parametrize("sides", [("left",), ("left", "right", "bottom")])
def test_a_garment_cut_off_by_the_picture_is_a_problem(sides):
    picture, _ = drawn_garments.tee(shadow=False)
    left, right = 130 if "left" in sides else 0, 470 if "right" in sides else 600
    picture = picture[: 560 if "bottom" in sides else 760, left:right]
    assert prepare_garment(picture, "upper").problems


def test_a_garment_goes_to_bytes_and_back():
    picture, _ = drawn_garments.jumper()
    garment = prepare_garment(picture, "upper", Attributes(sleeve="long"))
    data = garment.to_bytes()
    same_fields(PreparedGarment.from_bytes(data), garment)
    assert data == prepare_garment(picture, "upper", Attributes(sleeve="long")).to_bytes()


SAMPLE = Path(__file__).parents[1] / "sample" / "garments"
DRAWN = json.loads((SAMPLE / "landmarks.json").read_text())


def sample(name):
    """A drawn garment of the sample shop: its picture, exact mask and exact landmarks."""
    picture = cv2.cvtColor(cv2.imread(str(SAMPLE / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    return picture, cv2.imread(str(SAMPLE / f"{name}.mask.png"), cv2.IMREAD_GRAYSCALE), DRAWN[name]["landmarks"]


def farthest_off(garment, picture, exact):
    """The largest distance of a landmark from its exact place, in widths of the mask."""
    scale = garment.image.shape[0] / picture.shape[0]
    width = np.ptp(np.flatnonzero((garment.mask > 127).any(0)))
    return max(np.hypot(*(np.array(garment.landmarks[n]) - scale * np.array(exact[n]))) / width for n in exact)


@pytest.mark.parametrize("name", ["mason-jeans-indigo", "cove-shorts-olive", "sera-satin-skirt-champagne"])
def test_waist_crotch_and_hems_of_bottoms_lie_where_they_were_drawn(name):
    picture, mask, exact = sample(name)
    garment = prepare_garment(picture, "lower", Attributes(product_type=name.split("-")[1]), mask=mask)
    assert garment.problems == ()
    assert farthest_off(garment, picture, exact) < 0.02
    legs = {LEFT_LEG, RIGHT_LEG} if set(LEGS) <= set(exact) else set()
    assert set(np.unique(garment.parts)) == {0, BODY} | legs


@pytest.mark.parametrize("name", ["ines-wide-trousers-charcoal", "noor-knit-dress-camel"])
def test_exact_landmarks_are_taken_with_every_category(name):
    picture, mask, exact = sample(name)
    category = "dress" if "dress" in name else "lower"
    garment = prepare_garment(picture, category, mask=mask, landmarks=exact)
    assert garment.problems == ()
    kept = {name: point for name, point in exact.items() if not name.startswith("neck_")}
    assert farthest_off(garment, picture, kept) < 1e-6
    assert set(WAIST) <= set(garment.landmarks)
