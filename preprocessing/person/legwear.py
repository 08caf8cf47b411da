"""Trousers or a skirt: whether two legs are seen apart below the crotch, or one panel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import Joint
from preprocessing.person.scene import Scene

# Rows below this many torso lengths are below the crotch, so two legs can be seen apart there.
CROTCH = 1.3


@dataclass(frozen=True)
class LegShape:
    """What tells trousers from a skirt.

    Attributes:
        rows: how many rows with cloth were seen below the crotch, torso lengths.
        apart: on how many of them the legs are seen apart, torso lengths.
        seam: depth of a dark line down the middle, grey levels.
        hem: legs come out of it above the ankles.
    """

    rows: float
    apart: float
    seam: float
    hem: bool


def leg_shape(scene: Scene, bottom: np.ndarray) -> LegShape:
    """Measure what is worn below the waist."""
    points = scene.keypoints[:, :2] / scene.step
    hips = (points[Joint.L_HIP] + points[Joint.R_HIP]) / 2
    first = int(hips[1] + (CROTCH - 1) * scene.torso)
    last = int(min(points[[Joint.L_ANKLE, Joint.R_ANKLE], 1].min(), bottom.shape[0]))
    apart, profile = [], []
    grey = cv2.cvtColor(scene.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    reach = max(4, int(0.22 * scene.unit))
    rows = np.arange(max(first, 0), last)
    left, right = (_leg_columns(points, side, rows) for side in ("L", "R"))
    middles, halves = (left + right) / 2, np.maximum(0.4 * np.abs(left - right), 2)
    columns = np.arange(bottom.shape[1])
    for row, middle, half in zip(rows, middles, halves, strict=True):
        if bottom[row, np.abs(columns - middle) < 1.2 * scene.unit].sum() < 0.25 * scene.unit:
            continue
        between = bottom[row, max(0, int(middle - half)) : max(0, int(middle + half) + 1)]
        apart.append(between.size > 0 and between.mean() < 0.88)
        if int(middle) - reach >= 0 and int(middle) + reach < bottom.shape[1]:
            profile.append(grey[row, int(middle) - reach : int(middle) + reach + 1])
    below = np.flatnonzero(bottom.any(1))
    end = below[-1] if len(below) else 0
    legs = scene.skin & (scene.along > CROTCH)
    hem = end < bottom.shape[0] - 3 and bool(legs[end:].sum() > 0.02 * scene.unit**2)
    return LegShape(len(apart) / scene.torso, sum(apart) / scene.torso, _valley(profile, reach), hem)


def _leg_columns(points: np.ndarray, side: str, rows: np.ndarray) -> np.ndarray:
    """Columns of a leg's axis at some rows."""
    joints = np.array([points[Joint[f"{side}_{name}"]] for name in ("HIP", "KNEE", "ANKLE")])
    x, y = joints[np.argsort(joints[:, 1])].T
    return np.interp(rows, y, x)


def _valley(profile: list[np.ndarray], reach: int) -> float:
    """Depth of the darkest narrow line along the middle of rows laid over each other, as if the cloth were grey."""
    if len(profile) < 5:
        return 0.0
    mean = cv2.GaussianBlur(np.median(profile, axis=0)[None], (0, 0), 1.0)[0]
    depth = (cv2.blur(mean[None], (2 * (reach // 2) + 1, 1))[0] - mean)[reach // 2 : -(reach // 2)].max()
    return float(depth * np.clip(128 / max(float(mean.mean()), 1.0), 1, 4))


def is_skirt(scene: Scene, bottom: np.ndarray) -> bool:
    shape = leg_shape(scene, bottom)
    if shape.rows < 0.12 or shape.apart > 0.055:
        return False
    return shape.hem or (shape.rows > 0.25 and shape.seam < 5 and not _knee_bent(scene.keypoints))


def _knee_bent(keypoints: np.ndarray) -> bool:
    """Whether a leg that is seen is bent, so that no cloth between two straight legs can be looked for."""
    for side in ("L", "R"):
        hip, knee, ankle = (keypoints[Joint[f"{side}_{name}"]] for name in ("HIP", "KNEE", "ANKLE"))
        thigh, shin = hip[:2] - knee[:2], ankle[:2] - knee[:2]
        cosine = float(thigh @ shin) / max(float(np.hypot(*thigh) * np.hypot(*shin)), 1e-3)
        if min(knee[3], ankle[3]) >= 0.5 and cosine > -0.6:
            return True
    return False
