"""Where the waist, crotch and hems of trousers, shorts and skirts are, from the outline.

Points (x, y), "left" and "right" the picture's: waist_left, waist_right, and with legs crotch, hem_outer_left,
hem_outer_right, hem_inner_left, hem_inner_right; without legs hem_left, hem_right.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from preprocessing.garment.doubts import doubts_of_bottom
from preprocessing.garment.outline import SIDES, Outline, corner, runs

# Words of a product type that settle whether a bottom has legs when its outline does not.
LEGGED = ("trouser", "pant", "jean", "short", "chino", "legging", "jogger", "culotte", "cargo", "slack", "bermuda")
# Crotch below the waist over the width at the hip, of trousers laid flat: 28 cm of 53.
RISE = 0.53
# A gap that starts farther down than this, in hip widths, starts where the thighs no longer touch.
TOUCHING_THIGHS = 1.0
# Height over width at the hip from which a bottom whose type is not known has legs laid together.
SLENDER = 1.9


def has_legs(product_type: str) -> bool | None:
    """Whether a product type has legs; None when it does not say."""
    words = product_type.lower()
    if "skirt" in words and "short" not in words.replace("short skirt", ""):
        return False
    return True if any(word in words for word in LEGGED) else None


def find_bottom(mask: np.ndarray, product_type: str = "") -> tuple[dict, tuple[str, ...]] | None:
    """Landmarks and doubts of the bottom with this mask (bool (H, W)); None when it has no such shape."""
    mask = _without_loops(mask)
    if not mask.any():
        return None
    outline = Outline.of(mask)
    if min(outline.width, outline.height) < 40:
        return None
    waist = _waist(outline)
    hip = _hip_width(outline, waist)
    expected = has_legs(product_type)
    gap = None if expected is False else _gap(outline, (waist["waist_left"][0] + waist["waist_right"][0]) / 2, hip)
    if expected is None:
        top = (waist["waist_left"][1] + waist["waist_right"][1]) / 2
        if outline.height > SLENDER * hip:
            expected = True
        elif gap is not None and gap[1] - top > TOUCHING_THIGHS * hip:
            gap = None  # a slit in a skirt's hem
    points = waist | (_hem(outline) if gap is None and not expected else _legs(outline, waist, hip, gap))
    return points, doubts_of_bottom(outline, points, hip)


def _without_loops(mask: np.ndarray) -> np.ndarray:
    """A mask without laces, belt loops and hanger clips, which would pass for corners."""
    size = max(3, int(0.012 * max(mask.shape))) | 1
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)) > 0


def _waist(outline: Outline) -> dict:
    """The ends of the upper edge. Sides slope outwards below it, so its corners face up more than sideways."""
    upper = outline.contour[outline.contour[:, 1] < outline.top + 0.3 * outline.height]
    return {f"waist_{side}": corner(upper, (0.42 * sign, -0.91)) for side, sign in SIDES}


def _hip_width(outline: Outline, waist: dict) -> float:
    """The width where trousers are widest above their legs, or a skirt is at the hip."""
    across = waist["waist_right"][0] - waist["waist_left"][0]
    top = (waist["waist_left"][1] + waist["waist_right"][1]) / 2
    rows = np.linspace(top + 0.3 * across, top + 0.65 * across, 9).astype(int)
    rows = rows[rows < outline.bottom - 2]
    widths = [run[-1][1] - run[0][0] for run in (runs(outline.mask[row]) for row in rows) if run]
    return float(max([across, *widths]))


def _gap(outline: Outline, axis: float, hip: float) -> np.ndarray | None:
    """The topmost point of the gap between two legs; None where there is none."""
    found = []
    hull = cv2.convexHull(outline.contour, returnPoints=False)
    hull[::-1].sort(axis=0)  # OpenCV wants the indices in one direction
    defects = cv2.convexityDefects(outline.contour, hull)
    for start, end, far, depth in [] if defects is None else defects.reshape(-1, 4):
        first, last = sorted((outline.contour[start], outline.contour[end]), key=lambda p: p[0])
        low = min(first[1], last[1]) > outline.top + 0.6 * outline.height
        apart = last[0] - first[0] > abs(int(last[1]) - int(first[1]))
        if low and apart and depth / 256 > 0.06 * hip:
            found.append((depth / 256, outline.contour[far].astype(float)))
    box = outline.mask[outline.top : outline.bottom + 1, outline.left : outline.right + 1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~box).astype(np.uint8), connectivity=4)
    for index in range(1, count):  # legs that touch at the hem enclose their gap
        x, y, width, height, area = stats[index]
        inside = x > 0 and y > 0 and x + width < box.shape[1] and y + height < box.shape[0]
        if inside and height > 1.5 * width and area > 0.001 * box.size and y + height > 0.6 * outline.height:
            column = outline.left + float(np.flatnonzero(labels[y] == index).mean())
            found.append((float(height), np.array([column, outline.top + y], float)))
    middle = [gap for gap in found if abs(gap[1][0] - axis) < 0.3 * hip]
    return max(middle, key=lambda gap: gap[0])[1] if middle else None


def _hem(outline: Outline) -> dict:
    """The lower corners of a skirt."""
    lower = outline.contour[outline.contour[:, 1] > outline.top + 0.55 * outline.height]
    return {f"hem_{side}": corner(lower, (0.6 * sign, 0.8)) for side, sign in SIDES}


def _legs(outline: Outline, waist: dict, hip: float, gap: np.ndarray | None) -> dict:
    """crotch and hem points. Legs that touch part from each other at the height the hips give."""
    middle = (waist["waist_left"] + waist["waist_right"]) / 2
    crotch = gap
    if gap is None or gap[1] - middle[1] > TOUCHING_THIGHS * hip:
        foot = np.array([(outline.left + outline.right) / 2, outline.bottom]) if gap is None else gap
        share = RISE * hip / max(foot[1] - middle[1], 1)
        crotch = middle + min(share, 0.9) * (foot - middle)
    points = {"crotch": crotch}
    split = _between_legs(outline.mask, crotch)
    contour = outline.contour.astype(float)
    beside = contour[:, 0] - split[outline.contour[:, 1]]
    for side, sign in SIDES:
        leg = contour[beside * sign >= 0]
        ends = _leg_end(leg, crotch, hip, sign) if len(leg) else (crotch, crotch)
        points |= {f"hem_outer_{side}": ends[0], f"hem_inner_{side}": ends[1]}
    return points


def legs(mask: np.ndarray, crotch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of a mask below the crotch left and right of the line between the legs; two bool (H, W)."""
    split = _between_legs(mask, crotch)
    below = mask.copy()
    below[: max(int(crotch[1]) + 1, 0)] = False
    columns = np.arange(mask.shape[1])[None]
    return below & (columns < split[:, None]), below & (columns > split[:, None])


def _between_legs(mask: np.ndarray, crotch: np.ndarray) -> np.ndarray:
    """For each row the column between the legs: the middle of the gap, and straight on where they touch; (H,)."""
    rows, columns = [crotch[1]], [crotch[0]]
    for row in range(max(int(crotch[1]) + 1, 0), mask.shape[0], 2):
        inner = [(a[1] + b[0]) / 2 for a, b in pairwise(runs(mask[row]))]
        nearest = min(inner, key=lambda x: abs(x - columns[-1]), default=None)
        if nearest is not None and abs(nearest - columns[-1]) < 0.06 * mask.shape[1]:
            rows.append(row)
            columns.append(nearest)
    return np.interp(np.arange(mask.shape[0]), rows, columns)


def _leg_end(contour: np.ndarray, crotch: np.ndarray, hip: float, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Outer and inner corner of a leg's hem, seen along the leg; of short legs the outer may lie above the crotch."""
    bottom = contour[:, 1].max()
    low = contour[contour[:, 1] > min(bottom - 0.5 * (bottom - crotch[1]), max(crotch[1], bottom - 0.35 * hip))]
    way = np.array([0.0, 1.0])
    if bottom - crotch[1] > 0.5 * hip:
        way = low.mean(0) - contour[np.abs(contour[:, 1] - crotch[1]) < 0.2 * (bottom - crotch[1])].mean(0)
        way /= max(np.hypot(*way), 1e-3)
    else:
        low = contour[contour[:, 1] > crotch[1] - 0.3 * hip]
    across = np.array([way[1], -way[0]])
    if across[0] * sign < 0:
        across = -across
    return corner(low, 0.78 * across + 0.63 * way), corner(low, -0.55 * across + 0.83 * way)
