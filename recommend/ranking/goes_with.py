"""What can be worn with a garment."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from django.db.models import F, QuerySet

from recommend.ranking import wardrobes
from recommend.ranking.colours import palette, patterned
from recommend.ranking.diversity import varied
from recommend.ranking.filters import EVERYTHING, Filters
from recommend.ranking.found import Found, genders_beside, with_pictures
from recommend.ranking.harmony import GOES, harmony, pair
from recommend.ranking.looks import Looks
from recommend.ranking.pieces import fit
from recommend.ranking.popular import popular
from recommend.ranking.reasons import Match, told
from recommend.ranking.similar import known
from recommend.ranking.wardrobes import NEVER, Together
from shop.colours import SWATCHES, lab
from shop.models import Garment

log = logging.getLogger(__name__)

Category = Garment.Category
LAYERS = ("cardigan", "jacket", "denim jacket", "bomber jacket", "blazer", "coat", "vest")
NEWEST, LIKED = 80, 40  # garments looked at
SIDES = 0.6, 0.2, 0.2  # of what makes two garments of a list alike: look, kind, colour
CLASH = 0.55  # colours below are not shown, unless shoppers wear both


class Shares(NamedTuple):
    """How much each says of a pair."""

    colours: float
    pieces: float
    wardrobes: float
    popular: float


# How lists may be put in order, by name.
RANKINGS = {"harmony": Shares(0.35, 0.25, 0.3, 0.1), "wardrobes": Shares(0.2, 0.1, 0.6, 0.1)}


def goes_with(garment: Garment, k: int = 12, filters: Filters = EVERYTHING, ranking: str = "harmony") -> list[Found]:
    """At most k published garments of other categories to wear with `garment`, the best first.

    Bottoms for a top, tops for a bottom, and what is worn over a dress (LAYERS). Gender and age group are never
    crossed. Colours that clash are left out unless shoppers wear both, so the list may be short. Never raises.
    """
    try:
        return with_pictures(_GoesWith(known(garment), filters, RANKINGS.get(ranking, RANKINGS["harmony"])).run(k))
    except Exception:
        log.exception("what goes with garment %s", garment.pk)
        return []


def partners(garment: Garment, filters: Filters) -> list[Filters]:
    """Which other garments come into question at all."""
    rule = {"genders": genders_beside(garment.gender), "age_group": garment.age_group}
    layers = [*LAYERS, *(name.capitalize() for name in LAYERS), *(name.title() for name in LAYERS)]
    match garment.category:
        case Category.UPPER:
            limits = [{"categories": [Category.LOWER]}]
            if garment.product_type in layers:
                limits.append({"categories": [Category.DRESS]})
        case Category.LOWER:
            limits = [{"categories": [Category.UPPER]}]
        case _:
            limits = [{"categories": [Category.UPPER], "product_types": layers}]
    return [found for limit in limits if (found := filters.within(**limit, **rule))]


class _GoesWith:
    def __init__(self, garment: Garment, filters: Filters, shares: Shares):
        self.garment = garment
        self.filters = filters
        self.shares = shares
        self.colours = palette(garment)
        self.patterned = patterned(self.colours)
        self.looks = Looks()
        self.folded = self.looks.folded()
        self.matches: dict[int, Match] = {}

    def run(self, k: int) -> list[Found]:
        partnered = partners(self.garment, self.filters)
        categories = {category for filters in partnered for category in filters.categories}
        together = wardrobes.beside(self.garment, categories) if categories else {}
        rows: dict[int, Garment] = {}
        for filters in partnered:
            rows |= self._candidates(filters, together)
        self.looks.learn(rows)
        ranks = {pk: rank for category in categories for rank, pk in enumerate(popular(category))}
        found = [entry for row in rows.values() if (entry := self._judged(row, together.get(row.pk, NEVER), ranks))]
        found.sort(key=lambda entry: (-entry.score, -entry.garment.pk))
        self.folded.leave_out(self.garment)
        shown = self._varied([entry for entry in found if self.folded.take(entry.garment)], k)
        reasons = told([self.matches[entry.garment.pk] for entry in shown])
        return [replace(entry, why=why) for entry, why in zip(shown, reasons, strict=True)]

    def _varied(self, found: list[Found], k: int) -> list[Found]:
        """k of them by score and variety: of look, of kind and of colour, so that there are not six black trousers."""
        rows = [entry.garment for entry in found]
        sides = (
            self.looks.of_all(found),
            _one_hot([row.product_type.lower() for row in rows]),
            _one_hot([row.colour_family for row in rows]),
        )
        scores = np.array([entry.score for entry in found])
        unlike = np.hstack([np.sqrt(share) * side for share, side in zip(SIDES, sides, strict=True)])
        return [found[place] for place in varied(scores, unlike, k)]

    def _candidates(self, filters: Filters, together: dict[int, Together]) -> dict[int, Garment]:
        """What was chosen together, what is popular, the newest, and the newest in colours that go with this one.

        A family has shades that go and shades that do not (navy goes with red, blue does not): colours alone leave
        out too much of a small shop, and the newest alone are too few of a large one.
        """
        ids = [*together, *(pk for category in filters.categories for pk in popular(category)[:LIKED])]
        newest = _newest(filters)
        if fitting := filters.within(colour_families=self._families()):
            newest = newest.union(_newest(fitting), all=True)
        return filters.by_id([*ids, *newest])

    def _families(self) -> list[str]:
        """The colour families that go with the largest colour; none where that is not known."""
        if not len(self.colours):
            return []
        main = self.colours[0]
        return [name for name, swatch in SWATCHES.items() if pair(main, np.array(lab(swatch)))[0] >= GOES]

    def _judged(self, row: Garment, together: Together, ranks: dict[int, int]) -> Found | None:
        others = palette(row)
        mark, relation = harmony(self.colours, others)
        if mark is not None and mark < CLASH and not together.often_worn:
            return None
        worn_with, fits = fit(self.garment, row, (self.patterned, patterned(others)))
        self.matches[row.pk] = Match(self.garment, row, self.colours, others, relation, fits, together)
        liked = 1 / (1 + ranks[row.pk] / 10) if row.pk in ranks else 0.0
        marks = CLASH if mark is None else mark, worn_with, together.mark, liked
        return Found(row, float(np.dot(self.shares, marks)))


def _newest(filters: Filters) -> QuerySet:
    """Ids."""
    garments = filters.garments()
    if filters.product_types:
        # There are few: Postgres is to find and sort them. It would look for them among all, by their age.
        garments = garments.order_by((F("created") + timedelta(0)).desc(), "-pk")
    return garments.values_list("pk", flat=True)[:NEWEST]


def _one_hot(values: list[str]) -> np.ndarray:
    """(n, kinds) float32, 1 where a value is of a kind."""
    return (np.array(values, object)[:, None] == np.array(sorted(set(values)), object)).astype(np.float32)
