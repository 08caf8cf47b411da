"""What is said about a photo: refused with a reason, or what would make a better picture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing.errors import Refusal
from preprocessing.labels import Joint, Parse
from preprocessing.person.checks import (
    HIPS_SYNTHESISED,
    UNCLEAR_OUTLINE,
    check_keypoints,
    check_photo,
    check_separable,
)
from preprocessing.person.prepare import prepare_person
from tests.drawn_person import SHAPE, keypoints, person


@pytest.mark.parametrize(
    "photo, code",
    [
        (np.full((600, 400, 3), 200, np.uint8), "photo.no_person"),
        (np.hstack([astronaut(), astronaut()]), "photo.several_people"),
        (astronaut()[:200, :200], "photo.too_small"),
        (cv2.resize(astronaut()[20:230, 145:320], None, fx=2, fy=2), "photo.shoulders_outside"),
        (cv2.copyMakeBorder(astronaut(), 1800, 1800, 1800, 1800, cv2.BORDER_REPLICATE), "photo.no_person"),
    ],
    ids=["blank", "two people", "tiny", "only a face", "far away"],
)
def test_photos_that_cannot_be_used(photo, code):
    with pytest.raises(Refusal) as refused:
        prepare_person(photo)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


def test_a_photo_without_a_head_is_refused():
    with pytest.raises(Refusal) as refused:
        prepare_person(astronaut()[200:])
    assert refused.value.code in {"photo.no_person", "photo.head_outside", "photo.shoulders_outside"}


def changed(change):
    points = keypoints()
    change(points)
    return points


def mirrored(points):
    points[:, 0] = 900 - points[:, 0]


def squashed(points):
    points[:, 2] = (points[:, 0] - 450) * 3
    points[:, 0] = 450 + (points[:, 0] - 450) * 0.3


def fallen(points):
    points[:, :2] = np.stack([points[:, 1], 900 - points[:, 0]], axis=1)


def on_its_head(points):
    points[:, :2] = [900, 1000] - points[:, :2]


def shrunk(points):
    points[:, :2] *= 0.3


def no_face(points):
    points[[Joint.NOSE, Joint.L_EYE, Joint.R_EYE], 3] = 0.1


def beside(points):
    points[:, 0] += 400


def above(points):
    points[:, 1] -= 130


def no_number(points):
    points[Joint.L_WRIST, 1] = np.nan


@pytest.mark.parametrize(
    "change, code",
    [
        (mirrored, "photo.from_behind"),
        (squashed, "photo.turned"),
        (fallen, "photo.leaning"),
        (on_its_head, "photo.no_person"),
        (shrunk, "photo.person_too_small"),
        (no_face, "photo.face_hidden"),
        (beside, "photo.shoulders_outside"),
        (above, "photo.head_outside"),
        (no_number, "photo.no_person"),
    ],
)
def test_bodies_that_cannot_be_dressed(change, code):
    with pytest.raises(Refusal) as refused:
        check_keypoints(changed(change), SHAPE, hips_seen=True)
    assert refused.value.code == code


def test_a_body_that_faces_the_camera_passes():
    check_keypoints(keypoints(), SHAPE, hips_seen=True)


def test_networks_that_disagree_on_the_person_refuse_the_photo():
    person_mask = np.zeros((100, 100), np.float32)
    person_mask[20:, 30:70] = 1
    assert check_separable(person_mask, person_mask)
    assert not check_separable(person_mask, np.roll(person_mask, 5, axis=1))
    with pytest.raises(Refusal) as refused:
        check_separable(person_mask, np.roll(person_mask, 20, axis=1))
    assert refused.value.code == "photo.unclear_outline"


def codes(someone):
    return [finding.code for finding in check_photo(someone)]


def test_nothing_is_said_against_a_good_photo():
    assert check_photo(person()) == []


def test_findings_say_what_to_do_in_words():
    for finding in check_photo(replace(person(), flags=frozenset({HIPS_SYNTHESISED, UNCLEAR_OUTLINE}))):
        assert finding.severity == "warn"
        assert finding.sentence.endswith(".")


def covered(rows, columns, label=None):
    someone = person()
    parse, carried = someone.parse.copy(), someone.carried.copy()
    if label is None:
        carried[rows, columns], parse[rows, columns] = True, Parse.BACKGROUND
    else:
        parse[rows, columns] = label
    return replace(someone, parse=parse, carried=carried)


def test_hair_over_the_top():
    assert codes(covered(slice(260, 330), slice(390, 510), Parse.HAIR)) == ["photo.torso_partly_hidden"]


def test_a_phone_before_the_top():
    assert codes(covered(slice(300, 380), slice(420, 480))) == ["photo.thing_in_front"]


def test_a_top_that_cannot_be_seen_is_refused_and_said_first():
    hidden = covered(slice(260, 450), slice(390, 510), Parse.HAIR)
    found = check_photo(replace(hidden, flags=frozenset({HIPS_SYNTHESISED})))
    assert [(finding.code, finding.severity) for finding in found] == [
        ("photo.torso_hidden", "refuse"),
        ("photo.hips_outside", "warn"),
    ]


def posed(**joints):
    someone = person()
    points = someone.keypoints.copy()
    for name, (x, y) in joints.items():
        points[Joint[name], :2] = x, y
    return replace(someone, keypoints=points)


def test_a_hard_pose_says_what_is_hard():
    folded = posed(L_ELBOW=(560, 370), L_WRIST=(400, 330), R_ELBOW=(340, 370), R_WRIST=(500, 340))
    raised = posed(L_ELBOW=(540, 110), L_WRIST=(500, 10), R_ELBOW=(360, 110), R_WRIST=(400, 10))
    assert folded.difficulty.level == raised.difficulty.level == "hard"
    assert codes(folded) == ["photo.arms_crossed"]
    assert codes(raised) == ["photo.arms_raised"]


def test_half_turned():
    someone = person()
    points = someone.keypoints.copy()
    points[:, 2] = (points[:, 0] - 450) * 2
    points[:, 0] = 450 + (points[:, 0] - 450) * 0.75
    assert codes(replace(someone, keypoints=points)) == ["photo.half_turned"]


def test_sitting():
    assert codes(posed(L_KNEE=(560, 540), R_KNEE=(340, 540))) == ["photo.legs_bent"]


def test_legs_out_of_the_picture():
    someone = person()
    cut = {name: getattr(someone, name)[:560] for name in ("image", "mask", "parse", "carried")}
    assert codes(replace(someone, **cut)) == ["photo.legs_outside"]
    assert codes(replace(someone, **cut, flags=frozenset({HIPS_SYNTHESISED}))) == ["photo.hips_outside"]


@pytest.mark.parametrize(
    "spoil, code",
    [
        (lambda image: (image * 0.25).astype(np.uint8), "photo.dark"),
        (lambda image: np.clip(image * 2.0, 0, 255).astype(np.uint8), "photo.too_bright"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 25), "photo.blurred"),
    ],
)
def test_bad_light_and_blur(spoil, code):
    assert codes(replace(person(), image=spoil(person().image))) == [code]
