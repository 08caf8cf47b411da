"""Joints in OpenPose's order: what is taken over, what is refused before anything is drawn."""

import numpy as np
import pytest

from preprocessing.errors import Refusal
from preprocessing.labels import Body25, Joint
from preprocessing.person.body25 import body25, check_body25, from_json, seen, to_json
from tests import drawn_person


@pytest.fixture
def points():
    return body25(drawn_person.keypoints(), drawn_person.SHAPE)


# COCO's 18: nose, neck, right arm, left arm, right leg, left leg, eyes, ears.
COCO = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]


def refused(points, shape=drawn_person.SHAPE):
    with pytest.raises(Refusal) as refusal:
        check_body25(points, shape)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.code


def test_joints_come_over_by_name(points):
    keypoints = drawn_person.keypoints()
    check_body25(points, drawn_person.SHAPE)
    for there, here in (("L_WRIST", "L_WRIST"), ("R_KNEE", "R_KNEE"), ("L_BIG_TOE", "L_TOES"), ("R_HEEL", "R_HEEL")):
        assert points[Body25[there]].tolist() == keypoints[Joint[here]][[0, 1, 3]].tolist()
    assert points[Body25.NECK].tolist() == [450, 240, 1]
    assert points[Body25.MID_HIP].tolist() == [450, 490, 1]
    assert not points[[Body25.L_SMALL_TOE, Body25.R_SMALL_TOE]].any()
    assert points.dtype == np.float32 and points.shape == (25, 3)


def test_joints_not_seen_are_zero_as_openpose_writes_them():
    keypoints = drawn_person.keypoints()
    keypoints[Joint.L_WRIST, 3] = 0.1
    keypoints[Joint.R_ELBOW, 0] = -5
    keypoints[Joint.R_KNEE, 1] = drawn_person.SHAPE[0]
    points = body25(keypoints, drawn_person.SHAPE)
    missing = {Body25(joint) for joint in np.nonzero(~seen(points))[0]}
    assert missing == {Body25.L_WRIST, Body25.R_ELBOW, Body25.R_KNEE, Body25.L_SMALL_TOE, Body25.R_SMALL_TOE}
    assert not points[Body25.L_WRIST].any()


def test_hips_made_from_the_shoulders_keep_their_place_and_are_marked():
    keypoints = drawn_person.keypoints()
    keypoints[[Joint.L_HIP, Joint.R_HIP], 3] = 0
    shape = (400, 900)  # a photo that ends at the chest
    points = body25(keypoints, shape)
    check_body25(points, shape)
    assert points[Body25.L_HIP].tolist() == [496, 490, 0]
    assert points[Body25.MID_HIP].tolist() == [450, 490, 0]


@pytest.mark.parametrize(
    "damage, code",
    [
        (lambda p: p[COCO], "keypoints.coco_order"),
        (lambda p: np.vstack([p[COCO], np.zeros((7, 3))]), "keypoints.coco_order"),
        (lambda p: without(np.vstack([p[COCO], np.zeros((7, 3))]), Body25.MID_HIP), "keypoints.coco_order"),
        (lambda p: without(np.vstack([p[COCO], np.zeros((7, 3))]), Body25.L_ANKLE), "keypoints.coco_order"),
        (lambda p: p[:20], "keypoints.shape"),
        (lambda p: p.ravel(), "keypoints.shape"),
        (lambda p: np.where(np.arange(25)[:, None] == Body25.L_KNEE, np.nan, p), "keypoints.not_numbers"),
        (lambda p: np.where(np.arange(25)[:, None] == Body25.NOSE, np.inf, p), "keypoints.not_numbers"),
        (lambda p: p.astype(str), "keypoints.not_numbers"),
        (lambda p: without(p, Body25.L_SHOULDER), "keypoints.shoulders_missing"),
        (lambda p: without(p, Body25.R_HIP), "keypoints.hips_missing"),
        (lambda p: without(p, Body25.R_HIP, Body25.L_HIP, Body25.MID_HIP), "keypoints.hips_missing"),
        (lambda p: without(p, Body25.NECK), "keypoints.neck_missing"),
        (lambda p: moved(p, Body25.L_HIP, to=p[Body25.R_HIP, :2]), "keypoints.no_width"),
        (lambda p: moved(p, Body25.L_WRIST, to=(1e6, 500)), "keypoints.outside"),
        (lambda p: moved(p, Body25.NECK, to=(450, 490)), "keypoints.neck_astray"),
        (lambda p: p * (-1, 1, 1) + (900, 0, 0) * seen(p)[:, None], "keypoints.sides_swapped"),
        (lambda p: exchanged(p, Body25.L_SHOULDER, Body25.R_SHOULDER), "keypoints.sides_swapped"),
        (lambda p: exchanged(p, Body25.L_HIP, Body25.R_HIP), "keypoints.sides_swapped"),
        (lambda p: p * (1, -1, 1) + (0, 1100, 0) * seen(p)[:, None], "keypoints.upside_down"),
        (lambda p: p * (0.2, 1, 1) + (300, 0, 0) * seen(p)[:, None], "keypoints.proportions"),
        (lambda p: p * (1, 0.2, 1), "keypoints.proportions"),
    ],
    ids=[
        "18 joints", "18 joints in 25 rows", "the same without its right hip", "the same without its right eye",
        "20 joints", "flat", "NaN", "inf", "words", "a shoulder", "a hip",
        "both hips", "no neck", "hips in one place", "a wrist far outside", "the neck at the hips",
        "sides swapped", "shoulders swapped", "hips swapped", "upside down", "much too narrow", "much too short",
    ],
)  # fmt: skip
def test_joints_that_cannot_be_drawn_from(points, damage, code):
    assert refused(damage(points)) == code


def without(points, *joints):
    points = points.copy()
    points[list(joints)] = 0
    return points


def exchanged(points, one, other):
    points = points.copy()
    points[[one, other]] = points[[other, one]]
    return points


def moved(points, joint, to):
    points = points.copy()
    points[joint, :2] = to
    return points


def test_openpose_files_are_written_and_read(points):
    assert np.allclose(from_json(to_json(points)), points, atol=1e-3)
    assert from_json(to_json(points[COCO])).shape == (18, 3)


@pytest.mark.parametrize(
    "text, code",
    [
        ('{"people": []}', "keypoints.no_person"),
        ("not json", "keypoints.not_openpose"),
        ("[]", "keypoints.not_openpose"),
        ('{"people": [{}]}', "keypoints.not_openpose"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "keypoints.not_openpose"),
        ('{"people": [{"pose_keypoints_2d": [[1, 2, 3]]}]}', "keypoints.not_openpose"),
        ('{"people": [{"pose_keypoints_2d": ["a", "b", "c"]}]}', "keypoints.not_openpose"),
    ],
)
def test_files_that_are_not_openpose(text, code):
    with pytest.raises(Refusal) as refusal:
        from_json(text)
    assert refusal.value.code == code
