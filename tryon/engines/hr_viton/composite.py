"""HR-VITON's picture back in the photo: what the try-on is about from the picture, everything else from the photo.

The networks draw the whole picture anew, face, hands and wall included, each a little off and in a light of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import ARMS, HEAD, LABEL13_OF_PARSE, SHOES, TOPS, Label13, Parse
from preprocessing.person.refocus import Crop
from tryon.engines.pixels import enlarged, grown, halved, labelled, mixed, shrunk, soft, spread

# Lengths in pixels of the frame. Old cloth may be so far beyond its label:
RIM = 5
# An arm that came out of a sleeve may be so far beside it:
BESIDE = 16
# So far from what is taken the picture fades into the photo; inwards it would let the old garment shine through.
FADE = 6
# Off the outline of the face all of it is the photo's.
FACE_RIM = 7
# The light is matched at a fraction of the size, and so much at most.
COARSE = 4
LEAST_GAIN, MOST_GAIN = 0.75, 1.33
# Added to both levels before they are divided: the ratio of two blacks is noise.
DARK = 12

# What stays in front of any top.
IN_FRONT = (*HEAD, *SHOES, Parse.GLOVE, Parse.SCARF)
THIRTEEN = np.array([LABEL13_OF_PARSE[label] for label in Parse], np.uint8)


@dataclass(frozen=True)
class View:
    """What a frame shows of the photo; all arrays (1024, 768).

    Attributes:
        image: uint8 RGB (1024, 768, 3).
        parse: uint8 of `Parse`.
        hidden: bool, what the networks were not shown.
        carried: bool, bags, straps and the like.
    """

    image: np.ndarray
    parse: np.ndarray
    hidden: np.ndarray
    carried: np.ndarray


@dataclass(frozen=True)
class Pasted:
    """A photo with the networks' picture in it.

    Attributes:
        image: uint8 RGB (H, W, 3), the photo's size.
        touched: bool (H, W), where it may differ from the photo.
        taken: bool (1024, 768), the part of the frame that is wholly the networks'.
    """

    image: np.ndarray
    touched: np.ndarray
    taken: np.ndarray


def paste(photo: np.ndarray, crop: Crop, view: View, picture: np.ndarray, labels: np.ndarray) -> Pasted:
    """The photo with a picture of its frame in it, as far as the garment is concerned.

    Args:
        photo: uint8 RGB (H, W, 3).
        crop: where the frame lies in the photo; what lies beyond the photo is dropped.
        picture: uint8 RGB (1024, 768, 3), the networks'.
        labels: uint8 (1024, 768) of `Label13`, what it shows.
    """
    taken = of_the_garment(view, labels)
    away = cv2.distanceTransform((~taken).view(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(1 - away / FADE, 0, 1)
    share[shrunk(view.parse == Parse.FACE, FACE_RIM)] = 0
    lit = in_the_photos_light(view, picture, labels, taken)

    share = crop.to_photo(share, np.zeros(photo.shape[:2], np.float32)).clip(0, 1)
    touched = share > 0.5 / 255
    image = photo.copy()
    cv2.copyTo(mixed(crop.to_photo(lit, photo), photo, share), touched.view(np.uint8), image)
    return Pasted(image, touched, taken)


def of_the_garment(view: View, labels: np.ndarray) -> np.ndarray:
    """Where the picture replaces the photo: the old top, the new one, and arms that came out of sleeves.

    Skin that both show, hands, and the wall that the networks had to guess stay the photo's, as does what is in front
    of a top: face, hair, a bag's strap.
    """
    old = labelled(view.parse, *TOPS) | (labelled(view.parse, Parse.DRESS) & view.hidden)
    old = grown(old, 2 * RIM + 1)
    new = labels == Label13.UPPER
    bared = labelled(labels, Label13.LEFT_ARM, Label13.RIGHT_ARM) & grown(old, 2 * BESIDE + 1)
    bared &= ~labelled(view.parse, *ARMS)
    hands = labelled(view.parse, *ARMS) & ~view.hidden
    in_front = labelled(view.parse, *IN_FRONT) | hands | view.carried
    return _joined((old | new | bared) & ~in_front, old | view.hidden)


def _joined(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The pieces of a mask that reach a seed: a stray label on the wall is none of the garment."""
    count, pieces = cv2.connectedComponents(mask.view(np.uint8))
    reached = np.zeros(count, bool)
    reached[np.unique(pieces[mask & seed])] = True
    return reached[pieces]


def in_the_photos_light(view: View, picture: np.ndarray, labels: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """The picture with the photo's brightness and colour, told by what both show and carried to where it is missing.

    The garment keeps the networks' own: there is nothing in the photo to compare it with.
    """
    same = (THIRTEEN[view.parse] == labels) & ~grown(taken, 2 * FADE + 1)
    if not same.any():
        return picture
    weight = (halved(same.view(np.uint8) * np.uint8(255), COARSE) > 250).astype(np.float32)
    theirs, ours = (spread(halved(one, COARSE).astype(np.float32), weight) for one in (picture, view.image))
    gain = np.clip((ours + DARK) / (theirs + DARK), LEAST_GAIN, MOST_GAIN)
    gain = 1 + (enlarged(gain, labels.shape) - 1) * (1 - soft(labels == Label13.UPPER, 1.5))[..., None]
    return cv2.convertScaleAbs(picture * gain)
