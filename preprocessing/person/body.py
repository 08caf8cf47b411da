"""The body's own coordinates, from shoulders and hips: what is left, right, above and below on a person."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import Joint

# Torso length over shoulder width, and half the distance of the hips over it, of people who face the camera.
TORSO_TO_SHOULDERS = 1.5
HALF_HIPS_TO_SHOULDERS = 0.29


@dataclass(frozen=True)
class BodyFrame:
    """Axes of a torso in the picture.

    Attributes:
        origin: (2,) midpoint of the shoulder joints.
        down: (2,) unit vector to the midpoint of the hips.
        right: (2,) unit vector across, to the picture's right.
        shoulder_width, torso_length: pixels; the width is never taken below 0.45 torso lengths.
    """

    origin: np.ndarray
    down: np.ndarray
    right: np.ndarray
    shoulder_width: float
    torso_length: float

    @classmethod
    def of(cls, keypoints: np.ndarray) -> BodyFrame:
        points = keypoints[:, :2].astype(np.float64)
        shoulders = (points[Joint.L_SHOULDER] + points[Joint.R_SHOULDER]) / 2
        hips = (points[Joint.L_HIP] + points[Joint.R_HIP]) / 2
        length = max(float(np.hypot(*(hips - shoulders))), 1.0)
        down = (hips - shoulders) / length
        right = np.array([down[1], -down[0]])
        if right[0] < 0:
            right = -right
        width = float(np.hypot(*(points[Joint.L_SHOULDER] - points[Joint.R_SHOULDER])))
        return cls(shoulders, down, right, max(width, 0.45 * length), length)

    def point(self, across: float | np.ndarray, along: float | np.ndarray) -> np.ndarray:
        """Picture position(s) of `across` and `along`, both in pixels from the origin; (..., 2)."""
        return (
            self.origin
            + np.multiply.outer(np.asarray(across, np.float64), self.right)
            + np.multiply.outer(np.asarray(along, np.float64), self.down)
        )

    def across(self, point: np.ndarray) -> float:
        return float((point - self.origin) @ self.right)

    def along(self, point: np.ndarray) -> float:
        return float((point - self.origin) @ self.down)

    def maps(self, shape: tuple[int, int], step: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel of a picture made smaller by `step`: across in half shoulder widths (+ to the right)
        and along in torso lengths (0 at the shoulders, 1 at the hips); float32 (H, W) each."""
        x = np.arange(shape[1], dtype=np.float32)[None] * step - np.float32(self.origin[0])
        y = np.arange(shape[0], dtype=np.float32)[:, None] * step - np.float32(self.origin[1])
        across = x * np.float32(self.right[0]) + y * np.float32(self.right[1])
        along = x * np.float32(self.down[0]) + y * np.float32(self.down[1])
        return across / np.float32(self.shoulder_width / 2), along / np.float32(self.torso_length)


def capsule(
    shape: tuple[int, int], start: np.ndarray, end: np.ndarray, radii: tuple[float, float], step: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to a limb in units of its radius (below 1: inside) and the place along it (0 start, 1 end).

    Args:
        shape: (height, width) of the maps, `step` picture pixels each.
        radii: at the start and at the end, picture pixels.
    """
    x = np.arange(shape[1], dtype=np.float32)[None] * np.float32(step) - np.float32(start[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(step) - np.float32(start[1])
    way = np.asarray(end, np.float32) - np.asarray(start, np.float32)
    unit = way / np.float32(max(float(way @ way), 1e-3))
    place = x * unit[0] + y * unit[1]
    clipped = np.minimum(np.maximum(place, 0), 1)
    distance = cv2.magnitude(x - clipped * way[0], y - clipped * way[1])
    clipped *= np.float32(radii[1] - radii[0])
    clipped += np.float32(radii[0])
    distance /= clipped
    return distance, place


@dataclass(frozen=True)
class Limbs:
    """Capsules along the arms, each a pair (distance, place) as `capsule` gives them; keyed "left" and "right"."""

    upper_arm: dict[str, tuple[np.ndarray, np.ndarray]]
    forearm: dict[str, tuple[np.ndarray, np.ndarray]]
    hand: dict[str, tuple[np.ndarray, np.ndarray]]

    def arm_distance(self, side: str) -> np.ndarray:
        return np.minimum(np.minimum(self.upper_arm[side][0], self.forearm[side][0]), self.hand[side][0])


SIDES = ("left", "right")
ARM = {
    "left": (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST, Joint.L_INDEX_FINGER, Joint.L_LITTLE_FINGER),
    "right": (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST, Joint.R_INDEX_FINGER, Joint.R_LITTLE_FINGER),
}


def arm_capsules(keypoints: np.ndarray, shape: tuple[int, int], step: float = 1.0) -> Limbs:
    """The arms of a person as capsules. Radii in shoulder widths, of a slim arm with a little air."""
    unit = BodyFrame.of(keypoints).shoulder_width
    points = keypoints[:, :2]
    upper_arm, forearm, hand = {}, {}, {}
    for side, (shoulder, elbow, wrist, index, little) in ARM.items():
        fingers = (points[index] + points[little]) / 2
        tips = points[wrist] + (fingers - points[wrist]) * 1.5
        upper_arm[side] = capsule(shape, points[shoulder], points[elbow], (0.19 * unit, 0.13 * unit), step)
        forearm[side] = capsule(shape, points[elbow], points[wrist], (0.135 * unit, 0.095 * unit), step)
        hand[side] = capsule(shape, points[wrist], tips, (0.105 * unit, 0.12 * unit), step)
    return Limbs(upper_arm, forearm, hand)
