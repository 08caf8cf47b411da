"""What every recommendation is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import prefetch_related_objects

from recommend.models import Serving
from shop.models import Garment


@dataclass(frozen=True)
class Found:
    """A garment to show.

    Attributes:
        score: 0..1, 1 for what could not fit better; None where nothing could be compared.
        why: short sentences in the reader's language, the weightiest first; only what the rows really say.
        encoder: the label of what compared the looks; "" where nothing did.
    """

    garment: Garment
    score: float | None
    why: list[str] = field(default_factory=list)
    encoder: str = ""


def encoder_name() -> str:
    """The label of the encoder that serves, as "EfficientNet-Lite2 with colour"; empty before the first is made."""
    serving = Serving.objects.current()
    return serving.label if serving else ""


def genders_beside(gender: str) -> list[str]:
    """Whose garments may be shown beside one for `gender`; never crossed, and unisex goes with both."""
    if gender == Garment.Gender.UNISEX:
        return list(Garment.Gender.values)
    return [gender, Garment.Gender.UNISEX]


def with_pictures(found: Iterable[Found]) -> list[Found]:
    """The same, their garments' pictures read in one query."""
    found = list(found)
    prefetch_related_objects([entry.garment for entry in found], "pictures")
    return found
