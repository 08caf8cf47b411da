"""A shopper's photo made ready: everything an engine needs to know of the person. Heavy; only a worker imports it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing import arrays
from preprocessing.labels import Joint, Parse, Region
from preprocessing.person.body import HALF_HIPS_TO_SHOULDERS, TORSO_TO_SHOULDERS, BodyFrame
from preprocessing.person.checks import (
    HIPS_SYNTHESISED,
    UNCLEAR_OUTLINE,
    check_keypoints,
    check_only_person,
    check_separable,
    check_size,
)
from preprocessing.person.difficulty import PoseDifficulty, pose_difficulty
from preprocessing.person.parsing import STEP, enlarge, feet, parse_person
from preprocessing.person.pose import Pose, detect_poses
from preprocessing.person.segmentation import agree, refine, segment, stretched

# Raised when the same photo gives another result, so that caches are made anew.
VERSION = "2"
LONG_SIDE = 1024
# The networks see 256 x 256 pixels; the half size serves them as well where its long side has so many pixels, of the
# picture for the pose network, of a person's box for the segmenter.
ENOUGH, MUCH = 512, 320
# The upper body is looked at once more when its box is smaller than this share of the whole person's.
NEARER = 0.72


@dataclass(frozen=True)
class PreparedPerson:
    """Everything known of one photo.

    Attributes:
        image: uint8 RGB (H, W, 3) at the working size: the photo's shape, long side at most 1024.
        keypoints: float32 (33, 4), see `pose.Pose`; indexed by `Joint`.
        mask: uint8 (H, W), 0..255, soft: how much of a pixel is the person.
        parse: uint8 (H, W) of `Parse`.
        carried: bool (H, W), things carried or worn that no label of `Parse` names: bags, straps, a phone.
        flags: what was made up or is doubtful: "hips_synthesised", "unclear_outline".
    """

    image: np.ndarray
    keypoints: np.ndarray
    mask: np.ndarray
    parse: np.ndarray
    carried: np.ndarray
    flags: frozenset[str] = frozenset()

    @property
    def difficulty(self) -> PoseDifficulty:
        """How difficult the pose is to dress."""
        return pose_difficulty(self.keypoints)

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


@dataclass(frozen=True)
class Box:
    """Part of a picture: left, top, right, bottom, even, so that half sizes fall on whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def window(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def sides(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom

    @property
    def longer(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)


def person_box(keypoints: np.ndarray, mask: np.ndarray, shape: tuple[int, int], last: float = np.inf) -> Box:
    """A box around a person down to `last` torso lengths below the shoulders, with some air.

    Args:
        mask: where the body is, of the picture's shape, smaller.
        shape: (height, width) of the picture.
    """
    frame = BodyFrame.of(keypoints)
    rows, columns = np.nonzero(mask > 0.5)
    scale = shape[0] / mask.shape[0]
    sure = keypoints[keypoints[:, 3] >= 0.5, :2]
    margin = 0.25 * frame.shoulder_width
    left, top = np.minimum(sure.min(0), (columns.min() * scale, rows.min() * scale)) - margin
    right, bottom = np.maximum(sure.max(0), (columns.max() * scale, rows.max() * scale)) + margin
    bottom = min(bottom, frame.origin[1] + last * frame.torso_length)
    even = [int(side) // 2 * 2 for side in (max(0, left), max(0, top))]
    return Box(*even, min(shape[1], int(right) + 2) // 2 * 2, min(shape[0], int(bottom) + 2) // 2 * 2)


def find_regions(image: np.ndarray, half: np.ndarray, pose: Pose) -> tuple[Box, np.ndarray]:
    """Where the person is, and the regions there at half size, float32 (6, h, w).

    The whole person is looked at once, and the upper body once more from nearer where that shows much more.

    Args:
        image: uint8 RGB (H, W, 3) and
        half: the same at half size.
    """
    whole = person_box(pose.keypoints, pose.mask, image.shape[:2])
    small = (whole.bottom - whole.top) // STEP, (whole.right - whole.left) // STEP
    regions = stretched(_look(image, half, whole), small)
    upper = person_box(pose.keypoints, pose.mask, image.shape[:2], last=1.5)
    if upper.longer < NEARER * whole.longer:
        rows = slice((upper.top - whole.top) // STEP, (upper.bottom - whole.top) // STEP)
        columns = slice((upper.left - whole.left) // STEP, (upper.right - whole.left) // STEP)
        height = rows.stop - rows.start
        near = stretched(_look(image, half, upper), (height, columns.stop - columns.start))
        weight = np.clip((height - np.arange(height, dtype=np.float32)) / (0.15 * height), 0, 1)[:, None]
        regions[:, rows, columns] = regions[:, rows, columns] * (1 - weight) + near * weight
    return whole, regions


def _look(image: np.ndarray, half: np.ndarray, box: Box) -> np.ndarray:
    """Regions of a box on the network's grid, seen in the half size where that has pixels enough."""
    if box.longer // STEP >= MUCH:
        return segment(half, tuple(side // STEP for side in box.sides))
    return segment(image, box.sides)


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
    shape = picture.shape[:2]
    rows, columns = shape[0] // STEP, shape[1] // STEP
    half = cv2.resize(picture[: STEP * rows, : STEP * columns], (columns, rows), interpolation=cv2.INTER_AREA)
    pose = check_only_person(detect_poses(half if max(half.shape) >= ENOUGH else picture, shape))
    keypoints, synthesised = _with_hips(pose.keypoints, shape)
    check_keypoints(keypoints, shape, hips_seen=not synthesised)

    box, regions = find_regions(picture, half, Pose(keypoints, pose.mask))
    body = _inside(pose.mask, box, shape)
    clear = check_separable(1 - regions[Region.BACKGROUND], body)
    small = half[box.top // STEP : box.bottom // STEP, box.left // STEP : box.right // STEP]
    moved = keypoints - np.array([box.left, box.top, 0, 0], np.float32)
    regions = refine(agree(regions, body, feet(moved, body.shape)), small)
    parse, carried = parse_person(small, regions, moved)

    whole = PreparedPerson(
        picture,
        keypoints,
        np.zeros(shape, np.uint8),
        np.zeros(shape, np.uint8),
        np.zeros(shape, bool),
        frozenset(flag for flag, is_so in ((HIPS_SYNTHESISED, synthesised), (UNCLEAR_OUTLINE, not clear)) if is_so),
    )
    size = box.bottom - box.top, box.right - box.left
    mask = np.clip((1 - regions[Region.BACKGROUND] - 0.15) / 0.7, 0, 1)
    mask = cv2.resize((mask * 255).astype(np.uint8), size[::-1], interpolation=cv2.INTER_LINEAR)
    carried = cv2.resize(carried.astype(np.uint8), size[::-1]) > 0
    parse = enlarge(parse, size)
    parse[(mask < 64) | carried] = Parse.BACKGROUND
    whole.mask[box.window], whole.parse[box.window], whole.carried[box.window] = mask, parse, carried
    return whole


def _inside(mask: np.ndarray, box: Box, shape: tuple[int, int]) -> np.ndarray:
    """The part of a smaller mask of a picture that lies in a box, at half size."""
    large = cv2.resize(mask, (shape[1] // STEP, shape[0] // STEP), interpolation=cv2.INTER_LINEAR)
    return large[box.top // STEP : box.bottom // STEP, box.left // STEP : box.right // STEP]
