"""Colours as people see them: CIE Lab, the difference of two, and the few that make up a garment."""

from __future__ import annotations

import cv2
import numpy as np

DOMINANT = 5


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (L 0..100) of uint8 RGB of any shape (..., 3); float32."""
    pixels = np.ascontiguousarray(rgb, np.uint8).reshape(1, -1, 3).astype(np.float32) / 255
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab).reshape(np.shape(rgb))


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIEDE2000 of Lab colours (..., 3); Sharma, Wu and Dalal 2005, its symbols."""
    l1, a1, b1 = np.moveaxis(np.asarray(first, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, np.float64), -1, 0)
    c_mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c_mean7 / (c_mean7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1 = np.degrees(np.arctan2(b1, (1 + g) * a1)) % 360
    h2 = np.degrees(np.arctan2(b2, (1 + g) * a2)) % 360

    coloured = c1 * c2 > 0
    turn = (h2 - h1 + 180) % 360 - 180
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(np.where(coloured, turn, 0) / 2))
    h_mean = np.where(coloured, (h1 + turn / 2) % 360, h1 + h2)
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2

    def cos(factor, shift):
        return np.cos(np.radians(factor * h_mean + shift))

    t = 1 - 0.17 * cos(1, -30) + 0.24 * cos(2, 0) + 0.32 * cos(3, 6) - 0.20 * cos(4, -63)
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    rotation = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
    rotation = rotation * np.sin(np.radians(60 * np.exp(-(((h_mean - 275) / 25) ** 2))))
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, dh / s_h
    return np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0))


def dominant(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The colours that make up the masked part, the largest first.

    Takes the most frequent cell of a coarse Lab grid with all that looks like it, and again from what is left.

    Returns:
        float32 (n, 4), n at most 5: L, a, b and the share 0..1 of the masked part; shares below 3 % are left out.
    """
    pixels = image[mask]
    if len(pixels) == 0:
        return np.zeros((0, 4), np.float32)
    lab = to_lab(pixels[:: max(1, len(pixels) // 20000)])
    found, left = [], lab
    while len(found) < DOMINANT and len(left) >= 0.03 * len(lab):
        cells = np.round(left / 10).astype(np.int64) @ [1, 1000, 1000000]
        values, counts = np.unique(cells, return_counts=True)
        centre = np.median(left[cells == values[counts.argmax()]], axis=0)
        weights = np.array([0.6, 1, 1])  # folds change the light more than the colour
        near = np.linalg.norm((left - centre) * weights, axis=1) < 14
        share = near.sum() / len(lab)
        if share >= 0.03:
            found.append([*np.median(left[near], axis=0), share])
        left = left[~near]
    return np.array(sorted(found, key=lambda row: -row[3]), np.float32).reshape(-1, 4)
