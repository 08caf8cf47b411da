"""The drawing that hides a garment: its measures, what it leaves, and that damaged joints never pass into it."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing.errors import Refusal
from preprocessing.labels import Body25, Parse
from preprocessing.person.agnostic import GREY, agnostic, parse_agnostic
from preprocessing.person.body25 import body25, seen
from preprocessing.person.densepose import densepose
from preprocessing.person.prepare import prepare_person
from preprocessing.person.refocus import refocus
from tests import drawn_person

# A body in round numbers: shoulders 160 apart, so the brush is 11 pixels; hips 100 apart, widened to 160.
BRUSH = 11
JOINTS = {
    "NOSE": (384, 150), "NECK": (384, 300), "R_SHOULDER": (304, 300), "R_ELBOW": (254, 450), "R_WRIST": (254, 600),
    "L_SHOULDER": (464, 300), "L_ELBOW": (514, 450), "L_WRIST": (514, 600), "MID_HIP": (384, 600),
    "R_HIP": (334, 600), "L_HIP": (434, 600), "R_KNEE": (334, 800), "L_KNEE": (434, 800), "R_ANKLE": (334, 960),
    "L_ANKLE": (434, 960),
}  # fmt: skip
SHAPE = (1024, 768)


def joints(scale: float = 1.0) -> np.ndarray:
    points = np.zeros((25, 3), np.float32)
    for name, place in JOINTS.items():
        points[Body25[name]] = (*np.array(place) * scale, 0.9)
    return points


def without(points, *names):
    points = points.copy()
    points[[Body25[name] for name in names]] = 0
    return points


def hidden(category="upper", parse=None, points=None, shape=SHAPE):
    """bool (H, W): what an agnostic paints grey of a white picture."""
    parse = np.zeros(shape, np.uint8) if parse is None else parse
    points = joints() if points is None else points
    white = np.full((*parse.shape, 3), 255, np.uint8)
    picture = agnostic(category, white, parse, points, np.zeros_like(parse))
    grey = (picture == GREY).all(-1)
    assert (picture[~grey] == 255).all()
    return grey


def extent(line: np.ndarray) -> tuple[int, int]:
    places = np.nonzero(line)[0]
    return int(places.min()), int(places.max())


def test_the_measures_of_the_upper_drawing():
    grey = hidden()
    assert extent(grey[:, 384]) == (300 - 9 * BRUSH, 600 + 6 * BRUSH), "neck to the line between the hips"
    assert extent(grey[205, :]) == (384 - 5 * BRUSH, 384 + 5 * BRUSH), "the neck"
    assert extent(grey[525, :384]) == (254 - 5 * BRUSH + 1, 383), "a forearm is 110 pixels wide"
    assert extent(grey[:, 254])[1] == 600 + 5 * BRUSH, "and ends in a circle of 5 about the wrist"
    torso = hidden(points=without(joints(), "L_ELBOW", "R_ELBOW"))
    assert extent(torso[300, :]) == (304 - 5 * BRUSH, 464 + 5 * BRUSH), "the ellipses at the shoulders"
    assert extent(torso[:, 304])[0] == 300 - 6 * BRUSH
    assert extent(torso[450, :]) == (304 - 3 * BRUSH + 1, 464 + 3 * BRUSH), "the flanks, 66 wide"
    assert extent(torso[:, 384])[1] == extent(torso[:, 304])[1] == 600 + 6 * BRUSH, "below the hips"
    assert torso[600 + 4 * BRUSH, 304 - 2 * BRUSH], "the ellipses at the hips are twice as high as wide"
    assert torso[300 - 6 * BRUSH + 2, 320], "the line between the shoulders"


def test_hips_are_drawn_as_far_apart_as_the_shoulders():
    narrow, wide = joints(), joints()
    narrow[[Body25.R_HIP, Body25.L_HIP], 0] = 374, 394
    wide[[Body25.R_HIP, Body25.L_HIP], 0] = 304, 464
    assert np.array_equal(hidden(points=narrow), hidden(points=wide))


def test_a_limb_to_a_joint_not_seen_is_not_drawn():
    grey = hidden(points=without(joints(), "L_WRIST"))
    assert grey[450, 514] and not grey[560, 514]
    grey = hidden(points=without(joints(), "L_ELBOW"))
    assert grey[300, 464] and not grey[450, 530] and not grey[600, 530], "no line to the wrist either"


def test_what_the_upper_drawing_leaves():
    parse = np.zeros(SHAPE, np.uint8)
    parse[210:240, 350:420] = Parse.FACE
    parse[250:280, 350:420] = Parse.HAIR
    parse[580:700, 300:470] = Parse.PANTS
    parse[580:700, 480:560] = Parse.LEFT_ARM
    parse[400:420, 350:420] = Parse.LEFT_LEG
    parse[430:440, 350:420] = Parse.LEFT_SHOE
    parse[450:460, 350:420] = Parse.UPPER
    parse[470:480, 350:420] = Parse.TORSO_SKIN
    parse[490:500, 350:420] = Parse.RIGHT_ARM
    grey = hidden(parse=parse)
    for kept in (Parse.FACE, Parse.PANTS, Parse.LEFT_LEG, Parse.LEFT_SHOE):
        assert not grey[parse == kept].any(), kept
    for gone in (Parse.HAIR, Parse.UPPER, Parse.TORSO_SKIN):
        assert grey[parse == gone].all(), gone
    assert not grey[490:500, 380:410].any(), "an arm's pixel far from that arm's drawing comes back"
    below = grey[601:, 514]
    assert extent(below)[1] == 4 * BRUSH - 1, "the hand begins 4 brushes below the wrist"


def test_the_arms_labels_go_as_far_as_the_wrist():
    parse = np.full(SHAPE, Parse.LEFT_ARM, np.uint8)
    cleared = parse_agnostic("upper", parse, joints()) == Parse.BACKGROUND
    assert extent(cleared[450, :])[1] == 514 + 150, "150 pixels about the elbow"
    assert extent(cleared[:, 514])[1] == 600 + 40, "40 about the wrist"
    gone = np.array([[Parse.UPPER, Parse.DRESS, Parse.COAT, Parse.TORSO_SKIN]], np.uint8)
    assert not parse_agnostic("upper", np.tile(gone, (1024, 192)), joints()).any()
    kept = np.array([[Parse.HAIR, Parse.FACE, Parse.PANTS, Parse.SKIRT, Parse.LEFT_LEG, Parse.RIGHT_SHOE]], np.uint8)
    assert np.array_equal(parse_agnostic("upper", np.tile(kept, (1024, 128)), joints()), np.tile(kept, (1024, 128)))


def test_the_arms_follow_from_shoulder_to_shoulder_over_a_joint_not_seen():
    parse = np.full(SHAPE, Parse.RIGHT_ARM, np.uint8)
    cleared = parse_agnostic("upper", parse, without(joints(), "R_ELBOW")) == Parse.BACKGROUND
    assert cleared[300, 384] and cleared[450, 279] and cleared[600, 254]


@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
def test_another_size_is_the_same_drawing_smaller(category):
    rng = np.random.default_rng(0)
    small = cv2.resize(rng.integers(0, 20, (16, 12), np.uint8), (384, 512), interpolation=cv2.INTER_NEAREST_EXACT)
    large = cv2.resize(small, (768, 1024), interpolation=cv2.INTER_NEAREST_EXACT)
    there = hidden(category, large)[::2, ::2]
    here = hidden(category, small, joints(0.5))
    assert (there != here).mean() < 0.02
    there = parse_agnostic(category, large, joints())[::2, ::2]
    assert (there != parse_agnostic(category, small, joints(0.5))).mean() < 0.01


@pytest.fixture(scope="module")
def person():
    return refocus(drawn_person.person(), whole=True).person


def of_person(person, category):
    points = body25(person.keypoints, person.parse.shape)
    picture = agnostic(category, person.image, person.parse, points, densepose(person))
    grey = (picture == GREY).all(-1)
    return grey, {label: float(grey[person.parse == label].mean()) for label in np.unique(person.parse)}


def test_lower_hides_the_legs_and_what_is_between_them_and_nothing_else(person):
    grey, share = of_person(person, "lower")
    assert share[Parse.PANTS] == 1
    for label in set(share) - {Parse.PANTS, Parse.BACKGROUND}:
        assert share[label] == 0, Parse(label)
    points = body25(person.keypoints, person.parse.shape)
    knees = points[[Body25.R_KNEE, Body25.L_KNEE], :2].mean(0).astype(int)
    assert person.parse[knees[1], knees[0]] == Parse.BACKGROUND and grey[knees[1], knees[0]]
    assert not grey[:, :100].any() and not grey[:400].any()


def test_lower_hides_the_space_between_two_thin_legs_too():
    grey = hidden("lower")
    assert grey[750, 384] and grey[900, 384], "between the thighs, between the calves"
    assert not hidden("lower", points=without(joints(), "L_ANKLE"))[900, 384], "only as far down as both legs are seen"


def test_dress_hides_both_garments_and_leaves_head_hands_and_shoes(person):
    _, share = of_person(person, "dress")
    assert share[Parse.PANTS] == share[Parse.UPPER] == 1
    assert share[Parse.HAIR] == share[Parse.FACE] == share[Parse.LEFT_SHOE] == 0
    assert 0.3 < share[Parse.LEFT_ARM] < 1, "the arm, but for the hand"


def test_the_outline_of_trousers_does_not_tell_their_width(person):
    wide = person.parse.copy()
    wide[cv2.dilate((person.parse == Parse.PANTS).astype(np.uint8), np.ones((9, 9))) > 0] = Parse.PANTS
    points = body25(person.keypoints, person.parse.shape)
    other = type(person)(person.image, person.keypoints, person.mask, wide, person.carried)
    first, second = (
        agnostic("lower", np.full_like(p.image, 255), p.parse, points, densepose(person))[..., 0] == GREY
        for p in (person, other)
    )
    changed = (wide == Parse.PANTS) & (person.parse == Parse.BACKGROUND)
    assert first[changed].all(), "what the wider ones would cover is hidden for the narrow ones too"
    assert (first != second).mean() < 0.05


def test_a_real_photo_that_ends_above_the_hips():
    person = refocus(prepare_person(astronaut())).person
    grey, share = of_person(person, "upper")
    assert share[Parse.UPPER] > 0.98 and share[Parse.FACE] == 0
    points = body25(person.keypoints, person.parse.shape)
    assert points[Body25.MID_HIP, 1] > person.parse.shape[0] and points[Body25.MID_HIP, 2] == 0
    assert not grey[:150].any()


def test_below_the_hips_a_dress_is_a_lower_garment_and_above_it_is_not():
    parse = np.zeros(SHAPE, np.uint8)
    parse[300:900, 300:470] = Parse.DRESS
    grey = hidden("lower", parse)
    assert not grey[300:599, 320:450].any() and grey[600:900, 300:470].all()
    cleared = parse_agnostic("lower", parse, joints())
    assert (cleared[300:599, 300:470] == Parse.DRESS).all() and not cleared[600:].any()
    assert not parse_agnostic("dress", parse, joints()).any()


def test_a_garment_for_below_clears_legs_but_not_shoes():
    labels = np.array(
        [[Parse.PANTS, Parse.SKIRT, Parse.LEFT_LEG, Parse.SOCKS, Parse.LEFT_SHOE, Parse.UPPER]], np.uint8
    )
    cleared = parse_agnostic("lower", np.tile(labels, (1024, 128)), joints())
    assert set(np.unique(cleared)) == {0, Parse.LEFT_SHOE, Parse.UPPER}


@pytest.mark.parametrize("category", ["shoes", "Upper", None])
def test_a_category_nobody_knows(category):
    with pytest.raises(ValueError, match="none of"):
        parse_agnostic(category, np.zeros(SHAPE, np.uint8), joints())


def test_maps_that_do_not_belong_to_the_picture():
    image, parse = np.zeros((*SHAPE, 3), np.uint8), np.zeros(SHAPE, np.uint8)
    with pytest.raises(ValueError, match="512"):
        agnostic("upper", image, parse[:512], joints(), parse)
    with pytest.raises(ValueError, match="int64"):
        agnostic("upper", image, parse.astype(int), joints(), parse)


DAMAGES = [
    lambda p, rng: p,
    lambda p, rng: p + rng.normal(0, 60, p.shape) * (p != 0),
    lambda p, rng: np.where(rng.random((25, 1)) < 0.1, np.nan, p),
    lambda p, rng: np.where(rng.random((25, 1)) < 0.1, np.inf * rng.choice([-1, 1]), p),
    lambda p, rng: np.where(rng.random((25, 1)) < 0.2, 0, p),
    lambda p, rng: np.where(rng.random((25, 1)) < 0.2, rng.normal(0, 10.0 ** rng.integers(2, 12)), p),
    lambda p, rng: p[rng.permutation(25)],
    lambda p, rng: p[[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]],
    lambda p, rng: np.vstack([p[[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]], np.zeros((7, 3))]),
    lambda p, rng: p * rng.normal(1, 0.6, 3),
    lambda p, rng: rng.uniform(-200, 800, (25, 3)),
    lambda p, rng: p[: rng.integers(0, 25)],
    lambda p, rng: p[:, : rng.integers(0, 4)],
]


def torso_of(points, shape):
    """The torso polygon by the paper's rule, less a pixel for rounding; drawn by another program than Pillow."""
    corners = points[[Body25.R_SHOULDER, Body25.L_SHOULDER, Body25.L_HIP, Body25.R_HIP], :2].astype(float)
    middle = corners[2:].mean(0)
    way = (corners[2] - corners[3]) / np.hypot(*(corners[2] - corners[3]))
    half = np.hypot(*(corners[1] - corners[0])) / 2
    corners[2], corners[3] = middle + way * half, middle - way * half
    polygon = cv2.fillPoly(np.zeros(shape, np.uint8), [np.round(corners).astype(int)], 1)
    return cv2.erode(polygon, np.ones((3, 3))) > 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_joints_are_refused_or_the_torso_is_covered(damage):
    shape, drawn = (512, 384), 0
    parse = np.zeros(shape, np.uint8)
    for seed in range(25):
        points = damage(joints(0.5), np.random.default_rng(seed))
        try:
            grey = {category: hidden(category, parse, points) for category in ("upper", "dress", "lower")}
        except Refusal as refusal:
            assert refusal.code.startswith("keypoints.")
            with pytest.raises(Refusal):
                parse_agnostic("upper", parse, points)
            continue
        drawn += 1
        torso = torso_of(points, shape)
        assert grey["upper"][torso].all() and grey["dress"][torso].all()
        for knee in (Body25.R_KNEE, Body25.L_KNEE):
            x, y = np.round(points[knee, :2]).astype(int)
            if seen(points)[knee] and 0 <= x < shape[1] and 0 <= y < shape[0]:
                assert grey["lower"][y, x]
    if damage is DAMAGES[0]:
        assert drawn == 25


def test_the_joints_and_maps_given_are_left_alone():
    points, parse, image = joints(), np.full(SHAPE, Parse.LEFT_ARM, np.uint8), np.zeros((*SHAPE, 3), np.uint8)
    before = [array.copy() for array in (points, parse, image)]
    agnostic("dress", image, parse, points, parse)
    parse_agnostic("dress", parse, points)
    for was, now in zip(before, (points, parse, image), strict=True):
        assert np.array_equal(was, now)
