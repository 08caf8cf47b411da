"""HR-VITON's picture back in the photo: what the try-on is about from the picture, everything else from the photo.

The networks draw the whole picture anew, face, hands and wall included, each a little off and in a light of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import ARMS, HEAD, LABEL13_OF_PARSE, SHOES, TOPS, Label13, Parse
from preprocessing.person.refocus import Crop
from tryon.engines.pixels import grown, halved, labelled, mixed, shrunk, soft

# Lengths in pixels of the frame. Old cloth may be so far beyond its label:
RIM = 3
# The networks' arm may be so far beside the old sleeve that it came out of, or their sleeve beside the arm in it:
BESIDE = 16
# So far from what is taken the picture fades into the photo; inwards it would let the old garment shine through.
# Around the new garment and its arms the wall that the networks made up ends sooner, or they would have a rim of it.
FADE, SHORT_FADE, ABOUT = 6.0, 2.0, 10
# Off the outline of the face all of it is the photo's.
FACE_RIM = 7
# The light is compared at a fraction of the size, and changed by so much at most.
COARSE = 4
LEAST_GAIN, MOST_GAIN = 0.75, 1.33
# Added to both levels before they are divided: the ratio of two blacks is noise.
DARK = 12

# What stays in front of any top.
IN_FRONT = (*HEAD, *SHOES, Parse.GLOVE, Parse.SCARF)
BARE = (Label13.LEFT_ARM, Label13.RIGHT_ARM)
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
    share = np.clip(1 - away / _fade(view, labels), 0, 1).astype(np.float32)
    share[shrunk(view.parse == Parse.FACE, FACE_RIM)] = 0
    lit = in_the_photos_light(view, picture, labels, taken)

    share = crop.to_photo(share, np.zeros(photo.shape[:2], np.float32)).clip(0, 1)
    touched = share > 0.5 / 255
    image = photo.copy()
    cv2.copyTo(mixed(crop.to_photo(lit, photo), photo, share), touched.view(np.uint8), image)
    return Pasted(image, touched, taken)


def _fade(view: View, labels: np.ndarray) -> np.ndarray:
    wall = (view.parse == Parse.BACKGROUND) & (labels == Label13.BACKGROUND)
    about = grown(labelled(labels, Label13.UPPER, *BARE), 2 * ABOUT + 1)
    return np.where(wall & about, SHORT_FADE, FADE)


def of_the_garment(view: View, labels: np.ndarray) -> np.ndarray:
    """Where the picture replaces the photo: the old top, the new one, arms that came out of sleeves or went into them.

    Skin that both show, hands, and the wall that the networks had to guess stay the photo's, as does what is in front
    of a top: face, hair, a bag's strap.
    """
    old = labelled(view.parse, *TOPS) | (labelled(view.parse, Parse.DRESS) & view.hidden)
    old = grown(old, 2 * RIM + 1)
    new = labels == Label13.UPPER
    arms, bare = labelled(view.parse, *ARMS), labelled(labels, *BARE)
    bared = bare & ~arms & grown(old, 2 * BESIDE + 1)
    covered = arms & view.hidden & ~bare & grown(new, 2 * BESIDE + 1)
    in_front = labelled(view.parse, *IN_FRONT) | (arms & ~view.hidden) | view.carried
    return _joined((old | new | bared | covered) & ~in_front, old | view.hidden)


def _joined(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The pieces of a mask that reach a seed: a stray label on the wall is none of the garment."""
    count, pieces = cv2.connectedComponents(mask.view(np.uint8))
    reached = np.zeros(count, bool)
    reached[np.unique(pieces[mask & seed])] = True
    return reached[pieces]


def in_the_photos_light(view: View, picture: np.ndarray, labels: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """The picture with the photo's brightness and colour: one gain for each channel, by what both show of the person.

    A gain that follows the place would also follow what merely lies a pixel aside. The garment keeps the networks'
    light: there is nothing in the photo to compare it with.
    """
    same = (THIRTEEN[view.parse] == labels) & (view.parse != Parse.BACKGROUND) & ~grown(taken, 2 * int(FADE) + 1)
    compared = halved(same.view(np.uint8) * np.uint8(255), COARSE) == 255
    if not compared.any():
        return picture
    ours, theirs = (halved(one, COARSE)[compared] + np.float32(DARK) for one in (view.image, picture))
    gain = np.median(ours / theirs, axis=0).clip(LEAST_GAIN, MOST_GAIN)
    lit = cv2.convertScaleAbs(picture * gain)
    return mixed(picture, lit, soft(labels == Label13.UPPER, 1.5))
