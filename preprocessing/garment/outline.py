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


@dataclass(frozen=True)
class Turns:
    """How a closed contour turns.

    Attributes:
        contour: (N, 2) float, in the order of OpenCV's outer contours.
        opening: (N,) degrees between the ways to either neighbour, seen from outside: 180 on a straight edge, less
            where the outline is dented, more at its corners.
        facing: (N, 2) unit vector that halves that opening.
    """

    contour: np.ndarray
    opening: np.ndarray
    facing: np.ndarray

    @classmethod
    def of(cls, contour: np.ndarray, reach: int) -> Turns:
        """Turns between each point and its neighbours `reach` steps away."""
        points = contour.astype(float)
        before, after = np.roll(points, reach, axis=0) - points, np.roll(points, -reach, axis=0) - points
        start, end = np.arctan2(before[:, 1], before[:, 0]), np.arctan2(after[:, 1], after[:, 0])
        opening = np.mod(start - end, 2 * np.pi)
        middle = end + opening / 2
        return cls(points, np.degrees(opening), np.stack([np.cos(middle), np.sin(middle)], axis=1))

    def dents(self, narrower: float, apart: int) -> np.ndarray:
        """Indices of the sharpest dents with an opening below `narrower` degrees, at least `apart` steps apart."""
        found, order = [], np.argsort(self.opening, kind="stable")
        for index in order[: np.searchsorted(self.opening[order], narrower)]:
            away = np.abs(np.array(found, int) - index)
            if not found or np.minimum(away, len(self.opening) - away).min() >= apart:
                found.append(int(index))
        return np.array(found, int)


def side_edge(outline: Outline, sign: int, top: int) -> np.ndarray:
    """For each row from `top` to the bottom how far the mask reaches from the axis to one side; float."""
    rows = outline.mask[top : outline.bottom + 1]
    last = rows.shape[1] - 1 - rows[:, ::-1].argmax(1) if sign > 0 else rows.argmax(1)
    return np.maximum((last - outline.axis) * sign, 0)


def up_the_slit(mask: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The upper end of the gap in a mask that begins at a point: a slit too narrow for a smaller mask goes on."""
    near, reach = np.round(point).astype(int), max(2, max(mask.shape) // 300)
    window = np.s_[max(near[1] - reach, 0) : near[1] + reach + 1, max(near[0] - reach, 0) : near[0] + reach + 1]
    rows, columns = np.nonzero(~mask[window])
    if not len(rows):
        return np.asarray(point, float)
    row, column = rows[0] + window[0].start, columns[rows == rows[0]].mean() + window[1].start
    while row > 0:
        first = max(int(column) - 1, 0)
        gap = np.flatnonzero(~mask[row - 1, first : int(column) + 3])
        if not len(gap) or len(gap) > 3:
            break
        row, column = row - 1, first + gap.mean()
    return np.array([column, row], float)
