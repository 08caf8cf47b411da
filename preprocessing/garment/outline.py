"""A garment's mask seen as a shape: its box, its axis, and the corners of its outline. All positions are (x, y)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# The picture's sides, and which way each lies from the axis.
SIDES = (("left", -1), ("right", 1))


@dataclass(frozen=True)
class Outline:
    """A mask seen as a shape.

    Attributes:
        mask: bool (H, W).
        left, top, right, bottom: its box.
        axis: x of the line between left and right.
        contour: (N, 2) outer contour.
        upper: for each column the topmost row of the mask, H where there is none.
    """

    mask: np.ndarray
    left: int
    top: int
    right: int
    bottom: int
    axis: float
    contour: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, mask: np.ndarray) -> Outline:
        contour = outer_contour(mask)
        (left, top), (right, bottom) = contour.min(0), contour.max(0)
        upper = np.where(mask.any(0), mask.argmax(0), mask.shape[0])
        middles = []
        for row in range(int(top + 0.55 * (bottom - top)), int(top + 0.92 * (bottom - top)), 4):
            run = max(runs(mask[row]), key=lambda r: r[1] - r[0], default=None)
            if run:
                middles.append((run[0] + run[1]) / 2)
        axis = float(np.median(middles)) if middles else (left + right) / 2
        if abs(axis - (left + right) / 2) < 0.1 * (right - left):
            axis = (axis + (left + right) / 2) / 2
        return cls(mask, int(left), int(top), int(right), int(bottom), axis, contour, upper)

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def run_at_axis(self, row: float) -> tuple[int, int] | None:
        """First and last column of the mask's run that holds the axis."""
        row = int(np.clip(row, 0, self.mask.shape[0] - 1))
        return next((run for run in runs(self.mask[row]) if run[0] - 2 <= self.axis <= run[1] + 2), None)


def outer_contour(mask: np.ndarray) -> np.ndarray:
    """Outer contour of a mask's largest piece; int (N, 2)."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(contours, key=cv2.contourArea).reshape(-1, 2)


def runs(row: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of true values."""
    steps = np.diff(np.concatenate([[0], row.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1, strict=True))


def corner(points: np.ndarray, direction: tuple[float, float]) -> np.ndarray:
    """The farthest of some points in a direction: the corner whose two edges face to either side of it."""
    return points[np.argmax(points @ np.asarray(direction, float))].astype(float)
