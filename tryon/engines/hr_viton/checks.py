"""Whether a picture that the networks made, and what became of the photo with it, is worth showing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from preprocessing import colour
from preprocessing.errors import Refusal
from preprocessing.labels import DensePose, Label13
from tryon.engines.checks import NOT_WORTH_SHOWING, changed, check_changed, check_seen, drift
from tryon.engines.hr_viton.composite import THIRTEEN, Pasted, View
from tryon.engines.hr_viton.inputs import Sample
from tryon.engines.pixels import grown, halved

if TYPE_CHECKING:
    from tryon.engines.hr_viton.pipeline import Output

# Of the torso; a cropped top with a deep neck covers half of it.
LEAST_DRESSED = 0.25
# CIEDE2000 between photo and picture where the networks were shown the photo: trained ones draw it again.
MOST_STRANGE = 20.0
# Standard deviation in grey levels of the part that was hidden.
LEAST_CONTRAST = 1.0
# Only what lies so far from anything hidden is compared, at a fraction of the size: a shift by a pixel is no fault.
AWAY, COARSE = 25, 8
SPARSE = np.s_[::3, ::3]


def facts(photo: np.ndarray, view: View, sample: Sample, surface: np.ndarray, output: Output, pasted: Pasted) -> dict:
    """What can be told of a picture, for the checks and the job's notes.

    Args:
        surface: uint8 (1024, 768) of `DensePose`.
        output: what the networks made.

    Returns:
        "contrast" of what was hidden; "strange", the CIEDE2000 to the photo where that was shown; "dressed", the share
        of the torso that has the new garment; "seen", the share of the garment not behind hair, hands and bags;
        "changed", the share of the photo; "delta_e", the CIEDE2000 between the garment's colour in its own picture and
        in this one; "hidden", the share of the frame that the networks had to make up; "seed".
    """
    garment = output.labels == Label13.UPPER
    torso = garment[surface == DensePose.TORSO_FRONT]
    shown = garment & pasted.taken
    as_shown, as_sold = output.image[SPARSE][shown[SPARSE]], sample.cloth[SPARSE][sample.cloth_mask[SPARSE]]
    return {
        "contrast": round(float(output.image[SPARSE][view.hidden[SPARSE]].std()), 2),
        "strange": round(_strange(view, output), 2),
        "dressed": round(float(torso.mean()) if torso.size else 0.0, 3),
        "seen": round(float(shown.sum() / max(garment.sum(), 1)), 3),
        "changed": round(changed(photo, pasted.image), 4),
        "delta_e": round(drift(as_shown, as_sold), 2),
        "hidden": round(float(view.hidden.mean()), 3),
        "seed": int(sample.seed),
    }


def check(notes: dict) -> None:
    """Raises Refusal when a picture with these facts would not help the shopper: "result.blank",
    "result.not_this_photo" (networks without training draw noise), "result.no_garment", "result.hidden",
    "result.no_change"."""
    if notes["contrast"] < LEAST_CONTRAST:
        raise Refusal("result.blank", NOT_WORTH_SHOWING, f"standard deviation {notes['contrast']} where it was hidden")
    if notes["strange"] > MOST_STRANGE:
        strange = f"dE2000 {notes['strange']} to what the networks were shown"
        raise Refusal("result.not_this_photo", NOT_WORTH_SHOWING, strange)
    if notes["dressed"] < LEAST_DRESSED:
        raise Refusal("result.no_garment", NOT_WORTH_SHOWING, f"{notes['dressed']:.0%} of the torso has the garment")
    check_seen(notes["seen"])
    check_changed(notes["changed"])


def _strange(view: View, output: Output) -> float:
    same = (THIRTEEN[view.parse] == output.labels) & ~grown(view.hidden, 2 * AWAY + 1)
    compared = halved(same.view(np.uint8), COARSE) > 0
    if not compared.any():
        return 0.0
    first, second = (colour.to_lab(halved(picture, COARSE)[compared]) for picture in (view.image, output.image))
    return float(np.mean(colour.difference(first, second)))
