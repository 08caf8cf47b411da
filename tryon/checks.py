"""What can be said at once about a photo and a garment, before any work is queued."""

import hashlib
import json

from django.utils import timezone

from preprocessing.errors import Refusal, gettext_noop
from tryon import registry
from tryon.engines.base import EngineInfo

NO_ENGINE = gettext_noop("This way of trying on is not available. Please choose another.")
NOT_PREVIEWABLE = gettext_noop(
    "The picture of this garment does not allow trying it on yet. Please choose another one."
)


def check_photo(photo) -> None:
    """Raises Refusal for a photo that is gone, or that the check at upload has refused."""
    if photo is None or (photo.expires_at and photo.expires_at <= timezone.now()):
        raise Refusal("photo.expired", gettext_noop("This photo has expired. Please upload it again."))
    for finding in photo.findings:
        if finding["severity"] == "refuse":
            raise Refusal("photo.refused", finding["sentence"], finding["code"])


def check_garments(garments: list) -> None:
    """Raises Refusal for what cannot be worn: one that is gone or has no usable picture, or two that are no outfit."""
    for garment in garments:
        check_garment(garment)
    if len(garments) > 1 and sorted(garment.category for garment in garments) != ["lower", "upper"]:
        raise Refusal(
            "tryon.not_an_outfit",
            gettext_noop("Two garments can be tried on together when one is a top and one a bottom."),
        )


def check_garment(garment) -> None:
    """Raises Refusal for a garment that is gone or has no picture an engine can use."""
    if garment is None:
        raise Refusal("garment.gone", gettext_noop("The shop no longer has this garment. Please choose another one."))
    picture = garment.flat
    if picture is None:
        raise Refusal(
            "garment.no_flat_picture",
            gettext_noop("There is no picture of this garment alone, so it cannot be tried on yet."),
        )
    analysis = picture.analysis
    if analysis and analysis.state == analysis.State.DONE and analysis.problems:
        raise Refusal(
            "garment.not_previewable",
            NOT_PREVIEWABLE,
            ", ".join(problem["code"] for problem in analysis.problems),
        )


def allowed(name: str) -> EngineInfo:
    """The engine of a job. Raises Refusal for one that the shop does not know, or whose licence it may not use."""
    info = registry.engines().get(name)
    if info is None or not registry.allowed(info):
        raise Refusal("tryon.engine_unavailable", NO_ENGINE)
    return info


def choose(offered: list, garments: list, names: list[str] | None) -> list:
    """The engines to use: those named, or all that can put these garments on. Raises Refusal when there is none."""
    if names and not set(names) <= {info.name for info in offered}:
        raise Refusal("tryon.engine_unavailable", NO_ENGINE)
    if not offered:
        raise Refusal(
            "tryon.unavailable", gettext_noop("Trying on is not available at the moment. Please try again later.")
        )
    wanted = [info for info in offered if not names or info.name in names]
    categories = {garment.category for garment in garments}
    fitting = [info for info in wanted if categories <= info.categories]
    if not fitting:
        raise Refusal(
            "garment.category_unsupported",
            gettext_noop("This kind of garment cannot be tried on yet. Please choose another one."),
            f"{sorted(categories)} by {[info.name for info in wanted]}",
        )
    if len(garments) > 1 and not any(info.outfits for info in fitting):
        raise Refusal(
            "tryon.no_outfits",
            gettext_noop("Two garments cannot be tried on together yet. Please choose one of them."),
        )
    return [info for info in fitting if info.outfits or len(garments) == 1]


def digest(*parts) -> str:
    """A short fixed name for some values."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
