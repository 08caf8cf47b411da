"""Search by words, whose best matches are put in order by looks too where the encoder reads words; and by a picture.

search(Search(words="navy polo"), k=24)
search_picture(query.looks.first(), Search(high=40), k=24)
"""

import logging
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recommend import index
from recommend.models import Query, QueryLook, Serving
from recommend.ranking.found import Found, with_pictures
from shop.models import Garment
from shop.search import Search

log = logging.getLogger(__name__)

FUSED = 100  # of either list, the first so many are put in one order
RANK_CONSTANT = 60
ROOM = 4  # more are fetched than asked for: price, stock and sale are known to the database alone


@dataclass(frozen=True)
class Ranked:
    """A search by words, put in order as well as can be at this moment.

    Attributes:
        search: as given, or with `first` filled by both orders.
        waiting: a worker is finding out how the words look; asked again in a second, the order may be better.
        encoder: the label of what compared looks, "" where nothing did.
        looks: ids of those of `first` that do not have the words.
    """

    search: Search
    waiting: bool = False
    encoder: str = ""
    looks: frozenset[int] = frozenset()


def ranked(search: Search, *, looks: bool = True) -> Ranked:
    """Never raises: where looks cannot be asked, the words' own order stands.

    Args:
        looks: False for the words' own order whatever there is.
    """
    plain = Ranked(search)
    if not looks or not search.words or search.order:
        return plain
    serving = Serving.objects.current()
    if serving is None or not serving.has_words:
        return plain
    try:
        query = Query.objects.of_words(search.words, serving)
        if query is None or not query.is_done:
            return replace(plain, waiting=True)
        look = query.looks.first()
        return _fused(search, look.as_vector, serving) if look else plain  # none where the encoder failed
    except Exception:
        log.exception("words could not be compared with looks; the words' own order is shown")
        return plain


def _fused(search: Search, vector: np.ndarray, serving: Serving) -> Ranked:
    view = index.current()
    if not _compares(view, serving):
        return Ranked(search)
    by_words = list(search.garments().values_list("pk", flat=True)[:FUSED])
    hits = [hit.garment_id for hit in view.search(vector, ROOM * FUSED, _where(search))]
    fit = set(replace(search, words="").garments().filter(pk__in=hits).values_list("pk", flat=True))
    by_looks = [pk for pk in hits if pk in fit][:FUSED]
    first = tuple(fuse(by_words, by_looks))
    # Those that have the words, but not among the best, have them all the same.
    only = set(by_looks) - set(by_words)
    have = set(search.garments().filter(pk__in=only).values_list("pk", flat=True)) if only else set()
    return Ranked(replace(search, first=first), encoder=serving.label, looks=frozenset(only - have))


def fuse(*lists: list[int]) -> list[int]:
    """One order of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

    An id in one list counts 1 / (60 + its place) there; equal sums keep the order of the lists.
    """
    marks: dict[int, float] = {}
    for ids in lists:
        for place, one in enumerate(ids, start=1):
            marks[one] = marks.get(one, 0.0) + 1 / (RANK_CONSTANT + place)
    return sorted(marks, key=lambda one: -marks[one])


def search(asked: Search, k: int = 24, start: int = 0, *, looks: bool = True) -> tuple[list[Found], Ranked]:
    """Garments `start` to `start + k` of a search by words (or by filters alone), and how they were put in order.

    The score is that of the place, 1 for the first: words and looks have no common measure. None where no words were
    given.
    """
    order = ranked(asked, looks=looks)
    rows = order.search.garments()[start : start + k]
    found = [
        Found(
            garment,
            (RANK_CONSTANT + 1) / (RANK_CONSTANT + place) if asked.words else None,
            encoder=order.encoder if garment.pk in order.search.first else "",
        )
        for place, garment in enumerate(rows, start=start + 1)
    ]
    return with_pictures(found), order


@dataclass(frozen=True)
class PictureSearch:
    """A search by what a picture shows, within the choices of a `Search` without words."""

    look: QueryLook
    chosen: Search

    @cached_property
    def within(self) -> Search:
        """The choices, in the category of what is worn where that is known."""
        category = self.look.category
        return replace(self.chosen, chosen={**self.chosen.chosen, "category": [category]}) if category else self.chosen

    @property
    def can_compare(self) -> bool:
        """Whether the index holds vectors of the encoder that saw the picture."""
        return _compares(index.current(), self.look.query)

    def found(self, k: int = 24, start: int = 0) -> list[Found]:
        """Garments `start` to `start + k`, the most alike first; fewer only where no more fit. Score: cosine, 0..1.

        Garments without a vector cannot be found.
        """
        view = index.current()
        if not _compares(view, self.look.query):
            return []
        where, vector, take = _where(self.within), self.look.as_vector, ROOM * (start + k)
        while True:
            hits = view.search(vector, take, where)
            fit = self.within.garments().filter(pk__in=[hit.garment_id for hit in hits])
            fit = set(fit.order_by().values_list("pk", flat=True))
            left = [hit for hit in hits if hit.garment_id in fit]
            if len(left) >= start + k or len(hits) < take:
                break
            take *= 8
        left = left[start : start + k]
        rows = Garment.objects.published().in_bulk([hit.garment_id for hit in left])
        label = view.source.label
        return with_pictures(
            Found(rows[hit.garment_id], min(max(hit.score, 0.0), 1.0), encoder=label)
            for hit in left
            if hit.garment_id in rows
        )


def _compares(view: index.VectorIndex, made_by: Serving | Query) -> bool:
    name = getattr(made_by, "encoder", None) or made_by.name
    return view.source is not None and (view.source.name, view.source.version) == (name, made_by.version)


def _where(search: Search) -> index.Where:
    """What of the choices an index knows; the database is asked for the rest."""
    chosen = {name: frozenset(values) for name, values in search.chosen.items() if values}
    ages = chosen.get("age", frozenset())
    return index.Where(
        categories=chosen.get("category", frozenset()),
        product_types=chosen.get("type", frozenset()),
        genders=chosen.get("gender", frozenset()),
        age_group=next(iter(ages)) if len(ages) == 1 else "",
        brands=chosen.get("brand", frozenset()),
        colours=chosen.get("colour", frozenset()),
    )
