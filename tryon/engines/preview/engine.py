"""The preview engine: garments' pictures bent onto the shopper's photo, on one CPU core in under a second.

Shows which garment and roughly how it looks; not how it fits or falls. All pixels outside the garments, old and new,
are the photo's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import BOTTOMS, TOPS, Joint, Parse
from preprocessing.person.body import BodyFrame
from preprocessing.person.prepare import PreparedPerson
from tryon.engines.base import Generated, Inputs
from tryon.engines.pixels import box_of, labelled
from tryon.engines.preview import dress, lower, top
from tryon.engines.preview.checks import check, facts
from tryon.engines.preview.compose import compose
from tryon.engines.preview.figure import measure
from tryon.engines.preview.laid import Laid
from tryon.engines.preview.wardrobe import sort_out

# How a garment of each category is laid on a figure: function (garment, figure, wardrobe) -> Laid.
LAY = {"upper": top.lay, "lower": lower.lay, "dress": dress.lay}
# Pixels of the photo looked at on each side at least.
LEAST_WINDOW = 64


def load() -> PreviewEngine:
    return PreviewEngine()


def _window(person: PreparedPerson, categories: set[str]) -> tuple[slice, slice]:
    """Rows and columns that hold all that may change, with some air."""
    frame = BodyFrame.of(person.keypoints)
    height, width = person.parse.shape
    joints, labels = [], []
    if categories & {"upper", "dress"}:
        joints += range(Joint.NOSE, Joint.R_WRIST + 1)
        labels += [*TOPS, Parse.DRESS]
    if categories & {"lower", "dress"}:
        joints += range(Joint.L_WRIST, Joint.R_TOES + 1)
        labels += [*BOTTOMS, Parse.DRESS]
    reach = (1.0 if categories & {"lower", "dress"} else 0.0) * frame.shoulder_width  # of a skirt that spreads
    hem = frame.point(np.array([-reach, reach]), np.full(2, 1.6 * frame.torso_length))
    rows, columns = box_of(labelled(person.parse, *labels))
    worn = np.array([[columns.start, rows.start], [columns.stop, rows.stop]])
    spread = np.concatenate([person.keypoints[joints, :2], hem, worn if rows.stop else hem])
    margin = 0.3 * frame.shoulder_width
    end = np.array([width, height])  # what lies beyond the photo still leaves a window to look through
    left, top_ = np.clip(spread.min(0) - margin, 0, end - LEAST_WINDOW).astype(int)
    right, bottom = np.clip(spread.max(0) + margin, LEAST_WINDOW, end).astype(int)
    return slice(top_, bottom), slice(left, right)


def _cropped(person: PreparedPerson, window: tuple[slice, slice]) -> PreparedPerson:
    keypoints = person.keypoints.copy()
    keypoints[:, :2] -= [window[1].start, window[0].start]
    return replace(
        person,
        image=person.image[window],
        mask=person.mask[window],
        parse=person.parse[window],
        carried=person.carried[window],
        keypoints=keypoints,
    )


def _in_drawing_order(laid: Sequence[Laid]) -> list[Laid]:
    """What is worn inside comes first: a tucked-in top, then the bottom, then a top that hangs over it."""
    return sorted(laid, key=lambda one: 0 if one.tucked else 1 if one.garment.category == "lower" else 2)


class PreviewEngine:
    """Puts garments on people; see `tryon.engines.base.Engine`. The same input gives the same bytes."""

    def generate(self, inputs: Inputs) -> Generated:
        """Raises Refusal: "garment.not_previewable", or "result.…" when the picture would not be worth showing."""
        result = self.draw(inputs.person, inputs.garments)
        check(result.notes)
        return result

    def draw(self, person: PreparedPerson, garments: Sequence[PreparedGarment]) -> Generated:
        """The picture before anyone asks whether it is worth showing. Raises "garment.not_previewable"."""
        for garment in garments:
            if garment.problems or garment.mask is None or not garment.landmarks or garment.category not in LAY:
                raise Refusal(
                    "garment.not_previewable",
                    gettext_noop("This garment cannot be shown on a photo yet. Please try another one."),
                    ", ".join(problem.code for problem in garment.problems),
                )
        categories = {garment.category for garment in garments}
        window = _window(person, categories)
        figure = measure(_cropped(person, window))
        wardrobe = sort_out(figure, categories)
        laid = [LAY[garment.category](garment, figure, wardrobe) for garment in garments]
        composite = compose(figure, wardrobe, _in_drawing_order(laid))
        notes = facts(figure.person.image, composite)
        image, touched = person.image.copy(), np.zeros(person.parse.shape, bool)
        image[window], touched[window] = composite.image, composite.touched
        return Generated(image, touched, notes)
