"""What makes a garment's landmarks unreliable, or its shape one that cannot be previewed.

Every measure is in widths of the garment itself, chest or hip.
"""

from __future__ import annotations

import numpy as np

from preprocessing.garment.outline import SIDES, Outline, side_edge

# Above the shoulders no collar reaches farther than this; a raised hood does.
HOOD = 0.42
# The middle of a garment laid out straight strays less than this from a straight line.
STRAIGHT = 0.028
# Ties and belts that hang beside a garment make up more of it than this.
LOOSE = 0.03
# An armhole is cut in at least so deep, and ends in an armpit that stands out so far; the sides of a strapless top and
# of sleeves folded onto the body only slope.
CUT_IN, STANDS_OUT = 0.015, 0.012
# Wide shoulders rise at least so far to the neck, and between narrow straps the upper edge dips so far.
RISE, DIP = 0.1, 0.04


def doubts_of_top(outline: Outline, points: dict, body: np.ndarray) -> tuple[str, ...]:
    """Doubts about a top or dress: proportions, lopsided, loose_ends, hood, cuffs_unclear, no_armholes,
    strapless.

    body: bool (H, W), the mask without sleeves.
    """
    chest = points["armpit_right"][0] - points["armpit_left"][0]
    span = points["shoulder_right"][0] - points["shoulder_left"][0]
    shoulders = (points["shoulder_left"][1] + points["shoulder_right"][1]) / 2
    doubts = []
    if span < 0.15 * outline.width or chest < 0.25 * outline.width or _widest_below(points, body) > 1.45 * chest:
        doubts.append("proportions")
    if shoulders - outline.top > HOOD * chest:
        doubts.append("hood")
    middle = (points["shoulder_left"][0] + points["shoulder_right"][0]) / 2
    tilt = max(abs(points[f"{name}_left"][1] - points[f"{name}_right"][1]) for name in ("armpit", "shoulder"))
    off_axis = abs(middle - outline.axis) > 0.15 * max(span, 1)
    collars = abs(points["collar_left"][1] - points["collar_right"][1])
    if off_axis or collars > 0.2 * chest or tilt > 0.35 * max(span, 1) or _waver(body, points, chest) > STRAIGHT:
        doubts.append("lopsided")
    if _loose_ends(body, points, chest) > LOOSE:
        doubts.append("loose_ends")
    if "cuff_outer_left" in points:
        if _unlike_cuffs(outline, points, chest) or any(_unclear_cuff(outline, points, side) for side, _ in SIDES):
            doubts.append("cuffs_unclear")
    else:
        cut, stands_out = np.min([_armhole(outline, points, side, sign, chest) for side, sign in SIDES], axis=0)
        collar = (points["collar_left"][1] + points["collar_right"][1]) / 2
        flat = shoulders - collar < RISE * chest and _neck_dip(outline, points) < DIP * chest
        if stands_out < STANDS_OUT and flat:
            doubts.append("strapless")
        elif cut < CUT_IN:
            doubts.append("no_armholes")
    return tuple(doubts)


def doubts_of_bottom(outline: Outline, points: dict, hip: float) -> tuple[str, ...]:
    """Doubts about a bottom: proportions, lopsided."""
    across = points["waist_right"] - points["waist_left"]
    doubts = []
    if across[0] < 0.3 * hip or outline.height < 0.35 * hip or _narrows(outline, points, hip):
        doubts.append("proportions")
    if abs(across[1]) > 0.2 * abs(across[0]) or _waver(outline.mask, points, hip) > STRAIGHT:
        doubts.append("lopsided")
    return tuple(doubts)


def _narrows(outline: Outline, points: dict, hip: float) -> bool:
    """Whether a side of a bottom jumps inwards on its way from waist to hem, as below the sleeve of a top."""
    first = int(max(points["waist_left"][1], points["waist_right"][1]))
    last = int(min(at[1] for name, at in points.items() if name.startswith("hem_")) - 0.1 * hip)
    step = max(2, int(0.08 * hip))
    for _, sign in SIDES:
        edge = side_edge(outline, sign, first)[: max(last - first, 0)]
        if len(edge) > step and (edge[:-step] - edge[step:]).max() > 0.15 * hip:
            return True
    return False


def _widest_below(points: dict, body: np.ndarray) -> float:
    """The widest run of a top's body within half a chest below the armpits."""
    chest = points["armpit_right"][0] - points["armpit_left"][0]
    top = (points["armpit_left"][1] + points["armpit_right"][1]) / 2
    rows = body[int(top + 0.1 * chest) : int(top + 0.5 * chest) : max(1, int(0.05 * chest))]
    return float(rows.sum(1).max()) if len(rows) else 0.0


def _loose_ends(body: np.ndarray, points: dict, chest: float) -> float:
    """Share of a top's body that lies far outside its side seams: ties, belts, a sleeve on the wrong side."""
    y, x = np.nonzero(body)
    outside = np.zeros(len(x), bool)
    for side, sign in SIDES:
        armpit, hem = points[f"armpit_{side}"], points[f"hem_{side}"]
        seam = np.interp(y, [armpit[1], hem[1]], [armpit[0], hem[0]])
        outside |= (y > armpit[1]) & ((x - seam) * sign > 0.18 * chest)
    return float(outside.mean()) if len(x) else 0.0


def _waver(body: np.ndarray, points: dict, width: float) -> float:
    """How far the middle of a garment strays from a straight line between its armpits or waist and its hem, on
    average: of one laid out straight it does not, of a mask with something else in it it does."""
    upper = "armpit" if "armpit_left" in points else "waist"
    lower = "hem" if "hem_left" in points else "hem_outer"
    top = max(points[f"{upper}_{side}"][1] for side, _ in SIDES)
    bottom = min(points[f"{lower}_{side}"][1] for side, _ in SIDES)
    rows = np.arange(max(int(top), 0), min(int(bottom), body.shape[0]))
    rows = rows[body[rows].any(1)]
    if len(rows) < 8:
        return 0.0
    cloth = body[rows]
    middles = (cloth.argmax(1) + cloth.shape[1] - 1 - cloth[:, ::-1].argmax(1)) / 2
    return float(np.abs(middles - np.polyval(np.polyfit(rows, middles, 1), rows)).mean() / max(width, 1))


def _unlike_cuffs(outline: Outline, points: dict, chest: float) -> bool:
    """Whether one sleeve ends elsewhere than the other: one of them is folded, or cut off."""
    left, right = ((points[f"cuff_outer_{side}"] + points[f"cuff_inner_{side}"]) / 2 for side, _ in SIDES)
    lengths = [
        np.hypot(*(end - (points[f"shoulder_{side}"] + points[f"armpit_{side}"]) / 2))
        for end, (side, _) in zip((left, right), SIDES, strict=True)
    ]
    shorter, longer = sorted(lengths)
    uneven = shorter < 0.72 * longer and longer - shorter > 0.15 * chest
    return uneven or abs(left[0] + right[0] - 2 * outline.axis) > 0.35 * chest


def _unclear_cuff(outline: Outline, points: dict, side: str) -> bool:
    """Whether a sleeve seems to go on beyond its end, or has no end: then it lies on the body and was cut there."""
    shoulder, armpit, outer, inner = (
        np.asarray(points[f"{name}_{side}"]) for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    opening = np.hypot(*(shoulder - armpit))
    if np.hypot(*(outer + inner - shoulder - armpit)) < 0.6 * opening:
        return False  # too short to lie on anything
    if np.hypot(*(outer - inner)) < 0.04 * opening:
        return True
    way = (outer + inner - shoulder - armpit) / 2
    way = way / max(np.hypot(*way), 1e-3)
    beyond = outer + np.linspace(0.1, 0.9, 17)[:, None] * (inner - outer) + 0.25 * opening * way
    x = np.clip(beyond[:, 0].astype(int), 0, outline.mask.shape[1] - 1)
    y = np.clip(beyond[:, 1].astype(int), 0, outline.mask.shape[0] - 1)
    return bool(outline.mask[y, x].mean() > 0.4)


def _armhole(outline: Outline, points: dict, side: str, sign: int, chest: float) -> tuple[float, float]:
    """How deep an armhole is cut into the line from shoulder to armpit, and how far the armpit stands out of the line
    from the shoulder down to the waist."""
    shoulder, armpit = points[f"shoulder_{side}"], points[f"armpit_{side}"]
    depth = max(3, int(armpit[1] - shoulder[1]))
    edge = side_edge(outline, sign, int(shoulder[1]))[: depth + max(3, int(0.35 * chest))]
    start = (shoulder[0] - outline.axis) * sign
    cut = np.linspace(start, edge[min(depth, len(edge) - 1)], min(depth, len(edge))) - edge[:depth]
    corner = edge[min(depth, len(edge) - 1)] - np.interp(depth, [0, len(edge) - 1], [start, edge[-1]])
    return float(cut.max() / chest), float(corner / chest)


def _neck_dip(outline: Outline, points: dict) -> float:
    """How far the upper edge dips below the line between the collar points."""
    left, right = points["collar_left"], points["collar_right"]
    columns = np.arange(int(left[0]), int(right[0]) + 1)
    if len(columns) < 5:
        return 0.0
    return float((outline.upper[columns] - np.interp(columns, [left[0], right[0]], [left[1], right[1]])).max())
