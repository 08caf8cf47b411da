"""Garments found by their looks."""

import logging
from collections.abc import Collection, Iterable

import numpy as np

from recommend import index
from recommend.ranking.diversity import Folded, varied
from recommend.ranking.filters import Filters
from recommend.ranking.found import Found
from shop.models import Garment

log = logging.getLogger(__name__)

POOL = 60  # asked of the index at first: room for what is sold out, for colours of a design, and for variety
WIDER = 6  # times as many, while too few may be shown


class Looks:
    """An index as lists use it: it remembers the vectors that came up, and never raises."""

    def __init__(self):
        self.vectors: dict[int, np.ndarray] = {}
        try:
            self._index = index.current()
        except Exception:
            log.exception("no index")
            self._index = None

    @property
    def label(self) -> str:
        return self._index.source.label if self._index and self._index.source else ""

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
        exclude, take = set(exclude), max(POOL, 3 * want)
        while True:
            try:
                hits = self._index.search(vector, take, filters.where(), exclude)
            except Exception:
                log.exception("the index could not be searched")
                return found
            ids = [hit.garment_id for hit in hits]
            rows = filters.rows().in_bulk(ids)
            self.learn(rows)
            for hit in hits:
                if hit.garment_id in rows and folded.take(rows[hit.garment_id]):
                    found.append(Found(rows[hit.garment_id], min(max(hit.score, 0.0), 1.0), encoder=self.label))
            if len(found) >= want or len(hits) < take:
                return found
            exclude.update(ids)
            take *= WIDER

    def varied(self, found: list[Found], k: int, balance: float) -> list[Found]:
        """k of them, by score and variety."""
        self.learn(entry.garment.pk for entry in found)
        width = max(map(len, self.vectors.values()), default=1)
        nothing = np.zeros(width, np.float32)
        looks = (
            np.stack([self.vectors.get(entry.garment.pk, nothing) for entry in found]) if found else nothing[None][:0]
        )
        scores = np.array([entry.score or 0.0 for entry in found])
        return [found[place] for place in varied(scores, looks, k, balance)]
