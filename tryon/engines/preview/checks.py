"""Whether a finished picture is worth showing."""

from __future__ import annotations

import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from tryon.engines.checks import changed, check_changed, check_seen, drift
from tryon.engines.preview.compose import Composite, Drawn

LARGEST_DRIFT = 10.0
# Of the chest; a deep neck leaves a tenth of it bare.
LEAST_COVERED = 0.75


def facts(photo: np.ndarray, composite: Composite) -> dict:
    """What can be told of a picture, for the checks and the job's notes: the share of the photo that changed, the
    share of each garment that is seen, the CIEDE2000 between its colour as photographed and as it came out, the
    share of the chest that is covered, and how many cells are folded; of several garments the worst."""
    return {
        "changed": round(changed(photo, composite.image), 4),
        "seen": round(min(_seen(drawn) for drawn in composite.drawn), 3),
        "delta_e": round(max(_drift(drawn, composite.image) for drawn in composite.drawn), 2),
        "chest": round(min(drawn.chest for drawn in composite.drawn), 3),
        "folds": sum(drawn.folds for drawn in composite.drawn),
    }


def check(notes: dict) -> None:
    """Raise Refusal "result.…" when a picture with these facts would not help the shopper."""
    check_changed(notes["changed"])
    check_seen(notes["seen"])
    if notes["chest"] < LEAST_COVERED:
        raise Refusal(
            "result.torn",
            gettext_noop("This garment could not be told from what lies around it. Please try another one."),
            f"chest covered {notes['chest']}",
        )
    if notes["folds"]:
        raise Refusal(
            "result.folded",
            gettext_noop("This garment came out creased. Please try a photo with your arms at your sides."),
            f"{notes['folds']} cells",
        )
    if notes["delta_e"] > LARGEST_DRIFT:
        raise Refusal(
            "result.colour_drift",
            gettext_noop("The colours did not come out like the garment's. Please try a photo with even light."),
            f"dE2000 {notes['delta_e']}",
        )


def _seen(drawn: Drawn) -> float:
    """What of a garment is seen; the holes that were mended are not to make it more than all."""
    return min(float(drawn.cover.sum() / max(float(drawn.whole.sum()), 1.0)), 1.0)


def _drift(drawn: Drawn, image: np.ndarray) -> float:
    """CIEDE2000 between the mean colour of the cloth that is seen as photographed and as it came out."""
    every_third = np.s_[::3, ::3]
    shown = drawn.cover[every_third] > 0.9
    return drift(image[every_third][shown], drawn.cloth[every_third][shown])
