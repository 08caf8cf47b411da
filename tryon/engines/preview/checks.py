"""Whether a finished picture is worth showing."""

from __future__ import annotations

import numpy as np

from preprocessing import colour
from preprocessing.errors import Refusal, gettext_noop
from tryon.engines.preview.compose import Composite

LEAST_CHANGE = 0.004
LEAST_SEEN = 0.55
LARGEST_DRIFT = 10.0


def check(photo: np.ndarray, composite: Composite) -> dict:
    """Facts about a picture for the job's notes.

    Raises:
        Refusal: "result.…" when the picture would not help the shopper.
    """
    changed = float((np.abs(composite.image.astype(np.int16) - photo).max(-1) > 6).mean())
    if changed < LEAST_CHANGE:
        raise Refusal(
            "result.no_change",
            gettext_noop("The picture came out just like your photo. Please try another garment or photo."),
            f"changed {changed:.4f}",
        )
    seen = float(composite.cover.sum() / max(float(composite.drawn.sum()), 1.0))
    if seen < LEAST_SEEN:
        raise Refusal(
            "result.hidden",
            gettext_noop(
                "Hair, arms or a bag would hide most of this garment. Please choose a photo with a clear view."
            ),
            f"seen {seen:.2f}",
        )
    drift = _drift(composite)
    if drift > LARGEST_DRIFT:
        raise Refusal(
            "result.colour_drift",
            gettext_noop("The colours did not come out like the garment's. Please try a photo with even light."),
            f"dE2000 {drift:.1f}",
        )
    return {"changed": round(changed, 4), "seen": round(seen, 3), "delta_e": round(drift, 2), "folds": composite.folds}


def _drift(composite: Composite) -> float:
    """CIEDE2000 between the mean colour of the cloth that is seen as photographed and as it came out."""
    shown = composite.cover > 0.9
    if not shown.any():
        return 0.0
    result = colour.to_lab(composite.image[shown][::7]).mean(0)
    original = colour.to_lab(np.clip(composite.cloth[shown][::7], 0, 255)).mean(0)
    return float(colour.difference(result, original))
