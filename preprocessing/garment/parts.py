"""Which part of a garment's mask is its body, a sleeve or a leg. Left and right are the picture's."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.bottoms import legs
from preprocessing.garment.landmarks import CUFFS, LEGS, LONG_SIDE, Landmarks
from preprocessing.garment.outline import SIDES
from preprocessing.garment.sleeve import sleeve_part

# Labels of PreparedGarment.parts.
BODY, LEFT_SLEEVE, RIGHT_SLEEVE, LEFT_LEG, RIGHT_LEG = 1, 2, 3, 4, 5


def find_parts(mask: np.ndarray, marks: Landmarks) -> np.ndarray:
    """The parts of a mask (bool (H, W)) with these landmarks; uint8 (H, W), 0 outside.

    Parted at the size at which landmarks are found; the seams between parts are as fine as that.
    """
    scale = min(1.0, LONG_SIDE / max(mask.shape))
    size = tuple(max(1, round(side * scale)) for side in mask.shape[::-1])
    small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
    points = {name: _scaled(point, scale) for name, point in marks.points.items()}
    limbs = np.zeros(small.shape, np.uint8)
    if LEGS[0] in points:
        for part, label in zip(legs(small, points["crotch"]), (LEFT_LEG, RIGHT_LEG), strict=True):
            limbs[part] = label
    elif CUFFS[0] in points:
        for (side, _), label in zip(SIDES, (LEFT_SLEEVE, RIGHT_SLEEVE), strict=True):
            crease = _scaled(marks.creases[side], scale) if side in marks.creases else None
            part = sleeve_part(small, points, side, crease)
            if part is not None:
                limbs[part] = label
    limbs = np.where(small, limbs, cv2.dilate(limbs, np.ones((5, 5), np.uint8)))  # the outline's own pixels
    limbs = cv2.resize(limbs, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(mask, np.maximum(limbs, BODY), 0).astype(np.uint8)


def _scaled(points: np.ndarray, scale: float) -> np.ndarray:
    return (np.asarray(points, float) + 0.5) * scale - 0.5
