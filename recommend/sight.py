"""What of a picture is searched for: its garment, or what the person on it wears. Heavy; only a worker imports it."""

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.garment.mask import find_mask
from preprocessing.labels import BOTTOMS, TOPS, Parse
from preprocessing.networks.cloth import surer
from preprocessing.person.prepare import PreparedPerson, prepare_person, working_size
from recommend.encoders.pictures import mask_of
from recommend.models import QueryLook

Part = QueryLook.Part
WORN = {Part.UPPER: TOPS, Part.LOWER: BOTTOMS, Part.DRESS: (Parse.DRESS,)}
LEAST_SHARE = 0.012  # of the picture: less of a garment cannot be compared
LEAST_CONTRAST = 4.0  # grey levels; a picture with less shows nothing
MARGIN = 0.06  # of the longer side, left around what is cut out
SHOWN_SIDE = 640  # pixels of a cut-out's longer side


@dataclass(frozen=True)
class Seen:
    """Something in a picture that can be searched for.

    Attributes:
        pictures: uint8 RGB or RGBA, as an `Encoder` takes them; what is searched for lies amid their vectors.
        shown: uint8 RGB, what the shopper is shown of it.
    """

    part: Part
    pictures: tuple[np.ndarray, ...]
    shown: np.ndarray


def look(image: np.ndarray) -> list[Seen]:
    """What can be searched for, the largest first; at least one.

    Args:
        image: uint8 RGB (H, W, 3).

    Raises:
        Refusal: "search.…" or "photo.several_people".
        WeightsMissing: the networks that find people are not there.
    """
    picture = working_size(image)
    if cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).std() < LEAST_CONTRAST:
        raise Refusal(
            "search.nothing_seen",
            gettext_noop("This picture shows nothing to search for. Choose one in which the garment can be seen."),
        )
    try:
        person = prepare_person(picture)
    except Refusal as refusal:
        if refusal.code == "photo.several_people":
            raise
        return [garment_in(picture)]  # nobody, or nobody who could be dressed: then all of it is meant
    return worn_by(person) or [garment_in(picture)]


def worn_by(person: PreparedPerson) -> list[Seen]:
    """Each garment that enough can be seen of: on white, as catalogues show it lying, and as it is worn, as others do.

    Looked for in only one of these ways, it is not found among pictures of the other kind (docs/recommend.md).
    """
    found = {}
    for part, labels in WORN.items():
        mask = np.isin(person.parse, labels)
        if mask.mean() >= LEAST_SHARE:
            found[part] = mask
    return [_cut_out(part, person.image, found[part]) for part in sorted(found, key=lambda part: -found[part].sum())]


def garment_in(picture: np.ndarray) -> Seen:
    """The one garment of a picture; all of it where none stands out."""
    mask = surer(find_mask(picture), picture)
    if mask is None or not mask.hard.any():
        return Seen(Part.GARMENT, (picture,), _small(picture))
    masked = np.dstack([picture, np.round(mask.soft * 255).astype(np.uint8)])
    # What an encoder would not rely on is not shown as found either.
    trusted = mask_of(masked) is not None
    return Seen(
        Part.GARMENT, (masked,), _cut_out(Part.GARMENT, picture, mask.hard).shown if trusted else _small(picture)
    )


def _cut_out(part: Part, image: np.ndarray, mask: np.ndarray) -> Seen:
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)[..., None]
    on_white = np.round(image * soft + 255 * (1 - soft)).astype(np.uint8)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    margin = round(MARGIN * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    window = tuple(slice(max(0, span[0] - margin), span[-1] + 1 + margin) for span in (rows, columns))
    alpha = np.round(soft * 255).astype(np.uint8)
    return Seen(part, (np.dstack([on_white, alpha])[window], image[window]), _small(on_white[window]))


def _small(image: np.ndarray) -> np.ndarray:
    return working_size(image, SHOWN_SIDE)
