"""A garment's picture is made ready, or has problems that say why not."""

import cv2
import numpy as np
import pytest

from preprocessing.garment.landmarks import CUFFS, REQUIRED
from preprocessing.garment.prepare import Attributes, PreparedGarment, prepare_garment
from tests import drawn_garments
from tests.fields import same_fields


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


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


@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3, 4), (5, 400, 3), (400, 5, 4), (40, 40, 3), (40, 3000, 3)])
def test_no_size_makes_it_raise(category, shape):
    chance = np.random.default_rng(6)
    for picture in (np.zeros(shape, np.uint8), chance.integers(0, 256, shape, dtype=np.uint8)):
        garment = prepare_garment(picture, category)
        assert garment.problems
        assert PreparedGarment.from_bytes(garment.to_bytes()).problems == garment.problems


def test_a_garment_goes_to_bytes_and_back():
    picture, _ = drawn_garments.jumper()
    garment = prepare_garment(picture, "upper", Attributes(sleeve="long"))
    data = garment.to_bytes()
    same_fields(PreparedGarment.from_bytes(data), garment)
    assert data == prepare_garment(picture, "upper", Attributes(sleeve="long")).to_bytes()
