"""The measures a bottom has of its own, in the pixels of its picture."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from tryon.engines.preview.figure import SIDES

# Seen from the front, the inside of the back shows above the waistband; how deep that may be, in waist widths.
DIPS = np.linspace(0, 0.12, 25)
# A step in brightness that is surely an edge, of 255.
EDGE = 6.0
# Degrees from which a bottom photographed askew is turned: rows of it then run along its waistband.
ASKEW = 3.0
# Legs shorter than this share of the rise are part of one cloth with it, as on beach shorts.
SHORT_LEGS = 0.35


class Bottom:
    """A bottom's own measures.

    Attributes:
        points: landmark to (2,).
        width: of the waist.
        top: row of the waist's ends, at the middle.
        last: the lowest row.
    """

    def __init__(self, garment: PreparedGarment):
        self._garment = garment
        self.points = {name: np.array(point, float) for name, point in garment.landmarks.items()}
        left, right = (self.points[f"waist_{side}"] for side, _ in SIDES)
        self.width = max(float(np.hypot(*(right - left))), 1.0)
        self.top = float(left[1] + right[1]) / 2
        rows = np.flatnonzero((garment.mask > 127).any(1))
        self.last = float(rows.max()) if len(rows) else self.top + self.width

    def axis(self, rows: np.ndarray) -> np.ndarray:
        """Columns of the line from the middle of the waist to the crotch or, on a skirt, to the middle of the hem."""
        hem = (self.points["hem_left"] + self.points["hem_right"]) / 2 if "hem_left" in self.points else None
        end = self.points["crotch"] if hem is None else hem
        middle = (self.points["waist_left"] + self.points["waist_right"]) / 2
        return np.interp(rows, [middle[1], end[1]], [middle[0], end[0]])

    def waist_line(self, share: np.ndarray) -> np.ndarray:
        """Points of the front edge of the waistband for shares from -1, its left end, to 1; (N, 2)."""
        left, right = (self.points[f"waist_{side}"] for side, _ in SIDES)
        chord = left + (right - left) * ((share + 1) / 2)[:, None]
        return chord + np.stack([np.zeros_like(share), (1 - share**2) * self._dip], 1)

    @cached_property
    def _dip(self) -> float:
        left, right = (self.points[f"waist_{side}"] for side, _ in SIDES)
        return _dip(self._garment, left, right, self.width)


def upright(garment: PreparedGarment) -> PreparedGarment:
    """A bottom turned about its middle until its waistband is level."""
    left, right = (np.array(garment.landmarks[f"waist_{side}"], float) for side, _ in SIDES)
    angle = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    if abs(angle) < ASKEW:
        return garment
    height, width = garment.mask.shape
    points = np.array(list(garment.landmarks.values()), float)
    turn = cv2.getRotationMatrix2D(tuple(points.mean(0)), angle, 1.0)
    # What the turned picture needs in size, and where its corner comes to lie.
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn[:, :2].T + turn[:, 2]
    turn[:, 2] -= corners.min(0)
    size = tuple(int(side) for side in np.ceil(np.ptp(corners, axis=0)))

    def turned(array, how=cv2.INTER_LINEAR, border=cv2.BORDER_CONSTANT):
        return cv2.warpAffine(array, turn, size, flags=how, borderMode=border)

    return replace(
        garment,
        image=turned(garment.image, border=cv2.BORDER_REPLICATE),
        mask=turned(garment.mask),
        parts=turned(garment.parts, cv2.INTER_NEAREST),
        landmarks={
            name: tuple(point)
            for name, point in zip(garment.landmarks, points @ turn[:, :2].T + turn[:, 2], strict=True)
        },
    )


def one_cloth(garment: PreparedGarment) -> PreparedGarment:
    """Shorts with hardly any legs as if they were a skirt with a notch; other bottoms as they are."""
    points = garment.landmarks
    if "crotch" not in points:
        return garment
    waist, hems = (
        float(np.mean([points[f"{name}_{side}"][1] for side, _ in SIDES for name in names]))
        for names in (("waist",), ("hem_outer", "hem_inner"))
    )
    if hems - points["crotch"][1] > SHORT_LEGS * (points["crotch"][1] - waist):
        return garment
    kept = {name: point for name, point in points.items() if name.startswith("waist")}
    ends = {f"hem_{side}": points[f"hem_outer_{side}"] for side, _ in SIDES}
    parts = np.where(garment.parts > 0, BODY, 0).astype(np.uint8)
    return replace(garment, landmarks=kept | ends, parts=parts)


def _dip(garment: PreparedGarment, left: np.ndarray, right: np.ndarray, width: float) -> float:
    """How far the front edge of the waistband hangs below the straight line between its ends: where brightness steps
    most along a curve below that line; a little where it does not, so that no rim is left."""
    grey = cv2.GaussianBlur(cv2.cvtColor(garment.image, cv2.COLOR_RGB2GRAY), (0, 0), 1.2).astype(np.float32)
    share = np.linspace(-0.7, 0.7, 60)
    chord = left + (right - left) * ((share + 1) / 2)[:, None]
    depth = (DIPS[:, None] * (1 - share**2) * width)[..., None] * [0.0, 1.0]
    curves = (chord[None] + depth).astype(np.float32)  # (25, 60, 2)
    offset = np.float32([0, 0.012 * width])
    above, below = (
        cv2.remap(grey, curves + way * offset, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for way in (-1, 1)
    )
    inside = cv2.remap(garment.mask, curves - offset, None, cv2.INTER_NEAREST)
    step = np.abs(np.median(below - above, axis=1))
    step[np.median(inside, axis=1) < 128] = 0  # the outline itself is no inner edge
    best = int(np.argmax(step))
    if step[best] < EDGE:
        return 0.015 * width
    return float(DIPS[best] + 0.008) * width


def edge_of(part: np.ndarray, rows: np.ndarray, side: str, straight: np.ndarray, slack: float) -> np.ndarray:
    """Columns of one edge of a part (bool (H, W)) at some rows, kept within `slack` of a straight line; (N,)."""
    found = np.array(straight, float)
    for index, row in enumerate(rows):
        columns = np.flatnonzero(part[int(np.clip(row, 0, part.shape[0] - 1))])
        if len(columns):
            found[index] = columns[-1] + 0.5 if side == "right" else columns[0] - 0.5
    found = np.clip(found, straight - slack, straight + slack)
    return gaussian_filter1d(found, 0.8, mode="nearest")
