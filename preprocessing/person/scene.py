"""What a person's clothes are told apart by: the picture, its regions, the body's coordinates, and colours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from preprocessing.person.body import BodyFrame, Limbs


@dataclass(frozen=True)
class Scene:
    """What the functions below look at; all maps (h, w) on one grid of `step` picture pixels.

    Attributes:
        image: uint8 RGB (h, w, 3).
        clothes, skin: bool.
        keypoints: (33, 4) in picture pixels.
        across, along: see BodyFrame.maps.
        limbs: the arms.
    """

    image: np.ndarray
    clothes: np.ndarray
    skin: np.ndarray
    keypoints: np.ndarray
    frame: BodyFrame
    across: np.ndarray
    along: np.ndarray
    limbs: Limbs
    step: float

    @property
    def unit(self) -> float:
        """Shoulder width on the grid."""
        return self.frame.shoulder_width / self.step

    @property
    def torso(self) -> float:
        """Torso length on the grid."""
        return self.frame.torso_length / self.step


class Colours:
    """How likely a colour is in a part of the picture: a smoothed Lab histogram, one number for each `colour_bins`."""

    BINS = (32, 32, 32)

    def __init__(self, bins: np.ndarray, where: np.ndarray):
        histogram = np.bincount(bins[where], minlength=32**3).reshape(self.BINS).astype(np.float32)
        histogram = gaussian_filter(histogram, (1.6, 0.8, 0.8), truncate=2.5)
        self.histogram = histogram.ravel() / max(float(histogram.sum()), 1e-6)

    def likeness(self, other: Colours) -> float:
        """Bhattacharyya's coefficient: 1 for the same colours, 0 for none in common."""
        return float(np.sqrt(self.histogram * other.histogram).sum())


def colour_bins(image: np.ndarray) -> np.ndarray:
    """Index of each pixel's cell in a Lab histogram, fine about grey where clothes and skin lie; int (H, W)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 0.8), cv2.COLOR_RGB2LAB).astype(np.int32)
    a = np.clip((lab[..., 1] - 64) // 4, 0, 31)
    b = np.clip((lab[..., 2] - 64) // 4, 0, 31)
    return (lab[..., 0] // 8) * 1024 + a * 32 + b


def pattern_bins(image: np.ndarray) -> np.ndarray:
    """How light and how lively the cloth about each pixel is, as the index of a cell; int (H, W).

    A zebra's white is a white top's white; that black is near tells them apart.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (5, 5)) - mean * mean, 0))
    return np.clip(np.log2(spread + 1), 0, 5.99).astype(np.int32) * 8 + (mean / 32).astype(np.int32)


def thin(pixels: np.ndarray) -> np.ndarray:
    """Every second row and column: colours need no more."""
    return np.ascontiguousarray(pixels[::2, ::2])
