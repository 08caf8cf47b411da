"""Where pictures of clothes and photos of people go wrong: nothing of it may be seen in the preview."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from preprocessing.garment.parts import BODY, LEFT_LEG
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import Joint, Parse
from tests import drawn_garments, drawn_person
from tryon.engines import ENGINES
from tryon.engines.base import Inputs
from tryon.engines.preview.figure import measure
from tryon.engines.preview.front import arms, sleeved
from tryon.engines.preview.overhang import find_overhang
from tryon.engines.preview.source import Source, without_tails
from tryon.engines.preview.undress import edged, without
from tryon.engines.preview.waistband import one_cloth, upright
from tryon.engines.preview.wardrobe import sort_out

SAMPLE = Path(__file__).parents[1] / "sample" / "garments"
# Of the drawn person: the hem of the top, and columns beside it and on it.
HEM, BESIDE, MIDDLE = 500, 357, 450
# Where its trousers begin with the top in them.
WAIST = 430
GREEN = (30, 110, 60)
SIDES = ("left", "right")


@pytest.fixture
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def tee():
    return prepare_garment(drawn_garments.tee(colour=GREEN)[0], "upper", Attributes(sleeve="short"))


def bottom(name):
    """A bottom of the sample shop with its exact shape."""
    mask = cv2.imread(str(SAMPLE / f"{name}.mask.png"), cv2.IMREAD_GRAYSCALE)
    known = json.loads((SAMPLE / "landmarks.json").read_text())[name]["landmarks"]
    picture = np.array(Image.open(SAMPLE / f"{name}.jpg"))
    return prepare_garment(picture, "lower", Attributes(), mask=mask, landmarks=known)


def like(image, rgb):
    """Where a picture has nearly this colour."""
    return np.abs(image.astype(int) - rgb).max(-1) < 25


def test_nothing_of_a_bottom_is_seen_above_the_hem_that_hides_it(person):
    figure = measure(person)
    over_it = find_overhang(figure, sort_out(figure, {"lower"}))
    below = over_it.below(figure)
    for x in (BESIDE, MIDDLE):
        assert below[HEM - 30, x] == 0
        assert below[HEM + 10, x] == 1
    level = figure.frame.along(np.array([BESIDE, HEM])) / figure.frame.torso_length
    for side in ("left", "right"):
        at_hem, further = over_it.widest(side, np.array([level, level + 0.2]))
        assert 80 < at_hem < 95  # half of the top, which is 170 pixels wide there
        assert at_hem < further < at_hem + 0.2 * figure.frame.torso_length


def test_without_a_top_there_is_no_hem_to_hide_a_bottom(person):
    bare = replace(
        person, parse=np.where(person.parse == Parse.UPPER, Parse.TORSO_SKIN, person.parse).astype(np.uint8)
    )
    figure = measure(bare)
    assert find_overhang(figure, sort_out(figure, {"lower"})) is None


@pytest.mark.parametrize("degrees", [-14, 9])
def test_a_bottom_photographed_askew_is_turned_upright(degrees):
    shorts = bottom("cove-shorts-olive")
    height, width = shorts.mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    askew = replace(
        shorts,
        image=cv2.warpAffine(shorts.image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE),
        mask=cv2.warpAffine(shorts.mask, turn, (width, height)),
        parts=cv2.warpAffine(shorts.parts, turn, (width, height), flags=cv2.INTER_NEAREST),
        landmarks={name: tuple(turn[:, :2] @ point + turn[:, 2]) for name, point in shorts.landmarks.items()},
    )
    level = upright(askew)
    slant = level.landmarks["waist_left"][1] - level.landmarks["waist_right"][1]
    assert abs(slant) < 0.01 * (level.landmarks["waist_right"][0] - level.landmarks["waist_left"][0])
    assert (level.mask > 127).sum() == pytest.approx((shorts.mask > 127).sum(), rel=0.02)
    x, y = (int(value) for value in level.landmarks["crotch"])
    assert level.parts[y - 20, x] == BODY
    assert np.isin(level.parts[y + 20 :, x + 5 :], (BODY, LEFT_LEG)).sum() == 0  # the right leg lies there


def test_a_straight_bottom_is_left_alone():
    shorts = bottom("cove-shorts-olive")
    assert upright(shorts) is shorts
    assert one_cloth(shorts) is shorts


def test_shorts_with_hardly_any_legs_are_one_cloth():
    shorts = bottom("cove-shorts-olive")
    hem = shorts.landmarks["hem_inner_left"][1]
    short = replace(shorts, landmarks=shorts.landmarks | {"crotch": (shorts.landmarks["crotch"][0], hem - 10)})
    whole = one_cloth(short)
    assert set(whole.landmarks) == {"waist_left", "waist_right", "hem_left", "hem_right"}
    assert set(np.unique(whole.parts)) == {0, BODY}
    assert ((whole.parts > 0) == (shorts.parts > 0)).all()


def test_what_hangs_below_a_hem_and_is_no_cloth_is_left_out(tee):
    chest = tee.landmarks["armpit_right"][0] - tee.landmarks["armpit_left"][0]
    hem = int(tee.landmarks["hem_right"][1])
    x = int(tee.landmarks["hem_right"][0] - 0.15 * chest)
    tailed = replace(tee, mask=tee.mask.copy(), parts=tee.parts.copy())
    tail = np.s_[hem - 5 : hem + int(0.1 * chest), x : x + int(0.08 * chest)]
    tailed.mask[tail], tailed.parts[tail] = 255, BODY
    trimmed = without_tails(tailed)
    assert not trimmed.mask[hem + 8 :, x : x + int(0.08 * chest)].any()
    assert (trimmed.mask[:hem] == tee.mask[:hem]).mean() > 0.999


def test_a_fleck_below_the_hem_does_not_make_a_top_longer(tee):
    flecked = replace(tee, parts=tee.parts.copy())
    hem, axis = int(Source(tee).bottom), int(Source(tee).axis)
    flecked.parts[hem + 10 : hem + 14, axis - 2 : axis + 3] = BODY
    assert Source(flecked).bottom == pytest.approx(hem, abs=2)


def test_a_hem_that_the_parse_map_lost_comes_off_with_its_top(person):
    lost = (person.parse == Parse.UPPER) & (np.arange(len(person.parse))[:, None] > HEM - 16)
    lost[:, :BESIDE] = False
    lost[:, 2 * MIDDLE - BESIDE :] = False
    person.parse[lost] = Parse.PANTS
    wardrobe = sort_out(measure(person), {"upper"})
    assert wardrobe.off[lost].mean() > 0.95
    assert not wardrobe.bottom[lost & wardrobe.off].any()


def test_a_cropped_top_leaves_nothing_of_a_longer_one(person, tee):
    points, half = tee.landmarks, int(0.5 * tee.landmarks["armpit_left"][1] + 0.5 * tee.landmarks["hem_left"][1])
    cropped = replace(tee, mask=tee.mask.copy(), parts=tee.parts.copy())
    cropped.mask[half:], cropped.parts[half:] = 0, 0
    cropped = replace(cropped, landmarks=points | {f"hem_{side}": (points[f"hem_{side}"][0], half) for side in SIDES})
    result = ENGINES["preview"].load().generate(Inputs(person, [cropped]))
    assert like(result.image, drawn_person.TOP)[230:540, 350:550].mean() < 0.01


def test_a_bare_forearm_is_in_no_sleeve(person):
    figure = measure(person)
    top = person.parse == Parse.UPPER
    limb = np.isin(person.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM))
    for side in SIDES:
        assert not sleeved(figure, side, top)
        covered = replace(person, parse=np.where(limb, Parse.UPPER, person.parse).astype(np.uint8))
        assert sleeved(measure(covered), side, top | limb)


def test_a_forearm_whose_sleeve_comes_off_is_before_a_bottom(person):
    limb = np.isin(person.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM))
    limb[HEM:] = False
    person.parse[limb] = Parse.UPPER
    figure = measure(person)
    core = cv2.erode(limb.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert arms(figure, None)[core].mean() < 0.1
    assert arms(figure, None, bared=True)[core].mean() > 0.8


def test_the_old_cloth_between_fingers_is_gone(person):
    hand = person.keypoints[Joint.L_WRIST, :2].astype(int) + np.array([-8, 25])
    between = np.s_[hand[1] - 10 : hand[1] + 10, hand[0] - 3 : hand[0] + 3]
    assert (person.parse[between] == Parse.LEFT_ARM).all()
    beside = np.s_[hand[1] - 40 : hand[1] + 30, hand[0] - 40 : hand[0] - 8]
    person.parse[beside], person.mask[beside] = Parse.UPPER, 255
    person.image[beside] = person.image[between] = drawn_person.TOP
    figure = measure(person)
    wardrobe = sort_out(figure, {"upper"})
    bared, _ = without(figure, wardrobe, edged(figure, wardrobe))
    assert not like(bared[between], drawn_person.TOP).any()


def tucked_in(person):
    """The drawn person with the top in the trousers."""
    parse, image = person.parse.copy(), person.image.copy()
    inside = parse == Parse.UPPER
    inside[:WAIST] = False
    parse[inside], image[inside] = Parse.PANTS, drawn_person.TROUSERS
    return replace(person, parse=parse, image=image)


@pytest.fixture(scope="module")
def hanging_jumper():
    picture, mask, points = drawn_garments.hanging_jumper(colour=GREEN)
    return prepare_garment(picture, "upper", Attributes(sleeve="long"), mask=mask, landmarks=points)


def along_forearms(person, shares):
    """Pixels (x, y) at these shares of the way from elbow to wrist, of both arms."""
    for side in ("L", "R"):
        elbow, wrist = (person.keypoints[Joint[f"{side}_{name}"], :2] for name in ("ELBOW", "WRIST"))
        yield from np.round(elbow + shares[:, None] * (wrist - elbow)).astype(int)


@pytest.mark.parametrize("worn", [lambda person: person, tucked_in], ids=["over the trousers", "tucked in"])
def test_long_sleeves_that_hang_beside_a_top_reach_the_wrist(person, hanging_jumper, worn):
    person = worn(person)
    result = ENGINES["preview"].load().generate(Inputs(person, [hanging_jumper]))
    for x, y in along_forearms(person, np.linspace(0, 0.95, 20)):
        assert like(result.image[y - 1 : y + 2, x - 1 : x + 2], GREEN).all()
    below = result.image[WAIST + 40 : HEM - 10, MIDDLE - 40 : MIDDLE + 40]
    assert like(below, drawn_person.TROUSERS).all() == (worn is tucked_in)


def test_a_long_sleeve_ends_where_the_one_worn_now_does_past_the_wrist(person, hanging_jumper):
    arms = np.isin(person.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM))
    wrist = int(person.keypoints[Joint.L_WRIST, 1])
    arms[wrist + 15 :] = False
    person.parse[arms], person.image[arms] = Parse.UPPER, drawn_person.TOP
    result = ENGINES["preview"].load().generate(Inputs(person, [hanging_jumper]))
    for x, y in along_forearms(person, np.linspace(0.9, 1.05, 8)):
        assert like(result.image[y, x], GREEN)
    assert not like(result.image[wrist + 25 : wrist + 60], GREEN).any()
