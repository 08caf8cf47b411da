"""A garment's landmarks, by category, and the class its sleeves have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from preprocessing.garment.bottoms import find_bottom
from preprocessing.garment.outline import SIDES
from preprocessing.garment.tops import find_top, waist_points

REQUIRED = tuple(f"{name}_{side}" for name in ("collar", "shoulder", "armpit", "hem") for side, _ in SIDES)
CUFFS = tuple(f"cuff_{which}_{side}" for which in ("outer", "inner") for side, _ in SIDES)
WAIST = ("waist_left", "waist_right")
LEGS = ("crotch", *(f"hem_{which}_{side}" for which in ("outer", "inner") for side, _ in SIDES))
HEM = ("hem_left", "hem_right")

# Sleeve length over chest width, of garments laid flat: the limits between short, three-quarter and long.
SHORT_BELOW, LONG_FROM = 0.68, 0.84


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of a garment.

    Attributes:
        points: name to (x, y). Tops: REQUIRED, with sleeves CUFFS; dresses the same and WAIST; bottoms WAIST and
            LEGS or HEM.
        doubts: codes of what makes them unreliable.
    """

    points: dict[str, tuple[float, float]]
    doubts: tuple[str, ...] = field(default=())

    @property
    def sleeve_ratio(self) -> float:
        """Sleeve length over chest width, 0 without sleeves."""
        if CUFFS[0] not in self.points:
            return 0.0
        points = {name: np.array(point) for name, point in self.points.items()}
        lengths = [
            np.hypot(*(points[f"cuff_{cuff}_{side}"] - points[f"{start}_{side}"]))
            for side, _ in SIDES
            for cuff, start in (("outer", "shoulder"), ("inner", "armpit"))
        ]
        return float(np.mean(lengths) / max(points["armpit_right"][0] - points["armpit_left"][0], 1))

    @property
    def sleeve(self) -> str:
        """sleeveless, short, three_quarter or long."""
        return self.class_of(self.sleeve_ratio)

    @staticmethod
    def class_of(ratio: float) -> str:
        if ratio <= 0:
            return "sleeveless"
        if ratio < SHORT_BELOW:
            return "short"
        return "three_quarter" if ratio < LONG_FROM else "long"


def find_landmarks(mask: np.ndarray, category: str = "upper", product_type: str = "") -> Landmarks | None:
    """Landmarks of the garment with this mask (bool (H, W)); None when it has no such shape."""
    found = find_bottom(mask, product_type) if category == "lower" else find_top(mask)
    if found is None:
        return None
    points, doubts = found
    if category == "dress":
        points |= waist_points(mask, points)
    return Landmarks({name: (float(x), float(y)) for name, (x, y) in points.items()}, doubts)


def given_landmarks(given: dict, category: str, mask: np.ndarray, scale: float) -> Landmarks | None:
    """Landmarks that are known exactly, in the picture's pixels; None where one that is needed is missing.

    A dress's waist may be missing: it is then found in the mask.
    """
    names = {"lower": WAIST + LEGS + HEM}.get(category, REQUIRED + CUFFS + WAIST)
    points = {name: tuple(float(v) * scale for v in given[name]) for name in names if name in given}
    if category == "lower":
        enough = set(WAIST) <= set(points) and (set(LEGS) <= set(points) or set(HEM) <= set(points))
    else:
        enough = set(REQUIRED) <= set(points)
    if not enough:
        return None
    if category == "dress" and not set(WAIST) <= set(points):
        points |= {name: (float(x), float(y)) for name, (x, y) in waist_points(mask, points).items()}
    return Landmarks(points)
