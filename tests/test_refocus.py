"""The way from a photo into the networks' frame and back."""

import numpy as np
import pytest

from preprocessing.labels import Joint, Parse
from preprocessing.person.refocus import SIZE, Crop, refocus
from tests import drawn_person

rng = np.random.default_rng(1)


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


def cut(person, bottom):
    """The same photo, ending sooner."""
    return type(person)(
        person.image[:bottom], person.keypoints, person.mask[:bottom], person.parse[:bottom], person.carried[:bottom]
    )


def test_corners_and_scale_are_exact():
    crop = Crop(photo=(1000, 800), left=40, top=60, cells=192)
    assert (crop.height, crop.width) == (768, 576)
    assert np.allclose(crop.points_to_photo([(0, 0), (768, 1024), (384, 512)]), [(40, 60), (616, 828), (328, 444)])
    points = rng.uniform(-500, 1500, (100, 2))
    assert np.abs(crop.points_to_photo(crop.points_to_frame(points)) - points).max() < 1e-9


def test_a_crop_of_the_frames_own_size_changes_no_byte():
    photo = rng.integers(0, 256, (1100, 900, 3), np.uint8)
    crop = Crop(photo=(1100, 900), left=30, top=20, cells=256)
    assert np.array_equal(crop.to_frame(photo), photo[20:1044, 30:798])
    assert np.array_equal(crop.to_photo(crop.to_frame(photo), photo), photo)


@pytest.mark.parametrize("cells", [64, 128, 175, 229, 255])
def test_labels_come_back_exactly_from_any_enlarged_crop(cells):
    crop = Crop(photo=(600, 500), left=-40, top=-30, cells=cells)
    labels = rng.integers(1, 20, (600, 500), np.uint8)
    back = crop.labels_to_photo(crop.labels_to_frame(labels))
    inside = back > 0
    assert np.array_equal(back[inside], labels[inside])
    assert inside.sum() == min(600, crop.height - 30) * min(500, crop.width - 40)


def test_beyond_the_photo_the_edge_goes_on_and_is_known():
    photo = rng.integers(0, 256, (400, 300, 3), np.uint8)
    crop = Crop(photo=(400, 300), left=-42, top=-112, cells=128)  # 512 x 384, twice as large in the frame
    padded = crop.padded()
    assert padded[:224].all() and padded[:, :84].all() and padded[:, -84:].all()
    assert not padded[224:, 84:-84].any()
    frame = crop.to_frame(photo)
    assert np.array_equal(frame[:200], np.broadcast_to(frame[:1], frame[:200].shape))
    assert not crop.labels_to_frame(np.ones((400, 300), np.uint8))[padded].any()


def test_what_is_made_in_the_frame_lands_in_its_place_and_nowhere_else():
    photo = rng.integers(0, 256, (400, 300, 3), np.uint8)
    crop = Crop(photo=(400, 300), left=60, top=-24, cells=64)
    placed = crop.to_photo(np.full((*SIZE, 3), 7, np.uint8), photo)
    assert (placed[:232, 60:252] == 7).all()
    placed[:232, 60:252] = photo[:232, 60:252]
    assert np.array_equal(placed, photo)


def test_the_upper_body_fills_the_frame_from_the_crown_to_above_the_knee(person):
    frame = refocus(person).person
    assert frame.image.shape == (*SIZE, 3) and frame.parse.shape == frame.mask.shape == frame.carried.shape == SIZE
    crown = np.nonzero((frame.parse == Parse.HAIR).any(1))[0].min()
    assert 10 < crown < 120
    assert frame.keypoints[Joint.L_HIP, 1] < 0.85 * SIZE[0]
    assert frame.keypoints[Joint.L_KNEE, 1] > SIZE[0]
    assert abs(frame.keypoints[Joint.NOSE, 0] - SIZE[1] / 2) < 5


def test_the_whole_body_is_in_the_whole_frame(person):
    frame = refocus(person, whole=True).person
    for label in np.unique(person.parse):
        assert (frame.parse == label).any(), Parse(label)
    assert np.nonzero(frame.mask.any(1))[0].max() < SIZE[0] - 10


def test_joints_stay_on_the_picture(person):
    refocused = refocus(person)
    for joint in (Joint.L_WRIST, Joint.R_ELBOW, Joint.NOSE):
        x, y = refocused.person.keypoints[joint, :2].astype(int)
        u, v = person.keypoints[joint, :2].astype(int)
        assert refocused.person.parse[y, x] == person.parse[v, u]
    there = refocused.crop.points_to_photo(refocused.person.keypoints[:, :2])
    assert np.abs(there - person.keypoints[:, :2]).max() < 1e-3
    assert np.isclose(refocused.person.keypoints[Joint.NOSE, 2], -40 * refocused.crop.scale), "depth grows as well"


def test_a_photo_that_ends_at_the_hips_is_not_padded_below(person):
    for whole in (False, True):
        refocused = refocus(cut(person, 520), whole=whole)
        assert refocused.crop.top + refocused.crop.height == 520
        assert refocused.crop.height < 560, "nor made smaller for what it does not show"
        assert refocused.person.mask[-1].any()


def test_arms_held_out_are_not_cut_off(person):
    mask = person.mask.copy()
    mask[230:270, 20:880] = 255
    wide = type(person)(person.image, person.keypoints, mask, person.parse, person.carried)
    crop = refocus(wide).crop
    assert crop.left <= 20 and crop.left + crop.width >= 880
    assert crop.top <= 20


def test_specks_of_mask_elsewhere_change_nothing(person):
    mask = person.mask.copy()
    mask[5:15, 5:15] = mask[1080:1090, 880:890] = 255
    speckled = type(person)(person.image, person.keypoints, mask, person.parse, person.carried)
    for whole in (False, True):
        assert refocus(speckled, whole=whole).crop == refocus(person, whole=whole).crop


def test_a_narrow_photo_is_widened(person):
    narrow = type(
        person
    )(
        person.image[:, 310:590].copy(),  # through both forearms
        person.keypoints - np.array([310, 0, 0, 0], np.float32),
        person.mask[:, 310:590].copy(),
        person.parse[:, 310:590].copy(),
        person.carried[:, 310:590].copy(),
    )
    refocused = refocus(narrow)
    padded = refocused.crop.padded()
    assert padded.any()
    assert not refocused.person.mask[padded].any() and not refocused.person.parse[padded].any()


def test_the_person_given_is_left_alone(person):
    before = person.to_bytes()
    refocus(person, whole=True)
    assert person.to_bytes() == before
