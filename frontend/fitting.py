"""What the fitting room beside a garment, and the card of a try-on, show."""

import uuid
from dataclasses import dataclass, field
from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext

from frontend.forms import TryOnForm
from preprocessing.errors import Refusal
from shop.models import Garment, Photo, Shopper
from shop.private import private_url
from tryon import checks
from tryon.models import EngineState, TryOn, TryOnRequest

SAME_SHAPE = 0.01
ROUND_SECONDS = 5
MOST_SECONDS = 90


@dataclass(frozen=True)
class Person:
    """A photo that can be chosen."""

    photo: Photo
    url: str
    chosen: bool


@dataclass(frozen=True)
class Card:
    """A try-on as a shopper sees it: the best picture so far, and whether more is to come."""

    request: TryOnRequest
    shopper: Shopper | None

    @property
    def id(self):
        return self.request.id

    @property
    def delete_url(self) -> str:
        return reverse("frontend:tryon_delete", args=[self.id])

    @cached_property
    def row(self) -> TryOn:
        return self.request.best

    @property
    def result_url(self) -> str:
        return self.row.result_url(self.shopper)

    @property
    def photo_url(self) -> str:
        photo = self.request.photo
        return private_url(photo.image.name, None if photo.is_model else self.shopper) if photo else ""

    @property
    def comparable(self) -> bool:
        """Whether photo and picture lie on each other: both there and of one shape."""
        photo, row = self.request.photo, self.row
        if not photo or not row.width:
            return False
        return abs(row.width / row.height - photo.width / photo.height) < SAME_SHAPE

    @property
    def waiting(self) -> bool:
        """No picture yet, and one may come."""
        return not self.row.is_done

    @property
    def improving(self) -> bool:
        """There is a picture, and a finer one may come."""
        return self.row.is_done and bool(self.row.result) and not self.request.is_done

    @cached_property
    def position(self) -> int | None:
        """In the queue; 1 for the next."""
        return self.row.queue_position

    @cached_property
    def eta(self) -> int | None:
        """Seconds, in steps, so that the card is not read out anew every second."""
        seconds = self.row.eta_seconds
        return None if seconds is None else max(1, round(seconds / ROUND_SECONDS)) * ROUND_SECONDS

    @property
    def eta_minutes(self) -> int | None:
        """Where seconds would be many."""
        return round(self.eta / 60) if self.eta and self.eta > MOST_SECONDS else None

    @property
    def seen(self) -> str:
        """Changes when the card does: a poll that finds what it has already answers without a body."""
        row = self.row
        return f"{row.pk.hex[:8]}-{row.status}-{row.stage}-{self.position}-{self.eta}-{int(self.request.is_done)}"


@dataclass(frozen=True)
class Fitting:
    """The fitting room of one garment."""

    garment: Garment
    shopper: Shopper | None
    people: list[Person] = field(default_factory=list)
    form: TryOnForm | None = None
    card: Card | None = None
    why_not: str = ""
    key: str = ""

    @classmethod
    def of(cls, garment, shopper, *, photo="", form=None, card=None) -> "Fitting":
        reason = why_not(garment)
        people = [] if reason else people_for(shopper, str(photo))
        return cls(garment, shopper, people, form, card, reason, uuid.uuid4().hex)

    @property
    def wearable(self) -> list[str]:
        return sorted(wearable())

    @property
    def own(self) -> list[Person]:
        return [person for person in self.people if not person.photo.is_model]

    @property
    def models(self) -> list[Person]:
        return [person for person in self.people if person.photo.is_model]


def wearable() -> frozenset[str]:
    """The categories that can be tried on at the moment."""
    return frozenset().union(*(info.categories for info in EngineState.objects.offered()))


def why_not(garment: Garment) -> str:
    """Why this garment cannot be tried on, in the reader's language; empty when it can.

    What is wrong with its picture is for the merchant, who reads it in the admin.
    """
    try:
        checks.choose(EngineState.objects.offered(), garment.category, None)
        checks.check_garment(garment)
    except Refusal as refusal:
        return gettext(refusal.sentence)
    return ""


def people_for(shopper: Shopper | None, wanted: str = "") -> list[Person]:
    """The shopper's own photos that were not refused, newest first, then the shop's models; one is chosen."""
    photos = [photo for photo in Photo.objects.usable_by(shopper) if not photo.refused]
    photos.sort(key=lambda photo: photo.is_model)
    chosen = next((photo for photo in photos if str(photo.pk) == wanted), photos[0] if photos else None)
    return [
        Person(photo, private_url(photo.image.name, None if photo.is_model else shopper), photo is chosen)
        for photo in photos
    ]
