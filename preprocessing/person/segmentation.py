"""What each pixel of a person is: hair, skin, clothes. MediaPipe's selfie_multiclass; heavy to import."""

from __future__ import annotations

from functools import cache

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from preprocessing import weights
from preprocessing.labels import Region


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


def _segment(image: np.ndarray) -> np.ndarray:
    picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))
    masks = _segmenter().segment(picture).confidence_masks
    return np.stack([mask.numpy_view().reshape(image.shape[:2]) for mask in masks])


def segment(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Confidence of each `Region`, looked at through a box, since the network sees 256 x 256 pixels only.

    Args:
        image: uint8 RGB (H, W, 3).
        box: left, top, right, bottom; outside it everything is background.

    Returns:
        float32 (6, H, W), sums to one. Raises WeightsMissing.
    """
    left, top, right, bottom = box
    regions = np.zeros((len(Region), *image.shape[:2]), np.float32)
    regions[Region.BACKGROUND] = 1
    regions[:, top:bottom, left:right] = _segment(image[top:bottom, left:right])
    return regions


def refine(regions: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The same confidences with their edges drawn to those of the picture (guided filter, He 2010).

    Args:
        regions: float32 (N, H, W).
        image: uint8 RGB (H, W, 3).
    """
    guide = cv2.ximgproc.createGuidedFilter(image, 4, (0.02 * 255) ** 2)
    refined = np.stack([np.clip(guide.filter(region), 0, 1) for region in regions])
    return refined / np.maximum(refined.sum(0), 1e-6)
