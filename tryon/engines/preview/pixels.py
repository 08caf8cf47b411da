"""Small operations on masks and pictures that several steps share."""

from __future__ import annotations

import cv2
import numpy as np


def soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    """A mask with its edge blurred; float32 0..1."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)


def grown(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def shrunk(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def halved(array: np.ndarray, times: int = 2) -> np.ndarray:
    """A picture or map at 1 / `times` of its size, each pixel the mean of those it stands for."""
    size = (max(array.shape[1] // times, 1), max(array.shape[0] // times, 1))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)


def enlarged(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(array, shape[::-1], interpolation=cv2.INTER_LINEAR)


def box_of(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns that hold all of a mask and `margin` pixels more; empty slices for an empty mask."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if width == 0:
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(y - margin, 0), min(y + height + margin, mask.shape[0])),
        slice(max(x - margin, 0), min(x + width + margin, mask.shape[1])),
    )


def spread(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colours carried from where weight is 1 to where it is 0 (pull-push, Gortler 1996); float32 (H, W, 3)."""
    levels = [(image * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 4:
        levels.append(tuple(cv2.pyrDown(array) for array in levels[-1]))
    filled = levels[-1][0] / (levels[-1][1][..., None] + 1e-6)
    for colours, weights in levels[-2::-1]:
        filled = cv2.resize(filled, weights.shape[::-1])
        known = np.clip(weights, 0, 1)[..., None]
        filled = filled * (1 - known) + known * (colours / (weights[..., None] + 1e-6))
    return filled


def local_mean(image: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean about each pixel, and the weight there; float32 (H, W, C) and (H, W)."""
    total = cv2.GaussianBlur(image * weight[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    return total.reshape(*share.shape, -1) / (share[..., None] + 1e-4), share
