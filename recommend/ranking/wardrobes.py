"""What the same shoppers chose: tried on together in one picture, or tried on, ordered or liked by one person."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count, Q

from shop.models import Event, Garment

SHOPPERS = 1000  # the latest who chose a garment; more change nothing
KEPT = 80
OFTEN_WORN, OFTEN_CHOSEN = 2, 3  # shoppers, from whom on it is said
DOUBT = 3.0  # shoppers' weight that makes half of the mark
OUTFIT = 3.0  # an outfit counts as so many who only chose both
CHOSE = Q(kind__in=[Event.Kind.TRYON, Event.Kind.ORDER]) | Q(kind=Event.Kind.RATING, value=1)


class Together(NamedTuple):
    worn: int  # shoppers who tried both on in one picture
    chosen: int  # shoppers who chose both at any time, those included

    @property
    def mark(self) -> float:
        """0..1: towards 1 with the number of shoppers."""
        weight = self.chosen + (OUTFIT - 1) * self.worn
        return weight / (weight + DOUBT)

    @property
    def often_worn(self) -> bool:
        return self.worn >= OFTEN_WORN

    @property
    def often_chosen(self) -> bool:
        return self.chosen >= OFTEN_CHOSEN


NEVER = Together(0, 0)


def beside(garment: Garment, categories: Iterable[str]) -> dict[int, Together]:
    """Garments of these categories that were chosen with one, by id; those of the most shoppers, KEPT at most."""
    own = Event.objects.filter(CHOSE, garment=garment)
    shoppers = own.order_by("-created").values("shopper")[:SHOPPERS]
    tryons = own.filter(tryon_id__isnull=False).values("tryon_id")
    others = Event.objects.filter(CHOSE, shopper__in=shoppers, garment__category__in=categories)
    counted = (
        others.exclude(garment=garment)
        .values("garment")
        .annotate(
            chosen=Count("shopper", distinct=True),
            worn=Count("shopper", distinct=True, filter=Q(kind=Event.Kind.TRYON, tryon_id__in=tryons)),
        )
    )
    rows = counted.order_by("-worn", "-chosen", "-garment").values_list("garment", "worn", "chosen")[:KEPT]
    return {pk: Together(worn, chosen) for pk, worn, chosen in rows}
