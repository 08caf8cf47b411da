"""A garment's mask by the chosen network where our own is unsure."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing import networks
from preprocessing.garment.mask import FoundMask

# A studio's background shows all along the border, and parts clearly from the garment; then our own mask is as good.
STUDIO, CLEAR = 0.998, 0.99
# Shares of a picture that a garment covers. Outside them the network saw nothing, or the background.
LEAST, MOST = 0.03, 0.9
# How wide the ramp of an edge may be, as a share of the picture's longer side: a network sees a small picture.
RAMP = 0.02


def surer(found: FoundMask | None, image: np.ndarray) -> FoundMask | None:
    """Our own mask of a garment, or the chosen network's where ours is unsure.

    Args:
        found: as `find_mask` gives it; None when nothing stood out.
        image: uint8 RGB (H, W, 3).
    """
    if found is not None and found.plain >= STUDIO and found.clear >= CLEAR:
        return found
    soft = networks.look("cloth_mask", image)
    if soft is None or not LEAST < (soft > 0.5).mean() < MOST:
        return found
    return FoundMask(soft, 1.0, _clear(soft))


def _clear(soft: np.ndarray) -> float:
    """1 less what may be wrong, as a share of the garment's area; an edge's ramp is no doubt."""
    size = round(RAMP * max(soft.shape)) | 1
    between = (np.abs(soft - 0.5) < 0.25).astype(np.uint8)
    doubted = cv2.morphologyEx(between, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    return max(0.0, 1 - float(doubted.sum() / (soft > 0.5).sum()))
