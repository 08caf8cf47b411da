"""What a shopper thinks of a picture."""

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal, gettext_noop
from shop.models import Event
from shop.models.events import PLACE
from tryon.models.tryon import TryOn


class RatingQuerySet(models.QuerySet):
    @transaction.atomic
    def rate(self, tryon: TryOn, value: int, reasons: list[str] = ()) -> "Rating":
        """Set or change what the shopper thinks of this row's picture; the same again is no change.

        Args:
            value: a `Rating.Value`.
            reasons: `Rating.Reason`s, with down alone; doubles are one.

        Raises:
            Refusal: rating.no_picture, rating.reasons.
        """
        if not tryon.result:
            raise Refusal("rating.no_picture", gettext_noop("There is no picture to rate."))
        kept = [reason for reason in Rating.Reason.values if reason in reasons]
        if len(kept) != len(set(reasons)) or (kept and value != Rating.Value.DOWN):
            raise Refusal("rating.reasons", gettext_noop("Choose from the reasons that are offered."))
        # One rating of a click after the other, so that the events say what the latest does.
        TryOn.objects.select_for_update(no_key=True).get(pk=tryon.request)
        given = {"value": value, "reasons": kept, "updated": Now()}
        rating, _made = self.update_or_create(tryon=tryon, defaults=given)
        tell(tryon)
        return rating

    def of_engines(self) -> list[dict]:
        """For each engine how many of its pictures were rated, and how many up."""
        engines = self.values("tryon__engine").annotate(
            rated=models.Count("pk"), up=models.Count("pk", filter=Q(value=Rating.Value.UP))
        )
        return list(engines.order_by("tryon__engine"))


class Rating(models.Model):
    """Of one row's picture, by the shopper whose it is: when a finer picture comes, it is rated anew.

    Deleting it takes back the events as well (receivers.py).
    """

    class Value(models.IntegerChoices):
        UP = 1, _("good")
        DOWN = -1, _("not good")

    class Reason(models.TextChoices):
        NOT_ME = "not_me", _("it does not look like me")
        GARMENT_WRONG = "garment_wrong", _("the garment looks wrong")
        SIZE_WRONG = "size_wrong", _("size or length looks wrong")
        COLOUR_WRONG = "colour_wrong", _("the colour looks wrong")
        REST_CHANGED = "rest_changed", _("something else in the photo has changed")
        DISLIKED = "disliked", _("I do not like it on me")
        OTHER = "other", _("something else")

    # These find fault with the picture and say nothing of the garment.
    OF_THE_PICTURE = frozenset(
        {Reason.NOT_ME, Reason.GARMENT_WRONG, Reason.SIZE_WRONG, Reason.COLOUR_WRONG, Reason.REST_CHANGED}
    )

    tryon = models.OneToOneField(TryOn, models.CASCADE, related_name="rating", verbose_name=_("try-on"))
    value = models.SmallIntegerField(_("rating"), choices=Value)
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason), default=list, verbose_name=_("reasons"))
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated = models.DateTimeField(db_default=Now(), editable=False)

    objects = RatingQuerySet.as_manager()

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.CheckConstraint(name="rating_value", condition=Q(value__in=[-1, 1])),
            models.CheckConstraint(
                name="rating_reasons",
                condition=Q(value=1, reasons=[])
                | Q(
                    value=-1,
                    reasons__contained_by=[
                        "not_me", "garment_wrong", "size_wrong", "colour_wrong", "rest_changed", "disliked", "other",
                    ],
                ),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.get_value_display()}: {self.tryon_id}"

    @property
    def is_up(self) -> bool:
        return self.value == self.Value.UP

    @property
    def name(self) -> str:
        """As programs say it."""
        return "up" if self.is_up else "down"

    @property
    def why(self) -> str:
        """The reasons in the reader's language; empty without any."""
        return ", ".join(str(self.Reason(reason).label) for reason in self.reasons)

    @property
    def of_the_garment(self) -> int | None:
        """What it says of the garment, 1 or -1; None where it finds fault with the picture alone."""
        only_the_picture = self.reasons and self.OF_THE_PICTURE.issuperset(self.reasons)
        return None if only_the_picture else self.value


def tell(tryon: TryOn) -> None:
    """Make the events say of this click's garments what its latest rating says of them, or nothing."""
    latest = Rating.objects.filter(tryon__request=tryon.request).order_by("-updated", "-pk").first()
    value = latest.of_the_garment if latest else None
    told = Event.objects.filter(kind=Event.Kind.RATING, tryon_id=tryon.request)
    if value is None:
        told.delete()
        return
    told.update(value=value, created=Now())
    known = set(told.values_list("garment", flat=True))
    tried = Event.objects.filter(kind=Event.Kind.TRYON, tryon_id=tryon.request)
    places = {place.pop("garment"): place for place in tried.exclude(list_id=None).values("garment", *PLACE)}
    for garment in {tryon.garment_id, tryon.worn_with_id} - known - {None}:
        rating = {"value": value, "tryon_id": tryon.request}
        Event.objects.note(tryon.shopper_id, garment, Event.Kind.RATING, places.get(garment), **rating)
