"""Where the front of a top's neck opening is, so that the inside of its back is not drawn over the wearer's neck."""

from __future__ import annotations

import cv2
import numpy as np

# The curve y = line between the collar points + depth (1 - |x|^power), x from -1 to 1 between them.
POWERS = np.array([1.0, 1.4, 2.0, 3.0, 4.5])
SAMPLES = np.linspace(-0.92, 0.92, 61)
MIDDLE = np.abs(SAMPLES) < 0.6
# A collar that rises this far above the line between the collar points stands up, in widths of the neck.
STANDING = 0.15


class _Search:
    """Edge strength along candidate curves between two collar points."""

    def __init__(self, image: np.ndarray, mask: np.ndarray, left: np.ndarray, right: np.ndarray):
        self.mask, self.left, self.right = mask, left, right
        self.width = right[0] - left[0]
        self.lab = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), 1.5)
        squares = [cv2.Sobel(self.lab, cv2.CV_32F, dx, 1 - dx, ksize=3) ** 2 for dx in (0, 1)]
        self.edges = np.minimum(np.sqrt(sum(square.sum(-1) for square in squares)) / 8, 12)

    def curve(self, depth: float, power: float, x: np.ndarray = SAMPLES) -> np.ndarray:
        base = np.interp(x, [-1, 1], [self.left[1], self.right[1]])
        across = (self.left[0] + self.right[0]) / 2 + x * self.width / 2
        return np.stack([across, base + depth * (1 - np.abs(x) ** power)], axis=1)

    def _at(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        columns = np.clip(points[:, 0].astype(int), 0, values.shape[1] - 1)
        rows = np.clip(points[:, 1].astype(int), 0, values.shape[0] - 1)
        return values[rows, columns]

    def sides(self, curve: np.ndarray, offset: float) -> tuple[np.ndarray, np.ndarray]:
        """Points just inside the opening and just outside it."""
        tangent = np.gradient(curve, axis=0)
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1) / (np.hypot(*tangent.T)[:, None] + 1e-6)
        return curve + normal * offset, curve - normal * offset

    def score(self, depth: float, power: float) -> tuple[float, float, float, float]:
        """How much a curve looks like an edge: total, edge strength, share of contrast, share of one sign."""
        curve = self.curve(depth, power)
        edge = self._at(self.edges, curve)
        strength = float(np.median(edge) + 0.8 * np.quantile(edge, 0.2))  # a label's edge is not the neckline's
        if strength < 2.5:
            return 0, 0, 0, 0
        inside, outside = self.sides(curve, max(4, 0.035 * self.width))
        if self._at(self.mask, inside)[MIDDLE].mean() < 0.9:
            return 0, 0, 0, 0
        change = self._at(self.lab, inside) - self._at(self.lab, outside)
        contrast = float((np.abs(change).max(1) > 5).mean())
        darker = np.where(np.abs(change[:, 0]) > 2, np.sign(change[:, 0]), 0)
        one_sign = abs(float(darker.sum())) / len(SAMPLES)
        shadowed = 1.0 if darker.sum() <= 0 else 0.6  # the inside of a back lies in the shade
        total = strength * shadowed * (0.3 + contrast) * (0.4 + 0.6 * one_sign)
        return total, strength, contrast, one_sign


def find_neckline(image: np.ndarray, mask: np.ndarray, points: dict) -> np.ndarray | None:
    """The front edge of the neck opening as a polyline from collar_left to collar_right.

    Args:
        image: uint8 RGB (H, W, 3).
        mask: bool (H, W).
        points: landmarks of the top.

    Returns:
        float32 (N, 2), or None where the mask has no inside of a back to take off: a high or standing collar, or a
        neck that is open already.
    """
    left, right = (np.asarray(points[f"collar_{side}"], float) for side in ("left", "right"))
    search = _Search(image, mask, left, right)
    width = search.width
    if width < 20:
        return None
    middle = (left[0] + right[0]) / 2
    columns = np.arange(int(middle - 0.05 * width), int(middle + 0.05 * width) + 1)
    dip = float(np.median(mask[:, columns].argmax(0))) - (left[1] + right[1]) / 2
    between = np.arange(int(left[0]), int(right[0]) + 1)
    upper = mask[:, between].argmax(0) - np.interp(between, [left[0], right[0]], [left[1], right[1]])
    if dip < -0.22 * width or upper.min() < -STANDING * width:
        return None
    depths = np.arange(max(0.06, dip / width + 0.05), 1.15, 0.02) * width
    found = [(search.score(depth, power), depth, power) for depth in depths for power in POWERS]
    found = sorted((c for c in found if c[0][0] > 0), key=lambda c: -c[0][0])
    depth, power = None, None
    if found:
        depth, power = _front_edge(search, found)
    if depth is None:
        # Nothing to be seen, as black on black; a flat outline between the collar points shows a back all the same.
        shoulders = points["shoulder_right"][0] - points["shoulder_left"][0]
        if not (dip < 0.10 * width and width < 0.62 * shoulders and "cuff_outer_left" in points):
            return None
        depth, power = 0.27 * width, 2.2
    if dip > 0.8 * depth:
        return None
    return search.curve(depth, power, np.linspace(-1, 1, 41)).astype(np.float32)


def _front_edge(search: _Search, found: list) -> tuple[float | None, float | None]:
    """Depth and power of the front edge among the edges found, best first; None when none is convincing.

    The seams of the back lie above the front edge and are often the clearer ones, so depth counts in favour.
    """
    width = search.width
    chest = search.curve(width, 4.5, np.linspace(-0.9, 0.9, 31))
    texture = np.median([search._at(search.edges, chest + np.array([0, shift * width])) for shift in (-0.2, 0, 0.2)])
    bonus = np.clip(1.3 - texture / 4, 0, 1)  # in a print or in stripes there are edges at any depth
    convincing = [
        (total * (0.5 + bonus * depth / width), depth, power)
        for (total, _, contrast, one_sign), depth, power in found
        if total > 2.5 and contrast >= 0.5 and one_sign >= 0.5 and depth < (0.8 if power > 1.2 else 1.1) * width
    ]
    if not convincing:
        return None, None
    _, depth, power = max(convincing)
    inside, outside = search.sides(search.curve(depth, power), max(4, 0.035 * width))
    change = np.median(search._at(search.lab, inside) - search._at(search.lab, outside), axis=0)
    rib = np.hypot(*change[1:]) > 9 or abs(change[0]) > 70 or change[0] > 25
    if rib and depth > 0.3 * width:  # the lower edge of a collar in another colour, which stays on
        depth -= 0.17 * width
    return depth, power


def back_inside(mask: np.ndarray, neckline: np.ndarray) -> np.ndarray:
    """The part of a mask above the front neckline, between its ends: the inside of the garment's back.

    Args:
        mask: bool (H, W), with the soft edge where none of it shall stay.
        neckline: (N, 2), see `find_neckline`.
    """
    columns = np.arange(mask.shape[1])
    order = np.argsort(neckline[:, 0])
    rows = np.interp(columns, neckline[order, 0], neckline[order, 1], left=-1, right=-1)
    return mask & (np.arange(mask.shape[0])[:, None] < rows[None])
