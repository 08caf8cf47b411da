"""The preview engine: a garment's picture bent onto the shopper's photo, on one CPU core in under a second.

Shows which garment and roughly how it looks; not how it fits or falls. All pixels outside the garments, old and new,
are the photo's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import Joint, Parse
from preprocessing.person.body import SIDES, BodyFrame, arm_capsules
from preprocessing.person.prepare import PreparedPerson
from tryon.engines.base import Generated
from tryon.engines.preview.checks import check
from tryon.engines.preview.compose import compose
from tryon.engines.preview.figure import measure
from tryon.engines.preview.patches import cut


def load() -> PreviewEngine:
    return PreviewEngine()


def _window(person: PreparedPerson) -> tuple[slice, slice]:
    """Rows and columns that hold all that may change: the upper body with some air."""
    frame = BodyFrame.of(person.keypoints)
    height, width = person.parse.shape
    worn = np.argwhere(person.parse == Parse.UPPER)
    points = person.keypoints[Joint.NOSE : Joint.R_WRIST + 1, 1::-1]
    hem = frame.point(0, 1.6 * frame.torso_length)[None, ::-1]
    spread = np.concatenate([points, hem, worn if len(worn) else points])
    margin = 0.5 * frame.shoulder_width
    top, left = np.maximum(spread.min(0) - margin, 0).astype(int)
    bottom, right = np.minimum(spread.max(0) + margin, [height, width]).astype(int)
    return slice(top, bottom), slice(left, right)


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


class PreviewEngine:
    """Puts tops on people; see `tryon.engines.base.Engine`. The same input gives the same bytes."""

    def generate(self, person: PreparedPerson, garments: Sequence[PreparedGarment]) -> Generated:
        """Raises Refusal: "garment.not_previewable", or "result.…" when the picture would not be worth showing."""
        (garment,) = garments
        if garment.problems or garment.mask is None or not garment.landmarks:
            raise Refusal(
                "garment.not_previewable",
                gettext_noop("This garment cannot be shown on a photo yet. Please try another one."),
                ", ".join(problem.code for problem in garment.problems),
            )
        window = _window(person)
        part = _cropped(person, window)
        limbs = arm_capsules(part.keypoints, part.parse.shape)
        figure = measure(
            part, np.minimum.reduce([m[s][0] for m in (limbs.upper_arm, limbs.forearm) for s in SIDES]) < 0.6
        )
        composite = compose(garment, figure, limbs, cut(garment, figure))
        notes = check(part.image, composite)
        image, touched = person.image.copy(), np.zeros(person.parse.shape, bool)
        image[window], touched[window] = composite.image, composite.touched
        return Generated(image, touched, notes)
