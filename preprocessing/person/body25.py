"""The joints in OpenPose's BODY_25 order, as the papers' maps are drawn from; checked before anything is drawn."""

from __future__ import annotations

import json

import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import Body25, Joint

# BlazePose keeps a place for joints it does not see; below this confidence that place is a guess.
SURE = 0.3
# How far from the picture, in its height, a joint may lie: hips made from shoulders may be below a half-body photo.
OUTSIDE = 0.75
# Torso length over shoulder width of people who can be dressed: turned aside it is large, bent forwards small.
TORSO = (0.5, 4.5)
COCO_JOINTS = 18

FROM_BLAZEPOSE = {
    Body25.NOSE: Joint.NOSE,
    Body25.R_SHOULDER: Joint.R_SHOULDER,
    Body25.R_ELBOW: Joint.R_ELBOW,
    Body25.R_WRIST: Joint.R_WRIST,
    Body25.L_SHOULDER: Joint.L_SHOULDER,
    Body25.L_ELBOW: Joint.L_ELBOW,
    Body25.L_WRIST: Joint.L_WRIST,
    Body25.R_HIP: Joint.R_HIP,
    Body25.R_KNEE: Joint.R_KNEE,
    Body25.R_ANKLE: Joint.R_ANKLE,
    Body25.L_HIP: Joint.L_HIP,
    Body25.L_KNEE: Joint.L_KNEE,
    Body25.L_ANKLE: Joint.L_ANKLE,
    Body25.R_EYE: Joint.R_EYE,
    Body25.L_EYE: Joint.L_EYE,
    Body25.R_EAR: Joint.R_EAR,
    Body25.L_EAR: Joint.L_EAR,
    Body25.L_BIG_TOE: Joint.L_TOES,
    Body25.L_HEEL: Joint.L_HEEL,
    Body25.R_BIG_TOE: Joint.R_TOES,
    Body25.R_HEEL: Joint.R_HEEL,
}
SHOULDERS = (Body25.L_SHOULDER, Body25.R_SHOULDER)
HIPS = (Body25.L_HIP, Body25.R_HIP)

_BROKEN = gettext_noop("We could not find your joints in this photo. Please choose a photo from head to hips.")
_TURNED = gettext_noop("Please choose a photo that shows you from the front, standing straight.")
_COCO = gettext_noop("These keypoints are in COCO's order of 18. Please give OpenPose's BODY_25.")


def body25(keypoints: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """BlazePose's joints in BODY_25 order.

    A joint that is out of the picture or not sure is (0, 0, 0), as OpenPose writes it; the small toes, which
    BlazePose does not know, always are. The hips keep their place wherever it is: a hip with a place and
    confidence 0 was made from the shoulders (flag "hips_synthesised" of a PreparedPerson).

    Args:
        keypoints: (33, 4) x, y, z, confidence; indexed by `Joint`.
        shape: (height, width) of the picture.

    Returns:
        float32 (25, 3) x, y, confidence; indexed by `Body25`.
    """
    points = np.zeros((len(Body25), 3), np.float32)
    for there, here in FROM_BLAZEPOSE.items():
        points[there] = keypoints[here][[0, 1, 3]]
    points[Body25.NECK] = _between(points, SHOULDERS)
    inside = (points[:, 0] >= 0) & (points[:, 0] < shape[1]) & (points[:, 1] >= 0) & (points[:, 1] < shape[0])
    kept = inside & (points[:, 2] >= SURE)
    kept[list(HIPS)] = True
    points[~kept] = 0
    points[Body25.MID_HIP] = _between(points, HIPS)
    return points


def _between(points: np.ndarray, pair: tuple[Body25, Body25]) -> np.ndarray:
    """The middle of two joints, as sure as the less sure one."""
    a, b = points[list(pair)]
    return np.array([*(a[:2] + b[:2]) / 2, min(a[2], b[2])], np.float32)


def seen(points: np.ndarray) -> np.ndarray:
    """Which joints have a place at all; bool (N,)."""
    return (points[:, :2] != 0).any(1)


def check_body25(points: np.ndarray, shape: tuple[int, int]) -> None:
    """Raises Refusal "keypoints.…" for joints that no agnostic can be drawn from.

    Drawing programs raise nothing over them: NaN paints the upper left corner, a missing hip half the picture,
    and the garment that should be hidden stays in sight.

    Args:
        points: (25, 3) or (25, 2) in BODY_25 order.
        shape: (height, width) of the picture.
    """
    _check_form(points)
    _check_present(points, shape)
    _check_order(points)
    _check_torso(points)


def _check_form(points: np.ndarray) -> None:
    points = np.asarray(points)
    if points.ndim == 2 and len(points) == COCO_JOINTS:
        raise Refusal("keypoints.coco_order", _COCO, f"{points.shape}: COCO-18 order was given, BODY_25 is needed")
    if points.ndim != 2 or len(points) != len(Body25) or points.shape[1] not in (2, 3):
        raise Refusal("keypoints.shape", _BROKEN, f"{points.shape} was given, (25, 3) is needed")
    if not np.issubdtype(points.dtype, np.number) or not np.isfinite(points).all():
        raise Refusal("keypoints.not_numbers", _BROKEN, "a coordinate is not a finite number")


def _check_present(points: np.ndarray, shape: tuple[int, int]) -> None:
    there = seen(points)
    if not there[list(SHOULDERS)].all():
        raise Refusal(
            "keypoints.shoulders_missing",
            gettext_noop("We need to see both of your shoulders. Please choose a photo from head to hips."),
        )
    if not there[list(HIPS)].all():
        raise Refusal(
            "keypoints.hips_missing",
            gettext_noop("We need to know where your hips are. Please choose a photo from head to hips."),
        )
    if not there[Body25.NECK]:
        raise Refusal("keypoints.neck_missing", _BROKEN, "the neck is (0, 0)")
    x, y = points[there, 0], points[there, 1]
    air = OUTSIDE * shape[0]
    if x.min() < -air or y.min() < -air or x.max() > shape[1] + air or y.max() > shape[0] + air:
        raise Refusal("keypoints.outside", _BROKEN, "a joint lies far outside the picture")


def _check_order(points: np.ndarray) -> None:
    """COCO's 18 joints in a longer array: its right hip would be the middle, its knees the hips, an eye an ankle."""
    there = seen(points)
    hips = points[list(HIPS), :2].mean(0)
    shoulders = points[list(SHOULDERS), :2].mean(0)
    torso = float(np.hypot(*(hips - shoulders)))
    astray = there[Body25.MID_HIP] and np.hypot(*(points[Body25.MID_HIP, :2] - hips)) > 0.25 * torso
    ankle_at_head = there[Body25.L_ANKLE] and points[Body25.L_ANKLE, 1] < shoulders[1] < hips[1]
    if astray or ankle_at_head:
        raise Refusal("keypoints.coco_order", _COCO, "the joints are not where BODY_25 has them; COCO-18 order?")
    if np.hypot(*(points[Body25.NECK, :2] - shoulders)) > 0.5 * np.hypot(*(_pair(points, SHOULDERS))):
        raise Refusal("keypoints.neck_astray", _BROKEN, "the neck is not between the shoulders")


def _check_torso(points: np.ndarray) -> None:
    across, below = _pair(points, SHOULDERS), _pair(points, HIPS)
    shoulder_width, hip_width = float(np.hypot(*across)), float(np.hypot(*below))
    if shoulder_width < 1 or hip_width < 1:
        raise Refusal(
            "keypoints.no_width", _TURNED, f"shoulders {shoulder_width:.1f} px, hips {hip_width:.1f} px apart"
        )
    if across[0] <= 0 or below[0] <= 0:
        raise Refusal("keypoints.sides_swapped", _TURNED, "a left joint lies to the picture's left of the right one")
    down = points[list(HIPS), :2].mean(0) - points[list(SHOULDERS), :2].mean(0)
    length = float(np.hypot(*down))
    if down[1] <= 0:
        raise Refusal("keypoints.upside_down", _BROKEN, "the hips are above the shoulders")
    if not TORSO[0] < length / shoulder_width < TORSO[1] or hip_width > 1.5 * shoulder_width:
        raise Refusal(
            "keypoints.proportions",
            _TURNED,
            f"shoulders {shoulder_width:.0f}, torso {length:.0f}, hips {hip_width:.0f} px: not a body from the front",
        )


def _pair(points: np.ndarray, pair: tuple[Body25, Body25]) -> np.ndarray:
    """From the right joint of a pair to the left one."""
    return np.asarray(points[pair[0], :2] - points[pair[1], :2], np.float64)


def to_json(points: np.ndarray) -> str:
    """As OpenPose writes one person with --write_json."""
    numbers = [round(float(number), 3) for number in points.ravel()]
    return json.dumps({"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": numbers}]})


def from_json(text: str | bytes) -> np.ndarray:
    """float32 (N, 3) of the first person in a file of OpenPose; (25, 3) where it ran with BODY_25.

    Raises Refusal "keypoints.no_person" or "keypoints.not_openpose"; the joints themselves are not judged.
    """
    try:
        people = json.loads(text)["people"]
        numbers = np.array(people[0]["pose_keypoints_2d"], np.float32) if people else None
    except (ValueError, TypeError, KeyError, LookupError) as error:
        raise Refusal("keypoints.not_openpose", _BROKEN, f"not a file of OpenPose: {error!r}") from error
    if numbers is None:
        raise Refusal("keypoints.no_person", _BROKEN, "OpenPose found nobody")
    if numbers.ndim != 1 or numbers.size % 3:
        raise Refusal("keypoints.not_openpose", _BROKEN, f"{numbers.shape} numbers are not triples")
    return numbers.reshape(-1, 3)
