"""What the fitting room beside a garment, and the card of a try-on, show."""

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Max, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext

from frontend.forms import TryOnForm
from preprocessing.errors import Refusal
from recommend.ranking import Found, genders_beside, goes_with
from shop.models import Event, Garment, Photo, Shopper
from shop.private import private_url
from tryon import checks, registry
from tryon.models import EngineState, Rating, TryOn, TryOnRequest

SAME_SHAPE = 0.01
ROUND_SECONDS = 5
MOST_SECONDS = 90
OTHER_HALF = {Garment.Category.UPPER: Garment.Category.LOWER, Garment.Category.LOWER: Garment.Category.UPPER}
COMPANIONS = 6
LOOKED_THROUGH = 24  # of the latest, some of which may turn out not to be wearable
# What is found of a photo and matters below the waist alone: the remark beside the button.
REMARKS = {"photo.legs_outside": "legs-unseen", "photo.hips_outside": "legs-unseen", "photo.legs_bent": "legs-bent"}


@dataclass(frozen=True)
class Person:
    """A photo that can be chosen."""

    photo: Photo
    url: str
    chosen: bool

    @property
    def remarks(self) -> str:
        """The ids of the remarks on this photo, for bottoms and dresses."""
        return " ".join(sorted({REMARKS[f["code"]] for f in self.photo.findings if f["code"] in REMARKS}))


@dataclass(frozen=True)
class Wait:
    """How long one row will take, in words that change rarely."""

    row: TryOn

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
        """Changes when what is said of the row does."""
        row = self.row
        return f"{row.pk.hex[:8]}-{row.status}-{row.stage}-{self.position}-{self.eta}"


@dataclass(frozen=True)
class Card:
    """A try-on as a shopper sees it: the best picture so far, and whether more is to come."""

    request: TryOnRequest
    shopper: Shopper | None

    @property
    def id(self):
        return self.request.id

    @property
    def title(self) -> str:
        """What is worn, by name; empty where the shop has nothing of it any more."""
        return " + ".join(garment.name for garment in self.request.garments if garment)

    @property
    def delete_url(self) -> str:
        return reverse("frontend:tryon_delete", args=[self.id])

    @cached_property
    def row(self) -> TryOn:
        return self.request.best

    @property
    def fitting_url(self) -> str:
        """The fitting room of the garment, with the same photo and second garment chosen."""
        chosen = {}
        if self.request.photo:
            chosen["photo"] = self.request.photo.pk
        if self.request.worn_with:
            chosen["with"] = self.request.worn_with.sku
        query = f"?{urlencode(chosen)}" if chosen else ""
        return f"{self.request.garment.get_absolute_url()}{query}#fitting"

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

    @cached_property
    def wait(self) -> Wait:
        return Wait(self.row)

    @cached_property
    def finer(self) -> Wait | None:
        """There is a picture; a finer one may come, or did not and can be asked for again."""
        return Wait(self.request.finer) if self.request.finer else None

    @property
    def improving(self) -> bool:
        return self.finer is not None and not self.finer.row.is_done

    @property
    def refined(self) -> bool:
        """Whether the picture comes from a finer engine than another one of this click."""
        shown = registry.rank(self.row.engine)
        return any(registry.rank(row.engine) < shown for row in self.request.rows)

    @property
    def rating(self) -> Rating | None:
        """What the shopper thinks of the picture that is shown."""
        return getattr(self.row, "rating", None)

    @property
    def reasons(self) -> list[tuple[str, str, bool]]:
        """What may be wrong with it, and whether the shopper says so."""
        given = self.rating.reasons if self.rating else []
        choices = dict(Rating.Reason.choices)
        if self.request.photo and self.request.photo.is_model:
            choices.pop(Rating.Reason.NOT_ME)
        return [(value, label, value in given) for value, label in choices.items()]

    @cached_property
    def can_be_outfit(self) -> bool:
        """Whether a second garment can join this one on the same photo."""
        garment, photo = self.request.garment, self.request.photo
        return bool(garment and photo and not self.row.outfit and garment.published and combines(garment))

    @cached_property
    def companions(self) -> list[Garment]:
        return companions(self.request.garment, self.shopper)

    @property
    def seen(self) -> str:
        """Changes when the card does: a poll that finds what it has already answers without a body."""
        return f"{self.wait.seen}-{self.finer.seen if self.finer else 'last'}"

    def still_shows(self, picture: str) -> bool:
        """Whether the picture of this row, by its id, is the one to show."""
        return bool(self.row.result) and str(self.row.pk) == picture


@dataclass(frozen=True)
class Fitting:
    """The fitting room of one garment."""

    garment: Garment
    shopper: Shopper | None
    people: list[Person] = field(default_factory=list)
    companions: list[Garment] = field(default_factory=list)
    worn_with: str = ""
    form: TryOnForm | None = None
    card: Card | None = None
    why_not: str = ""
    key: str = ""

    @classmethod
    def of(cls, garment, shopper, *, photo="", worn_with="", form=None, card=None, goes_with=None) -> "Fitting":
        """`photo` and `worn_with` (a SKU) are what was chosen before; `goes_with` is that list, where it is there."""
        if reason := why_not(garment):
            return cls(garment, shopper, why_not=reason)
        return cls(
            garment,
            shopper,
            people_for(shopper, str(photo)),
            companions(garment, shopper, goes_with),
            worn_with,
            form,
            card,
            key=uuid.uuid4().hex,
        )

    @property
    def wearable(self) -> list[str]:
        return sorted(wearable())

    @property
    def needs_legs(self) -> bool:
        return self.garment.category != Garment.Category.UPPER

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
        checks.choose(EngineState.objects.offered(), [garment], None)
        checks.check_garment(garment)
    except Refusal as refusal:
        return gettext(refusal.sentence)
    return ""


def combines(garment: Garment) -> bool:
    """Whether a top and a bottom, one of them this garment, can be tried on together at the moment."""
    return garment.category in OTHER_HALF and any(
        info.outfits and set(OTHER_HALF) <= info.categories for info in EngineState.objects.offered()
    )


def companions(garment: Garment, shopper: Shopper | None, beside: list[Found] | None = None) -> list[Garment]:
    """Bottoms for a top, tops for a bottom: what this shopper tried on or looked at, the latest first; then what
    goes with the garment (`beside`, where that list is there already).
    """
    if not combines(garment):
        return []
    found = seen_lately(garment, shopper) if shopper else []
    if len(found) < COMPANIONS:
        known = {other.pk for other in found}
        beside = goes_with(garment, LOOKED_THROUGH) if beside is None else beside
        fitting = [item.garment for item in beside if item.garment.category == OTHER_HALF[garment.category]]
        prefetch_related_objects(fitting, "pictures__analyses")
        found += [other for other in fitting if other.pk not in known and other.previewable]
    return found[:COMPANIONS]


def seen_lately(garment: Garment, shopper: Shopper) -> list[Garment]:
    """What this shopper tried on or looked at of the other half, the latest first, COMPANIONS at most."""
    seen = Event.objects.filter(
        shopper=shopper,
        kind__in=[Event.Kind.VIEW, Event.Kind.TRYON],
        garment__category=OTHER_HALF[garment.category],
        garment__gender__in=genders_beside(garment.gender),
        garment__age_group=garment.age_group,
        garment__published=True,
    )
    latest = seen.values("garment").annotate(last=Max("created")).order_by("-last")
    ids = list(latest.values_list("garment", flat=True)[:LOOKED_THROUGH])
    found = Garment.objects.with_pictures().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found and found[pk].previewable][:COMPANIONS]


def people_for(shopper: Shopper | None, wanted: str = "") -> list[Person]:
    """The shopper's own photos that were not refused, newest first, then the shop's models; one is chosen."""
    photos = [photo for photo in Photo.objects.usable_by(shopper) if not photo.refused]
    photos.sort(key=lambda photo: photo.is_model)
    chosen = next((photo for photo in photos if str(photo.pk) == wanted), photos[0] if photos else None)
    return [
        Person(photo, private_url(photo.image.name, None if photo.is_model else shopper), photo is chosen)
        for photo in photos
    ]
