"""Why a garment cannot be previewed: a code, and a sentence for the merchant."""

from __future__ import annotations

from dataclasses import dataclass

from preprocessing.errors import gettext_noop


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
            "garment.shape",
            gettext_noop(
                "We cannot make out shoulders, armpits and hem. Use a front view, laid flat, without a raised hood."
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
