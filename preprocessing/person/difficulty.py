"""How difficult a pose is to dress: easy, medium or hard. From joints alone; light, no network is imported here.

After ACGPN (Yang et al., "Towards Photo-Realistic Virtual Try-On by Adaptively Generating-Preserving Image Content",
CVPR 2020, arXiv:2003.05863), section 4: the more the arms lie over and beside the clothes, the nearer the joints are
to their centre and the harder is the try-on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from preprocessing.labels import Joint
from preprocessing.person.body import ARM, SIDES, BodyFrame

CONSIDERED = (
    Joint.L_SHOULDER,
    Joint.R_SHOULDER,
    Joint.L_ELBOW,
    Joint.R_ELBOW,
    Joint.L_WRIST,
    Joint.R_WRIST,
    Joint.L_HIP,
    Joint.R_HIP,
)
# Torso length in pixels of VITON's 256 x 192 frame, which shows a person from the crown to above the knee. Every
# person is brought to that size first, or stepping back would make a pose harder.
TORSO_IN_FRAME = 102.0
# ACGPN parts medium from hard at a complexity of 68 (and easy from medium at 80, which arms that hang at the sides do
# not reach with our joints). Its authors say that the absolute value depends on the pose network.
ACGPN_HARD = 68.0
# Arms folded, or hands clasped before the belly.
FOLDED = 60.0
# Degrees the body is turned from the camera.
TURNED_MEDIUM, TURNED_HARD = 25.0, 40.0
# Degrees between torso and upper arm.
RAISED_MEDIUM, RAISED_HARD = 60.0, 110.0
# Share of a forearm over the torso from which it crosses it.
CROSSED = 0.4
# BlazePose guesses the place of joints less sure than this.
SEEN = 0.3
# Shoulder width over torso length of people who face the camera, and how much of a turn BlazePose's depth overstates.
SHOULDERS_TO_TORSO, DEPTH_TRUE = 0.70, 0.45


@dataclass(frozen=True)
class PoseDifficulty:
    """How difficult a pose is, and why.

    Attributes:
        level: all of it in one word.
        complexity: ACGPN's measure: mean Manhattan distance of the considered joints from their centre, pixels of a
            frame of 256 x 192; the lower, the harder.
        turned: degrees the body is turned from the camera.
        crossing: the sides ("left", "right", the person's own) whose forearm lies over the torso.
        raised: degrees between the torso and the upper arm lifted highest.
    """

    level: Literal["easy", "medium", "hard"]
    complexity: float
    turned: float
    crossing: tuple[str, ...]
    raised: float


def pose_difficulty(keypoints: np.ndarray) -> PoseDifficulty:
    """Judge a pose.

    Args:
        keypoints: (33, 4) x, y, z, confidence in pixels, indexed by `Joint`; hips may be synthesised.

    Raises:
        ValueError: a joint is not a number.
    """
    if not np.isfinite(keypoints).all():
        raise ValueError("a joint is not a number")
    complexity, turned = pose_complexity(keypoints), turn(keypoints)
    crossing = tuple(side for side in SIDES if _over_torso(keypoints, side) >= CROSSED)
    raised = raised_arm(keypoints)
    folded = complexity < FOLDED or len(crossing) == 2 or (crossing and complexity < ACGPN_HARD)
    if turned >= TURNED_HARD or raised >= RAISED_HARD or folded:
        level = "hard"
    elif turned >= TURNED_MEDIUM or raised >= RAISED_MEDIUM or crossing or complexity < ACGPN_HARD:
        level = "medium"
    else:
        level = "easy"
    return PoseDifficulty(level, complexity, turned, crossing, raised)


def pose_complexity(keypoints: np.ndarray) -> float:
    """C = sum over t in M of |t - mean(M)|_1 / N, with M the N = 8 considered joints and a torso of fixed length.

    ACGPN takes arms, shoulders, hands and the torso's middle of a photo as it is; with the hips for the middle and
    the torso's length fixed, the same pose has the same value however much of a person a photo shows.
    """
    points = keypoints[list(CONSIDERED), :2].astype(np.float64)
    points = points * (TORSO_IN_FRAME / BodyFrame.of(keypoints).torso_length)
    return float(np.abs(points - points.mean(0)).sum(1).mean())


def turn(keypoints: np.ndarray) -> float:
    """Degrees the shoulders are turned from the camera: the mean of what their width and their depth say."""
    left, right = keypoints[Joint.L_SHOULDER], keypoints[Joint.R_SHOULDER]
    width = max(float(np.hypot(*(left[:2] - right[:2]))), 1.0)
    ratio = width / BodyFrame.of(keypoints).torso_length
    by_width = np.arccos(min(1.0, ratio / SHOULDERS_TO_TORSO))
    by_depth = np.arctan(DEPTH_TRUE * abs(float(left[2] - right[2])) / width)
    return float(np.degrees((by_width + by_depth) / 2))


def raised_arm(keypoints: np.ndarray) -> float:
    """Degrees between the torso and the upper arm lifted highest."""
    down = BodyFrame.of(keypoints).down
    angles = []
    for side in SIDES:
        shoulder, elbow = (keypoints[joint, :2].astype(np.float64) for joint in ARM[side][:2])
        way = (elbow - shoulder) / max(float(np.hypot(*(elbow - shoulder))), 1e-3)
        angles.append(float(np.degrees(np.arccos(np.clip(way @ down, -1, 1)))))
    return max(angles)


def _over_torso(keypoints: np.ndarray, side: str) -> float:
    """Share of a forearm with its hand that lies over the torso; none of one whose place is a guess."""
    if keypoints[list(ARM[side][1:3]), 3].min() < SEEN:
        return 0.0
    frame = BodyFrame.of(keypoints)
    elbow, wrist = (keypoints[joint, :2].astype(np.float64) for joint in ARM[side][1:3])
    points = elbow + np.linspace(0.3, 1.2, 10)[:, None] * (wrist - elbow)
    across, along = (points - frame.origin) @ frame.right, (points - frame.origin) @ frame.down
    inside = (np.abs(across) < 0.42 * frame.shoulder_width) & (along > 0) & (along < 0.95 * frame.torso_length)
    return float(inside.mean())
