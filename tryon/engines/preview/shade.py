"""Light and shadow for new clothes: the large folds of the old ones, darker edges, shadows of one piece on another."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.engines.pixels import enlarged, halved, local_mean, shrunk, soft
from tryon.engines.preview.figure import Figure

# Folds are large and soft: all of this is worked out at a quarter of the size.
STEP = 4


def folds(figure: Figure, old: np.ndarray) -> np.ndarray:
    """The light on the clothes worn now, as a factor; 1 outside `old` (bool); float32, a quarter of the size."""
    unit = figure.frame.shoulder_width / STEP
    worn = halved(shrunk(old, 7).view(np.uint8) * np.uint8(255), STEP) > 230
    shade = np.ones(worn.shape, np.float32)
    if worn.sum() < 50:
        return shade
    lab = cv2.cvtColor(halved(figure.person.image, STEP), cv2.COLOR_RGB2LAB).astype(np.float32)
    weight = worn.astype(np.float32)
    fine, _ = local_mean(lab[..., :1], weight, 0.025 * unit)
    broad, _ = local_mean(lab[..., :1], weight, 0.22 * unit)
    ratio = np.clip((fine[..., 0] + 8) / (broad[..., 0] + 8), 0.75, 1.2)
    colours = lab[worn]
    motley = float(np.median(np.abs(colours[:, 1:] - np.median(colours[:, 1:], axis=0)), axis=0).sum())
    uneven = float(np.std(colours[:, 0] - broad[..., 0][worn]))
    trust = np.clip(1.15 - uneven / 26 - motley / 16, 0.12, 0.9)  # a print is not a fold
    return shade + (ratio - 1) * trust * soft(worn, 0.03 * unit)


def rim(cover: np.ndarray, unit: float) -> np.ndarray:
    """Cloth turns away from the light at its edge: a factor; float32 (H, W)."""
    small = halved(cover, 2)
    inward = cv2.distanceTransform((small > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    return enlarged(1 - 0.16 * np.exp(-inward / (0.035 * unit / 2)), cover.shape)


def thrown(cover: np.ndarray, sigma: float) -> np.ndarray:
    """A soft shadow about a piece of cloth; float32 (H, W)."""
    return enlarged(cv2.GaussianBlur(halved(cover, STEP), (0, 0), sigma / STEP), cover.shape)


def level(light: np.ndarray, cover: np.ndarray) -> float:
    """The mean light on a garment: divided by it, light and shadow change its looks but not its colour as a whole."""
    some = np.s_[::STEP, ::STEP]
    weight = cover[some]
    return float((light[some] * weight).sum() / max(float(weight.sum()), 1e-3)) or 1.0
