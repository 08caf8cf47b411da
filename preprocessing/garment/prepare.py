"""A garment's picture made ready: mask, landmarks, colours, and why it cannot be previewed. No network needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing import arrays, colour
from preprocessing.garment.bottoms import leg_part
from preprocessing.garment.landmarks import CUFFS, LEGS, Landmarks, find_landmarks, given_landmarks
from preprocessing.garment.length import length_class, length_fits
from preprocessing.garment.mask import FoundMask, find_mask, from_alpha
from preprocessing.garment.neckline import find_neckline
from preprocessing.garment.outline import SIDES
from preprocessing.garment.problems import PROBLEMS, Problem
from preprocessing.garment.sleeve import sleeve_part

# Raised when the same picture gives another result, so that analyses are made anew.
VERSION = "1"
LONG_SIDE = 1024
SLEEVES = ("sleeveless", "short", "three_quarter", "long")

# Labels of PreparedGarment.parts.
BODY, LEFT_SLEEVE, RIGHT_SLEEVE, LEFT_LEG, RIGHT_LEG = 1, 2, 3, 4, 5
# How far a measured sleeve ratio may lie beyond a limit and still pass for the catalogue's next class.
SLEEVE_TOLERANCE = 0.15


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


def _parts(mask: np.ndarray, marks: Landmarks) -> np.ndarray:
    points, parts = marks.points, np.where(mask, BODY, 0).astype(np.uint8)
    for index, (side, _) in enumerate(SIDES):
        if LEGS[0] in points:
            parts[leg_part(mask, points, side)] = (LEFT_LEG, RIGHT_LEG)[index]
        elif CUFFS[0] in points:
            part = sleeve_part(mask, points, side, marks.creases.get(side))
            if part is not None:
                parts[part] = (LEFT_SLEEVE, RIGHT_SLEEVE)[index]
    return parts


def _picture_problems(found: FoundMask) -> list[str]:
    """Codes of what is wrong with a mask found in a picture, whatever the garment."""
    codes = []
    mask = found.hard
    if found.plain < 0.5:
        codes.append("garment.background")
    if mask.mean() < 0.03:
        codes.append("garment.too_small")
    if max(side.mean() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) > 0.25:
        codes.append("garment.cut_off")
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    if cv2.arcLength(largest, True) ** 2 > 16 * 4 * np.pi * max(cv2.contourArea(largest), 1):
        codes.append("garment.background")  # a ragged outline
    return codes


def _sleeve_problem(landmarks: Landmarks, sleeve: str | None) -> str | None:
    """Whether what was measured can be the sleeve the catalogue names; without one, whether it is sure."""
    measured = landmarks.sleeve
    if "cuffs_unclear" in landmarks.doubts:
        return "garment.sleeves_unclear"
    if sleeve in (None, measured):
        unclear = "sleeves_unclear" in landmarks.doubts and sleeve is None
        return "garment.sleeves_unclear" if unclear else None
    ratio = landmarks.sleeve_ratio
    if "sleeveless" not in (sleeve, measured):
        for tried in (ratio - SLEEVE_TOLERANCE, ratio + SLEEVE_TOLERANCE):
            if Landmarks.class_of(tried) == sleeve:
                return None
    return "garment.sleeve_conflict"


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
    if mask is not None:
        found = _given_mask(mask, picture.shape[:2])
    else:
        found = from_alpha(alpha) if alpha is not None else find_mask(picture)
    if found is None or not found.hard.any():
        return PreparedGarment(picture, category, problems=_problems(["garment.not_found"]))
    known = {
        "image": picture,
        "category": category,
        "mask": np.round(found.soft * 255).astype(np.uint8),
        "colours": colour.dominant(picture, cv2.erode(found.hard.astype(np.uint8), np.ones((5, 5))) > 0),
    }
    codes = [] if mask is not None else _picture_problems(found)
    return _with_landmarks(known, found.hard, codes, attributes, scale, landmarks)


def _with_landmarks(
    known: dict, mask: np.ndarray, codes: list[str], attributes: Attributes, scale: float, given: dict | None
) -> PreparedGarment:
    category = known["category"]
    if given is not None:
        marks = given_landmarks(given, category, mask, scale)
    else:
        marks = find_landmarks(mask, category, attributes.product_type, known["image"])
    shape = "garment.bottom_shape" if category == "lower" else "garment.shape"
    if marks is None:
        codes.append(shape)
        return PreparedGarment(**known, problems=_problems(codes))
    if {"proportions", "lopsided", "hood"} & set(marks.doubts):
        codes.append(shape)
    if not length_fits(category, marks.points, attributes.length):
        codes.append("garment.length_conflict")
    known |= {
        "parts": _parts(mask, marks),
        "landmarks": marks.points,
        "length": length_class(category, marks.points),
    }
    if category == "lower":
        return PreparedGarment(**known, problems=_problems(codes))
    problem = _sleeve_problem(marks, attributes.sleeve)
    if problem:
        codes.append(problem)
    if given is not None and len(given.get("neckline", ())):
        neckline = np.asarray(given["neckline"], np.float32) * scale
    else:
        neckline = find_neckline(known["image"], mask, marks.points)
    return PreparedGarment(
        **known,
        neckline=neckline,
        sleeve=marks.sleeve if attributes.sleeve is None or problem else attributes.sleeve,
        problems=_problems(codes),
    )


def _problems(codes: list[str]) -> tuple[Problem, ...]:
    return tuple(PROBLEMS[code] for code in dict.fromkeys(codes))
