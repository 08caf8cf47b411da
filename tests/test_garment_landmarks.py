"""Landmarks, parts, neckline, sleeve and length of garments drawn with exact truth."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from preprocessing.garment.landmarks import CUFFS, LEGS, WAIST, find_landmarks
from preprocessing.garment.length import length_class, length_fits
from preprocessing.garment.parts import BODY, LEFT_LEG, LEFT_SLEEVE, RIGHT_LEG, RIGHT_SLEEVE
from preprocessing.garment.prepare import Attributes, prepare_garment
from tests import drawn_garments

SAMPLE = Path(__file__).parents[1] / "sample" / "garments"
DRAWN = json.loads((SAMPLE / "landmarks.json").read_text())
TOPS = {
    "everyday-tee-sage": "short",
    "north-sweatshirt-rust": "long",
    "cedar-flannel-check": "long",
    "rib-tank-black": "sleeveless",
    "garden-dress-navy": "short",
    "odette-wrap-dress-dot": "three_quarter",
    "marin-shift-navy": "sleeveless",
    "solana-maxi-rust": "sleeveless",
}
BOTTOMS = {
    "mason-jeans-indigo": "full",
    "cove-shorts-olive": "short",
    "lena-pencil-skirt-charcoal": "knee",
    "sera-satin-skirt-champagne": "midi",
}


def sample(name):
    """A garment of the sample shop: its picture, exact mask, exact landmarks, and the neckline (N, 2) or empty."""
    picture = cv2.cvtColor(cv2.imread(str(SAMPLE / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    mask = cv2.imread(str(SAMPLE / f"{name}.mask.png"), cv2.IMREAD_GRAYSCALE)
    points = {key: np.array(at) for key, at in DRAWN[name]["landmarks"].items() if not key.startswith("neck_")}
    return picture, mask, points, np.array(DRAWN[name]["neckline"])


def category(name):
    return "lower" if name in BOTTOMS else "dress" if "dress" in name or "shift" in name or "maxi" in name else "upper"


def errors(garment, picture, exact):
    """Distance of each landmark from its exact place, in widths of the chest or waist."""
    scale = garment.image.shape[0] / picture.shape[0]
    across = exact.get("armpit_right", exact.get("waist_right")) - exact.get("armpit_left", exact.get("waist_left"))
    return {
        name: np.hypot(*(np.array(garment.landmarks[name]) / scale - at)) / across[0] for name, at in exact.items()
    }


@pytest.mark.parametrize("name", [*TOPS, *BOTTOMS])
def test_landmarks_lie_where_they_were_drawn(name):
    picture, mask, exact, _ = sample(name)
    sleeve, kind = TOPS.get(name), name.split("-")[-2]
    garment = prepare_garment(picture, category(name), Attributes(sleeve, None, kind), mask=mask)
    off = errors(garment, picture, exact)
    assert garment.problems == ()
    assert garment.sleeve == sleeve
    assert np.median(list(off.values())) < 0.02
    assert max(off.values()) < 0.09, max(off, key=off.get)


@pytest.mark.parametrize(
    "name", ["everyday-tee-sage", "cove-vneck-blush", "odette-wrap-dress-dot", "harbour-polo-navy"]
)
def test_the_neckline_runs_along_the_front_of_the_opening(name):
    picture, mask, exact, neckline = sample(name)
    garment = prepare_garment(picture, category(name), mask=mask)
    scale = garment.image.shape[0] / picture.shape[0]
    x = np.linspace(*np.quantile(neckline[:, 0], [0.1, 0.9]), 20)
    drawn, found = (
        np.interp(x, *points[np.argsort(points[:, 0])].T) for points in (neckline, garment.neckline / scale)
    )
    assert np.median(np.abs(drawn - found)) < 0.03 * (exact["armpit_right"] - exact["armpit_left"])[0]


@pytest.mark.parametrize(
    "name, parts",
    [
        ("north-sweatshirt-rust", {BODY, LEFT_SLEEVE, RIGHT_SLEEVE}),
        ("rib-tank-black", {BODY}),
        ("mason-jeans-indigo", {BODY, LEFT_LEG, RIGHT_LEG}),
        ("sera-satin-skirt-champagne", {BODY}),
    ],
)
def test_parts_make_up_the_mask_and_lie_on_their_sides(name, parts):
    picture, mask, _, _ = sample(name)
    garment = prepare_garment(picture, category(name), Attributes(product_type=name.split("-")[1]), mask=mask)
    assert set(np.unique(garment.parts)) == parts | {0}
    assert np.array_equal(garment.parts > 0, garment.mask > 127)
    columns = {label: np.nonzero(garment.parts == label)[1].mean() for label in parts}
    if len(parts) == 3:
        left, right = sorted(parts - {BODY})
        assert columns[left] < columns[BODY] < columns[right]


def laid_against_the_body(gap):
    """A jumper whose sleeves touch the body from the armpit down to `gap`, in the drawing's own units."""
    half = [(30, 40), (88, 56), (120, 110), (140, 300), (108, 304), (94, gap), (92, gap), (92, 320)]
    picture, mask = drawn_garments.draw(half, shadow=False)
    for sign in (-1, 1):  # the crease between them
        line = np.int32([(300 + sign * 2 * x, 20 + 2 * y) for x, y in ((90, 142), (93, gap))])
        picture = cv2.polylines(np.ascontiguousarray(picture), [line], False, (70, 15, 20), 3, cv2.LINE_AA)
    return picture, mask


def test_sleeves_against_the_body_are_found_along_the_crease():
    picture, mask = laid_against_the_body(260)
    garment = prepare_garment(picture, "upper", Attributes(sleeve="long"), mask=mask)
    assert garment.problems == ()
    for sign, side, label in ((-1, "left", LEFT_SLEEVE), (1, "right", RIGHT_SLEEVE)):
        x, y = garment.landmarks[f"armpit_{side}"]
        assert abs(x - (300 + sign * 181)) < 12
        assert 250 < y < 360  # a third of the way down
        row = garment.parts[480]  # between armpit and gap the crease parts sleeve and body
        edge = np.flatnonzero(row == label)
        assert abs((edge.max() if sign < 0 else edge.min()) - (300 + sign * 185)) < 6


def test_trousers_laid_together_have_legs_and_a_skirt_of_that_shape_has_none():
    mask = np.zeros((900, 600), bool)
    cv2.fillPoly(
        mask.view(np.uint8), [np.int32([(200, 60), (400, 60), (420, 200), (390, 840), (210, 840), (180, 200)])], 1
    )
    trousers = find_landmarks(mask, "lower", product_type="trousers").points
    skirt = find_landmarks(mask, "lower", product_type="maxi skirt").points
    assert set(LEGS) <= set(trousers)
    assert abs(trousers["crotch"][0] - 300) < 12
    assert 150 < trousers["crotch"][1] < 260
    assert set(skirt) == {*WAIST, "hem_left", "hem_right"}


def test_the_waist_of_a_dress_is_its_narrowest_place_or_where_a_body_has_it():
    picture, mask, _, _ = sample("solana-maxi-rust")
    narrow = prepare_garment(picture, "dress", mask=mask).landmarks
    picture, mask, _, _ = sample("pier-tee-dress-stripe")
    straight = prepare_garment(picture, "dress", mask=mask).landmarks
    for points in (narrow, straight):
        chest = points["armpit_right"][0] - points["armpit_left"][0]
        assert 0.2 < (points["waist_left"][1] - points["armpit_left"][1]) / chest < 0.85
    assert narrow["waist_right"][0] - narrow["waist_left"][0] < narrow["armpit_right"][0] - narrow["armpit_left"][0]


@pytest.mark.parametrize("name", ["ines-wide-trousers-charcoal", "noor-knit-dress-camel", "atlas-oxford-sky"])
def test_exact_landmarks_are_taken_as_they_are(name):
    picture, mask, exact, neckline = sample(name)
    category = "lower" if "trousers" in name else "dress" if "dress" in name else "upper"
    given = {key: list(at) for key, at in exact.items()} | {"neckline": neckline.tolist()}
    garment = prepare_garment(picture, category, mask=mask, landmarks=given)
    assert garment.problems == ()
    assert max(errors(garment, picture, exact).values()) < 1e-6
    assert (garment.neckline is None) == (category == "lower")
    assert category == "upper" or set(WAIST) <= set(garment.landmarks)  # a dress's is found in its mask
    assert (CUFFS[0] in garment.landmarks) == (category != "lower")


TOP_LENGTHS = {
    "lido-cropped-tee-black": "cropped",
    "everyday-tee-navy": "regular",
    "marin-shift-blush": "knee",
    "odette-wrap-dress-forest": "midi",
    "solana-maxi-rust": "maxi",
}


@pytest.mark.parametrize("name, length", (BOTTOMS | TOP_LENGTHS).items())
def test_the_length_is_told_from_the_proportions(name, length):
    assert length_class(category(name), sample(name)[2]) == length


def test_only_a_length_that_cannot_be_contradicts_the_catalogue():
    knee = sample("marin-shift-blush")[2]
    assert length_fits("dress", knee, "midi")  # close enough
    assert length_fits("dress", knee, None)
    assert length_fits("dress", knee, "cropped")  # a word that is not for dresses says nothing
    assert not length_fits("dress", knee, "maxi")
    assert not length_fits("lower", sample("cove-shorts-olive")[2], "full")


@pytest.mark.parametrize("category", ["upper", "dress"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_two_pieces_side_by_side_are_no_top(category, mirrored):
    """The wider piece says where the middle is, the larger one lies all on one side of it."""
    mask = np.zeros((320, 420), bool)
    mask[10:300, 20:80] = True
    mask[170:230, 150:400] = True
    assert find_landmarks(mask[:, ::-1] if mirrored else mask, category) is None
