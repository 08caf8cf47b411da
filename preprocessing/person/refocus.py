"""Refocus: the part of a photo that the try-on networks look at, at the one size they know, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from preprocessing.labels import HEAD
from preprocessing.person.body import BodyFrame

if TYPE_CHECKING:
    from preprocessing.person.prepare import PreparedPerson

# The networks' pictures. A crop is a whole number of these cells, so that both axes scale by the same number.
SIZE = (1024, 768)
CELL = (4, 3)
# Where the upper body's crop ends below the hips, in torso lengths: half-way down the thigh (the knee is at 1.0).
BELOW_HIPS = 0.55
# Air above the crown, beside the arms and below the feet, in torso lengths.
AIR = 0.12


@dataclass(frozen=True)
class Crop:
    """A box of 3:4 in a photo, seen at 1024 x 768. Both ways are exact: a shift and one scale, no rotation.

    Points are continuous: pixel (0, 0) covers x and y from 0 to 1.

    Attributes:
        photo: (height, width) of the photo.
        left, top: the box's corner in the photo; negative where it reaches beyond.
        cells: the box is 4 * cells high and 3 * cells wide.
    """

    photo: tuple[int, int]
    left: int
    top: int
    cells: int

    @property
    def height(self) -> int:
        return CELL[0] * self.cells

    @property
    def width(self) -> int:
        return CELL[1] * self.cells

    @property
    def scale(self) -> float:
        """Frame pixels per photo pixel."""
        return SIZE[0] / self.height

    def points_to_frame(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) x, y in the photo to the same in the frame; float64."""
        return (np.asarray(points, np.float64) - (self.left, self.top)) * self.scale

    def points_to_photo(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) x, y in the frame to the same in the photo; float64."""
        return np.asarray(points, np.float64) / self.scale + (self.left, self.top)

    def to_frame(self, picture: np.ndarray) -> np.ndarray:
        """A picture of the photo's shape as the frame shows it, (1024, 768, ...).

        Beyond the photo its edge goes on: a wall stays a wall, where one flat colour would draw a line that a
        network takes for a contour. None of it comes back: `to_photo` drops it.
        """
        return _resize(self._cut(picture, cv2.BORDER_REPLICATE), SIZE)

    def labels_to_frame(self, labels: np.ndarray) -> np.ndarray:
        """A label map or mask of the photo's shape as the frame shows it; no new values, 0 beyond the photo."""
        labels = self._cut(labels.astype(np.uint8), cv2.BORDER_CONSTANT)
        return cv2.resize(labels, SIZE[::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    def to_photo(self, picture: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """The photo with the frame's picture (1024, 768, ...) in its place."""
        small = _resize(picture, (self.height, self.width))
        return self._place(small, photo)

    def labels_to_photo(self, labels: np.ndarray) -> np.ndarray:
        """A label map or mask of the frame as the photo shows it; 0 outside the crop."""
        small = cv2.resize(labels, (self.width, self.height), interpolation=cv2.INTER_NEAREST_EXACT)
        return self._place(small, np.zeros(self.photo, labels.dtype))

    def padded(self) -> np.ndarray:
        """bool (1024, 768): what lies beyond the photo and is therefore made up."""
        return self.labels_to_frame(np.ones(self.photo, np.uint8)) == 0

    @cached_property
    def _inside(self) -> tuple[slice, slice]:
        """Rows and columns of the photo that the crop shows."""
        return (
            slice(max(0, self.top), min(self.photo[0], self.top + self.height)),
            slice(max(0, self.left), min(self.photo[1], self.left + self.width)),
        )

    def _cut(self, picture: np.ndarray, border: int) -> np.ndarray:
        rows, columns = self._inside
        return cv2.copyMakeBorder(
            picture[rows, columns],
            rows.start - self.top,
            self.top + self.height - rows.stop,
            columns.start - self.left,
            self.left + self.width - columns.stop,
            border,
        )

    def _place(self, picture: np.ndarray, photo: np.ndarray) -> np.ndarray:
        rows, columns = self._inside
        placed = photo.copy()
        placed[rows, columns] = picture[
            rows.start - self.top : rows.stop - self.top, columns.start - self.left : columns.stop - self.left
        ]
        return placed


def _resize(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    smaller = shape[0] < picture.shape[0]
    return cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


@dataclass(frozen=True)
class Refocused:
    """A person as the try-on networks see one.

    Attributes:
        person: everything known of the photo, at 1024 x 768.
        crop: where in the photo that is, and the way back.
    """

    person: PreparedPerson
    crop: Crop


def refocus(person: PreparedPerson, *, whole: bool = False) -> Refocused:
    """Crop a person to 3:4 and 1024 x 768: from the crown to half-way down the thigh, as HR-VITON's pictures are.

    Where the photo ends sooner, so does the crop: a body that runs out of the picture is what the networks know,
    one that ends above its lower edge is not.

    Args:
        whole: down to below the feet instead, for lower garments and dresses.
    """
    crop = _crop(person, whole)
    keypoints = person.keypoints.copy()
    keypoints[:, :2] = crop.points_to_frame(keypoints[:, :2])
    keypoints[:, 2] *= crop.scale
    return Refocused(
        replace(
            person,
            image=crop.to_frame(person.image),
            keypoints=keypoints,
            mask=np.where(crop.padded(), 0, crop.to_frame(person.mask)).astype(np.uint8),
            parse=crop.labels_to_frame(person.parse),
            carried=crop.labels_to_frame(person.carried) > 0,
        ),
        crop,
    )


def _crop(person: PreparedPerson, whole: bool) -> Crop:
    """The crop that holds the person, arms and all, over the rows asked for, with the torso in its middle.

    It stays inside the photo where it can. Where the arms need more width than the rows give, it grows
    downwards as far as the photo goes, and then upwards.
    """
    photo_height, photo_width = person.image.shape[:2]
    frame = BodyFrame.of(person.keypoints)
    air = AIR * frame.torso_length
    body = _largest_piece(person.mask > 127)
    head = np.nonzero(np.isin(person.parse, HEAD).any(1))[0]
    rows = np.nonzero(body.any(1))[0]
    top = max(0, int(min(rows.min(), head.min() if len(head) else rows.min()) - air))
    lowest = rows.max() + air if whole else frame.origin[1] + (1 + BELOW_HIPS) * frame.torso_length
    bottom = min(photo_height, int(lowest) + 1)

    columns = np.nonzero(body[top:bottom].any(0))[0]
    first, last = columns.min() - air, columns.max() + 1 + air
    first, last = max(0, int(first)), min(photo_width, int(last) + 1)
    cells = -(-max((bottom - top) * CELL[1], (last - first) * CELL[0]) // (CELL[0] * CELL[1]))
    height, width = CELL[0] * cells, CELL[1] * cells
    bottom = min(photo_height, max(bottom, top + height))
    middle = float(frame.point(0, 0.5 * frame.torso_length)[0])
    left = min(max(round(middle - width / 2), last - width), first)
    if width <= photo_width:
        left = min(max(left, 0), photo_width - width)
    return Crop((photo_height, photo_width), left, bottom - height, cells)


def _largest_piece(mask: np.ndarray) -> np.ndarray:
    """The person without specks of mask elsewhere in the photo."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
