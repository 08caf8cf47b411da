"""What HR-VITON's networks take (arXiv:2206.14180, section 3), made of a photo and a garment, and checked.

The published program raises nothing over maps that are missing, of another program or of another picture: it makes
a picture in which the old garment is still seen, or a smear. Here each of these is a Refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import DensePose, Parse
from preprocessing.networks.person import Frame
from preprocessing.person import densepose
from preprocessing.person.agnostic import GREY, agnostic, parse_agnostic
from preprocessing.person.refocus import SIZE
from tryon.engines.pixels import box_of, carried, mixed, shrunk

# The colour about the garments in the networks' training pictures.
PAPER = 246
# Height and width that garments take up there at most: of four pictures seen, three have margins of 69 to 75 pixels at
# the sides, and the longest garment 87 above and 93 below.
PLACE = (844, 624)
# Colours nearer than this to a garment's outline hold some of its old background, in pixels of its picture.
RIM = 2
# Grey levels by which JPEG moves a flat colour at most; of a palette's colours, the sum of all three channels.
JPEG, JPEG_PALETTE = 6, 60
# Shares, with room to those of 22 photos and two of the networks' own pictures: of the torso that must be hidden (0.70
# is the least seen), of the picture that may be (0.59), of the face that lies on the body (0.85), of the body that has
# DensePose's colours (0.98; of these maps in BGR 0.09), of the picture that is torso (0.04).
TORSO_HIDDEN, MOST_HIDDEN, FACE_ON_BODY, COLOURED, LEAST_TORSO = 0.5, 0.85, 0.5, 0.8, 0.005
# Of a picture; a garment has 0.17 at the least and 0.43 at the most of it.
LEAST_CLOTH, MOST_CLOTH = 0.01, 0.95
# How far the colour about a garment may be from PAPER: white, and JPEG's noise.
OFF_PAPER = 20

_PHOTO = gettext_noop("We could not make this photo ready for this way of trying on. Please choose another photo.")
_GARMENT = gettext_noop("The picture of this garment does not allow trying it on yet. Please choose another one.")

# Enough pixels to take such shares of.
SPARSE = np.s_[::8, ::8]
TOP_AND_NECK = (Parse.UPPER, Parse.DRESS, Parse.COAT, Parse.TORSO_SKIN)


@dataclass(frozen=True)
class Sample:
    """What the networks take for one picture; every array (1024, 768) or (1024, 768, 3).

    Attributes:
        cloth: uint8 RGB, the garment on PAPER.
        cloth_mask: bool, the garment.
        parse_agnostic: uint8 of `Parse`, without what the garment decides.
        densepose: uint8 RGB, see `preprocessing.person.densepose.picture`.
        agnostic: uint8 RGB, the person with the garment's place grey.
        seed: of the noise in the image generator.
    """

    cloth: np.ndarray
    cloth_mask: np.ndarray
    parse_agnostic: np.ndarray
    densepose: np.ndarray
    agnostic: np.ndarray
    seed: int = 0


def sample(image: np.ndarray, frame: Frame, garment: PreparedGarment, seed: int) -> Sample:
    """What the networks take to put a top on a person.

    Args:
        image: uint8 RGB (1024, 768, 3), the part of the photo that the frame shows.
        frame: of this photo.
        garment: with a mask.

    Raises:
        Refusal: "inputs.…", see `check`; "keypoints.…", see `preprocessing.person.body25.check_body25`.
    """
    points, parse, surface = frame.maps.points, frame.maps.parse, frame.maps.densepose
    _check_picture("photo", image, _PHOTO)
    _check_not_blank("photo", image, _PHOTO)
    _check_labels("parse map", parse, len(Parse))
    _check_labels("DensePose map", surface, len(DensePose))
    hidden = agnostic("upper", image, parse, points, surface)
    if np.array_equal(hidden, image):
        raise Refusal("inputs.nothing_hidden", _PHOTO, "the agnostic is the photo")
    cloth, mask = placed(garment)
    made = Sample(cloth, mask, parse_agnostic("upper", parse, points), densepose.picture(surface), hidden, seed)
    check(made)
    return made


def nobody() -> Sample:
    """A sample of the right size with nothing in it, to warm networks up with."""
    picture, nothing = np.full((*SIZE, 3), GREY, np.uint8), np.zeros(SIZE, np.uint8)
    return Sample(picture, nothing > 0, nothing, picture, picture)


def placed(garment: PreparedGarment) -> tuple[np.ndarray, np.ndarray]:
    """A garment as the networks know one: cut out, in the middle of a picture of 3:4, nearly filling it.

    Its edge keeps its softness, but not the colours of the background it was photographed on.

    Returns:
        uint8 RGB (1024, 768, 3) and its mask, bool (1024, 768). Raises Refusal "inputs.cloth_mask_empty".
    """
    garment_mask = garment.mask if garment.mask is not None else np.zeros(garment.image.shape[:2], np.uint8)
    outline = garment_mask > 127
    if not outline.any():
        raise Refusal("inputs.cloth_mask_empty", _GARMENT, "nothing is garment")
    rows, columns = box_of(outline)
    scale = min(PLACE[0] / (rows.stop - rows.start), PLACE[1] / (columns.stop - columns.start))
    colours = carried(garment.image, shrunk(outline, 2 * RIM + 1), 3 * RIM)
    middle = np.array([columns.start + columns.stop, rows.start + rows.stop]) / 2
    shift = np.array([SIZE[1], SIZE[0]]) / 2 - scale * middle
    colours, soft = (_moved(array, scale, shift) for array in (colours, garment_mask))
    return mixed(colours, np.full_like(colours, PAPER), soft * np.float32(1 / 255)), soft > 127


def _moved(array: np.ndarray, scale: float, shift: np.ndarray) -> np.ndarray:
    """A picture scaled and shifted into one of 1024 x 768; 0 outside."""
    if scale < 1:  # warpAffine reads single pixels, which would break fine patterns
        size = [max(1, round(side * scale)) for side in array.shape[1::-1]]
        array = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
        scale = 1.0
    half = (scale - 1) / 2  # pixel (0, 0) covers 0 to 1, warpAffine takes its middle for 0
    matrix = np.array([[scale, 0, shift[0] + half], [0, scale, shift[1] + half]])
    return cv2.warpAffine(array, matrix, SIZE[::-1], flags=cv2.INTER_CUBIC)


def check_frame(frame: Frame, photo: np.ndarray) -> None:
    """Raises Refusal "inputs.other_photo" for a frame that was not made of a photo of this size."""
    if tuple(frame.crop.photo) != photo.shape[:2]:
        raise Refusal("inputs.other_photo", _PHOTO, f"a frame of {frame.crop.photo} for a photo of {photo.shape[:2]}")


def check(sample: Sample) -> None:
    """Raises Refusal for what no good picture can be made of, whoever made the arrays:

    "inputs.size" (not 1024 x 768, or not so many channels), "inputs.not_numbers" (NaN or infinite), "inputs.type" (not
    uint8, a mask not bool), "inputs.blank" (a picture of one colour), "inputs.seed";
    "inputs.cloth_mask_empty", "inputs.cloth_mask_full", "inputs.cloth_background" (also what an inverted mask gives);
    "inputs.labels" (out of range), "inputs.parse_empty", "inputs.parse_not_agnostic" (a top or neck is left);
    "inputs.densepose_empty", "inputs.densepose_colours" (another palette, BGR, another background);
    "inputs.nothing_hidden", "inputs.garment_in_sight" (less than half of the torso is grey), "inputs.all_hidden",
    "inputs.maps_disagree" (the face is not on the body: maps of two pictures).
    """
    _check_seed(sample.seed)
    for name, sentence in (("cloth", _GARMENT), ("densepose", _PHOTO), ("agnostic", _PHOTO)):
        _check_picture(name, getattr(sample, name), sentence)
    _check_not_blank("cloth", sample.cloth, _GARMENT)
    _check_not_blank("agnostic", sample.agnostic, _PHOTO)
    _check_labels("parse agnostic", sample.parse_agnostic, len(Parse))
    _check_cloth(sample.cloth, sample.cloth_mask)
    _check_parse_agnostic(sample.parse_agnostic)
    surface = _check_densepose(sample.densepose)
    _check_agnostic(sample, surface)


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise Refusal("inputs.seed", _PHOTO, f"{seed!r} is no whole number from 0 to 2**63 - 1")


def _check_array(name: str, array: np.ndarray, shape: tuple[int, ...], sentence: str) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise Refusal("inputs.size", sentence, f"{name}: {getattr(array, 'shape', type(array))}, {shape} is needed")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise Refusal("inputs.not_numbers", sentence, f"{name}: not every value is a finite number")


def _check_picture(name: str, picture: np.ndarray, sentence: str) -> None:
    _check_array(name, picture, (*SIZE, 3), sentence)
    if picture.dtype != np.uint8:
        raise Refusal("inputs.type", sentence, f"{name}: {picture.dtype}, uint8 of 0 to 255 is needed")


def _check_not_blank(name: str, picture: np.ndarray, sentence: str) -> None:
    if (picture == picture[:1, :1]).all():
        raise Refusal("inputs.blank", sentence, f"{name}: all pixels are {picture[0, 0].tolist()}")


def _check_labels(name: str, labels: np.ndarray, count: int) -> None:
    _check_array(name, labels, SIZE, _PHOTO)
    if labels.dtype != np.uint8:
        raise Refusal("inputs.type", _PHOTO, f"{name}: {labels.dtype}, uint8 is needed")
    if labels.max() >= count:
        raise Refusal("inputs.labels", _PHOTO, f"{name}: labels up to {labels.max()}, {count - 1} is the last")


def _check_cloth(cloth: np.ndarray, mask: np.ndarray) -> None:
    _check_array("cloth mask", mask, SIZE, _GARMENT)
    if mask.dtype != bool:
        raise Refusal("inputs.type", _GARMENT, f"cloth mask: {mask.dtype}, bool is needed")
    share = mask.mean()
    if share < LEAST_CLOTH:
        raise Refusal("inputs.cloth_mask_empty", _GARMENT, f"{share:.2%} is garment")
    if share > MOST_CLOTH:
        raise Refusal("inputs.cloth_mask_full", _GARMENT, f"{share:.2%} is garment")
    background = np.median(cloth[SPARSE][~mask[SPARSE]], axis=0)
    if np.abs(background - PAPER).max() > OFF_PAPER:
        raise Refusal("inputs.cloth_background", _GARMENT, f"{background.tolist()} about the garment, not {PAPER}")


def _check_parse_agnostic(parse: np.ndarray) -> None:
    if not parse.any():
        raise Refusal("inputs.parse_empty", _PHOTO, "nothing but background in the parse agnostic")
    if left := sorted({Parse(label).name for label in np.unique(parse)} & {label.name for label in TOP_AND_NECK}):
        raise Refusal("inputs.parse_not_agnostic", _PHOTO, f"{', '.join(left)} in the parse agnostic")


def _check_densepose(picture: np.ndarray) -> np.ndarray:
    """The labels in SPARSE, uint8."""
    picture = picture[SPARSE]
    surface = densepose.labels_of(picture)
    body = picture.max(-1) > JPEG_PALETTE / 2
    if body.mean() < LEAST_TORSO:
        raise Refusal("inputs.densepose_empty", _PHOTO, "no body in the DensePose map")
    away = np.abs(picture.astype(np.int16) - densepose.PALETTE[surface]).sum(-1) > JPEG_PALETTE
    if away[body].mean() > 1 - COLOURED:
        raise Refusal("inputs.densepose_colours", _PHOTO, f"{away[body].mean():.0%} of the body has other colours")
    if (surface == DensePose.TORSO_FRONT).mean() < LEAST_TORSO:
        raise Refusal("inputs.densepose_empty", _PHOTO, "no torso from the front in the DensePose map")
    return surface


def _check_agnostic(sample: Sample, surface: np.ndarray) -> None:
    hidden = (np.abs(sample.agnostic[SPARSE].astype(np.int16) - GREY) <= JPEG).all(-1)
    torso = hidden[surface == DensePose.TORSO_FRONT].mean()
    if not hidden.any():
        raise Refusal("inputs.nothing_hidden", _PHOTO, "nothing is grey in the agnostic")
    if torso < TORSO_HIDDEN:
        raise Refusal("inputs.garment_in_sight", _PHOTO, f"{torso:.0%} of the torso is hidden")
    if hidden.mean() > MOST_HIDDEN:
        raise Refusal("inputs.all_hidden", _PHOTO, f"{hidden.mean():.0%} of the picture is hidden")
    face = sample.parse_agnostic[SPARSE] == Parse.FACE
    if face.any() and (surface[face] > 0).mean() < FACE_ON_BODY:
        raise Refusal("inputs.maps_disagree", _PHOTO, f"{(surface[face] > 0).mean():.0%} of the face is on the body")
