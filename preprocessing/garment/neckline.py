"""Where the front of a top's neck opening is, so that the inside of its back is not drawn over the wearer's neck."""

from __future__ import annotations

import cv2
import numpy as np

# The curve y = line between its ends + depth (1 - |x|^power), x from -1 to 1 between them: 1 is a V, 4.5 nearly a U.
POWERS = np.array([1.0, 1.15, 1.3, 1.5, 2.0, 3.0, 4.5])
V_SHAPED = 1.4
SAMPLES = np.linspace(-0.92, 0.92, 61)
MIDDLE = np.abs(SAMPLES) < 0.6
# Depths in widths of the neck, of a V and of anything rounder; a band round the neck moves the ends inwards.
DEEPEST_V, DEEPEST, BANDS = 1.7, 1.1, (0.0, 0.08, 0.16)
# A collar that rises this far above the line between the collar points stands up, in widths of the neck.
STANDING = 0.15
# The part of the picture that is looked at is brought to this width.
WIDTH = 200


class _Search:
    """Edge strength along candidate curves between two points, in a part of the picture brought to one size."""

    def __init__(self, image: np.ndarray, mask: np.ndarray, left: np.ndarray, right: np.ndarray):
        width = float(right[0] - left[0])
        top = max(0, int(min(left[1], right[1]) - 0.4 * width))
        self.origin = np.array([max(0, int(left[0] - 0.3 * width)), top])
        window = np.s_[top : int(top + 2.4 * width) + 2, self.origin[0] : int(right[0] + 0.3 * width) + 2]
        self.scale = min(1.0, WIDTH / max(image[window].shape[1], 1))
        size = tuple(max(2, round(side * self.scale)) for side in image[window].shape[1::-1])
        part = cv2.resize(image[window], size, interpolation=cv2.INTER_AREA)
        self.mask = cv2.resize(mask[window].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        self.left, self.right = self.local(left), self.local(right)
        self.width = float(self.right[0] - self.left[0])
        self.lab = cv2.GaussianBlur(cv2.cvtColor(part, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), 1.0)
        squares = [cv2.Sobel(self.lab, cv2.CV_32F, dx, 1 - dx, ksize=3) ** 2 for dx in (0, 1)]
        edges = np.minimum(np.sqrt(sum(square.sum(-1) for square in squares)) / 8, 12)
        self.edges = cv2.dilate(edges, np.ones((3, 3)))  # a curve a pixel beside an edge still finds it

    def local(self, points: np.ndarray) -> np.ndarray:
        return (np.asarray(points, float) - self.origin) * self.scale

    def full(self, points: np.ndarray) -> np.ndarray:
        return (points / self.scale + self.origin).astype(np.float32)

    def curves(self, depth: np.ndarray, power: np.ndarray, band: np.ndarray, x: np.ndarray = SAMPLES) -> np.ndarray:
        """One curve for each depth (in widths of the neck), power and band; float (n, len(x), 2)."""
        share = (x + 1) / 2
        share = band[:, None] + (1 - 2 * band[:, None]) * share
        base = self.left + share[..., None] * (self.right - self.left)
        drop = self.width * depth[:, None] * (1 - np.abs(x) ** power[:, None])
        return base + np.stack([np.zeros_like(drop), drop], axis=-1)

    def at(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        columns = np.clip(points[..., 0].astype(int), 0, values.shape[1] - 1)
        rows = np.clip(points[..., 1].astype(int), 0, values.shape[0] - 1)
        return values[rows, columns]

    def sides(self, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points just inside the opening and just outside it."""
        tangent = np.gradient(curves, axis=-2)
        normal = np.stack([tangent[..., 1], -tangent[..., 0]], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
        offset = max(2.5, 0.035 * self.width)
        return curves + normal * offset, curves - normal * offset

    def scores(self, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How much each curve looks like an edge: total, share of contrast, share of one sign; (n,) each."""
        edge = np.sort(
            self.at(self.edges, curves), axis=1
        )  # a label's edge is not the neckline's: the weak part counts
        strength = edge[:, edge.shape[1] // 2] + 0.8 * edge[:, edge.shape[1] // 5]
        inside, outside = self.sides(curves)
        cloth = self.at(self.mask, inside)[:, MIDDLE].mean(1) >= 0.9
        change = self.at(self.lab, inside) - self.at(self.lab, outside)
        contrast = (np.abs(change).max(-1) > 5).mean(1)
        signs = np.where(np.abs(change[..., 0]) > 2, np.sign(change[..., 0]), 0).sum(1)
        one_sign = np.abs(signs) / curves.shape[1]
        shadowed = np.where(signs <= 0, 1.0, 0.6)  # the inside of a back lies in the shade
        total = strength * shadowed * (0.3 + contrast) * (0.4 + 0.6 * one_sign)
        return np.where(cloth & (strength >= 2.5), total, 0.0), contrast, one_sign


def find_neckline(image: np.ndarray, mask: np.ndarray, points: dict) -> np.ndarray | None:
    """The front edge of the neck opening as a polyline from left to right.

    Args:
        image: uint8 RGB (H, W, 3).
        mask: bool (H, W).
        points: landmarks of the top.

    Returns:
        float32 (N, 2), or None where the mask has no inside of a back to take off: a high collar, or a neck that is
        open already.
    """
    left, right = (np.asarray(points[f"collar_{side}"], float) for side in ("left", "right"))
    width = right[0] - left[0]
    if width < 20:
        return None
    between = np.arange(max(int(left[0]), 0), min(int(right[0]) + 1, mask.shape[1]))
    upper = mask[:, between].argmax(0)
    rise = np.interp(between, [left[0], right[0]], [left[1], right[1]]) - upper
    if rise.max() > STANDING * width:
        return _inside_collar(image, mask, np.stack([between, upper], axis=1).astype(float))
    search = _Search(image, mask, left, right)
    dip = -float(np.median(rise[np.abs(between - (left[0] + right[0]) / 2) <= max(1.0, 0.05 * width)])) / width
    found = _front_edge(search, dip)
    if found is None:
        # Nothing to be seen, as black on black; a flat outline between the collar points shows a back all the same.
        shoulders = points["shoulder_right"][0] - points["shoulder_left"][0]
        if not (dip < 0.10 and width < 0.62 * shoulders and "cuff_outer_left" in points):
            return None
        found = (0.27, 2.2, 0.0)
    if dip > 0.8 * found[0]:
        return None
    curve = search.curves(*(np.array([value]) for value in found), np.linspace(-1, 1, 41))
    return search.full(curve[0])


def _candidates(shallowest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    depth, power, band = np.meshgrid(np.arange(shallowest, DEEPEST_V, 0.02), POWERS, BANDS, indexing="ij")
    kept = (depth < DEEPEST) | (power < V_SHAPED)
    return depth[kept], power[kept], band[kept]


def _front_edge(search: _Search, dip: float) -> tuple[float, float, float] | None:
    """Depth, power and band of the front edge; None when none is convincing.

    The seams of the back lie above the front edge and are often the clearer ones, so depth counts in favour.
    """
    depth, power, band = _candidates(max(0.06, dip + 0.05))
    if not len(depth):
        return None
    total, contrast, one_sign = search.scores(search.curves(depth, power, band))
    chest = search.curves(np.array([1.0]), np.array([4.5]), np.array([0.0]), np.linspace(-0.9, 0.9, 31))[0]
    shifts = [np.array([0, shift * search.width]) for shift in (-0.2, 0, 0.2)]
    texture = np.median([search.at(search.edges, chest + shift) for shift in shifts])
    bonus = np.clip(1.3 - texture / 4, 0, 1)  # in a print or in stripes there are edges at any depth
    convincing = (total > 2.5) & (contrast >= 0.6) & (one_sign >= 0.55) & ((depth < 0.8) | (power < V_SHAPED))
    value = np.where(convincing, total * (0.35 + bonus * depth) * (1 - band), 0)
    best = int(value.argmax())
    if value[best] <= 0:
        return None
    inside, outside = search.sides(
        search.curves(depth[best : best + 1], power[best : best + 1], band[best : best + 1])
    )
    change = np.median(search.at(search.lab, inside) - search.at(search.lab, outside), axis=(0, 1))
    rib = np.hypot(*change[1:]) > 9 or abs(change[0]) > 70 or change[0] > 25
    lower = 0.17 if rib and depth[best] > 0.3 and band[best] == 0 else 0.0  # the lower edge of a coloured collar
    return float(depth[best] - lower), float(power[best]), float(band[best])


def _inside_collar(image: np.ndarray, mask: np.ndarray, edge: np.ndarray) -> np.ndarray | None:
    """The opening of a collar that stands up: from the collar's upper ends down to where its two sides meet."""
    inner = edge[int(0.08 * len(edge)) : len(edge) - int(0.08 * len(edge))]
    if len(inner) < 10:
        return None
    left, right = (inner[np.argmax(inner @ np.array([0.45 * sign, -1.0]))] for sign in (-1, 1))
    if right[0] - left[0] < max(16, 0.3 * (edge[-1, 0] - edge[0, 0])):
        return None
    search = _Search(image, mask, left, right)
    depth, power, band = _candidates(0.2)
    kept = (depth < 0.9) & (power <= 2)
    depth, power, band = depth[kept], power[kept], band[kept]
    total, contrast, one_sign = search.scores(search.curves(depth, power, band))
    value = np.where((total > 3) & (contrast >= 0.6) & (one_sign >= 0.6), total * (0.5 + depth), 0)
    best = int(value.argmax())
    if value[best] <= 0:
        return None
    found = (values[best : best + 1] for values in (depth, power, band))
    return search.full(search.curves(*found, np.linspace(-1, 1, 41))[0])


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
