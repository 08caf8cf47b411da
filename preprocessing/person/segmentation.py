"""What each pixel of a person is: hair, skin, clothes. MediaPipe's selfie_multiclass; heavy to import."""

from __future__ import annotations

from functools import cache

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from preprocessing import weights
from preprocessing.labels import Region

# Rows and columns the network sees.
GRID = 256
# A pixel with less background than this is surely the person, one with less person surely none.
SURE = 0.1
# How much the pose network is heeded about where the body is elsewhere; about things that may be carried or stand
# behind; and at the feet, since the segmenter was made for portraits and hardly sees shoes.
TRUST, THINGS_TRUST, FEET_TRUST = 0.4, 0.9, 0.8


class _Segmenter(vision.ImageSegmenter):
    def __del__(self):
        """The parent's closes through a thread pool that is gone by the time an interpreter shuts down."""


@cache
def _segmenter() -> _Segmenter:
    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=str(weights.path("selfie_multiclass"))),
        output_confidence_masks=True,
        output_category_mask=False,
    )
    return _Segmenter.create_from_options(options)


def segment(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Confidence of each `Region` inside a box, since the network sees 256 x 256 pixels only.

    Args:
        image: uint8 RGB (H, W, 3).
        box: left, top, right, bottom.

    Returns:
        float32 (6, 256, 256), the box stretched to a square; sums to one. Raises WeightsMissing.
    """
    left, top, right, bottom = box
    seen = cv2.resize(image[top:bottom, left:right], (GRID, GRID), interpolation=cv2.INTER_AREA)
    masks = _segmenter().segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=seen)).confidence_masks
    return np.stack([mask.numpy_view().reshape(GRID, GRID) for mask in masks])


def stretched(regions: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The same confidences at another size; float32 (6, h, w)."""
    return np.stack([cv2.resize(region, shape[::-1], interpolation=cv2.INTER_LINEAR) for region in regions])


def agree(regions: np.ndarray, body: np.ndarray, feet: np.ndarray) -> np.ndarray:
    """Regions that heed a second network's opinion of where the body is, where they are unsure of it and at the feet.

    Args:
        regions: float32 (6, H, W) that sum to one.
        body: float32 (H, W), 0..1, where that network sees the body.
        feet: bool (H, W).

    Returns:
        Regions that sum to one; body seen by the second alone goes to OTHERS.
    """
    background = regions[Region.BACKGROUND]
    unsure = (background > SURE) & (background < 1 - SURE)
    trust = np.where(unsure, np.float32(TRUST), np.float32(0))
    trust = np.maximum(trust, np.float32(THINGS_TRUST) * regions[Region.OTHERS])
    trust[feet] = FEET_TRUST
    background = background * (1 - trust) + (1 - body) * trust
    person = 1 - regions[Region.BACKGROUND]
    heeded = regions * np.where(person > 0.05, (1 - background) / np.maximum(person, 0.05), 0)
    heeded[Region.BACKGROUND] = background
    heeded[Region.OTHERS] += np.clip(1 - heeded.sum(0), 0, 1)
    return heeded


def refine(regions: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The same confidences with their edges drawn to those of the picture (fast guided filter, arXiv:1505.00996).

    Args:
        regions: float32 (6, H, W) that sum to one.
        image: uint8 RGB (H, W, 3).
    """
    guide = cv2.ximgproc.createGuidedFilter(image, 4, (0.02 * 255) ** 2, 0.5)
    refined = np.zeros_like(regions)
    # The filter keeps sums: the background is what the others leave, and what is nowhere needs no edges.
    for region in range(1, len(regions)):
        if regions[region].max() > 0.1:
            refined[region] = np.clip(guide.filter(regions[region]), 0, 1)
    refined[Region.BACKGROUND] = np.clip(1 - refined.sum(0), 0, 1)
    return refined / np.maximum(refined.sum(0), 1e-6)
