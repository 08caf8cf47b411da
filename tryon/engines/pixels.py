"""Small operations on masks and pictures that engines share."""

from __future__ import annotations

import cv2
import numpy as np


def labelled(parse: np.ndarray, *labels: int) -> np.ndarray:
    """Where a map has one of these labels; bool (H, W)."""
    table = np.zeros(256, np.uint8)
    table[list(labels)] = 1
    return cv2.LUT(parse, table).view(bool)


def soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    """A mask (bool) with its edge blurred; float32 0..1."""
    blurred = cv2.GaussianBlur(mask.view(np.uint8) * np.uint8(255), (0, 0), sigma)
    return blurred * np.float32(1 / 255)


def grown(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.dilate(mask.view(np.uint8), np.ones((size, size), np.uint8)).view(bool)


def shrunk(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.erode(mask.view(np.uint8), np.ones((size, size), np.uint8)).view(bool)


def halved(array: np.ndarray, times: int = 2) -> np.ndarray:
    """A picture or map at 1 / `times` of its size, each pixel the mean of those it stands for."""
    size = (max(array.shape[1] // times, 1), max(array.shape[0] // times, 1))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)


def enlarged(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(array, shape[::-1], interpolation=cv2.INTER_LINEAR)


def full(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A mask made at half the size, by every second pixel, at full size; bool."""
    return cv2.resize(mask.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST).view(bool)


def mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray, rest: np.ndarray | None = None) -> np.ndarray:
    """`share` of the first uint8 picture and `rest`, else what is missing to one, of the second."""
    return cv2.blendLinear(first, second, share, 1 - share if rest is None else rest)


def box_of(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns that hold all of a mask and `margin` pixels more; empty slices for an empty mask."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
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


def carried(image: np.ndarray, core: np.ndarray, reach: int) -> np.ndarray:
    """A picture whose pixels near `core` (bool) but not in it have the mean colour of those in it nearby."""
    size = 2 * reach + 1
    known = core.view(np.uint8)
    total = cv2.boxFilter(cv2.copyTo(image, known), cv2.CV_32F, (size, size), normalize=False)
    count = cv2.boxFilter(known, cv2.CV_32F, (size, size), normalize=False)
    mean = cv2.divide(total, cv2.merge([count] * 3), dtype=cv2.CV_8U)
    return cv2.copyTo(mean, ((count > 0) & ~core).view(np.uint8), image.copy())


def local_mean(image: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean about each pixel, and the weight there; float32 (H, W, C) and (H, W)."""
    step = max(1, int(sigma / 4))  # what is that smooth needs no more pixels
    total, share = (halved(array, step) for array in (image * weight[..., None], weight))
    total, share = (cv2.GaussianBlur(array, (0, 0), sigma / step) for array in (total, share))
    mean = total.reshape(*share.shape, -1) / (share[..., None] + 1e-4)
    return enlarged(mean, weight.shape).reshape(*weight.shape, -1), enlarged(share, weight.shape)


def sample(array: np.ndarray, points: np.ndarray, outside: float) -> np.ndarray:
    """Values at (N, 2) points, `outside` beyond the border."""
    x, y = np.floor(points[:, 0]).astype(int), np.floor(points[:, 1]).astype(int)
    inside = (x >= 0) & (x < array.shape[1]) & (y >= 0) & (y < array.shape[0])
    values = np.full(len(points), outside, array.dtype)
    values[inside] = array[y[inside], x[inside]]
    return values
