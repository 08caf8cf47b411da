"""What else looks like a garment."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from recommend.ranking import popular
from recommend.ranking.colours import palette
from recommend.ranking.diversity import BALANCE
from recommend.ranking.filters import EVERYTHING, FRONT, Filters
from recommend.ranking.found import Found, genders_beside, with_pictures
from recommend.ranking.looks import Looks
from recommend.ranking.why import compared
from shop.models import Garment

log = logging.getLogger(__name__)

# How lists may be put in order, by name: the weight of the score against variety.
RANKINGS = {"diverse": BALANCE, "nearest": 1.0}


def similar(garment: Garment, k: int = 12, filters: Filters = EVERYTHING, ranking: str = "diverse") -> list[Found]:
    """The k published garments that look most like `garment`: of its product type, then of its category, then others.

    Gender and age group are never crossed (unisex goes with both). One design takes one place, and so do garments
    that look the same; those of its own design none: the product page shows them. Garments without a vector come
    after the others of their category, the popular and then the newest first, with no score. The list is short only
    where the shop has fewer. Never raises: where nothing works, the list is empty.
    """
    try:
        return with_pictures(_Similar(garment, k, filters, RANKINGS.get(ranking, BALANCE)).run())
    except Exception:
        log.exception("similar items of garment %s", garment.pk)
        return []


class _Similar:
    def __init__(self, garment: Garment, k: int, filters: Filters, balance: float):
        self.garment = known(garment)
        self.k = k
        self.filters = filters
        self.balance = balance
        self.looks = Looks()
        self.folded = self.looks.folded()
        self.found: list[Found] = []

    def run(self) -> list[Found]:
        vector = self.looks.of(self.garment)
        self.folded.leave_out(self.garment)
        for filters, own_type in self._circles():
            if vector is not None:
                self._add_nearest(vector, filters)
            if not own_type:
                self._add_liked(filters)
        return self._explained()

    def _circles(self) -> Iterator[tuple[Filters, bool]]:
        """Where to look, from near to far, while something is missing; and whether it is the product type alone."""
        own = self.garment
        rule = {"genders": genders_beside(own.gender), "age_group": own.age_group}
        others = [category for category in Garment.Category.values if category != own.category]
        for limits in (
            {"categories": [own.category], "product_types": [own.product_type]},
            {"categories": [own.category]},
            {"categories": others},
        ):
            filters = self.filters.within(**limits, **rule)
            if filters and self._missing > 0:
                yield filters, "product_types" in limits

    @property
    def _missing(self) -> int:
        return self.k - len(self.found)

    @property
    def _taken(self) -> list[int]:
        return [self.garment.pk, *(entry.garment.pk for entry in self.found)]

    def _add_nearest(self, vector, filters: Filters) -> None:
        pool = self.looks.nearest(vector, filters, self._taken, self._missing, self.folded)
        self.found += self.looks.varied(pool, self._missing, self.balance)

    def _add_liked(self, filters: Filters) -> None:
        """What could not be compared: the popular, then the newest."""
        if self._missing > 0:
            self.found += popular.fill(self.looks.narrowed(filters), self._taken, self._missing, self.folded)

    def _explained(self) -> list[Found]:
        colours = palette(self.garment)
        return [
            replace(entry, why=compared(self.garment, entry.garment, self.filters, colours) + entry.why)
            for entry in self.found
        ]


def known(garment: Garment) -> Garment:
    """The same with `front`, as of `Filters.rows`; it need not be published."""
    if not hasattr(garment, "front"):
        garment.front = Garment.objects.filter(pk=garment.pk).values_list(FRONT, flat=True).first()
    return garment
