"""The exact, soft edge of a garment whose place is known roughly."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.cutting import dilated, eroded

# Half the width of the band in which the edge is looked for, in pixels of the picture given.
REACH = 2


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


def _along(inside: np.ndarray, outside: np.ndarray, here: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The garment's share by where a colour lies between the two, and how far that can be trusted; float32 (N,)."""
    way, step = inside - outside, here - outside
    contrast = (way**2).sum(1)
    share = np.clip((step * way).sum(1) / np.maximum(contrast, 1), 0, 1)
    off = ((step - share[:, None] * way) ** 2).sum(1)
    return share, contrast / (contrast + 150 + 10 * noise**2) * np.exp(-off / (800 + 0.1 * contrast))


def _by_tint(inside: np.ndarray, outside: np.ndarray, here: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The same by tint alone: here = x inside + y outside, where both may be darker than further off, the garment as
    it turns away from the light and the background as it lies in shadow. Their tints have to differ for it."""
    ff, bb, fb = (inside**2).sum(1), (outside**2).sum(1), (inside * outside).sum(1)
    fp, bp = (inside * here).sum(1), (outside * here).sum(1)
    apart = np.maximum(ff * bb - fb * fb, 1)
    x = np.maximum((bb * fp - fb * bp) / apart, 0)
    y = np.maximum((ff * bp - fb * fp) / apart, 0)
    differ = apart / np.maximum(np.maximum(ff, bb), 1)
    return x / np.maximum(x + y, 1e-3), differ / (differ + 200 + 10 * noise**2)


def soft_edge(image: np.ndarray, mask: np.ndarray, noise: float) -> np.ndarray:
    """How much of each pixel is garment.

    Along the edge a pixel mixes the nearest colour well inside with the nearest well outside; the share follows from
    where it lies between them, by tint where that tells. Where they hardly differ, or the pixel is neither, the rough
    edge stands.

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
    core, outer = eroded(hard, 2 * REACH + 1), ~dilated(hard, 2 * REACH + 1)
    soft = hard.astype(np.float32)
    if not core.any() or not outer.any():
        return soft
    band = ~core & ~outer
    values = image.astype(np.float32)
    colours = _nearest(values, core, band, 3), _nearest(values, outer, band, 3 if noise < 3 else 9), values[band]
    share = np.clip(2 * rough[band] - 0.5, 0, 1)
    for better, trust in (_along(*colours, noise), _by_tint(*colours, noise)):
        share += trust * (better - share)
    soft[band] = share
    return soft
