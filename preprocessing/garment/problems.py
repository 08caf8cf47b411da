"""Why a garment cannot be previewed: a code, and a sentence for the merchant."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.errors import gettext_noop
from preprocessing.garment.landmarks import Landmarks
from preprocessing.garment.length import length_fits
from preprocessing.garment.mask import FoundMask
from preprocessing.garment.worn import is_worn

# How far a measured sleeve ratio may lie beyond a limit and still pass for the catalogue's next class.
SLEEVE_TOLERANCE = 0.15
# A second piece of this share of the first is another garment, or one in two pieces.
PIECE = 0.12
# Below these shares a background is too busy, or garment and background too alike. Masks that are off by more than a
# twentieth are mostly below, hardly one in a hundred of the good ones is.
PLAIN, CLEAR = 0.5, 0.98


@dataclass(frozen=True)
class Problem:
    """Why a garment cannot be previewed; the sentence is for the merchant."""

    code: str
    sentence: str


PROBLEMS = {
    code: Problem(code, sentence)
    for code, sentence in (
        (
            "garment.not_found",
            gettext_noop(
                "We cannot find the garment in this picture. Use one that shows it alone on a plain background."
            ),
        ),
        ("garment.cut_off", gettext_noop("The garment is cut off. Use a picture that shows all of it.")),
        ("garment.too_small", gettext_noop("The garment is too small in this picture. Cut the picture to it.")),
        (
            "garment.background",
            gettext_noop("We cannot tell the garment from its background. Use a picture on a plain background."),
        ),
        (
            "garment.worn",
            gettext_noop("Someone wears the garment in this picture. Use one that shows it alone, laid flat or hung."),
        ),
        (
            "garment.several",
            gettext_noop("There is more than one piece in this picture. Use one that shows this garment alone."),
        ),
        (
            "garment.shape",
            gettext_noop("We cannot make out shoulders, armpits and hem. Use a front view, laid flat and upright."),
        ),
        ("garment.hood", gettext_noop("The hood is up. Use a picture with the hood laid back behind the neck.")),
        (
            "garment.no_armholes",
            gettext_noop(
                "We cannot make out armholes or sleeves. Spread the sleeves; strapless tops cannot be tried on yet."
            ),
        ),
        (
            "garment.sleeves_unclear",
            gettext_noop("We cannot make out the sleeves. Use a picture with the sleeves spread beside the body."),
        ),
        (
            "garment.sleeve_conflict",
            gettext_noop(
                "The sleeves in this picture do not fit the sleeve length given. Check it, or spread the sleeves."
            ),
        ),
        (
            "garment.length_conflict",
            gettext_noop("The garment in this picture does not fit the length given. Check it, or use a front view."),
        ),
        (
            "garment.bottom_shape",
            gettext_noop("We cannot make out waist and hem. Use a front view, laid flat and upright."),
        ),
    )
}


def problems_of(codes: list[str]) -> tuple[Problem, ...]:
    """Problems by their codes, each once."""
    return tuple(PROBLEMS[code] for code in dict.fromkeys(codes))


def picture_problems(image: np.ndarray, found: FoundMask, category: str) -> list[str]:
    """Codes of what is wrong with a mask found in a picture, whatever its shape."""
    codes = []
    mask = found.hard
    if found.plain < PLAIN or found.clear < CLEAR:
        codes.append("garment.background")
    if mask.mean() < 0.03:
        codes.append("garment.too_small")
    if max(side.mean() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) > 0.25:
        codes.append("garment.cut_off")
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = sorted((cv2.contourArea(contour) for contour in contours), reverse=True)
    largest = max(contours, key=cv2.contourArea)
    if cv2.arcLength(largest, True) ** 2 > 16 * 4 * np.pi * max(areas[0], 1):
        codes.append("garment.background")  # a ragged outline
    if len(areas) > 1 and areas[1] > PIECE * areas[0]:
        codes.append("garment.several")
    if is_worn(image, mask, category):
        codes.append("garment.worn")
    return codes


def shape_problems(category: str, marks: Landmarks | None, sleeve: str | None, length: str | None) -> list[str]:
    """Codes of why a garment of this shape cannot be previewed; sleeve and length are the catalogue's, or None."""
    shape = "garment.bottom_shape" if category == "lower" else "garment.shape"
    if marks is None:
        return [shape]
    codes = [shape] if {"proportions", "lopsided", "loose_ends"} & set(marks.doubts) else []
    if "hood" in marks.doubts:
        codes.append("garment.hood")
    if category != "lower":
        codes += _sleeve_problems(marks, sleeve)
    if not length_fits(category, marks.points, length):
        codes.append("garment.length_conflict")
    return codes


def _sleeve_problems(marks: Landmarks, sleeve: str | None) -> list[str]:
    """Whether what was measured can be the sleeve the catalogue names; without one, whether it is sure."""
    measured = marks.sleeve
    if "cuffs_unclear" in marks.doubts:
        return ["garment.sleeves_unclear"]
    if "strapless" in marks.doubts and sleeve in (None, "sleeveless"):
        return ["garment.no_armholes"]
    if "no_armholes" in marks.doubts and sleeve is None:  # sleeves may lie folded on it
        return ["garment.no_armholes"]
    if sleeve in (None, measured):
        return []
    if "sleeveless" not in (sleeve, measured):
        for tried in (marks.sleeve_ratio - SLEEVE_TOLERANCE, marks.sleeve_ratio + SLEEVE_TOLERANCE):
            if Landmarks.class_of(tried) == sleeve:
                return []
    return ["garment.sleeve_conflict"]
