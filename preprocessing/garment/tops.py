"""Where the shoulders, armpits, hem and cuffs of tops and dresses are, from the outline.

Points (x, y), "left" and "right" the picture's: collar (where the neckline meets the shoulder seam), shoulder (end of
that seam), armpit, hem, with sleeves cuff_outer and cuff_inner, and of dresses waist, each with _left and _right.
"""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.outline import SIDES, Outline, runs
from preprocessing.garment.sleeve import cuff, sleeve_part

# Of a dress, in widths of its chest below the armpits: where its waist may lie, and where it lies if nothing tells.
WAIST_BETWEEN, WAIST_AT = (0.2, 0.85), 0.4


def find_top(mask: np.ndarray) -> tuple[dict, tuple[str, ...]] | None:
    """Landmarks and doubts of the top or dress with this mask (bool (H, W)); None when it has no such shape."""
    outline = Outline.of(mask)
    if min(outline.width, outline.height) < 40:
        return None
    armpits = _mirrored_where_missing(outline, _armpits(outline))
    hem = _hem(outline)
    if len(armpits) == 2:
        points = _sleeved_points(outline, armpits) | hem
        for side, _ in SIDES:
            part = sleeve_part(mask, points, side)
            if part is None:
                return None
            outer, inner = cuff(part, points[f"shoulder_{side}"], points[f"armpit_{side}"])
            points |= {f"cuff_outer_{side}": outer, f"cuff_inner_{side}": inner}
    else:
        points = _sleeveless_points(outline) | hem
    return points, _doubts(outline, points, len(armpits) == 2)


def waist_points(mask: np.ndarray, points: dict) -> dict:
    """waist_left and waist_right of a dress: its narrowest place between armpit and hip.

    A dress that only widens from the armpits on has its waist where a body has it.
    """
    left, right = (np.asarray(points[f"armpit_{side}"], float) for side in ("left", "right"))
    chest, low = right[0] - left[0], min(points["hem_left"][1], points["hem_right"][1])
    armpit, axis = (left[1] + right[1]) / 2, (left[0] + right[0]) / 2
    rows = np.arange(int(armpit + WAIST_BETWEEN[0] * chest), int(min(armpit + WAIST_BETWEEN[1] * chest, low - 2)))
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


def _dents(outline: Outline, sign: int) -> list[tuple[float, np.ndarray]]:
    """Depth and deepest point of each dent in the outline of one half."""
    columns = np.arange(outline.mask.shape[1])
    half = outline.mask & ((columns - outline.axis) * sign > 0)
    contours, _ = cv2.findContours(half.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    shape = cv2.approxPolyDP(max(contours, key=cv2.contourArea), 1.5, True).reshape(-1, 2)
    hull = cv2.convexHull(shape, returnPoints=False)
    hull[::-1].sort(axis=0)  # OpenCV wants the indices in one direction
    defects = cv2.convexityDefects(shape, hull)
    if defects is None:
        return []
    return [(depth / 256, shape[far].astype(float)) for _, _, far, depth in defects.reshape(-1, 4)]


def _gaps(outline: Outline) -> list[tuple[float, np.ndarray]]:
    """Height and topmost point of each enclosed gap: between the body and a sleeve whose end touches it."""
    box = outline.mask[outline.top : outline.bottom + 1, outline.left : outline.right + 1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~box).astype(np.uint8), connectivity=4)
    found = []
    for index in range(1, count):
        x, y, width, height, area = stats[index]
        inside = x > 0 and y > 0 and x + width < box.shape[1] and y + height < box.shape[0]
        if inside and height > 1.2 * width and area > 0.0008 * box.size:
            column = np.flatnonzero(labels[y] == index).mean()
            found.append((float(height) / 2, np.array([outline.left + column, outline.top + y], float)))
    return found


def _is_armpit(outline: Outline, point: np.ndarray, sign: int) -> bool:
    """Under an arm: cloth above, and right below a place without cloth, with the sleeve perhaps beyond it."""
    mask = outline.mask
    row, reach = int(point[1]), int(0.06 * outline.height)
    column = int(np.clip(point[0] + sign * 0.01 * outline.width, 0, mask.shape[1] - 1))
    above = mask[max(0, row - 2 * reach) : max(1, row - reach // 3), column]
    lower = mask[min(row + reach // 2, mask.shape[0] - 1)]
    first, last = sorted((int(point[0] - sign * 0.02 * outline.width), int(point[0] + sign * 0.03 * outline.width)))
    near = lower[max(first, 0) : last + 1]
    return above.size > 0 and above.mean() > 0.8 and not near.all()


def _armpits(outline: Outline) -> dict[str, tuple[float, np.ndarray]]:
    """Depth and place of the dent under each sleeve; a side without one is left out."""
    found = {}
    for side, sign in SIDES:
        best = None
        for depth, point in _dents(outline, sign) + _gaps(outline):
            if depth < 0.03 * outline.width or (point[0] - outline.axis) * sign < 0.08 * outline.width:
                continue
            height = (point[1] - outline.top) / outline.height
            if 0.12 < height < 0.9 and _is_armpit(outline, point, sign) and (best is None or depth > best[0]):
                best = (depth, point)
        if best:
            found[side] = best
    return found


def _mirrored_where_missing(outline: Outline, armpits: dict) -> dict:
    """Both armpits, where one is certain and the other was not found; else none."""
    if len(armpits) != 1:
        return armpits
    ((side, (depth, point)),) = armpits.items()
    if depth < 0.07 * outline.width:
        return {}
    other = "right" if side == "left" else "left"
    return {side: (depth, point), other: (depth, np.array([2 * outline.axis - point[0], point[1]]))}


def _sleeved_points(outline: Outline, armpits: dict) -> dict:
    """armpit, shoulder and collar points of a top with sleeves."""
    points = {}
    for side, sign in SIDES:
        armpit = armpits[side][1].copy()
        if armpit[1] > outline.top + 0.56 * outline.height and outline.height > 0.6 * outline.width:
            # The sleeve lies against the body and parts from it near the hem; the armpit is up along the crease.
            armpit = np.array([outline.axis + (armpit[0] - outline.axis) * 1.02, outline.top + 0.36 * outline.height])
        column = int(np.clip(outline.axis + 0.86 * (armpit[0] - outline.axis), outline.left, outline.right))
        shoulder = np.array([column, outline.upper[column]], float)
        points |= {f"armpit_{side}": armpit, f"shoulder_{side}": shoulder}
        points[f"collar_{side}"] = _collar(outline, sign, shoulder)
    return points


def _collar(outline: Outline, sign: int, shoulder: np.ndarray) -> np.ndarray:
    """Where the shoulder seam ends at the neck: the highest place, or the foot of a collar that stands up."""
    inner = int(outline.axis + sign * 0.04 * outline.width)
    columns = np.arange(inner, int(shoulder[0]) + sign, sign)
    if len(columns) < 4:
        return shoulder.copy()
    rows = outline.upper[columns].astype(float)
    at = int(np.argmin(rows))
    step = max(3, int(0.03 * outline.width))
    for index in range(len(columns) - 1, step, -1):
        if rows[index] - rows[index - step] > 1.25 * step:
            if rows[index] - rows[at] > 0.025 * outline.height:
                at = index
            break
    return np.array([columns[at], rows[at]], float)


def _sleeveless_points(outline: Outline) -> dict:
    """armpit, shoulder and collar points of a top without sleeves."""
    points = {}
    rows = np.arange(outline.top, int(outline.top + 0.75 * outline.height), 2)
    for side, sign in SIDES:
        edge = np.array(
            [
                max(((run[1] if sign > 0 else run[0]) - outline.axis) * sign for run in runs(outline.mask[row]))
                for row in rows
            ]
        )
        deepest = int(np.argmax(edge > 0.955 * edge[: max(3, int(0.75 * len(edge)))].max()))
        armpit = np.array([outline.axis + sign * edge[deepest], rows[deepest]], float)
        inner, outer = sorted((outline.axis + sign * 0.05 * outline.width, armpit[0]))
        columns = np.arange(int(inner), int(outer) + 1)
        strap = int(columns[np.argmin(outline.upper[columns])])
        row = min(int(outline.upper[strap] + 0.02 * outline.height), outline.bottom)
        run = next((r for r in runs(outline.mask[row]) if r[0] - 3 <= strap <= r[1] + 3), (strap, strap))
        near, far = run if sign > 0 else run[::-1]
        if (near - outline.axis) * sign < 0.05 * outline.width:
            near = outline.axis + sign * max(abs(strap - outline.axis), 0.3 * abs(far - outline.axis))
        column = int(np.clip(near, 0, outline.mask.shape[1] - 1))
        if armpit[1] - row < 0.12 * outline.height:
            lower = min(int(row + 0.24 * outline.height), outline.bottom - 1)
            ends = runs(outline.mask[lower])
            if ends:
                armpit = np.array([ends[-1][1] if sign > 0 else ends[0][0], lower], float)
        points |= {
            f"armpit_{side}": armpit,
            f"shoulder_{side}": np.array([far, row], float),
            f"collar_{side}": np.array([near, min(outline.upper[column], row)], float),
        }
    return points


def _hem(outline: Outline) -> dict:
    """The ends of the hem, where the body (not a sleeve that hangs lower) ends."""
    column = int(np.clip(outline.axis, 0, outline.mask.shape[1] - 1))
    rows = np.flatnonzero(outline.mask[:, column])
    bottom = float(rows.max()) if len(rows) else float(outline.bottom)
    run = outline.run_at_axis(bottom - 0.03 * outline.height) or (outline.left, outline.right)
    return {
        "hem_left": np.array([run[0], bottom - 0.02 * outline.height], float),
        "hem_right": np.array([run[1], bottom - 0.02 * outline.height], float),
    }


def _doubts(outline: Outline, points: dict, sleeved: bool) -> tuple[str, ...]:
    span = points["shoulder_right"][0] - points["shoulder_left"][0]
    chest = points["armpit_right"][0] - points["armpit_left"][0]
    doubts = []
    if span < 0.15 * outline.width or chest < 0.25 * outline.width:
        doubts.append("proportions")
    if min(points[f"collar_{side}"][1] for side, _ in SIDES) - outline.top > 0.3 * chest:
        doubts.append("hood")
    middle = (points["shoulder_left"][0] + points["shoulder_right"][0]) / 2
    tilt = max(abs(points[f"{name}_left"][1] - points[f"{name}_right"][1]) for name in ("armpit", "shoulder"))
    if abs(middle - outline.axis) > 0.15 * max(span, 1) or tilt > 0.35 * max(span, 1):
        doubts.append("lopsided")
    if sleeved:
        left, right = ((points[f"cuff_outer_{side}"] + points[f"cuff_inner_{side}"]) / 2 for side, _ in SIDES)
        unlike = np.hypot(left[0] + right[0] - 2 * outline.axis, left[1] - right[1])
        if unlike > 0.2 * chest or any(_unclear_cuff(outline, points, side) for side, _ in SIDES):
            doubts.append("cuffs_unclear")
    if not sleeved and not _has_armholes(outline, points):
        doubts.append("sleeves_unclear")
    return tuple(doubts)


def _unclear_cuff(outline: Outline, points: dict, side: str) -> bool:
    """Whether a sleeve seems to go on beyond its end, or has no end: then it lies on the body and was cut there."""
    shoulder, armpit, outer, inner = (
        np.asarray(points[f"{name}_{side}"]) for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    opening = np.hypot(*(shoulder - armpit))
    if np.hypot(*(outer - inner)) < 0.04 * opening:
        return True
    way = (outer + inner - shoulder - armpit) / 2
    way = way / max(np.hypot(*way), 1e-3)
    beyond = outer + np.linspace(0.1, 0.9, 17)[:, None] * (inner - outer) + 0.25 * opening * way
    x = np.clip(beyond[:, 0].astype(int), 0, outline.mask.shape[1] - 1)
    y = np.clip(beyond[:, 1].astype(int), 0, outline.mask.shape[0] - 1)
    return bool(outline.mask[y, x].mean() > 0.4)


def _has_armholes(outline: Outline, points: dict) -> bool:
    """Whether the sides are cut in below the shoulders; if they only slope, sleeves may lie folded on the body."""
    chest = points["armpit_right"][0] - points["armpit_left"][0]
    for side, sign in SIDES:
        shoulder, armpit = points[f"shoulder_{side}"], points[f"armpit_{side}"]
        if (armpit[0] - shoulder[0]) * sign > 0.1 * chest:
            column = int(shoulder[0] + 0.4 * (armpit[0] - shoulder[0]))
            if outline.upper[column] - shoulder[1] < 0.6 * (armpit[1] - shoulder[1]):
                return False
            continue
        rows = np.linspace(shoulder[1], armpit[1], 12)[1:-1].astype(int)
        chord = np.interp(rows, [shoulder[1], armpit[1]], [shoulder[0], armpit[0]])
        cloth = [runs(outline.mask[row]) for row in rows]
        if not all(cloth):  # the shoulder was taken to be where there is no cloth: nothing can be said of this side
            return False
        edge = np.array([max((run[1] if sign > 0 else run[0]) * sign for run in row) for row in cloth])
        if (chord * sign - edge).max() < 0.01 * outline.width:
            return False
    return True
