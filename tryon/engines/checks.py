"""What is asked of every engine's picture before it is shown."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing import colour
from preprocessing.errors import Refusal, gettext_noop

NOT_WORTH_SHOWING = gettext_noop("The picture did not come out well. Please choose another photo or garment.")
LEAST_CHANGE = 0.004
LEAST_SEEN = 0.55


def changed(photo: np.ndarray, image: np.ndarray) -> float:
    """The share of a photo that looks different in a picture made from it."""
    return float((cv2.absdiff(image, photo).reshape(-1, 3)[::5].max(-1) > 6).mean())


def drift(shown: np.ndarray, cloth: np.ndarray) -> float:
    """CIEDE2000 between the mean colours of some pixels that show a garment and of its own; uint8 RGB (N, 3) each."""
    if not len(shown) or not len(cloth):
        return 0.0
    return float(colour.difference(*(colour.to_lab(pixels).mean(0) for pixels in (shown, cloth))))


def check_changed(share: float) -> None:
    """Raises Refusal "result.no_change"; see `changed`."""
    if share < LEAST_CHANGE:
        raise Refusal(
            "result.no_change",
            gettext_noop("The picture came out just like your photo. Please try another garment or photo."),
            f"changed {share}",
        )


def check_seen(share: float) -> None:
    """Raises Refusal "result.hidden" where less than LEAST_SEEN of a garment is not behind something."""
    if share < LEAST_SEEN:
        raise Refusal(
            "result.hidden",
            gettext_noop(
                "Hair, arms or a bag would hide most of this garment. Please choose a photo with a clear view."
            ),
            f"seen {share}",
        )
