"""A garment's picture made ready: mask, landmarks, colours, and why it cannot be previewed. No network needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing import arrays, colour
from preprocessing.errors import gettext_noop
from preprocessing.garment.landmarks import CUFFS, REQUIRED, SIDES, Landmarks, find_landmarks
from preprocessing.garment.mask import FoundMask, find_mask, from_alpha
from preprocessing.garment.neckline import find_neckline
from preprocessing.garment.sleeve import sleeve_part

# Raised when the same picture gives another result, so that analyses are made anew.
VERSION = "1"
LONG_SIDE = 1024
SLEEVES = ("sleeveless", "short", "three_quarter", "long")

# Labels of PreparedGarment.parts.
BODY, LEFT_SLEEVE, RIGHT_SLEEVE = 1, 2, 3
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
class Problem:
    """Why a garment cannot be previewed; the sentence is for the merchant."""

    code: str
    sentence: str


PROBLEMS = {
    problem.code: problem
    for problem in (
        Problem(
            "garment.not_found",
            gettext_noop(
                "We cannot find the garment in this picture. Use one that shows it alone on a plain background."
            ),
        ),
        Problem(
            "garment.category_not_supported",
            gettext_noop("This kind of garment cannot be tried on yet."),
        ),
        Problem("garment.cut_off", gettext_noop("The garment is cut off. Use a picture that shows all of it.")),
        Problem("garment.too_small", gettext_noop("The garment is too small in this picture. Cut the picture to it.")),
        Problem(
            "garment.background",
            gettext_noop("We cannot tell the garment from its background. Use a picture on a plain background."),
        ),
        Problem(
            "garment.shape",
            gettext_noop(
                "We cannot make out shoulders, armpits and hem. Use a front view, laid flat, without a raised hood."
            ),
        ),
        Problem(
            "garment.sleeves_unclear",
            gettext_noop("We cannot make out the sleeves. Use a picture with the sleeves spread beside the body."),
        ),
        Problem(
            "garment.sleeve_conflict",
            gettext_noop(
                "The sleeves in this picture do not fit the sleeve length given. Check it, or spread the sleeves."
            ),
        ),
    )
}


@dataclass(frozen=True)
class PreparedGarment:
    """Everything known of one garment picture.

    Attributes:
        image: uint8 RGB (H, W, 3) at the working size: the picture's shape, long side at most 1024.
        category: "upper", "lower" or "dress".
        mask: uint8 (H, W), 0..255, soft; None when no garment was found.
        parts: uint8 (H, W): BODY, LEFT_SLEEVE, RIGHT_SLEEVE or 0; None without landmarks.
        landmarks: name to (x, y), see `garment_landmarks`; empty when there are none.
        neckline: float32 (N, 2), front edge of the neck opening where the inside of the back shows above it, or None.
        sleeve: one of SLEEVES, None when not known.
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
    problems: tuple[Problem, ...] = ()
    colours: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def to_bytes(self) -> bytes:
        facts = {
            "category": self.category,
            "landmarks": self.landmarks,
            "sleeve": self.sleeve,
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


def _parts(mask: np.ndarray, landmarks: Landmarks) -> np.ndarray:
    parts = np.where(mask, BODY, 0).astype(np.uint8)
    if landmarks.sleeve_ratio > 0:
        for (side, _), label in zip(SIDES, (LEFT_SLEEVE, RIGHT_SLEEVE), strict=True):
            part = sleeve_part(mask, landmarks.points, side)
            if part is not None:
                parts[part] = label
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
        return PreparedGarment(picture, category, problems=(PROBLEMS["garment.not_found"],))
    known = {
        "image": picture,
        "category": category,
        "mask": np.round(found.soft * 255).astype(np.uint8),
        "colours": colour.dominant(picture, cv2.erode(found.hard.astype(np.uint8), np.ones((5, 5))) > 0),
    }
    if category != "upper":
        return PreparedGarment(**known, problems=(PROBLEMS["garment.category_not_supported"],))
    codes = [] if mask is not None else _picture_problems(found)
    return _prepare_upper(known, found, codes, attributes.sleeve, scale, landmarks)


def _prepare_upper(
    known: dict, found: FoundMask, codes: list[str], sleeve: str | None, scale: float, given: dict | None
) -> PreparedGarment:
    neckline = None
    if given is not None:
        points = {name: tuple(float(v) * scale for v in given[name]) for name in REQUIRED + CUFFS if name in given}
        marks = Landmarks(points) if all(name in points for name in REQUIRED) else None
        if len(given.get("neckline", ())):
            neckline = np.asarray(given["neckline"], np.float32) * scale
    else:
        marks = find_landmarks(found.hard)
    if marks is None:
        codes.append("garment.shape")
        return PreparedGarment(**known, problems=tuple(PROBLEMS[code] for code in dict.fromkeys(codes)))
    if {"proportions", "lopsided", "hood"} & set(marks.doubts):
        codes.append("garment.shape")
    problem = _sleeve_problem(marks, sleeve)
    if problem:
        codes.append(problem)
    if neckline is None:
        neckline = find_neckline(known["image"], found.hard, marks.points)
    return PreparedGarment(
        **known,
        parts=_parts(found.hard, marks),
        landmarks=marks.points,
        neckline=neckline,
        sleeve=marks.sleeve if sleeve is None or problem else sleeve,
        problems=tuple(PROBLEMS[code] for code in dict.fromkeys(codes)),
    )
