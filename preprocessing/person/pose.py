"""Where a body's joints are: MediaPipe's BlazePose. Heavy to import; only a worker does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from preprocessing import weights

# Two are enough to tell a shopper that there is someone else in the picture.
MAX_PEOPLE = 2


@dataclass(frozen=True)
class Pose:
    """One body.

    Attributes:
        keypoints: float32 (33, 4): x and y in pixels (may lie outside), depth z in pixels towards the camera
            negative, confidence 0..1; indexed by `Joint`.
        mask: float32 (h, w), 0..1, where the body is, at the size that was looked at.
    """

    keypoints: np.ndarray
    mask: np.ndarray


class _Landmarker(vision.PoseLandmarker):
    def __del__(self):
        """The parent's closes through a thread pool that is gone by the time an interpreter shuts down."""


@cache
def _landmarker() -> _Landmarker:
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(weights.path("pose_landmarker_full"))),
        num_poses=MAX_PEOPLE,
        min_pose_detection_confidence=0.4,
        output_segmentation_masks=True,
    )
    return _Landmarker.create_from_options(options)


def detect_poses(image: np.ndarray, shape: tuple[int, int] | None = None) -> list[Pose]:
    """Bodies in a picture, at most two. Raises WeightsMissing.

    Args:
        image: uint8 RGB (h, w, 3); the networks look at 256 x 256 pixels of a person, so a large one only costs time.
        shape: (height, width) of the picture that keypoints are wanted for; of this one by default.
    """
    height, width = shape or image.shape[:2]
    picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))
    found = _landmarker().detect(picture)
    poses = []
    for points, mask in zip(found.pose_landmarks, found.segmentation_masks or (), strict=True):
        keypoints = np.array(
            [[p.x * width, p.y * height, p.z * width, p.visibility] for p in points], dtype=np.float32
        )
        poses.append(Pose(keypoints, mask.numpy_view().reshape(image.shape[:2]).copy()))
    return poses
