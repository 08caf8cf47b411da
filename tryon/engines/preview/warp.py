"""Grids that carry a garment's pixels to the body: filling them in, keeping them from folding, drawing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Patch:
    """One piece of cloth as two grids of the same shape.

    Attributes:
        source: (R, C, 2) positions in the garment's picture.
        target: (R, C, 2) positions in the photo.
    """

    source: np.ndarray
    target: np.ndarray


def coons(
    top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Fill a grid from its four edges (Coons 1967); edges (C, 2) and (R, 2), u (C,) and v (R,) in 0..1."""
    across, down = u[None, :, None], v[:, None, None]
    ruled = (1 - down) * top[None] + down * bottom[None] + (1 - across) * left[:, None] + across * right[:, None]
    corners = (1 - down) * ((1 - across) * top[0] + across * top[-1])
    corners = corners + down * ((1 - across) * bottom[0] + across * bottom[-1])
    return ruled - corners


Edges = tuple[np.ndarray, np.ndarray]


def paired(strips: Sequence[Edges], rows: int) -> list[Edges]:
    """Places on the two edges of strips that show the same cloth, joined crosswise so that no two joining lines cross.

    On the longer edge they lie evenly; on the other, in order, where the lines are shortest together (dynamic
    programming), so that they turn about a corner instead of running across each other beside it. All strips share
    the places, so that the cloth is not sheared between them.

    Args:
        strips: for each the two edges, (N, 2) each, from the strip's start to its end.

    Returns:
        for each strip the edges as (rows, 2), ends kept.
    """
    if sum(np.log(_lengths(second)[-1] / _lengths(first)[-1]) for first, second in strips) > 0:
        return [edges[::-1] for edges in paired([edges[::-1] for edges in strips], rows)]
    strips = [(_evenly(first, rows), _evenly(second, 6 * rows)) for first, second in strips]
    cost = 0
    for first, second in strips:
        lines = ((first[:, None] - second[None]) ** 2).sum(-1)
        cost = cost + lines / lines.mean()
    cost[0, 1:] = cost[-1, :-1] = np.inf  # both edges begin together and end together
    total, came = cost[0], []
    for row in range(1, rows):
        best = np.minimum.accumulate(total)
        reached = np.maximum.accumulate(np.where(total <= best, np.arange(len(total)), 0))
        came.append(np.append(0, reached[:-1]))
        total = cost[row] + np.append(np.inf, best[:-1])
    places = [cost.shape[1] - 1]
    for before in came[::-1]:
        places.append(int(before[places[-1]]))
    return [_advancing(first, second[places[::-1]]) for first, second in strips]


def _advancing(first: np.ndarray, second: np.ndarray, least: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """The same edges, every line between them at least `least` pixels beyond the one before."""
    first, second = first.copy(), second.copy()
    lines, steps = second[:-1] - first[:-1], np.diff(first + second, axis=0)
    turn = np.sign(np.median(lines[:, 0] * steps[:, 1] - lines[:, 1] * steps[:, 0]))
    for row in range(1, len(first)):
        line = second[row - 1] - first[row - 1]
        ahead = turn * np.array([-line[1], line[0]]) / max(float(np.hypot(*line)), 1e-3)
        for edge in (first, second):
            edge[row] += max(least - (edge[row] - edge[row - 1]) @ ahead, 0) * ahead
    return first, second


def _lengths(line: np.ndarray) -> np.ndarray:
    """How far along a line each of its points is."""
    return np.append(0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))


def _evenly(line: np.ndarray, count: int) -> np.ndarray:
    """A line's points at even distances."""
    length = _lengths(line)
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, line[:, axis]) for axis in (0, 1)], 1)


def _areas(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Twice the signed area of the two triangles of each cell."""
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]

    def cross(p, q):
        return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]

    return cross(b - a, c - a), cross(c - d, b - d)


def folded(patch: Patch, alpha: np.ndarray | None = None) -> np.ndarray:
    """Cells that are turned over; bool (R-1, C-1). With `alpha` (H, W), only those that show cloth."""
    sign = np.sign(np.median(_areas(patch.source)[0]) * np.median(_areas(patch.target)[0]))
    bad = np.zeros((patch.source.shape[0] - 1, patch.source.shape[1] - 1), bool)
    for source, target in zip(_areas(patch.source), _areas(patch.target), strict=True):
        bad |= (source * target * sign <= 0) & (np.abs(source) > 1e-3)
    if alpha is not None:
        centres = (patch.source[:-1, :-1] + patch.source[1:, 1:]) / 2
        x = np.clip(centres[..., 0].astype(int), 0, alpha.shape[1] - 1)
        y = np.clip(centres[..., 1].astype(int), 0, alpha.shape[0] - 1)
        bad &= alpha[y, x] > 0.5
    return bad


def untangled(patch: Patch) -> Patch:
    """The same patch with turned-over places smoothed until both grids lie flat: then nothing can fold."""
    return Patch(_flattened(patch.source), _flattened(patch.target))


def _flattened(grid: np.ndarray, rounds: int = 100) -> np.ndarray:
    flat = grid.copy()
    for round_ in range(rounds):
        bad = _turned_over(flat)
        if not bad.any():
            return flat
        near = np.zeros(flat.shape[:2], np.uint8)
        for rows in (slice(0, -1), slice(1, None)):
            for columns in (slice(0, -1), slice(1, None)):
                near[rows, columns] |= bad
        near = cv2.dilate(near, np.ones((3, 3)), iterations=1 + round_ // 25) > 0
        padded = np.pad(flat, ((1, 1), (1, 1), (0, 0)), mode="reflect", reflect_type="odd")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        flat[near] += 0.6 * (mean - flat)[near]
    return _straightened(flat)


def _straightened(grid: np.ndarray) -> np.ndarray:
    """A grid drawn towards the plain quadrilateral of its corners, no further than it must be."""
    u, v = np.linspace(0, 1, grid.shape[1])[:, None], np.linspace(0, 1, grid.shape[0])[:, None, None]
    top, bottom = (grid[row, 0] + (grid[row, -1] - grid[row, 0]) * u for row in (0, -1))
    plain = top + (bottom - top) * v
    for share in np.linspace(0.1, 1, 10):
        straighter = grid + (plain - grid) * share
        if not _turned_over(straighter).any():
            return straighter
    return grid


def _turned_over(grid: np.ndarray) -> np.ndarray:
    """Cells that lie the other way round than most of their grid, or are squeezed flat; bool (R-1, C-1)."""
    areas = _areas(grid)
    usual = np.median(areas[0])
    return np.minimum(areas[0] / usual, areas[1] / usual) < 1e-3


@dataclass(frozen=True)
class Flow:
    """For each pixel in a box of the photo, the place in the garment's picture it shows.

    Attributes:
        box: rows and columns.
        places: float32 (h, w, 2), -1e4 for none.
    """

    box: tuple[slice, slice]
    places: np.ndarray


def draw(patch: Patch, shape: tuple[int, int]) -> Flow:
    """Draw each cell of a patch as two triangles, each by its affine map, in a photo of this shape."""
    source, target = (_triangles(grid) for grid in (patch.source, patch.target))
    ab, ac = target[:, 1] - target[:, 0], target[:, 2] - target[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    low = np.maximum(np.floor(target.min((0, 1))).astype(int), 0)
    high = np.maximum(np.minimum(np.ceil(target.max((0, 1))).astype(int) + 1, shape[::-1]), low)
    (left, top), (right, bottom) = low, high
    # Which triangle each pixel lies in, then that triangle's map; 0 is none.
    index = np.zeros((bottom - top, right - left), np.int32)
    corners = np.int32(np.round((target - low) * 16))
    drawn = (np.abs(area) > 1e-3) & (target.max(1) >= low).all(1) & (target.min(1) < high).all(1)
    for number in np.flatnonzero(drawn):
        cv2.fillConvexPoly(index, corners[number], int(number) + 1, shift=4)
    area = np.where(drawn, area, 1)[:, None]
    across, along = source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]
    by_x = (across * ac[:, 1:] - along * ab[:, 1:]) / area
    by_y = (along * ab[:, :1] - across * ac[:, :1]) / area
    start = source[:, 0] - by_x * (target[:, 0, :1] - left) - by_y * (target[:, 0, 1:] - top)
    none = (-1e4, 0, 0)
    x, y = np.arange(right - left, dtype=np.float32), np.arange(bottom - top, dtype=np.float32)[:, None]
    places = np.empty((*index.shape, 2), np.float32)
    for axis in (0, 1):
        terms = (start[:, axis], by_x[:, axis], by_y[:, axis])
        at, along_x, along_y = (
            np.append(value, term).astype(np.float32)[index] for value, term in zip(none, terms, strict=True)
        )
        along_x *= x
        along_y *= y
        at += along_x
        at += along_y
        places[..., axis] = at
    return Flow((slice(top, bottom), slice(left, right)), places)


def _triangles(grid: np.ndarray) -> np.ndarray:
    """Two triangles for each cell; (N, 3, 2)."""
    return np.concatenate([
        np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1]], axis=2).reshape(-1, 3, 2),
        np.stack([grid[1:, 1:], grid[1:, :-1], grid[:-1, 1:]], axis=2).reshape(-1, 3, 2),
    ])  # fmt: skip
