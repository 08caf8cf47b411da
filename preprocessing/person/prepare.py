"""A shopper's photo made ready: everything an engine needs to know of the person. Heavy; only a worker imports it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing import arrays
from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import Joint, Parse, Region
from preprocessing.person.body import HALF_HIPS_TO_SHOULDERS, TORSO_TO_SHOULDERS, BodyFrame
from preprocessing.person.checks import check_keypoints, check_only_person, check_separable, check_size
from preprocessing.person.parsing import STEP, enlarge, parse_person
from preprocessing.person.pose import detect_poses
from preprocessing.person.segmentation import refine, segment

# Raised when the same photo gives another result, so that caches are made anew.
VERSION = "2"
LONG_SIDE = 1024

HIPS_SYNTHESISED = "hips_synthesised"


@dataclass(frozen=True)
class PreparedPerson:
    """Everything known of one photo.

    Attributes:
        image: uint8 RGB (H, W, 3) at the working size: the photo's shape, long side at most 1024.
        keypoints: float32 (33, 4), see `pose.Pose`; indexed by `Joint`.
        mask: uint8 (H, W), 0..255, soft: how much of a pixel is the person.
        parse: uint8 (H, W) of `Parse`.
        carried: bool (H, W), things carried or worn that no label of `Parse` names: bags, straps, a phone.
        flags: what was made up or is doubtful, e.g. "hips_synthesised".
    """

    image: np.ndarray
    keypoints: np.ndarray
    mask: np.ndarray
    parse: np.ndarray
    carried: np.ndarray
    flags: frozenset[str] = frozenset()

    def to_bytes(self) -> bytes:
        return arrays.pack(
            {
                "image": self.image,
                "keypoints": self.keypoints,
                "mask": self.mask,
                "parse": self.parse,
                "carried": self.carried,
                "flags": np.array(sorted(self.flags), dtype="U32"),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> PreparedPerson:
        found = arrays.unpack(data)
        return cls(**{**found, "flags": frozenset(found["flags"].tolist())})


def working_size(image: np.ndarray, long_side: int = LONG_SIDE) -> np.ndarray:
    """The picture with its long side at most `long_side`; never enlarged, a copy."""
    scale = long_side / max(image.shape[:2])
    if scale >= 1:
        return image.copy()
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _with_hips(keypoints: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, bool]:
    """Keypoints whose hips can be relied on, and whether they had to be made from the shoulders."""
    hips = keypoints[[Joint.L_HIP, Joint.R_HIP]]
    inside = (hips[:, 0] > -0.02 * shape[1]) & (hips[:, 0] < 1.02 * shape[1]) & (hips[:, 1] < 1.02 * shape[0])
    if (inside & (hips[:, 3] >= 0.5)).all():
        return keypoints, False
    left, right = (keypoints[joint, :2] for joint in (Joint.L_SHOULDER, Joint.R_SHOULDER))
    across = left - right
    down = np.array([-across[1], across[0]])  # the person's left is the picture's right: this points down
    middle = (left + right) / 2 + down * TORSO_TO_SHOULDERS
    made = keypoints.copy()
    for joint, sign in ((Joint.L_HIP, 1), (Joint.R_HIP, -1)):
        made[joint, :2] = middle + sign * across * HALF_HIPS_TO_SHOULDERS
        made[joint, 3] = 0
    for joint, hip in ((Joint.L_KNEE, Joint.L_HIP), (Joint.R_KNEE, Joint.R_HIP)):
        if made[joint, 3] < 0.5:
            made[joint, :2] = made[hip, :2] + down * 1.2
    return made, True


def _box(keypoints: np.ndarray, mask: np.ndarray, last: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom around a person down to `last` torso lengths below the shoulders, with some air."""
    height, width = mask.shape
    frame = BodyFrame.of(keypoints)
    rows, columns = np.nonzero(mask > 0.5)
    margin = 0.25 * frame.shoulder_width
    left, right = columns.min() - margin, columns.max() + margin
    top, bottom = rows.min() - margin, rows.max() + margin
    bottom = min(bottom, frame.origin[1] + last * frame.torso_length)
    return max(0, int(left)), max(0, int(top)), min(width, int(right) + 1), min(height, int(bottom) + 1)


def _regions(image: np.ndarray, keypoints: np.ndarray, pose_mask: np.ndarray) -> np.ndarray:
    """Regions of the whole person, and of the upper body once more from nearer where that shows more."""
    whole = _box(keypoints, pose_mask, last=99)
    regions = segment(image, whole)
    upper = _box(keypoints, pose_mask, last=1.5)
    if max(upper[2] - upper[0], upper[3] - upper[1]) < 0.75 * max(whole[2] - whole[0], whole[3] - whole[1]):
        near = segment(image, upper)
        fade = int(0.15 * (upper[3] - upper[1]))
        weight = np.zeros(image.shape[:2], np.float32)
        weight[upper[1] : upper[3], upper[0] : upper[2]] = np.clip(
            (upper[3] - np.arange(upper[1], upper[3], dtype=np.float32)) / fade, 0, 1
        )[:, None]
        regions = regions * (1 - weight) + near * weight
    return regions


def prepare_person(image: np.ndarray) -> PreparedPerson:
    """Find the person in a photo.

    Args:
        image: uint8 RGB (H, W, 3), upright, any size.

    Raises:
        Refusal: "photo.…" when this photo cannot be used.
        WeightsMissing: the networks are not there.
    """
    check_size(image)
    picture = working_size(image)
    poses = detect_poses(picture)
    if not poses:
        raise Refusal(
            "photo.no_person",
            gettext_noop("We cannot find a person in this photo. Please choose one that shows you from head to hips."),
        )
    pose = check_only_person(poses, picture.shape[:2])
    keypoints, synthesised = _with_hips(pose.keypoints, picture.shape[:2])
    check_keypoints(keypoints, picture.shape[:2], hips_seen=not synthesised)

    regions = _regions(picture, keypoints, pose.mask)
    check_separable(1 - regions[Region.BACKGROUND], pose.mask)
    small = cv2.resize(picture, (picture.shape[1] // STEP, picture.shape[0] // STEP), interpolation=cv2.INTER_AREA)
    regions = np.stack([cv2.resize(r, small.shape[1::-1], interpolation=cv2.INTER_AREA) for r in regions])
    regions = refine(regions, small)
    parse, carried = parse_person(small, regions, keypoints)
    parse = enlarge(parse, picture.shape[:2])
    person = np.clip((1 - regions[Region.BACKGROUND] - 0.15) / 0.7, 0, 1)
    mask = cv2.resize((person * 255).astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    carried = cv2.resize(carried.astype(np.uint8), picture.shape[1::-1]) > 0
    parse[(mask < 64) | carried] = Parse.BACKGROUND
    flags = frozenset({HIPS_SYNTHESISED} if synthesised else set())
    return PreparedPerson(picture, keypoints, mask, parse, carried, flags)
