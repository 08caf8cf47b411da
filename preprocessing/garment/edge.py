"""The exact, soft edge of a garment whose place is known roughly."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.cutting import dilated, eroded

# Half the width of the band in which the edge is looked for, in pixels of the picture given.
REACH = 4


def _nearest(image: np.ndarray, where: np.ndarray, wanted: np.ndarray, size: int) -> np.ndarray:
    """For each wanted pixel the colour of the nearest pixel at `where`, averaged over `size`; float32 (N, 3)."""
    weight = np.maximum(cv2.blur(where.astype(np.float32), (size, size)), 1e-3)
    colours = cv2.blur(image * where[..., None], (size, size))
    _, labels = cv2.distanceTransformWithLabels(
        (~where).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((labels.max() + 1, 3), np.float32)
    table[labels[where]] = (colours[where].T / weight[where]).T
    return table[labels[wanted]]


def soft_edge(image: np.ndarray, mask: np.ndarray, noise: float) -> np.ndarray:
    """How much of each pixel is garment.

    Along the edge a pixel mixes the nearest colour well inside with the nearest well outside (which holds a shadow as
    deep as it is there); the share follows from where it lies between them. Where they hardly differ, or the pixel is
    neither, the rough edge stands.

    Args:
        image: uint8 (H, W, 3).
        mask: bool, of any size with the same shape.
        noise: the usual deviation of background pixels.

    Returns:
        float32 (H, W), 0..1.
    """
    size = image.shape[1::-1]
    rough = cv2.resize(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7), size, interpolation=cv2.INTER_LINEAR)
    hard = rough > 0.5
    core, outer = eroded(hard, REACH), ~dilated(hard, REACH)
    soft = hard.astype(np.float32)
    if not core.any() or not outer.any():
        return soft
    band = ~core & ~outer
    values = image.astype(np.float32)
    inside = _nearest(values, core, band, 3)
    outside = _nearest(values, outer, band, 3 if noise < 3 else 9)
    way, here = inside - outside, values[band] - outside
    contrast = (way**2).sum(1)
    share = np.clip((here * way).sum(1) / np.maximum(contrast, 1), 0, 1)
    off = ((here - share[:, None] * way) ** 2).sum(1)
    trust = contrast / (contrast + 150 + 40 * noise**2) * np.exp(-off / (800 + 0.1 * contrast))
    soft[band] = trust * share + (1 - trust) * np.clip(2 * rough[band] - 0.5, 0, 1)
    return soft
