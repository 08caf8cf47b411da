"""What a shopper may like."""

import logging
import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext

from recommend.ranking import popular
from recommend.ranking.diversity import BALANCE
from recommend.ranking.filters import EVERYTHING, Filters
from recommend.ranking.found import Found, with_pictures
from recommend.ranking.looks import Looks
from recommend.ranking.taste import Taste, medoids, taste_of
from recommend.ranking.why import compared
from shop.models import Event, Garment, Shopper

log = logging.getLogger(__name__)

RANKINGS = ("taste", "popular")
EXPLORED_EVERY = 6  # one place in so many is for something else
EXPLORED_FROM = 120  # of the popular and newest, drawn from
DISLIKED_LOOK = 0.9  # cosine to a garment rated down, from which one is left out


def for_you(
    shopper: Shopper | None, k: int = 12, filters: Filters = EVERYTHING, ranking: str = "taste"
) -> list[Found]:
    """k published garments for a shopper, by what they looked at, tried on, rated and ordered.

    Never what was ordered or rated down; what looks like the latter, and what was seen already, comes last. Gender and
    age group are those of the shopper's history. One place in EXPLORED_EVERY is for something else, drawn anew each
    day and the same all day. A stranger gets the popular, then the newest. The list is short only where the shop has
    fewer. Never raises.
    """
    try:
        taste = taste_of(shopper)
        return with_pictures(_ForYou(shopper, taste, k, filters).run(by_taste=ranking != "popular"))
    except Exception:
        log.exception("what shopper %s may like", shopper and shopper.pk)
        return []


class _ForYou:
    def __init__(self, shopper: Shopper | None, taste: Taste, k: int, filters: Filters):
        self.shopper = shopper
        self.taste = taste
        self.k = k
        self.filters = filters
        self.looks = Looks()
        self.folded = self.looks.folded()
        self.limits = [
            within
            for age_group in taste.age_groups or [""]
            if (within := filters.within(genders=taste.genders, age_group=age_group))
        ]

    def run(self, *, by_taste: bool) -> list[Found]:
        seen = self.taste.weights.keys() | self.taste.never
        found = self._by_taste(seen) if by_taste else []
        self.folded = self.looks.folded()  # what was drawn and found no place may come now
        for entry in found:
            self.folded.take(entry.garment)
        for exclude in (seen, self.taste.never):  # what was seen already comes last
            for filters in self.limits:
                if len(found) < self.k:
                    taken = exclude | {entry.garment.pk for entry in found}
                    found += popular.fill(filters, taken, self.k - len(found), self.folded)
        return found

    def _by_taste(self, seen: set[int]) -> list[Found]:
        liked = self._medoids()
        if not liked:
            return []
        places = self.k // EXPLORED_EVERY
        lists = {pk: self._like(pk, seen) for pk, _ in liked}
        nearest = self._dealt(lists, dict(liked), self.k - places)
        explored = iter(self._explored(seen | {entry.garment.pk for entry in nearest}, places))
        found = []
        for entry in nearest:
            found.append(entry)
            if len(found) % EXPLORED_EVERY == EXPLORED_EVERY - 1:
                found += [other for other in [next(explored, None)] if other]
        return found[: self.k]

    def _medoids(self) -> list[tuple[int, float]]:
        """Garments that stand for the taste, with their shares."""
        try:
            self.looks.learn([*self.taste.weights, *self.taste.disliked])
        except Exception:
            log.exception("the vectors of what shopper %s liked", self.shopper.pk)
        ids = [pk for pk in self.taste.weights if pk in self.looks.vectors]
        if not ids:
            return []
        vectors = np.stack([self.looks.vectors[pk] for pk in ids])
        weights = np.array([self.taste.weights[pk] for pk in ids])
        return [(ids[place], share) for place, share in medoids(vectors, weights)]

    def _like(self, garment_id: int, seen: set[int]) -> list[Found]:
        """What looks like one garment, in its category, with the reason."""
        garment = self.taste.rows[garment_id]
        found = []
        for filters in self.limits:
            within = filters.within(categories=[garment.category])
            if within and filters.age_group == garment.age_group:
                vector = self.looks.vectors[garment_id]
                found += self.looks.nearest(vector, within, seen, self.k, self.looks.folded())
        known = {row.design for row in self.taste.rows.values()} - {""}
        found = [e for e in found if e.garment.design not in known and not self._disliked(e.garment.pk)]
        why = [_because(self.taste.deeds[garment_id], garment)]
        return [replace(entry, why=why) for entry in self.looks.varied(found, self.k, BALANCE)]

    def _dealt(self, lists: dict[int, list[Found]], shares: dict[int, float], k: int) -> list[Found]:
        """k of all lists, best first within each, in the proportion of their shares (d'Hondt)."""
        dealt, given = [], defaultdict(int)
        waiting = {pk: list(reversed(found)) for pk, found in lists.items() if found}
        while waiting and len(dealt) < k:
            turn = max(waiting, key=lambda pk: shares[pk] / (given[pk] + 1))
            entry = waiting[turn].pop()
            if self.folded.take(entry.garment):
                shared = compared(self.taste.rows[turn], entry.garment, self.filters)
                dealt.append(replace(entry, why=entry.why + shared[:1]))
                given[turn] += 1
            if not waiting[turn]:
                del waiting[turn]
        return dealt

    def _disliked(self, garment_id: int) -> bool:
        bad = [self.looks.vectors[pk] for pk in self.taste.disliked if pk in self.looks.vectors]
        look = self.looks.vectors.get(garment_id)
        return bool(bad) and look is not None and float((np.stack(bad) @ look).max()) >= DISLIKED_LOOK

    def _explored(self, exclude: set[int], places: int) -> list[Found]:
        """Something else, of the popular and newest; another draw each day."""
        draw = random.Random(f"{self.shopper.pk} {timezone.localdate()}")
        found = []
        for filters in self.limits[:1]:
            for entry in popular.drawn(filters, exclude, EXPLORED_FROM, draw):
                if len(found) == places:
                    break
                if not self._disliked(entry.garment.pk) and self.folded.take(entry.garment):
                    found.append(replace(entry, why=entry.why or [gettext("Something different")]))
        return found


def _because(deed: str, garment: Garment) -> str:
    name = {"name": garment.name}
    match deed:
        case Event.Kind.ORDER:
            return gettext("Because you ordered %(name)s") % name
        case Event.Kind.TRYON:
            return gettext("Because you tried on %(name)s") % name
        case Event.Kind.RATING:
            return gettext("Because you liked %(name)s") % name
    return gettext("Because you looked at %(name)s") % name
