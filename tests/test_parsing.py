"""A parse map from regions and joints: a drawn person's regions in, the labels she was drawn with out."""

import cv2
import numpy as np
import pytest

from preprocessing.labels import Parse, Region
from preprocessing.person.parsing import STEP, enlarge, parse_person
from tests import drawn_person

REGION = {
    Parse.HAIR: Region.HAIR, Parse.FACE: Region.FACE_SKIN, Parse.TORSO_SKIN: Region.BODY_SKIN,
    Parse.LEFT_ARM: Region.BODY_SKIN, Parse.RIGHT_ARM: Region.BODY_SKIN, Parse.LEFT_LEG: Region.BODY_SKIN,
    Parse.RIGHT_LEG: Region.BODY_SKIN, Parse.UPPER: Region.CLOTHES, Parse.PANTS: Region.CLOTHES,
    Parse.SKIRT: Region.CLOTHES, Parse.DRESS: Region.CLOTHES, Parse.SOCKS: Region.CLOTHES,
    Parse.LEFT_SHOE: Region.OTHERS, Parse.RIGHT_SHOE: Region.OTHERS, Parse.HAT: Region.OTHERS,
    Parse.SUNGLASSES: Region.OTHERS,
}  # fmt: skip
COLOURS = {
    Parse.UPPER: drawn_person.TOP, Parse.PANTS: drawn_person.TROUSERS, Parse.SKIRT: drawn_person.TROUSERS,
    Parse.DRESS: (30, 120, 90), Parse.HAIR: drawn_person.HAIR, Parse.SOCKS: (240, 240, 240), Parse.HAT: (90, 80, 60),
}  # fmt: skip


def drawn():
    return drawn_person.person().parse.copy()


def parsed(truth, colours=COLOURS, things=None, seam=None):
    """The parse map and what is carried, at the drawing's size, of a person drawn with these labels.

    `seam` is a column and its grey where trouser legs meet.
    """
    region = np.zeros(truth.shape, np.uint8)
    image = np.full((*truth.shape, 3), 225, np.uint8)
    for label in np.unique(truth[truth > 0]):
        region[truth == label] = REGION[Parse(label)]
        image[truth == label] = colours.get(Parse(label), drawn_person.SKIN)
    if things is not None:
        region[things], image[things] = Region.OTHERS, (20, 20, 20)
    if seam is not None:
        column, grey = seam
        image[560:960, column - 3 : column + 3] = grey
    shading = np.random.default_rng(3).normal(0, 3, truth.shape)[..., None]
    image = np.clip(image + shading, 0, 255).astype(np.uint8)
    size = truth.shape[1] // STEP, truth.shape[0] // STEP
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    regions = np.stack([(region[::STEP, ::STEP] == r).astype(np.float32) for r in Region])
    parse, carried = parse_person(small, regions, drawn_person.keypoints())
    return enlarge(parse, truth.shape), enlarge(carried.astype(np.uint8), truth.shape) > 0


def overlap(parse, truth, label):
    return ((parse == label) & (truth == label)).sum() / ((parse == label) | (truth == label)).sum()


def test_every_label_of_a_person_in_tee_and_trousers():
    truth = drawn()
    parse, carried = parsed(truth)
    assert set(np.unique(parse)) == set(np.unique(truth))
    least = {Parse.TORSO_SKIN: 0.75, Parse.LEFT_SHOE: 0.75, Parse.RIGHT_SHOE: 0.75}
    for label in np.unique(truth):
        assert overlap(parse, truth, label) > least.get(Parse(label), 0.9), Parse(label).name
    assert not carried.any()


def with_skirt(label, legs=True):
    truth = drawn()
    truth[np.isin(truth, (Parse.PANTS,))] = 0
    if legs:
        for x, leg in ((498, Parse.LEFT_LEG), (402, Parse.RIGHT_LEG)):
            cv2.line(truth, (x, 560), (x, 960), int(leg), 60)
    cv2.fillPoly(truth, [np.array([(370, 495), (530, 495), (580, 740), (320, 740)])], int(label))
    return truth


def test_one_panel_below_the_waist_is_a_skirt():
    truth = with_skirt(Parse.SKIRT)
    parse, _ = parsed(truth)
    for label in (Parse.SKIRT, Parse.UPPER, Parse.LEFT_LEG, Parse.RIGHT_LEG):
        assert overlap(parse, truth, label) > 0.9, label.name
    assert not (parse == Parse.PANTS).any()


def test_closed_legs_of_dark_trousers_are_no_skirt():
    truth = drawn()
    cv2.rectangle(truth, (380, 500), (520, 960), int(Parse.PANTS), -1)
    parse, _ = parsed(truth, COLOURS | {Parse.PANTS: (28, 28, 32)}, seam=(449, 20))
    assert overlap(parse, truth, Parse.PANTS) > 0.9
    assert not (parse == Parse.SKIRT).any()


def test_one_colour_from_chest_to_hem_is_a_dress():
    truth = with_skirt(Parse.DRESS)
    truth[truth == Parse.UPPER] = Parse.DRESS
    parse, _ = parsed(truth)
    assert overlap(parse, truth, Parse.DRESS) > 0.95
    assert not np.isin(parse, (Parse.UPPER, Parse.SKIRT)).any()


def test_a_bare_waist_parts_top_and_skirt_of_one_colour():
    truth = with_skirt(Parse.SKIRT)
    truth[400:480, 366:534] = Parse.TORSO_SKIN
    one_colour = COLOURS | {Parse.SKIRT: drawn_person.TOP}
    parse, _ = parsed(truth, one_colour)
    assert overlap(parse, truth, Parse.UPPER) > 0.9
    assert overlap(parse, truth, Parse.SKIRT) > 0.9
    assert overlap(parse, truth, Parse.TORSO_SKIN) > 0.7


def test_shorts_leave_legs_of_their_own_side():
    truth = drawn()
    for x, leg in ((499, Parse.LEFT_LEG), (401, Parse.RIGHT_LEG)):
        legs = (truth == Parse.PANTS) & (np.arange(1100)[:, None] > 640) & (abs(np.arange(900)[None] - x) < 45)
        truth[legs] = leg
    parse, _ = parsed(truth)
    for label in (Parse.PANTS, Parse.LEFT_LEG, Parse.RIGHT_LEG):
        assert overlap(parse, truth, label) > 0.85, label.name


def test_socks_between_leg_and_shoe():
    truth = drawn()
    truth[(truth == Parse.PANTS) & (np.arange(1100)[:, None] > 640)] = 0
    for x, leg in ((499, Parse.LEFT_LEG), (401, Parse.RIGHT_LEG)):
        cv2.line(truth, (x, 650), (x, 870), int(leg), 60)
        cv2.line(truth, (x, 870), (x, 940), int(Parse.SOCKS), 44)
    parse, _ = parsed(truth)
    assert overlap(parse, truth, Parse.SOCKS) > 0.6


def test_long_sleeves_belong_to_the_top():
    truth = drawn()
    sleeves = np.isin(truth, (Parse.LEFT_ARM, Parse.RIGHT_ARM)) & (np.arange(1100)[:, None] < 490)
    truth[sleeves] = Parse.UPPER
    parse, _ = parsed(truth)
    assert overlap(parse, truth, Parse.UPPER) > 0.95
    assert overlap(parse, truth, Parse.LEFT_ARM) > 0.7


@pytest.mark.parametrize("waist", [430, 480, 540])
def test_the_waist_is_where_the_colour_changes(waist):
    truth = drawn()
    trunk = np.zeros(truth.shape, np.uint8)
    cv2.rectangle(trunk, (366, 300), (534, 560), 1, -1)
    clothes = (trunk > 0) & np.isin(truth, (Parse.UPPER, Parse.PANTS))
    below = np.arange(1100)[:, None] >= waist
    truth[clothes & below], truth[clothes & ~below] = Parse.PANTS, Parse.UPPER
    truth[(trunk > 0) & (truth == 0) & ~below] = Parse.UPPER
    parse, _ = parsed(truth)
    column = parse[:, 450]
    assert np.flatnonzero(column == Parse.UPPER).max() == pytest.approx(waist, abs=8)


def test_hat_and_sunglasses():
    truth = drawn()
    cv2.rectangle(truth, (380, 10), (520, 60), int(Parse.HAT), -1)
    cv2.rectangle(truth, (412, 90), (488, 112), int(Parse.SUNGLASSES), -1)
    parse, carried = parsed(truth)
    assert overlap(parse, truth, Parse.HAT) > 0.9
    assert overlap(parse, truth, Parse.SUNGLASSES) > 0.8
    assert not carried.any()


def test_a_bag_is_carried():
    bag = np.zeros(drawn().shape, bool)
    bag[520:640, 620:700] = True
    parse, carried = parsed(drawn(), things=bag)
    assert (carried & bag).sum() / (carried | bag).sum() > 0.9
    assert not parse[bag & carried].any()
