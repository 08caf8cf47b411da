"""Trousers, shorts, skirts, dresses and outfits in the preview: what is seen where, and what stays the photo's."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from preprocessing import colour
from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import LEGS, SHOES, Joint, Parse
from preprocessing.person.prepare import prepare_person
from tests import drawn_person
from tryon.engines import ENGINES
from tryon.engines.base import Inputs

SAMPLE = Path(__file__).parents[1] / "sample"
DRAWN = json.loads((SAMPLE / "garments" / "landmarks.json").read_text())
# Where the drawn person's knees and ankles are, and a row half-way down each part of the leg.
KNEE, ANKLE, HIPS = 730, 950, 530
THIGH_ROW, SHIN_ROW = 640, 860


def garment(name, category="lower", **attributes):
    """A garment of the sample shop with its exact shape."""
    picture = np.array(Image.open(SAMPLE / "garments" / f"{name}.jpg"))
    mask = cv2.imread(str(SAMPLE / "garments" / f"{name}.mask.png"), cv2.IMREAD_GRAYSCALE)
    known = DRAWN[name]["landmarks"] | {"neckline": DRAWN[name]["neckline"]}
    return prepare_garment(picture, category, Attributes(**attributes), mask=mask, landmarks=known)


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def engine():
    return ENGINES["preview"].load()


@pytest.fixture(scope="module")
def ana():
    """A rendered woman whose photo ends at the knees."""
    return prepare_person(np.array(Image.open(SAMPLE / "people" / "model-ana.jpg")))


def apart(image, where, rgb):
    """CIEDE2000 between the median colour of a part of a picture and a colour."""
    return float(
        colour.difference(colour.to_lab(np.median(image[where].reshape(-1, 3), axis=0)), colour.to_lab(np.uint8(rgb)))
    )


def cloth_colour(of):
    return np.median(of.image[of.mask > 250], axis=0)


def hem_row(result, rgb):
    """The first row below the thighs where a leg no longer has the cloth's colour."""
    strip = np.median(result.image[600:, 395:406], axis=1)
    return 600 + int(np.argmax(colour.difference(colour.to_lab(strip), colour.to_lab(np.uint8(rgb))) > 14))


def columns(result, row):
    """How many columns of a row show something else than the photo's background."""
    return int((np.abs(result.image[row].astype(int) - 210).max(-1) > 60).sum())


def test_trousers_cover_both_legs_down_to_the_shoes(engine, person):
    jeans = garment("vera-slim-jeans-black")
    result = engine.generate(Inputs(person, [jeans]))
    for x in (400, 500):
        for row in (600, THIGH_ROW, KNEE, SHIN_ROW):
            assert apart(result.image, np.s_[row : row + 8, x - 4 : x + 4], cloth_colour(jeans)) < 12
    assert ANKLE - 25 < hem_row(result, cloth_colour(jeans)) < ANKLE + 30
    shoes = np.isin(person.parse, SHOES)
    shoes[: ANKLE + 40] = False
    assert np.array_equal(result.image[shoes], person.image[shoes])
    assert (result.image[800:900, 446:454] == person.image[800:900, 446:454]).mean() > 0.9  # between the legs


def test_the_top_worn_now_stays_in_front_of_the_waistband(engine, person):
    result = engine.generate(Inputs(person, [garment("field-chinos-sand")]))
    top = (person.parse == Parse.UPPER) & (np.arange(len(person.parse))[:, None] < 490)
    assert (result.image[top] == person.image[top]).all(-1).mean() > 0.97
    assert apart(result.image, np.s_[515:530, 440:460], cloth_colour(garment("field-chinos-sand"))) < 12


def test_a_waistband_is_seen_where_the_top_is_tucked_in(engine, person):
    high = replace(person, parse=person.parse.copy())
    tucked = (person.parse == Parse.UPPER) & (np.arange(len(person.parse))[:, None] > 430)
    tucked[:, :380] = tucked[:, 520:] = False
    high.parse[tucked] = Parse.PANTS
    chinos = garment("field-chinos-sand")
    sleeve = np.isin(person.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM)) & (np.arange(len(person.parse))[:, None] < 500)
    high.parse[sleeve] = Parse.UPPER
    result = engine.generate(Inputs(high, [chinos]))
    assert apart(result.image, np.s_[440:470, 430:470], cloth_colour(chinos)) < 12
    assert np.array_equal(result.image[300:400, 400:500], person.image[300:400, 400:500])
    assert (result.image[sleeve] == person.image[sleeve]).all(-1).mean() > 0.95  # sleeves hang before it


def test_a_dress_worn_now_is_parted_at_the_waist(engine, person):
    worn = replace(person, parse=person.parse.copy(), image=person.image.copy())
    dress = (person.parse == Parse.UPPER) | (person.parse == Parse.PANTS)
    dress[THIGH_ROW:] = False
    worn.parse[dress], worn.image[dress] = Parse.DRESS, drawn_person.TOP
    jeans = garment("mason-jeans-indigo")
    result = engine.generate(Inputs(worn, [jeans]))
    assert np.array_equal(result.image[260:360, 400:500], worn.image[260:360, 400:500])
    for x in (400, 500):
        assert apart(result.image, np.s_[560:600, x - 8 : x + 8], cloth_colour(jeans)) < 14
    left = np.abs(result.image[480:ANKLE, 380:520].astype(int) - drawn_person.TOP).max(-1) < 12
    assert left.mean() < 0.01


def test_arms_and_hands_stay_in_front(engine, person):
    hands = np.zeros(person.parse.shape, bool)
    hands[500:560] = np.isin(person.parse[500:560], (Parse.LEFT_ARM, Parse.RIGHT_ARM))
    crossed = replace(person, parse=person.parse.copy(), image=person.image.copy())
    crossed.parse[540:600, 380:520], crossed.image[540:600, 380:520] = Parse.LEFT_ARM, drawn_person.SKIN
    keypoints = person.keypoints.copy()
    keypoints[Joint.L_WRIST, :2] = 500, 570
    keypoints[[Joint.L_INDEX_FINGER, Joint.L_LITTLE_FINGER], :2] = 400, 570
    result = engine.generate(Inputs(replace(crossed, keypoints=keypoints), [garment("mason-jeans-indigo")]))
    assert np.array_equal(result.image[560:580, 420:480], crossed.image[560:580, 420:480])
    assert (result.image[hands] == person.image[hands]).all(-1).mean() > 0.9


@pytest.mark.parametrize("row", [KNEE, SHIN_ROW])
def test_legs_are_bare_below_shorts(engine, person, row):
    result = engine.generate(Inputs(person, [garment("cove-shorts-olive")]))
    for x in (400, 500):
        assert apart(result.image, np.s_[row + 25 : row + 35, x - 5 : x + 5], drawn_person.SKIN) < 8
    assert (np.abs(result.image[800:900].astype(int) - drawn_person.TROUSERS).max(-1) > 30).all()


def test_a_wide_cut_stays_wide_and_a_slim_one_slim(engine, person):
    wide, slim = (
        columns(engine.generate(Inputs(person, [garment(name)])), SHIN_ROW)
        for name in ("ines-wide-trousers-charcoal", "vera-slim-jeans-black")
    )
    bare = columns(person, SHIN_ROW)
    assert slim < 1.25 * bare
    assert wide > 1.35 * slim


@pytest.mark.parametrize(
    "name, least, most",
    [
        ("poppy-denim-skirt-indigo", THIGH_ROW, KNEE),
        ("lena-pencil-skirt-charcoal", KNEE - 30, KNEE + 90),
        ("colette-pleated-skirt-sage", KNEE + 40, ANKLE - 60),
    ],
    ids=["above the knee", "to the knee", "midi"],
)
def test_skirts_cover_the_gap_between_the_legs_down_to_their_length(engine, person, name, least, most):
    skirt = garment(name)
    result = engine.generate(Inputs(person, [skirt]))
    assert apart(result.image, np.s_[620:660, 446:454], cloth_colour(skirt)) < 14
    assert least < hem_row(result, cloth_colour(skirt)) < most
    assert apart(result.image, np.s_[ANKLE - 25 : ANKLE - 15, 495:505], drawn_person.SKIN) < 8


def test_a_pleated_skirt_spreads_and_a_pencil_skirt_does_not(engine, person):
    spread, narrow = (
        columns(engine.generate(Inputs(person, [garment(name)])), KNEE - 20)
        for name in ("colette-pleated-skirt-sage", "lena-pencil-skirt-charcoal")
    )
    assert spread > 1.2 * narrow


@pytest.mark.parametrize(
    "name, sleeve, least, most",
    [
        ("marin-shift-navy", "sleeveless", KNEE - 60, KNEE + 60),
        ("odette-wrap-dress-forest", "three_quarter", KNEE + 20, ANKLE - 60),
        ("solana-maxi-rust", "sleeveless", ANKLE - 60, ANKLE + 40),
    ],
    ids=["knee", "midi", "maxi"],
)
def test_a_dress_replaces_all_that_is_worn(engine, person, name, sleeve, least, most):
    dress = garment(name, "dress", sleeve=sleeve)
    result = engine.generate(Inputs(person, [dress]))
    for row in (300, 400, 480, 600, 680):
        assert apart(result.image, np.s_[row : row + 15, 435:465], cloth_colour(dress)) < 14
    assert least < hem_row(result, cloth_colour(dress)) < most
    body = np.s_[200:ANKLE, 330:570]
    for worn in (drawn_person.TOP, drawn_person.TROUSERS):
        assert (np.abs(result.image[body].astype(int) - worn).max(-1) < 12).mean() < 0.002
    face = cv2.erode((person.parse == Parse.FACE).astype(np.uint8), np.ones((9, 9))) > 0
    assert np.array_equal(result.image[face], person.image[face])
    assert np.array_equal(result.image[ANKLE + 45 :], person.image[ANKLE + 45 :])


def test_an_outfit_is_a_top_over_a_bottom(engine, person):
    top, bottom = garment("everyday-tee-sage", "upper", sleeve="short"), garment("field-chinos-navy")
    result = engine.generate(Inputs(person, [top, bottom]))
    assert apart(result.image, np.s_[300:400, 420:480], cloth_colour(top)) < 12
    assert apart(result.image, np.s_[470:490, 430:470], cloth_colour(top)) < 14
    assert apart(result.image, np.s_[THIGH_ROW : THIGH_ROW + 30, 390:410], cloth_colour(bottom)) < 12
    old = np.abs(result.image[200:ANKLE].astype(int) - drawn_person.TOP).max(-1) < 12
    assert old.mean() < 0.002


def test_a_photo_that_ends_at_the_knees_is_dressed_as_far_as_it_goes(engine, ana):
    jeans = garment("mason-jeans-light")
    result = engine.generate(Inputs(ana, [jeans]))
    middle = ana.image.shape[1] // 2
    for x in (middle - 70, middle + 70):
        assert apart(result.image, np.s_[-40:-20, x - 10 : x + 10], cloth_colour(jeans)) < 14
    assert result.notes["folds"] == 0


KINDS = {
    "slim jeans": ("vera-slim-jeans-black", "lower", None),
    "wide trousers": ("ines-wide-trousers-charcoal", "lower", None),
    "shorts": ("studio-sweat-shorts-grey", "lower", None),
    "pleated skirt": ("colette-pleated-skirt-black", "lower", None),
    "shirt dress": ("clara-shirt-dress-blue", "dress", "short"),
    "knit dress": ("noor-knit-dress-camel", "dress", "long"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_folds_and_the_rest_keeps_every_byte(engine, ana, kind):
    name, category, sleeve = KINDS[kind]
    result = engine.generate(Inputs(ana, [garment(name, category, sleeve=sleeve)]))
    assert result.notes["folds"] == 0
    assert 0.05 < result.touched.mean() < 0.6
    assert np.array_equal(result.image[~result.touched], ana.image[~result.touched])
    again = engine.generate(Inputs(ana, [garment(name, category, sleeve=sleeve)]))
    assert np.array_equal(again.image, result.image)
    assert again.notes == result.notes


@pytest.mark.parametrize("kind", ["slim jeans", "pleated skirt", "shirt dress"])
def test_a_photo_without_hips_is_refused(engine, kind):
    name, category, sleeve = KINDS[kind]
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(prepare_person(astronaut()), [garment(name, category, sleeve=sleeve)]))
    assert refused.value.code == "photo.legs_outside"


def cut_off(person, row):
    """The photo as if it ended at a row."""
    return replace(
        person,
        image=person.image[:row],
        mask=person.mask[:row],
        parse=person.parse[:row],
        carried=person.carried[:row],
    )


def test_a_photo_that_ends_at_the_hips_is_refused(engine, person):
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(cut_off(person, HIPS), [garment("vera-slim-jeans-black")]))
    assert refused.value.code == "photo.legs_outside"


def lifted(person, degrees):
    """The person with one leg lifted sideways by some degrees."""
    keypoints = person.keypoints.copy()
    turn = np.radians(degrees)
    hip = keypoints[Joint.L_HIP, :2]
    for joint in (Joint.L_KNEE, Joint.L_ANKLE):
        length = np.hypot(*(keypoints[joint, :2] - hip))
        keypoints[joint, :2] = hip + length * np.array([np.sin(turn), np.cos(turn)])
    return replace(person, keypoints=keypoints)


@pytest.mark.parametrize("kind, degrees", [("slim jeans", 75), ("pleated skirt", 50), ("shirt dress", 50)])
def test_legs_that_are_lifted_are_refused(engine, person, kind, degrees):
    name, category, sleeve = KINDS[kind]
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(lifted(person, degrees), [garment(name, category, sleeve=sleeve)]))
    assert refused.value.code == "photo.legs_bent"


def test_a_bent_knee_is_refused(engine, person):
    keypoints = person.keypoints.copy()
    keypoints[Joint.R_ANKLE, :2] = keypoints[Joint.R_KNEE, :2] - (200, 20)
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(replace(person, keypoints=keypoints), [garment("vera-slim-jeans-black")]))
    assert refused.value.code == "photo.legs_bent"


def test_legs_seen_bare_stay_the_photos_below_a_short_hem(engine, person):
    bare = replace(person, parse=person.parse.copy(), image=person.image.copy())
    below = (person.parse == Parse.PANTS) & (np.arange(len(person.parse))[:, None] > KNEE)
    left = below & (np.arange(person.parse.shape[1])[None] > drawn_person.MIDDLE)
    bare.parse[below], bare.parse[left] = Parse.RIGHT_LEG, Parse.LEFT_LEG
    bare.image[below] = drawn_person.SKIN
    result = engine.generate(Inputs(bare, [garment("cove-shorts-stone")]))
    shins = np.isin(bare.parse, LEGS)
    shins[: KNEE + 40] = False
    assert np.array_equal(result.image[shins], bare.image[shins])
