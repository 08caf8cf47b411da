"""HR-VITON (Lee et al., arXiv:2206.14180): a top on the shopper's photo, drawn by its two networks.

The published weights know tops, worn by people seen from the front, and may not be used commercially.
"""

from __future__ import annotations

import time

import torch

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.networks.person import frame
from tryon.engines import checkpoints
from tryon.engines.base import Generated, Inputs
from tryon.engines.hr_viton.checks import check, facts
from tryon.engines.hr_viton.composite import View, paste
from tryon.engines.hr_viton.inputs import check_frame, sample
from tryon.engines.hr_viton.pipeline import Pipeline

CATEGORY = "upper"


def load() -> HRViton:
    """The engine with the published weights, on the GPU where there is one, warm.

    Raises:
        WeightsMissing, CheckpointWrong: see `tryon.engines.checkpoints.load`.
    """
    condition, image = checkpoints.load("hr_viton")
    if torch.cuda.is_available():
        pipeline = Pipeline(condition, image, "cuda", torch.bfloat16)
    else:
        pipeline = Pipeline(condition, image)
    pipeline.warm_up()
    return HRViton(pipeline)


class HRViton:
    """Puts tops on people; see `tryon.engines.base.Engine`. The same input and seed give the same bytes."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline

    def generate(self, inputs: Inputs) -> Generated:
        """The photo with the garment on the person; outside `touched` it is the photo's to the byte.

        Raises:
            Refusal: "garment.category_unsupported", "tryon.no_outfits", "garment.not_previewable"; "inputs.…" and
                "keypoints.…" before any network; "result.…" when the picture would not be worth showing.
        """
        (garment,) = _wearable(inputs)
        start = time.perf_counter()
        person = inputs.person
        seen = inputs.frame or frame(person)
        check_frame(seen, person.image)
        image = seen.crop.to_frame(person.image)
        made_of = sample(image, seen, garment, inputs.seed)
        hidden = (made_of.agnostic != image).any(-1)
        view = View(image, seen.maps.parse, hidden, seen.crop.labels_to_frame(person.carried) > 0)
        prepared = time.perf_counter()

        (output,) = self.pipeline.generate([made_of])
        generated = time.perf_counter()

        pasted = paste(person.image, seen.crop, view, output.image, output.labels)
        notes = facts(person.image, view, made_of, seen.maps.densepose, output, pasted)
        check(notes)
        timings = {
            "inputs": round(prepared - start, 3),
            **self.pipeline.seconds,
            "paste": round(time.perf_counter() - generated, 3),
        }
        return Generated(pasted.image, pasted.touched, notes, timings)


def _wearable(inputs: Inputs) -> tuple:
    """The one garment there is. Raises Refusal for what these networks do not know."""
    garments = tuple(inputs.garments)
    if any(garment.category != CATEGORY for garment in garments):
        raise Refusal(
            "garment.category_unsupported",
            gettext_noop("This kind of garment cannot be tried on yet. Please choose another one."),
            ", ".join(garment.category for garment in garments),
        )
    if len(garments) != 1:
        raise Refusal(
            "tryon.no_outfits",
            gettext_noop("Two garments cannot be tried on together yet. Please choose one of them."),
            f"{len(garments)} garments",
        )
    if garments[0].problems or garments[0].mask is None:
        raise Refusal(
            "garment.not_previewable",
            gettext_noop("This garment cannot be shown on a photo yet. Please try another one."),
            ", ".join(problem.code for problem in garments[0].problems),
        )
    return garments
