"""Where the sleeves of a top part from its body: the dents in the outline that open downwards."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.garment.outline import SIDES, Outline, Turns

# From the shoulder's height down to the armpit, in widths of the chest, and how much that varies by cut.
DEPTH, SPREAD = 0.38, 0.16
# Below this depth a dent is where a sleeve that lies along the body ends to touch it; the armpit is farther up.
TOUCHING = 0.62
# Farther down than this no sleeve begins to touch the body; a skirt has folds there.
LOWEST = 1.25
# Half the shoulders' span over half the chest's.
SHOULDER = 0.85


@dataclass(frozen=True)
class Dent:
    """A place where the outline is dented.

    Attributes:
        point: (x, y).
        sharpness: 0 (no dent) .. 1 (a slit).
    """

    point: np.ndarray
    sharpness: float


def _dents(outline: Outline, sure: bool) -> list[Dent]:
    """Dents that open downwards: between a body's side and the underside of a sleeve."""
    unit = np.sqrt(outline.mask.sum())
    shallowest, downward = (168, 0.2) if sure else (152, 0.3)
    found = []
    for share in (0.05, 0.1, 0.22):
        reach = max(3, int(share * unit))
        turns = Turns.of(outline.contour, reach)
        for index in turns.dents(shallowest, reach):
            if turns.facing[index][1] > downward:
                found.append(Dent(turns.contour[index], 1 - turns.opening[index] / 180))
    return found + _gaps(outline)


def _gaps(outline: Outline) -> list[Dent]:
    """The topmost points of enclosed gaps: between the body and a sleeve whose end touches it."""
    box = outline.mask[outline.top : outline.bottom + 1, outline.left : outline.right + 1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~box).astype(np.uint8), connectivity=4)
    found = []
    for index in range(1, count):
        x, y, width, height, area = stats[index]
        inside = x > 0 and y > 0 and x + width < box.shape[1] and y + height < box.shape[0]
        if inside and height > max(1.5 * width, 0.06 * outline.height) and area > 0.0008 * box.size:
            column = np.flatnonzero(labels[y] == index).mean()
            found.append(Dent(np.array([outline.left + column, outline.top + y], float), 0.9))
    return found


def shoulder_row(outline: Outline, x: float) -> float:
    """The height of the shoulder above a chest that ends at x."""
    column = int(np.clip(outline.axis + SHOULDER * (x - outline.axis), outline.left, outline.right))
    return float(outline.upper[column])


def _depth(outline: Outline, point: np.ndarray) -> float:
    """How far an armpit lies below the shoulder, in widths of the chest."""
    return (point[1] - shoulder_row(outline, point[0])) / max(2 * abs(point[0] - outline.axis), 1)


def _likelihood(outline: Outline, dent: Dent) -> float:
    """0 (no armpit) .. 1: how sharp a dent is, less how unlike an armpit's its place is."""
    depth = _depth(outline, dent.point)
    if not 0.08 < depth < LOWEST:
        return 0.0
    return float(max(dent.sharpness - 0.12 * min(((depth - DEPTH) / SPREAD) ** 2, 4.5), 0))


def find_armpits(outline: Outline, sure: bool = False) -> dict[str, np.ndarray]:
    """The dents under the two sleeves, by side; one that is certain stands for both, none for a top without sleeves.

    Of the pairs of dents, the one that is sharp, level, about the axis and as far below the shoulders as armpits are.

    sure: whether there certainly are sleeves; then the shallow dent below a wide short one is looked for too.
    """
    dents = _dents(outline, sure)
    sides = {
        side: [d for d in dents if (d.point[0] - outline.axis) * sign > 0.1 * outline.width] for side, sign in SIDES
    }
    best, chosen = 0.0, {}
    for left in sides["left"]:
        for right in sides["right"]:
            score = _pair_score(outline, left, right)
            if score > best:
                best, chosen = score, {"left": left.point, "right": right.point}
    return chosen or _mirrored(outline, sides, 0.2 if sure else 0.4)


def _pair_score(outline: Outline, left: Dent, right: Dent) -> float:
    chest = right.point[0] - left.point[0]
    if chest < 0.25 * outline.width:
        return 0.0
    level = abs(left.point[1] - right.point[1]) / chest
    centred = abs((left.point[0] + right.point[0]) / 2 - outline.axis) / chest
    return (
        _likelihood(outline, left)
        + _likelihood(outline, right)
        + 0.5 * min(left.sharpness, right.sharpness)
        - 0.5 * level
        - 1.2 * centred
    )


def _mirrored(outline: Outline, sides: dict[str, list[Dent]], least: float) -> dict[str, np.ndarray]:
    """Both armpits from the one side where a dent is at least so likely; none without."""
    dent = max(sides["left"] + sides["right"], key=lambda d: _likelihood(outline, d), default=None)
    if dent is None or _likelihood(outline, dent) < least:
        return {}
    other = np.array([2 * outline.axis - dent.point[0], dent.point[1]])
    left, right = sorted((dent.point, other), key=lambda p: p[0])
    return {"left": left, "right": right}


def rows_of_armpits(outline: Outline, dents: dict[str, np.ndarray]) -> dict[str, float]:
    """By side the row of the armpit: the dent's own, and farther up where the sleeve touches the body above it,
    which a dent far below the shoulder or far below the other side's shows."""
    depths = {side: _depth(outline, point) for side, point in dents.items()}
    upper = min(depths, key=depths.get)
    chest = dents["right"][0] - dents["left"][0]
    rows = {side: float(point[1]) for side, point in dents.items()}
    if depths[upper] > TOUCHING:
        rows[upper] = shoulder_row(outline, dents[upper][0]) + DEPTH * chest
    for side in dents:
        if depths[side] > min(TOUCHING, depths[upper] + 0.16) or depths[upper] > TOUCHING:
            rows[side] = min(rows[side], rows[upper])
    return rows
