"""A garment's landmarks, by category, and the class its sleeves have."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing.garment.bottoms import find_bottom
from preprocessing.garment.outline import SIDES, up_the_slit
from preprocessing.garment.tops import find_top, waist_points

REQUIRED = tuple(f"{name}_{side}" for name in ("collar", "shoulder", "armpit", "hem") for side, _ in SIDES)
CUFFS = tuple(f"cuff_{which}_{side}" for which in ("outer", "inner") for side, _ in SIDES)
WAIST = ("waist_left", "waist_right")
LEGS = ("crotch", *(f"hem_{which}_{side}" for which in ("outer", "inner") for side, _ in SIDES))
HEM = ("hem_left", "hem_right")

# Landmarks are looked for in a mask of this size; half a pixel there is 0.3 % of a chest.
LONG_SIDE = 512
# Sleeve length over chest width, of garments laid flat: the limits between short, three-quarter and long.
SHORT_BELOW, LONG_FROM = 0.68, 0.84


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of a garment.

    Attributes:
        points: name to (x, y). Tops: REQUIRED, with sleeves CUFFS; dresses the same and WAIST; bottoms WAIST and
            LEGS or HEM.
        doubts: codes of what makes them unreliable.
        creases: by side (n, 2), where no gap parts sleeve and body the line between them, from the armpit down.
    """

    points: dict[str, tuple[float, float]]
    doubts: tuple[str, ...] = field(default=())
    creases: dict[str, np.ndarray] = field(default_factory=dict)

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


def find_landmarks(
    mask: np.ndarray,
    category: str = "upper",
    image: np.ndarray | None = None,
    *,
    product_type: str = "",
    sleeve: str | None = None,
) -> Landmarks | None:
    """Landmarks of a garment; None when it has no such shape.

    Args:
        mask: bool (H, W).
        category: "upper", "lower" or "dress".
        image: uint8 RGB (H, W, 3), helps to find where sleeves lie against the body.
        product_type: helps to tell trousers from skirts.
        sleeve: the class the catalogue names, if it does; sleeves that hardly show are then looked for.
    """
    scale = min(1.0, LONG_SIDE / max(mask.shape))
    size = tuple(max(1, round(side * scale)) for side in mask.shape[::-1])
    small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
    if not small.any():
        return None
    if category == "lower":
        found = find_bottom(small, product_type)
    else:
        light = None if image is None else _lightness(image, size)
        found = find_top(small, light, sleeve)
    if found is None:
        return None
    points, doubts, *creases = found
    if category == "dress":
        points |= waist_points(small, points)
    points = {name: _full(point, scale) for name, point in points.items()}
    creases = {side: _full(way, scale) for side, way in creases[0].items()} if creases else {}
    for name in points.keys() & {"armpit_left", "armpit_right", "crotch"} - {f"armpit_{side}" for side in creases}:
        points[name] = up_the_slit(mask, points[name])
    return Landmarks({name: tuple(point.tolist()) for name, point in points.items()}, doubts, creases)


def _lightness(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)


def _full(points: np.ndarray, scale: float) -> np.ndarray:
    """Pixel centres of the smaller mask as positions in the full one."""
    return (np.asarray(points, float) + 0.5) / scale - 0.5


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
