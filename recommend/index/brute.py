"""Every garment compared with the query: slow, plain, and what the other indexes are checked against."""

from collections.abc import Collection, Iterable

import numpy as np

from recommend.index.base import EVERYTHING, Hit, Source, VectorIndex, Where, checked
from recommend.index.columns import Item


class Brute(VectorIndex):
    """Of items that have vectors of one length; 2 KB of memory for a garment of 512 numbers."""

    def __init__(self, source: Source | None, items: Iterable[Item]):
        self.source = source
        self.facts: list[Item] = []  # without their vectors
        vectors = []
        for item in items:
            self.facts.append(item._replace(vector=None))
            vectors.append(item.vector.astype(np.float32))
        self.dim = len(vectors[0]) if vectors else 0
        self.rows = np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
        self.ids = np.array([item.garment_id for item in self.facts], np.int64)
        self._fits: dict[Where, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def vector(self, garment_id: int) -> np.ndarray | None:
        places = np.flatnonzero(self.ids == garment_id)
        return self.rows[places[0]].copy() if len(places) else None

    def search(
        self, vector: np.ndarray, k: int, where: Where = EVERYTHING, exclude: Collection[int] = ()
    ) -> list[Hit]:
        if not len(self):
            return []
        scores = self.rows @ checked(vector, self.dim, k)
        places = np.flatnonzero(self.fits(where) & ~np.isin(self.ids, list(exclude)))
        best = places[np.lexsort((self.ids[places], -scores[places]))[:k]]
        return [Hit(int(self.ids[place]), float(scores[place]), self.facts[place].design) for place in best]

    def fits(self, where: Where) -> np.ndarray:
        """(n,) bool: which garments are as asked."""
        if where not in self._fits:
            self._fits[where] = np.array([_as_asked(item, where) for item in self.facts])
        return self._fits[where]


def recall(found: list[Hit], true: list[Hit], tolerance: float = 1e-3) -> float:
    """The share of the true list that was found; any garment as near as the last of it counts (float16 rounds)."""
    if not true:
        return 1.0
    return min(1.0, sum(hit.score >= true[-1].score - tolerance for hit in found) / len(true))


def _as_asked(item: Item, where: Where) -> bool:
    asked = (
        (where.categories, item.key.category), (where.product_types, item.key.product_type),
        (where.genders, item.key.gender), ({where.age_group} - {""}, item.key.age_group),
        (where.brands, item.brand), (where.colours, item.colour),
    )  # fmt: skip
    return all(value in values for values, value in asked if values)
