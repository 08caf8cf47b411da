"""Each reason why a garment cannot be previewed, on garments drawn so."""

import cv2
import numpy as np
import pytest

from preprocessing.garment.prepare import Attributes, prepare_garment
from tests import drawn_garments

SKIN = (214, 160, 130)


def codes(garment):
    return {problem.code for problem in garment.problems}


def drawn(*shapes, background=drawn_garments.BACKGROUND):
    """A picture (760, 600) of polygons in the units of `drawn_garments`, each with its colour, and their mask."""
    picture, mask = np.full((760, 600, 3), background, np.uint8), np.zeros((760, 600), np.uint8)
    for points, colour in shapes:
        corners = np.int32([(300 + 2 * x, 20 + 2 * y) for x, y in points])
        cv2.fillPoly(picture, [corners], colour)
        cv2.fillPoly(mask, [corners], 1)
    noise = np.random.default_rng(1).normal(0, 1.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), mask > 0


def mirrored(half):
    return [*half, *((-x, y) for x, y in half[::-1])]


RED = (170, 40, 50)
TEE = mirrored(drawn_garments.TEE)


@pytest.mark.parametrize("garment, sleeve", [(drawn_garments.tee, "long"), (drawn_garments.tank, "short")])
def test_a_sleeve_that_contradicts_the_catalogue(garment, sleeve):
    picture, mask = garment()
    prepared = prepare_garment(picture, "upper", Attributes(sleeve=sleeve), mask=mask)
    assert codes(prepared) == {"garment.sleeve_conflict"}
    assert prepared.sleeve != sleeve


def test_a_sleeve_a_little_longer_than_its_class_is_none():
    picture, mask = drawn_garments.jumper()
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="long"), mask=mask)) == set()
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="short"), mask=mask)) != set()


def test_a_length_that_cannot_be():
    picture, mask = drawn_garments.tee()
    prepared = prepare_garment(picture, "dress", Attributes(sleeve="short", length="maxi"), mask=mask)
    assert "garment.length_conflict" in codes(prepared)


def test_a_raised_hood():
    hood = [(-34, 44), (-42, -20), (-26, -60), (26, -60), (42, -20), (34, 44)]
    shifted = [[(x, y + 70) for x, y in shape] for shape in (TEE, hood)]
    picture, mask = drawn(*((shape, RED) for shape in shifted))
    assert "garment.hood" in codes(prepare_garment(picture, "upper", mask=mask))


@pytest.mark.parametrize("sleeve", [None, "sleeveless"])
def test_a_strapless_top(sleeve):
    picture, mask = drawn((mirrored([(84, 40), (78, 120), (80, 180), (90, 300)]), RED))
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve=sleeve), mask=mask)) == {"garment.no_armholes"}


def test_a_halter():
    halter = mirrored([(3, 10), (12, 12), (30, 70), (84, 130), (84, 300)])
    picture, mask = drawn((halter, RED))
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="sleeveless"), mask=mask)) != set()


def test_sleeves_folded_onto_the_body():
    folded = mirrored([(32, 40), (92, 58), (112, 110), (108, 320)])
    picture, mask = drawn((folded, RED))
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="long"), mask=mask)) != set()
    assert codes(prepare_garment(picture, "upper", mask=mask)) != set()


def test_one_sleeve_folded_away():
    half = drawn_garments.JUMPER
    folded = [(x, y) for x, y in half if x not in (140, 108)]
    picture, mask = drawn(([*half, *((-x, y) for x, y in folded[::-1])], RED))
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="long"), mask=mask)) != set()


def test_ties_that_hang_beside_the_garment():
    ties = [[(sign * x, y) for x, y in ((70, 250), (140, 250), (140, 275), (70, 275))] for sign in (-1, 1)]
    picture, mask = drawn((mirrored(drawn_garments.TANK), RED), *((tie, RED) for tie in ties))
    assert "garment.shape" in codes(prepare_garment(picture, "upper", Attributes(sleeve="sleeveless"), mask=mask))


@pytest.mark.parametrize("category, sleeve", [("upper", "short"), ("lower", None)])
def test_a_garment_somebody_wears(category, sleeve):
    if category == "upper":
        head = [(round(26 * np.cos(a)), round(4 + 36 * np.sin(a))) for a in np.linspace(0, 2 * np.pi, 30)]
        neck = [(-14, 20), (14, 20), (20, 60), (-20, 60)]
        arms = [[(s * x, y) for x, y in ((138, 116), (108, 142), (104, 260), (128, 262))] for s in (-1, 1)]
        shapes = [(TEE, RED), *((arm, SKIN) for arm in arms), (head, SKIN), (neck, SKIN)]
    else:
        legs = [[(s * x, y) for x, y in ((10, 140), (52, 140), (40, 356), (18, 356))] for s in (-1, 1)]
        belly = [(-44, 0), (44, 0), (46, 42), (-46, 42)]
        skirt = mirrored([(46, 40), (66, 160)])
        shapes = [*((leg, SKIN) for leg in legs), (belly, SKIN), (skirt, RED)]
    picture, _ = drawn(*shapes)
    prepared = prepare_garment(picture, category, Attributes(sleeve=sleeve, product_type="skirt"))
    assert "garment.worn" in codes(prepared)


def test_cloth_of_the_colour_of_skin_is_not_somebody():
    picture, _ = drawn_garments.tee(colour=SKIN)
    assert "garment.worn" not in codes(prepare_garment(picture, "upper", Attributes(sleeve="short")))


def test_two_garments():
    small = [[(x * 0.55 + shift, y * 0.55 + 60) for x, y in TEE] for shift in (-75, 75)]
    picture, _ = drawn(*((shape, RED) for shape in small))
    assert codes(prepare_garment(picture, "upper", Attributes(sleeve="short"))) != set()


@pytest.mark.parametrize("sides", [("left",), ("left", "right", "bottom")])
def test_a_garment_cut_off_by_the_picture(sides):
    picture, _ = drawn_garments.tee(shadow=False)
    left, right = 130 if "left" in sides else 0, 470 if "right" in sides else 600
    picture = picture[: 560 if "bottom" in sides else 760, left:right]
    assert prepare_garment(picture, "upper").problems


def test_a_garment_too_small_to_see():
    tiny = [(x * 0.15, y * 0.15 + 100) for x, y in TEE]
    picture, _ = drawn((tiny, RED))
    assert codes(prepare_garment(picture, "upper")) & {"garment.too_small", "garment.not_found"}


def test_a_tee_sold_as_a_bottom():
    picture, mask = drawn_garments.tee()
    assert "garment.bottom_shape" in codes(prepare_garment(picture, "lower", mask=mask))
