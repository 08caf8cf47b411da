"""A top's own measures, in the pixels of its picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from tryon.engines.preview.figure import SIDES

# Widths of the chest below which what sticks out of a mask is no cloth, but a fleck of the background.
FLECK = 0.05
# The same for what hangs below the hem.
TAIL = 0.12
# How far a shoulder seam dips below the straight line from its end to the collar at most.
LARGEST_DIP = 0.2


class Source:
    """The garment's own measures, in its picture's pixels."""

    def __init__(self, garment: PreparedGarment):
        self.points = {name: np.array(point, float) for name, point in garment.landmarks.items()}
        self.parts = garment.parts
        self.sleeved = "cuff_outer_left" in self.points and garment.sleeve != "sleeveless"
        self.chest = float(self.points["armpit_right"][0] - self.points["armpit_left"][0])
        body = _without_flecks(garment.parts == BODY, int(FLECK * self.chest))
        self.axis = float(sum(self.points[f"armpit_{side}"][0] for side, _ in SIDES) / 2)
        column = int(np.clip(self.axis, 0, body.shape[1] - 1))
        rows = np.flatnonzero(body[:, column])
        self.bottom = float(rows.max()) if len(rows) else self.points["hem_left"][1]
        self.length = self.bottom - float(sum(self.points[f"collar_{side}"][1] for side, _ in SIDES) / 2)
        self._profile(body)

    def on_cloth(self, point: np.ndarray) -> np.ndarray:
        """A point of a seam, moved down to the outline where it lies above it, as beside a standing collar."""
        column = int(np.clip(point[0], 0, self.parts.shape[1] - 1))
        rows = np.flatnonzero(self.parts[:, column])
        if len(rows) == 0 or not 0 < rows[0] - point[1] < LARGEST_DIP * self.chest:
            return point
        return np.array([point[0], float(rows[0])])

    def _profile(self, body: np.ndarray) -> None:
        """Left and right edge of the body below the armpits."""
        first = max(self.points[f"armpit_{side}"][1] for side, _ in SIDES)
        self.rows = np.linspace(first, max(self.bottom - 2, first + 10), 24)
        self.edges = {}
        for side, sign in SIDES:
            armpit, hem = self.points[f"armpit_{side}"], self.points[f"hem_{side}"]
            straight = np.interp(self.rows, [armpit[1], hem[1]], [armpit[0], hem[0]])
            edge = np.full(len(self.rows), np.nan)
            for index, row in enumerate(self.rows):
                columns = np.flatnonzero(body[min(int(row), body.shape[0] - 1)])
                if len(columns):
                    edge[index] = columns.max() if sign > 0 else columns.min()
            edge = np.where(np.isnan(edge), straight, edge)
            edge = np.clip(edge, straight - 0.14 * self.chest, straight + 0.14 * self.chest)
            self.edges[side] = gaussian_filter1d(edge, 1.2, mode="nearest")


def without_tails(garment: PreparedGarment) -> PreparedGarment:
    """A top whose mask has lost what hangs below its hem and is too narrow to be cloth."""
    chest = float(garment.landmarks["armpit_right"][0] - garment.landmarks["armpit_left"][0])
    hem = int(min(garment.landmarks[f"hem_{side}"][1] for side, _ in SIDES))
    size = int(TAIL * chest)
    first = max(hem - 3 * size, 0)  # the hem itself goes on upwards
    near = np.pad(garment.mask[first:] > 127, ((0, size), (0, 0)))
    tails = (near & ~_without_flecks(near, size))[hem - first : len(garment.mask) - first]
    if not tails.any():
        return garment
    tails = cv2.dilate(tails.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
    mask, parts = garment.mask.copy(), garment.parts.copy()
    mask[hem:][tails] = 0
    parts[hem:][tails] = 0
    return replace(garment, mask=mask, parts=parts)


def _without_flecks(body: np.ndarray, size: int) -> np.ndarray:
    """A mask (bool) without what is narrower than `size`; as it is when that is all of it."""
    opened = cv2.morphologyEx(body.view(np.uint8), cv2.MORPH_OPEN, np.ones((max(size, 1),) * 2, np.uint8)).view(bool)
    return opened if opened.any() else body
