"""Where the shoulders, armpits, hem and cuffs of tops and dresses are, from the outline.

Points (x, y), "left" and "right" the picture's: collar (where the neckline meets the shoulder seam), shoulder (end of
that seam), armpit, hem, with sleeves cuff_outer and cuff_inner, and of dresses waist, each with _left and _right.
"""

from __future__ import annotations

import numpy as np

from preprocessing.garment.armpits import SHOULDER, find_armpits, rows_of_armpits
from preprocessing.garment.crease import follow
from preprocessing.garment.doubts import doubts_of_top
from preprocessing.garment.outline import SIDES, Outline, Turns, corner, runs, side_edge
from preprocessing.garment.sleeve import cuff, sleeve_part

# Of a dress, in widths of its chest below the armpits: where its waist may lie, and where it lies if nothing tells.
WAIST_BETWEEN, WAIST_AT = (0.2, 0.85), 0.4
# Depth of an armhole without a sleeve, in widths of the chest.
ARMHOLE = 0.46


def find_top(
    mask: np.ndarray, light: np.ndarray | None = None, sleeve: str | None = None
) -> tuple[dict, tuple[str, ...], dict] | None:
    """Landmarks of the top or dress with this mask (bool (H, W)); None when it has no such shape.

    Args:
        mask: bool (H, W).
        light: float32 (H, W), the picture's lightness; without it sleeves that lie along the body are parted from it
            by a straight line.
        sleeve: the class of sleeve it is said to have, or None.

    Returns:
        Points, doubts, and by side the crease between body and sleeve where no gap parts them.
    """
    outline = Outline.of(mask)
    if min(outline.width, outline.height) < 40:
        return None
    armpits = find_armpits(outline, sleeve not in (None, "sleeveless"))
    creases = {}
    if armpits:
        creases = _creases(outline, armpits, light)
        armpits |= {side: way[0] for side, way in creases.items()}
    points = _sleeved_points(outline, armpits) if armpits else _sleeveless_points(outline)
    if points is None:
        return None
    points |= _hem(outline, points)
    body = mask
    if armpits:
        for side, _ in SIDES:
            part = sleeve_part(mask, points, side, creases.get(side))
            if part is None:
                return None
            outer, inner = cuff(part, points[f"shoulder_{side}"], points[f"armpit_{side}"])
            points |= {f"cuff_outer_{side}": outer, f"cuff_inner_{side}": inner}
            body = body & ~part
    return points, doubts_of_top(outline, points, body), creases


def _creases(outline: Outline, dents: dict, light: np.ndarray | None) -> dict[str, np.ndarray]:
    """By side the line between body and sleeve from the armpit down to the dent below which a gap parts them, for
    sleeves that touch the body above it."""
    found = {}
    for side, row in rows_of_armpits(outline, dents).items():
        dent = dents[side]
        if row > dent[1] - 2:
            continue
        if light is None:
            rows = np.arange(int(dent[1]), int(row) - 1, -1)
            way = np.stack([np.full(len(rows), dent[0]), rows], axis=1)
        else:
            way = follow(light, dent, np.array([dent[0], row]), dents["right"][0] - dents["left"][0])
        found[side] = way[::-1]
    return found


def _sleeved_points(outline: Outline, armpits: dict) -> dict:
    """armpit, shoulder and collar points of a top with sleeves."""
    points = {}
    axis = (armpits["left"][0] + armpits["right"][0]) / 2
    for side, sign in SIDES:
        armpit = armpits[side]
        column = int(np.clip(axis + SHOULDER * (armpit[0] - axis), outline.left, outline.right))
        shoulder = np.array([column, outline.upper[column]], float)
        points |= {f"armpit_{side}": armpit, f"shoulder_{side}": shoulder}
        points[f"collar_{side}"] = _collar(outline, axis, sign, shoulder)
    return points


def _collar(outline: Outline, axis: float, sign: int, shoulder: np.ndarray) -> np.ndarray:
    """Where the shoulder seam ends at the neck: the highest place, or the foot of a collar that stands up."""
    span = abs(shoulder[0] - axis)
    columns = np.arange(int(axis + sign * 0.12 * span), int(shoulder[0]) + sign, sign)
    columns = columns[(columns >= 0) & (columns < len(outline.upper))]
    if len(columns) < 8:
        return shoulder.copy()
    edge = np.stack([columns, outline.upper[columns]], axis=1).astype(float)
    top = corner(edge, (0.04 * sign, -1))
    foot = _collar_foot(outline, axis, sign, span, top)
    return top if foot is None else foot


def _collar_foot(outline: Outline, axis: float, sign: int, span: float, top: np.ndarray) -> np.ndarray | None:
    """The dent between shoulder and standing collar, opening upwards and outwards; None without such a collar."""
    reach = max(3, int(0.13 * span))
    turns = Turns.of(outline.contour, reach)
    for index in turns.dents(163, reach):
        point, facing = turns.contour[index], turns.facing[index]
        beside = 0.2 * span < (point[0] - axis) * sign < 0.72 * span
        rises = point[1] - top[1] > 0.12 * span and (point[0] - top[0]) * sign > 0
        if (
            beside
            and rises
            and facing[1] < -0.3
            and facing[0] * sign > 0.15
            and point[1] <= outline.upper[int(point[0])] + 2
        ):
            return point
    return None


def _sleeveless_points(outline: Outline) -> dict | None:
    """armpit, shoulder and collar points of a top without sleeves; None where all lies on one side of the middle.

    The shoulder is the upper outer corner; the armpit lies where the armhole meets the side, which is where the
    outline reaches farthest out of a line from the shoulder down to the waist, at about an armhole's depth.
    """
    points = {}
    contour = outline.contour.astype(float)
    for side, sign in SIDES:
        half = contour[(contour[:, 0] - outline.axis) * sign > 0.03 * outline.width]
        if not len(half):
            return None
        shoulder = corner(half, (0.6 * sign, -0.8))
        inner = half[(half[:, 0] - shoulder[0]) * sign <= 0]
        collar = corner(inner[inner[:, 1] < shoulder[1] + 0.05 * outline.height], (0.04 * sign, -1))
        edge = side_edge(outline, sign, int(shoulder[1]))
        down = np.arange(len(edge))
        low = int(np.argmax(down > 1.5 * edge)) or len(edge) - 1
        line = np.interp(down[: low + 1], [0, low], [(shoulder[0] - outline.axis) * sign, edge[low]])
        wide = 2 * np.maximum(edge[: low + 1], 0.02 * outline.width)  # the chest, if this were its row
        at = int(np.argmax((edge[: low + 1] - line) / wide - 0.8 * (down[: low + 1] / wide - ARMHOLE) ** 2))
        points |= {
            f"armpit_{side}": np.array([outline.axis + sign * edge[at], shoulder[1] + at]),
            f"shoulder_{side}": shoulder,
            f"collar_{side}": collar,
        }
    return points


def _hem(outline: Outline, points: dict) -> dict:
    """The ends of the hem: the lower corners of the body, without sleeves that hang beside it.

    A corner is farthest in the direction between those its side and its hem face; a flared side faces up.
    """
    left, right = points["armpit_left"], points["armpit_right"]
    chest, axis, armpit = right[0] - left[0], (left[0] + right[0]) / 2, max(left[1], right[1])
    rows = np.arange(int(armpit + 0.3 * (outline.bottom - armpit)), outline.bottom + 1)
    hem = {}
    for side, sign in SIDES:
        reach = _reach(outline.mask[rows], axis, sign, chest)
        body = np.flatnonzero(reach > 0)
        side_seam = body[: max(2, int(0.8 * len(body)))]
        slope, start = np.polyfit(rows[side_seam], reach[side_seam], 1) if len(body) > 4 else (0.0, chest / 2)
        reach = np.minimum(reach, start + slope * rows + 0.12 * chest)
        edge = np.stack([axis + sign * reach, rows], axis=1)[body]
        if not len(edge):
            edge = np.array([[axis + sign * chest / 2, float(outline.bottom)]])
        turn = np.radians(45) + np.arctan(slope) / 2
        hem[f"hem_{side}"] = corner(edge, (np.sin(turn) * sign, np.cos(turn)))
    return hem


def _reach(rows: np.ndarray, axis: float, sign: int, chest: float) -> np.ndarray:
    """How far the body reaches from the axis in each of some rows of the mask (bool (n, W)); 0 where there is none."""
    outward = rows if sign > 0 else rows[:, ::-1]
    middle = axis if sign > 0 else rows.shape[1] - 1 - axis
    start = int(np.clip(middle + 0.35 * chest, 0, rows.shape[1] - 1))
    first = int(np.clip(middle - 0.35 * chest, 0, start))
    beyond = outward[:, start:]
    ends = start + np.where(beyond.all(1), beyond.shape[1], (~beyond).argmax(1)) - 1
    inner = outward[:, first : start + 1][:, ::-1]  # where the body ends before it
    ends = np.where(outward[:, start], ends, start - inner.argmax(1))
    return np.where(inner.any(1), np.maximum(ends - middle, 0), 0.0)


def waist_points(mask: np.ndarray, points: dict) -> dict:
    """waist_left and waist_right of a dress: its narrowest place between armpit and hip.

    A dress that only widens from the armpits on has its waist where a body has it.
    """
    left, right = (np.asarray(points[f"armpit_{side}"], float) for side in ("left", "right"))
    chest, low = right[0] - left[0], min(points["hem_left"][1], points["hem_right"][1])
    armpit, axis = (left[1] + right[1]) / 2, (left[0] + right[0]) / 2
    first, last = int(armpit + WAIST_BETWEEN[0] * chest), int(min(armpit + WAIST_BETWEEN[1] * chest, low - 2))
    rows = np.arange(first, last, max(1, int(0.01 * chest)))
    ends = {row: _body_run(mask, points, row, axis) for row in rows}
    ends = {row: run for row, run in ends.items() if run}
    if not ends:
        row = int((armpit + low) / 2)
        run = _body_run(mask, points, row, axis) or (left[0], right[0])
        return {"waist_left": np.array([run[0], row]), "waist_right": np.array([run[1], row])}
    widths = np.array([last - first for first, last in ends.values()], float)
    at = int(np.argmin(widths))
    if at < 0.06 * len(widths) or widths[at] > 0.97 * widths[0]:
        at = int(np.argmin(np.abs(np.array(list(ends)) - armpit - WAIST_AT * chest)))
    row, (first, last) = list(ends.items())[at]
    return {"waist_left": np.array([first, row], float), "waist_right": np.array([last, row], float)}


def _body_run(mask: np.ndarray, points: dict, row: int, axis: float) -> tuple[float, float] | None:
    """First and last column of the body, without sleeves that lie against it, in one row."""
    run = next((run for run in runs(mask[row]) if run[0] - 2 <= axis <= run[1] + 2), None)
    if run is None:
        return None
    limits = []
    for side, sign in SIDES:
        armpit, hem = points[f"armpit_{side}"], points[f"hem_{side}"]
        line = np.interp(row, [armpit[1], hem[1]], [armpit[0], hem[0]])
        limits.append(line + sign * 0.15 * (points["armpit_right"][0] - points["armpit_left"][0]))
    return max(run[0], limits[0]), min(run[1], limits[1])
