"""How long a garment is, from its own proportions, in the classes of the catalogue.

A picture has no centimetres, so a length is counted in widths of the same garment laid flat: of the chest for what
hangs from the shoulders, of the hip for bottoms. On a usual body the chest of a garment is 46 to 52 cm wide, the hip
48 to 53 cm; the limits lie between what pattern tables call each class.
"""

from __future__ import annotations

import numpy as np

# Class and the length from which it counts, in widths of the chest: a tee of 70 cm has 1.4, a dress to the knee 2.1.
TOPS = (("cropped", 0.0), ("regular", 1.1), ("long", 1.7))
DRESSES = (("short", 0.0), ("knee", 1.85), ("midi", 2.17), ("maxi", 2.75))
# The same in widths of the hip: shorts of 51 cm have 1.0, trousers of 104 cm 2.0, a skirt to the knee of 60 cm 1.25.
TROUSERS = (("short", 0.0), ("knee", 1.05), ("cropped", 1.4), ("full", 1.65))
SKIRTS = (("short", 0.0), ("knee", 1.1), ("midi", 1.4), ("maxi", 1.85))
# Words that mean the same class where a table has another one.
SAME = {"regular": ("full", "knee"), "full": ("regular", "maxi", "long"), "maxi": ("long", "full"),
        "long": ("maxi", "full"), "midi": ("cropped",), "cropped": ("midi", "short"), "short": ("cropped",),
        "knee": ()}  # fmt: skip
# How far a measured length may lie beyond a class before the catalogue's word for it cannot be.
TOLERANCE = 0.2


def length_ratio(category: str, points: dict) -> float:
    """Length over width, see the tables."""
    at = {name: np.asarray(point, float) for name, point in points.items()}
    if category == "lower":
        top = (at["waist_left"][1] + at["waist_right"][1]) / 2
        ends = [at[name][1] for name in points if name.startswith("hem_")]
        return float((np.mean(ends) - top) / max(hip_width(at), 1))
    top = (at["collar_left"][1] + at["collar_right"][1]) / 2
    chest = at["armpit_right"][0] - at["armpit_left"][0]
    return float(((at["hem_left"][1] + at["hem_right"][1]) / 2 - top) / max(chest, 1))


def hip_width(points: dict) -> float:
    """Width of a bottom at the hip, from its landmarks: of trousers by the depth of the crotch (28 cm to 53 cm),
    of skirts by the waist (36 cm to 47 cm)."""
    waist = points["waist_right"][0] - points["waist_left"][0]
    if "crotch" not in points:
        return 1.3 * waist
    rise = points["crotch"][1] - (points["waist_left"][1] + points["waist_right"][1]) / 2
    return max(1.15 * waist, min(1.4 * waist, rise / 0.53))


def _table(category: str, points: dict) -> tuple[tuple[str, float], ...]:
    if category == "lower":
        return TROUSERS if "crotch" in points else SKIRTS
    return TOPS if category == "upper" else DRESSES


def length_class(category: str, points: dict) -> str:
    """The class of a garment's length, one of `shop.models.Garment.Length`'s values."""
    ratio = length_ratio(category, points)
    return [name for name, start in _table(category, points) if ratio >= start][-1]


def length_fits(category: str, points: dict, length: str | None) -> bool:
    """Whether the catalogue's word for the length can be true; without one, or with one of another kind, it can."""
    table = dict(_table(category, points))
    names = [name for name in (length, *SAME.get(length, ())) if name in table]
    if not names:
        return True
    ratio, starts = length_ratio(category, points), [*table.values(), np.inf]
    for name in names:
        low, high = table[name], starts[list(table).index(name) + 1]
        if low * (1 - TOLERANCE) <= ratio < high * (1 + TOLERANCE):
            return True
    return False
