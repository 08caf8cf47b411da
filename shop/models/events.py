"""What shoppers were shown, and what they did with it: recommendations learn from it, and are measured by it."""

import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models.access import ApiKey
from shop.models.catalogue import Garment
from shop.models.shoppers import Shopper

SESSION = timedelta(hours=2)  # a try-on or an order so long after a click is put down to it
PLACE = ("list_id", "surface", "ranking", "position")  # of an Event: where in which list its garment stood
SAME = timedelta(minutes=30)  # a list shown again within is one: the page was reloaded, or gone back to
MOST = 200  # lists of one shopper in that time; a program with a cookie does not fill the table


class Surface(models.TextChoices):
    """Where the shop's own pages show lists; programs may name others."""

    CATALOGUE = "catalogue", _("all garments")
    SEARCH = "search", _("search")
    SIMILAR = "similar", _("similar items")
    GOES_WITH = "goes_with", _("goes with it")
    FOR_YOU = "for_you", _("for you")


class ShownListQuerySet(models.QuerySet):
    def show(self, shopper: Shopper, surface: str, ranking: str, garment_ids: list[int]) -> "ShownList | None":
        """The row of a list that is shown now; the one of a moment ago where it is the same list.

        None for who was shown more than anybody looks at.
        """
        recent = list(self.filter(shopper=shopper, created__gt=Now() - SAME).order_by("-created")[:MOST])
        for row in recent:
            if (row.surface, row.ranking, row.garments) == (surface, ranking, garment_ids):
                return row
        if len(recent) == MOST:
            return None
        return self.create(shopper=shopper, surface=surface, ranking=ranking, garments=garment_ids)

    def told_by(self, program: Shopper):
        """Those of which a program may report: its own, and visitors'; not another program's."""
        programs = ApiKey.objects.filter(user=OuterRef("shopper__user"))
        return self.filter(Q(shopper=program) | ~Exists(programs))


class ShownList(models.Model):
    """One list that one shopper was shown, and whether anything came of it. Its id stands in the links of the list.

    The unit of the figures: the share of lists with a click, a try-on, an order. Kept for LIST_DAYS.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="lists", db_index=False)
    surface = models.CharField(max_length=40)
    ranking = models.CharField(max_length=40, blank=True)  # which one put it in order
    garments = ArrayField(models.BigIntegerField())  # ids in their order; what is taken out since stays here
    clicked = models.BooleanField(default=False)
    tried_on = models.BooleanField(default=False)
    ordered = models.BooleanField(default=False)
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = ShownListQuerySet.as_manager()

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        constraints = [models.CheckConstraint(name="shown_list_somewhere", condition=~Q(surface=""))]
        indexes = [
            models.Index(fields=["shopper", "-created"]),
            models.Index(fields=["created"], name="shown_list_created"),
        ]

    def __str__(self):
        return f"{self.surface} {self.pk}"

    def place(self, garment_id: int) -> dict | None:
        """Where in which list the garment stood, as an Event's fields; None when it was not in it."""
        if garment_id not in self.garments:
            return None
        return {
            "list_id": self.pk,
            "surface": self.surface,
            "ranking": self.ranking,
            "position": self.garments.index(garment_id),
        }


class EventQuerySet(models.QuerySet):
    @transaction.atomic
    def note(self, shopper_id: int, garment_id: int, kind: str, place: dict | None = None, **fields) -> "Event":
        """Write an event, and on its list that there was one. What may be there once only is not written twice.

        Args:
            place: of `ShownList.place` or `came_from`.
        """
        event = self.model(shopper_id=shopper_id, garment_id=garment_id, kind=kind, **(place or {}), **fields)
        self.bulk_create([event], ignore_conflicts=True)
        if place and (outcome := OUTCOMES.get(kind)):
            ShownList.objects.filter(pk=place["list_id"], **{outcome: False}).update(**{outcome: True})
        return event

    def came_from(self, shopper_id: int, garment_id: int, at=None) -> dict | None:
        """The place of the last click on the garment in the session that ends at `at`, by default now."""
        at = at or timezone.now()
        clicks = self.filter(kind=Event.Kind.CLICK, list_id__isnull=False, created__range=(at - SESSION, at))
        last = clicks.filter(shopper=shopper_id, garment=garment_id).order_by("-created", "-pk")
        return last.values(*PLACE).first()


class Event(models.Model):
    """What a shopper did with a garment; kept for EVENT_DAYS."""

    class Kind(models.TextChoices):
        VIEW = "view"
        CLICK = "click"
        TRYON = "tryon"
        RATING = "rating"
        ORDER = "order"

    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="events")
    garment = models.ForeignKey(Garment, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=6, choices=Kind)
    value = models.SmallIntegerField(null=True, blank=True)  # a rating: -1 or 1; an order: pieces
    surface = models.CharField(max_length=40, blank=True)  # where the list was shown, as "similar"
    list_id = models.UUIDField(null=True, blank=True)  # no foreign key: it outlives the list
    ranking = models.CharField(max_length=40, blank=True)
    position = models.PositiveSmallIntegerField(null=True, blank=True)  # in the list, 0 for the first
    tryon_id = models.UUIDField(null=True, blank=True)  # the click that a try-on or its rating belongs to
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="event_kind", condition=Q(kind__in=["view", "click", "tryon", "rating", "order"])
            ),
            models.CheckConstraint(  # a comparison with NULL alone would pass: a check refuses only what is false
                name="event_value",
                condition=Q(kind="rating", value__isnull=False, value__in=[-1, 1])
                | Q(kind="order", value__isnull=False, value__gte=1)
                | Q(kind__in=["view", "click", "tryon"], value__isnull=True),
            ),
            models.CheckConstraint(
                name="event_place",
                condition=Q(list_id__isnull=False, position__isnull=False)
                | Q(list_id__isnull=True, position__isnull=True, ranking=""),
            ),
            models.UniqueConstraint(
                fields=["list_id", "garment"],
                name="event_click_once",
                condition=Q(kind="click", list_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["tryon_id", "garment", "kind"], name="event_tryon_once", condition=Q(tryon_id__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["shopper", "-created"]),
            models.Index(fields=["garment", "kind"]),
            models.Index(fields=["created"]),
        ]

    def __str__(self):
        return f"{self.kind} {self.garment_id}"


OUTCOMES = {Event.Kind.CLICK: "clicked", Event.Kind.TRYON: "tried_on", Event.Kind.ORDER: "ordered"}
