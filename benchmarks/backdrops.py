"""Garments with exact masks, laid on other backgrounds: studio paper, cloth, floors; with shadows as shops have them.

Pictures are uint8 RGB. Values are worked on as a screen shows them (sRGB as stored), 0..255 in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

SIZE = (1024, 768)  # the size garments are prepared at: no shrinking hides what JPEG did to the edge
# Name to (blur, shift right, shift down) of a shadow, in pixels.
SHADOWS = {"wide": (14, 7, 10), "soft": (6, 4, 6), "hard": (1.2, 6, 9), "contact": (2.5, 1, 2), "above": (9, 0, 0)}
STRENGTHS = (0.0, 0.15, 0.3, 0.45, 0.6)


@dataclass(frozen=True)
class CutOut:
    """A garment without its background: `colour` float32 (H, W, 3) goes on beyond its edge, `alpha` float32 0..1."""

    colour: np.ndarray
    alpha: np.ndarray


@dataclass(frozen=True)
class Laid:
    """A garment on a background: uint8 RGB or RGBA `picture`, uint8 `mask`, and how its points moved (2, 3)."""

    picture: np.ndarray
    mask: np.ndarray
    moved: np.ndarray


def cut_out(picture: np.ndarray, mask: np.ndarray) -> CutOut:
    """Parts a garment from its picture. Edge pixels hold the old background and a lossy picture smears it inwards, so
    the outermost two pixels take the colour of the nearest one further in."""
    inner = cv2.erode((mask > 250).astype(np.uint8), np.ones((5, 5)))
    _, (rows, columns) = distance_transform_edt(inner == 0, return_indices=True)
    return CutOut(picture[rows, columns].astype(np.float32), mask.astype(np.float32) / 255)


def _noise(rng, shape, cell):
    """Smooth noise of about unit strength whose bumps are `cell` (down, across) pixels."""
    coarse = rng.standard_normal([int(np.ceil(side / step)) + 3 for side, step in zip(shape, cell, strict=True)])
    grown = cv2.resize(coarse.astype(np.float32), None, fx=cell[1], fy=cell[0], interpolation=cv2.INTER_CUBIC)
    return grown[: shape[0], : shape[1]] * 1.3


def _fall_off(shape, rng, depth):
    """Light that weakens towards the corners from a place near the middle: 1 - depth at the most."""
    y, x = (axis - rng.uniform(-0.2, 0.2) for axis in np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j])
    return (1 - depth * (x * x + y * y) / 2)[..., None].astype(np.float32)


def _paper(*colours, depth=0.0):
    def make(shape, rng):
        colour = np.float32(colours[rng.integers(len(colours))])
        return colour * _fall_off(shape, rng, depth) * np.ones((*shape, 1), np.float32)

    return make


def _gradient(shape, rng):
    first, last = np.float32([[252, 251, 249], [196, 198, 203]][:: rng.choice([-1, 1])])
    along = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None] * np.ones((1, shape[1], 1), np.float32)
    return first + (last - first) * along


def _cloth(shape, rng):
    colour = np.float32([(128, 22, 34), (34, 62, 104), (196, 170, 150), (58, 92, 70), (206, 96, 88)][rng.integers(5)])
    folds = sum(_noise(rng, shape, cell) * share for cell, share in (((260, 180), 0.05), ((90, 120), 0.025)))
    weave = _noise(rng, shape, (2, 2)) * 0.02
    return colour * (1 + folds + weave)[..., None] * _fall_off(shape, rng, 0.22)


def _boards(shape, rng, colour, width, contrast):
    """Boards side by side, upright or lying, with grain along them and a dark joint between."""
    upright = rng.random() < 0.5
    rows, columns = np.indices(shape if upright else shape[::-1])
    board, end = (columns + 7) // width, (rows + 211 * (columns // width)) // 430
    tone = 1 + contrast * rng.standard_normal((board.max() + 1, end.max() + 1))[board, end]
    grain = _noise(rng, rows.shape, (60, 3)) * 0.045 + _noise(rng, rows.shape, (200, 12)) * 0.03
    light = tone * (1 + grain) * np.where((columns + 7) % width < 2, 0.62, 1)
    return np.float32(colour) * (light if upright else light.T)[..., None].astype(np.float32)


def _floor(shape, rng):
    return _boards(shape, rng, [(176, 128, 82), (112, 74, 50), (198, 176, 146)][rng.integers(3)], 96, 0.07)


def _table(shape, rng):
    return _boards(shape, rng, [(205, 170, 128), (150, 104, 70)][rng.integers(2)], 400, 0.02)


def _carpet(shape, rng):
    colour = np.float32([(190, 182, 172), (120, 118, 122), (214, 208, 198)][rng.integers(3)])
    pile = _noise(rng, shape, (4, 4)) * 0.07 + _noise(rng, shape, (2, 2)) * 0.05 + _noise(rng, shape, (40, 40)) * 0.02
    return colour * (1 + pile)[..., None]


def _tiles(shape, rng):
    rows, columns = np.indices(shape) + rng.integers(0, 300, (2, 1, 1))
    joint = ((rows % 330 < 4) | (columns % 330 < 4)).astype(np.float32)
    light = 1 + _noise(rng, shape, (120, 120)) * 0.015 - 0.3 * cv2.GaussianBlur(joint, (0, 0), 1)
    return np.float32((222, 214, 202)) * light[..., None] * _fall_off(shape, rng, 0.1)


BACKDROPS = {
    "white": _paper((255, 255, 255)),
    "near white": _paper((244, 244, 243), (239, 237, 234), (247, 247, 249), depth=0.10),
    "light grey": _paper((226, 226, 228), (214, 213, 210), depth=0.04),
    "mid grey": _paper((158, 158, 160), (128, 129, 131), depth=0.08),
    "colour": _paper((236, 201, 196), (182, 206, 222), (240, 226, 178), (88, 120, 128), depth=0.08),
    "gradient": _gradient,
    "cloth": _cloth,
    "floor": _floor,
    "table": _table,
    "carpet": _carpet,
    "tiles": _tiles,
}


def shadow(alpha: np.ndarray, kind: str, strength: float) -> np.ndarray:
    """How much of the background's value is left beside a garment; float32 (H, W)."""
    blur, right, down = SHADOWS[kind]
    fallen = cv2.warpAffine(alpha, np.float32([[1, 0, right], [0, 1, down]]), alpha.shape[::-1])
    fallen = cv2.GaussianBlur(fallen, (0, 0), blur)
    if kind == "above":  # light from all sides: dark only right beside the garment
        fallen = np.minimum(2 * fallen, 1)
    return 1 - strength * fallen


def _placed(cut: CutOut, rng) -> np.ndarray:
    """A move and a scale that lay the garment about the middle of the new picture, with room on every side."""
    rows, columns = (np.flatnonzero((cut.alpha > 0.5).any(axis)) for axis in (1, 0))
    box = np.array([columns[-1] - columns[0], rows[-1] - rows[0]], float) + 1
    scale = rng.uniform(0.72, 0.93) * min(np.array(SIZE[::-1]) / box)
    room = np.array(SIZE[::-1]) - scale * box
    corner = room * rng.uniform(0.35, 0.65, 2)
    return np.float32([[scale, 0, corner[0] - scale * columns[0]], [0, scale, corner[1] - scale * rows[0]]])


def lay(cut: CutOut, backdrop: str, kind: str, strength: float, rng) -> Laid:
    """Lay a cut-out on a backdrop (one of BACKDROPS, or "transparent") and store it as JPEG once."""
    moved = _placed(cut, rng)
    width, height = SIZE[::-1]
    smaller = cv2.GaussianBlur(cut.alpha, (0, 0), 0.4), cv2.GaussianBlur(cut.colour, (0, 0), 0.4)
    alpha, colour = (cv2.warpAffine(part, moved, (width, height), flags=cv2.INTER_LINEAR) for part in smaller)
    edge = cv2.warpAffine(np.ones_like(cut.alpha), moved, (width, height))
    alpha = alpha * (edge > 0.99)
    mask = np.round(alpha * 255).astype(np.uint8)
    if backdrop == "transparent":
        return Laid(np.dstack([np.round(colour).astype(np.uint8), mask]), mask, moved)
    ground = BACKDROPS[backdrop](SIZE, rng) * shadow(alpha, kind, strength)[..., None]
    picture = ground * (1 - alpha[..., None]) + colour * alpha[..., None] + rng.normal(0, 1.2, (*SIZE, 1))
    picture = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(85, 96))]
    stored = cv2.imencode(".jpg", picture[..., ::-1], quality)[1]
    return Laid(cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1].copy(), mask, moved)
