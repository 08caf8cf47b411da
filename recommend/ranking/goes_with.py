"""What can be worn with a garment."""

import logging
from typing import NamedTuple

import numpy as np

from recommend.ranking import wardrobes
from recommend.ranking.colours import palette
from recommend.ranking.diversity import BALANCE, Folded
from recommend.ranking.filters import EVERYTHING, Filters
from recommend.ranking.found import Found, genders_beside, with_pictures
from recommend.ranking.harmony import GOES, harmony, pair
from recommend.ranking.looks import Looks
from recommend.ranking.popular import popular
from recommend.ranking.similar import known
from recommend.ranking.wardrobes import NEVER, Together
from recommend.ranking.why import matched
from shop.colours import SWATCHES, lab
from shop.models import Garment

log = logging.getLogger(__name__)

Category = Garment.Category
LAYERS = ("cardigan", "jacket", "denim jacket", "bomber jacket", "blazer", "coat", "vest")
NEWEST, LIKED = 80, 40  # garments looked at
CLASH = 0.55  # colours below are not shown, unless shoppers wear both


class Shares(NamedTuple):
    """How much each says of a pair."""

    colours: float
    wardrobes: float
    popular: float


# How lists may be put in order, by name.
RANKINGS = {"harmony": Shares(0.6, 0.3, 0.1), "wardrobes": Shares(0.3, 0.6, 0.1)}


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
        self.looks = Looks()
        self.folded = Folded(self.looks.vectors)

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
        return self.looks.varied([entry for entry in found if self.folded.take(entry.garment)], k, BALANCE)

    def _candidates(self, filters: Filters, together: dict[int, Together]) -> dict[int, Garment]:
        """What was chosen together, what is popular, and the newest in colours that go with this one."""
        families = self._families()
        fitting = filters.within(colour_families=families) if families else filters
        ids = [*together, *(pk for category in filters.categories for pk in popular(category)[:LIKED])]
        if fitting:
            ids += fitting.garments().values_list("pk", flat=True)[:NEWEST]
        return filters.by_id(ids)

    def _families(self) -> list[str]:
        """The colour families that go with the largest colour; none where that is not known."""
        if not len(self.colours):
            return []
        main = self.colours[0]
        return [name for name, swatch in SWATCHES.items() if pair(main, np.array(lab(swatch)))[0] >= GOES]

    def _judged(self, row: Garment, together: Together, ranks: dict[int, int]) -> Found | None:
        mark, relation = harmony(self.colours, palette(row))
        if mark is not None and mark < CLASH and not together.often_worn:
            return None
        liked = 1 / (1 + ranks[row.pk] / 10) if row.pk in ranks else 0.0
        colours, worn, popular_ = self.shares
        score = colours * (CLASH if mark is None else mark) + worn * together.mark + popular_ * liked
        why = matched(relation, together.often_worn, together.often_chosen)
        return Found(row, score, why)
