"""The line where a sleeve lies against the body: a dark crease in the picture, where the outline shows no gap."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

# How far a crease may wander from the straight line, how many columns a row, and what each column costs.
WANDER, STEP, BEND = 0.09, 1, 0.5


def follow(light: np.ndarray, start: np.ndarray, end: np.ndarray, chest: float) -> np.ndarray:
    """The darkest way from one place up or down to another, one column for each row between.

    Args:
        light: float32 (H, W), lightness.
        start, end: (x, y); the way begins at `start`, and ends in the row of `end`, near it.
        chest: width of the chest, the measure of how far the way may wander.

    Returns:
        float (n, 2): (x, y) from start's row to end's.
    """
    down = 1 if end[1] >= start[1] else -1
    rows = np.arange(int(start[1]), int(end[1]) + down, down)
    reach = max(3, int(WANDER * chest))
    straight = np.interp(rows * down, [start[1] * down, end[1] * down], [start[0], end[0]])
    columns = np.round(straight).astype(int)[:, None] + np.arange(-reach, reach + 1)
    dark = _darkness(light, rows, columns)
    gain = dark - 0.15 * np.abs(np.arange(-reach, reach + 1)) / reach
    total, came = gain[0] - np.where(np.arange(-reach, reach + 1) == 0, 0, 1e3), []
    for row in gain[1:]:
        padded = np.pad(total, STEP, constant_values=-np.inf)
        shifts = range(2 * STEP + 1)
        choices = np.stack([padded[shift : shift + len(total)] - BEND * abs(shift - STEP) for shift in shifts])
        best = choices.argmax(0)
        came.append(np.arange(len(total)) + best - STEP)
        total = choices.max(0) + row
    at, way = int(total.argmax()), []
    for index in range(len(rows) - 1, -1, -1):
        way.append(columns[index, at])
        at = int(came[index - 1][at]) if index else at
    smooth = gaussian_filter1d(np.array(way[::-1], float), 4, mode="nearest")
    return np.stack([smooth, rows.astype(float)], axis=1)


def _darkness(light: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """How much darker each place is than what lies left and right of it, in units of the cloth's own texture."""
    fine = cv2.blur(light, (3, 7))
    wide = cv2.blur(light, (17, 7))
    y = np.clip(rows, 0, light.shape[0] - 1)[:, None]
    x = np.clip(columns, 0, light.shape[1] - 1)
    dark = wide[y, x] - fine[y, x]
    return np.clip(dark / (np.abs(dark).mean() + 0.5), -2, 4)
