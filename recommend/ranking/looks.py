"""Garments found by their looks."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from recommend import encoders, index
from recommend.index import Hit
from recommend.ranking.diversity import Folded, varied
from recommend.ranking.filters import Filters
from recommend.ranking.found import Found
from shop.models import Garment

log = logging.getLogger(__name__)

POOL = 60  # asked of the index at first: room for what is sold out, for colours of a design, and for variety
WIDER = 6  # times as many at most, while too few may be shown
SPARE = 2  # times as many as should do by the share that fitted so far
RARE = 2000  # where more would have to be asked of the index, the database is asked first what fits


class Looks:
    """An index as lists use it: it remembers the vectors that came up, and never raises."""

    def __init__(self):
        self.vectors: dict[int, np.ndarray] = {}
        self._rare: dict[Filters, frozenset[int] | None] = {}
        self._asked = self._placed = 0  # of the index; and how many of those found a place in a list
        try:
            self._index = index.current()
        except Exception:
            log.exception("no index")
            self._index = None

    @property
    def label(self) -> str:
        return self._index.source.label if self._index and self._index.source else ""

    def folded(self) -> Folded:
        """Nothing taken yet; what looks the same to the encoder that serves will take one place."""
        return Folded(self.vectors, encoders.same_look(self._index.source.name) if self.label else 1.0)

    def of(self, garment: Garment) -> np.ndarray | None:
        """A garment's own vector; None without. One that is not published has one too: the merchant looks at it."""
        if not self.label:
            return None
        try:
            vector = self._index.vector(garment.pk)
            if vector is None:
                items = index.load(self._index.source, [garment.pk], published=False)
                vector = items[0].vector.astype(np.float32) if items else None
        except Exception:
            log.exception("the vector of garment %s", garment.pk)
            return None
        if vector is None or len(vector) != self._index.dim:
            return None
        self.vectors[garment.pk] = vector
        return vector

    def learn(self, garment_ids: Iterable[int]) -> None:
        """Remember these garments' vectors."""
        unknown = set(garment_ids) - self.vectors.keys()
        if self.label and unknown:
            self.vectors |= self._index.vectors(unknown)

    def nearest(
        self, vector: np.ndarray, filters: Filters, exclude: Collection[int], want: int, folded: Folded
    ) -> list[Found]:
        """The garments nearest to a vector that fit at this moment, one of a kind, nearest first.

        At least `want`, where there are so many; at most some POOL of them. `why` is left empty.
        """
        found: list[Found] = []
        exclude, least = set(exclude), max(POOL, 3 * want)
        most = WIDER * least
        while True:
            take = min(max(least, self._should_do(want - len(found))), most)
            try:
                hits, last = self._hits(vector, take, filters, exclude)
            except Exception:
                log.exception("the index could not be searched")
                return found
            ids = [hit.garment_id for hit in hits]
            rows = filters.by_id(ids)
            self.learn(rows)
            placed = [hit for hit in hits if hit.garment_id in rows and folded.take(rows[hit.garment_id])]
            found += [
                Found(rows[garment_id], min(max(score, 0.0), 1.0), encoder=self.label)
                for garment_id, score, _ in placed
            ]
            self._asked += len(hits)
            self._placed += len(placed)
            if len(found) >= want or last:
                return found
            exclude.update(ids)
            most *= WIDER

    def _should_do(self, want: int) -> int:
        """How many to ask for, by what share of all found its place so far."""
        return SPARE * want * self._asked // max(self._placed, 1)

    def _hits(self, vector: np.ndarray, take: int, filters: Filters, exclude: set[int]) -> tuple[list[Hit], bool]:
        """Nearest first, and whether there are no more. Of what is rare, some POOL of those that fit."""
        if take > RARE and (fitting := self._fitting(filters)) is not None:
            looks = self._index.vectors(fitting - exclude)
            hits = [Hit(garment_id, float(look @ vector), "") for garment_id, look in looks.items()]
            return sorted(hits, key=lambda hit: -hit.score)[:POOL], len(hits) <= POOL
        hits = self._index.search(vector, take, filters.where(), exclude)
        return hits, len(hits) < take

    def _fitting(self, filters: Filters) -> frozenset[int] | None:
        """Ids of what fits, where that is at most RARE."""
        if filters not in self._rare:
            ids = frozenset(filters.garments().order_by().values_list("pk", flat=True)[: RARE + 1])
            self._rare[filters] = ids if len(ids) <= RARE else None
        return self._rare[filters]

    def narrowed(self, filters: Filters) -> Filters:
        """The same, with the ids of what fits where they were needed: nobody looks for them again."""
        return replace(filters, ids=self._rare.get(filters))

    def varied(self, found: list[Found], k: int, balance: float) -> list[Found]:
        """k of them, by score and variety."""
        scores = np.array([entry.score or 0.0 for entry in found])
        return [found[place] for place in varied(scores, self.of_all(found), k, balance)]

    def of_all(self, found: list[Found]) -> np.ndarray:
        """(n, dim) float32 of unit length; zeros for a garment without a vector."""
        self.learn(entry.garment.pk for entry in found)
        looks = np.zeros((len(found), max(map(len, self.vectors.values()), default=1)), np.float32)
        for row, entry in zip(looks, found, strict=True):
            row[:] = self.vectors.get(entry.garment.pk, 0)
        return looks
