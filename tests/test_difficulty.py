"""How difficult a pose is, from its joints alone."""

import numpy as np
import pytest

from preprocessing.labels import Joint
from preprocessing.person.difficulty import pose_complexity, pose_difficulty, raised_arm, turn
from tests.drawn_person import keypoints


def moved(**joints):
    points = keypoints()
    for name, (x, y) in joints.items():
        points[Joint[name], :2] = x, y
    return points


FOLDED = {"L_ELBOW": (560, 370), "L_WRIST": (400, 330), "R_ELBOW": (340, 370), "R_WRIST": (500, 340)}
ONE_HAND_ON_THE_CHEST = {"L_ELBOW": (560, 370), "L_WRIST": (440, 320)}


def test_arms_at_the_sides_are_easy():
    pose = pose_difficulty(keypoints())
    assert (pose.level, pose.crossing) == ("easy", ())
    assert pose.turned < 15
    assert pose.raised < 20


def test_a_forearm_over_the_torso_is_told_by_side():
    pose = pose_difficulty(moved(**ONE_HAND_ON_THE_CHEST))
    assert pose.crossing == ("left",)
    assert pose.level != "easy"


def test_folded_arms_are_hard():
    pose = pose_difficulty(moved(**FOLDED))
    assert pose.crossing == ("left", "right")
    assert pose.level == "hard"
    assert pose.complexity < pose_complexity(keypoints()) - 5


def test_an_arm_whose_place_is_a_guess_crosses_nothing():
    points = moved(**ONE_HAND_ON_THE_CHEST)
    points[Joint.L_WRIST, 3] = 0.1
    assert pose_difficulty(points).crossing == ()


def test_arms_over_the_head_are_hard():
    points = moved(L_ELBOW=(540, 110), L_WRIST=(500, 10), R_ELBOW=(360, 110), R_WRIST=(400, 10))
    assert raised_arm(points) > 150
    assert pose_difficulty(points).level == "hard"


def turned_by(degrees):
    """Someone of usual shoulders who turns about the spine, with depth as BlazePose overstates it."""
    points = keypoints()
    away = (points[:, 0] - 450) * 1.09
    points[:, 0] = 450 + away * np.cos(np.radians(degrees))
    points[:, 2] = away * np.sin(np.radians(degrees)) / 0.45
    return points


@pytest.mark.parametrize("degrees, level", [(0, "easy"), (33, "medium"), (50, "hard")])
def test_a_turned_body_is_harder(degrees, level):
    assert turn(turned_by(degrees)) == pytest.approx(degrees, abs=7)
    assert pose_difficulty(turned_by(degrees)).level == level


def test_complexity_is_the_mean_manhattan_distance_from_the_centre():
    points = np.zeros((33, 4), np.float32)
    for side, sign in (("L", 1), ("R", -1)):
        points[Joint[f"{side}_SHOULDER"], :2] = 40 * sign, 0
        points[Joint[f"{side}_ELBOW"], :2] = 50 * sign, 51
        points[Joint[f"{side}_WRIST"], :2] = 60 * sign, 102
        points[Joint[f"{side}_HIP"], :2] = 30 * sign, 102  # a torso of 102 pixels, as in the frame
    centre = (51 + 102 + 102) / 4
    by_hand = (40 + centre + 50 + (centre - 51) + 60 + (102 - centre) + 30 + (102 - centre)) / 4
    assert pose_complexity(points) == pytest.approx(by_hand)


def test_stepping_back_or_aside_changes_nothing():
    points = keypoints()
    points[:, :2] = points[:, :2] * 0.3 + (200, 40)
    points[:, 2] *= 0.3
    near, far = pose_difficulty(keypoints()), pose_difficulty(points)
    assert (far.level, far.crossing) == (near.level, near.crossing)
    assert far.complexity == pytest.approx(near.complexity, rel=1e-4)


def test_joints_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError):
        pose_difficulty(moved(L_WRIST=(np.nan, 10)))
