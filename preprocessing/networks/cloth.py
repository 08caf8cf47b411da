"""A garment's mask by the chosen network where our own is unsure."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing import networks
from preprocessing.garment.mask import FoundMask

# A studio's background shows all along the border, and parts clearly from the garment; then our own mask is as good.
STUDIO, CLEAR = 0.998, 0.98
# Shares of a picture that a garment covers. Outside them the network saw nothing, or the background.
LEAST, MOST = 0.03, 0.9
# How far around the garment a network's doubts count, as a share of the picture's longer side.
AROUND = 0.04


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
    size = round(AROUND * max(soft.shape))
    near = cv2.dilate((soft > 0.5).astype(np.uint8), np.ones((2 * size + 1,) * 2, np.uint8)) > 0
    return float((np.abs(soft - 0.5) > 0.25)[near].mean())  # an edge's ramp is no doubt
