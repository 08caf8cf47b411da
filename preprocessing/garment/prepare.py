"""A garment's picture made ready: mask, landmarks, colours, and why it cannot be previewed. No network needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing import arrays, colour
from preprocessing.garment.landmarks import find_landmarks, given_landmarks
from preprocessing.garment.length import length_class
from preprocessing.garment.mask import FoundMask, find_mask, from_alpha
from preprocessing.garment.neckline import find_neckline
from preprocessing.garment.parts import find_parts
from preprocessing.garment.problems import Problem, picture_problems, problems_of, shape_problems
from preprocessing.networks.cloth import surer

LONG_SIDE = 1024
# In a picture smaller than this nothing can be told apart.
LEAST_SIDE = 32
SLEEVES = ("sleeveless", "short", "three_quarter", "long")


@dataclass(frozen=True)
class Attributes:
    """What the catalogue says of a garment, as far as it says it.

    Attributes:
        sleeve: one of SLEEVES, or None.
        length: one of `shop.models.Garment.Length`'s values, or None.
        product_type: free, as “polo” or “wrap dress”; may be empty.
    """

    sleeve: str | None = None
    length: str | None = None
    product_type: str = ""


@dataclass(frozen=True)
class PreparedGarment:
    """Everything known of one garment picture.

    Attributes:
        image: uint8 RGB (H, W, 3) at the working size: the picture's shape, long side at most 1024.
        category: "upper", "lower" or "dress".
        mask: uint8 (H, W), 0..255, soft; None when no garment was found.
        parts: uint8 (H, W): BODY, LEFT_SLEEVE, RIGHT_SLEEVE, LEFT_LEG, RIGHT_LEG or 0, left and right the picture's;
            None without landmarks.
        landmarks: name to (x, y), see `preprocessing.garment.landmarks`; empty when there are none.
        neckline: float32 (N, 2), front edge of the neck opening where the inside of the back shows above it, or None.
        sleeve: one of SLEEVES, None when not known, and of bottoms.
        length: as measured, one of `shop.models.Garment.Length`'s values, see `preprocessing.garment.length`; None
            when not known.
        problems: why it cannot be previewed; empty when it can.
        colours: float32 (n, 4), dominant colours L, a, b and share, the largest first.
    """

    image: np.ndarray
    category: str
    mask: np.ndarray | None = None
    parts: np.ndarray | None = None
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)
    neckline: np.ndarray | None = None
    sleeve: str | None = None
    length: str | None = None
    problems: tuple[Problem, ...] = ()
    colours: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def to_bytes(self) -> bytes:
        facts = {
            "category": self.category,
            "landmarks": self.landmarks,
            "sleeve": self.sleeve,
            "length": self.length,
            "problems": [[problem.code, problem.sentence] for problem in self.problems],
        }
        stored = {"image": self.image, "colours": self.colours, "facts": np.array(json.dumps(facts))}
        for name in ("mask", "parts", "neckline"):
            if getattr(self, name) is not None:
                stored[name] = getattr(self, name)
        return arrays.pack(stored)

    @classmethod
    def from_bytes(cls, data: bytes) -> PreparedGarment:
        stored = arrays.unpack(data)
        facts = json.loads(str(stored.pop("facts")))
        facts["landmarks"] = {name: tuple(point) for name, point in facts["landmarks"].items()}
        facts["problems"] = tuple(Problem(*problem) for problem in facts["problems"])
        return cls(**stored, **facts)


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    if scale >= 1:
        return image.copy()
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _on_white(image: np.ndarray) -> np.ndarray:
    alpha = image[..., 3:].astype(np.float32) / 255
    return np.round(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _given_mask(mask: np.ndarray, shape: tuple[int, int]) -> FoundMask:
    soft = mask.astype(np.float32) / (255 if mask.dtype == np.uint8 else 1)
    return FoundMask(cv2.resize(soft, shape[::-1], interpolation=cv2.INTER_AREA), 1.0)


def prepare_garment(
    image: np.ndarray,
    category: str,
    attributes: Attributes = Attributes(),
    *,
    mask: np.ndarray | None = None,
    landmarks: dict | None = None,
) -> PreparedGarment:
    """Find the garment in a picture. Never raises because of what the picture shows.

    Args:
        image: uint8 RGB or RGBA (H, W, 3 or 4), any size.
        category: "upper", "lower" or "dress".
        attributes: what the catalogue says of it; a picture that shows something else has a problem.
        mask: (H, W), uint8 0..255 or bool, when it is known exactly.
        landmarks: name to (x, y) in the picture's pixels, when they are known exactly; may hold "neckline", the
            points of the front edge of the neck opening.
    """
    scale = min(1.0, LONG_SIDE / max(image.shape[:2]))
    picture = _scaled(image, scale)
    alpha = None
    if picture.shape[2] == 4:
        if picture[..., 3].min() < 128:
            alpha = picture[..., 3]
        picture = _on_white(picture)
    if min(picture.shape[:2]) < LEAST_SIDE:
        return PreparedGarment(picture, category, problems=problems_of(["garment.too_small"]))
    if mask is not None:
        found = _given_mask(mask, picture.shape[:2])
    else:
        found = from_alpha(alpha) if alpha is not None else surer(find_mask(picture), picture)
    if found is None or not found.hard.any():
        return PreparedGarment(picture, category, problems=problems_of(["garment.not_found"]))
    known = {
        "image": picture,
        "category": category,
        "mask": np.round(found.soft * 255).astype(np.uint8),
        "colours": colour.dominant(picture, cv2.erode(found.hard.astype(np.uint8), np.ones((5, 5))) > 0),
    }
    codes = [] if mask is not None else picture_problems(picture, found, category)
    return _with_landmarks(known, found.hard, codes, attributes, scale, landmarks)


def _with_landmarks(
    known: dict, mask: np.ndarray, codes: list[str], attributes: Attributes, scale: float, given: dict | None
) -> PreparedGarment:
    category = known["category"]
    if given is not None:
        marks = given_landmarks(given, category, mask, scale)
    else:
        named = {"product_type": attributes.product_type, "sleeve": attributes.sleeve}
        marks = find_landmarks(mask, category, known["image"], **named)
    codes = codes + shape_problems(category, marks, attributes.sleeve, attributes.length)
    if marks is None:
        return PreparedGarment(**known, problems=problems_of(codes))
    known |= {
        "parts": find_parts(mask, marks),
        "landmarks": marks.points,
        "length": length_class(category, marks.points),
        "problems": problems_of(codes),
    }
    if category == "lower":
        return PreparedGarment(**known)
    contradicted = {"garment.sleeve_conflict", "garment.sleeves_unclear"} & set(codes)
    if given is not None and len(given.get("neckline", ())):
        neckline = np.asarray(given["neckline"], np.float32) * scale
    else:
        neckline = find_neckline(known["image"], mask, marks.points)
    return PreparedGarment(
        **known,
        neckline=neckline,
        sleeve=marks.sleeve if attributes.sleeve is None or contradicted else attributes.sleeve,
    )
