"""What a process searches: a block that does not change, and what came, changed and went since."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from recommend.index.base import EVERYTHING, Hit, Source, VectorIndex, Where, checked
from recommend.index.block import Block
from recommend.index.columns import Item, gathered
from recommend.index.flat import one_thread, padded

NOWHERE = np.empty(0, np.int64)


@dataclass(frozen=True)
class View(VectorIndex):
    """What was true at change number `seq`. Nothing in it changes.

    Attributes:
        block: what was there at first.
        gone: where in it the garments lie that are no longer there, or no longer so; ascending.
        later: garments as they are since, by id.
        tables, version: the database's (`load.Truth`), and the snapshot's that `block` was read from ("" for none).
    """

    source: Source | None = None
    seq: int = 0
    tables: str = ""
    version: str = ""
    block: Block = field(default_factory=lambda: Block(gathered([], 0)))
    gone: np.ndarray = field(default_factory=lambda: NOWHERE)
    later: dict[int, Item] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        return self.block.columns.dim

    def __len__(self) -> int:
        return len(self.block) - len(self.gone) + len(self.later)

    @cached_property
    def delta(self) -> Block:
        return Block(gathered(self.later.values(), self.dim))

    def vector(self, garment_id: int) -> np.ndarray | None:
        if garment_id in self.later:
            return self.later[garment_id].vector.astype(np.float32)
        place = self.block.columns.place(garment_id)
        if place is None or _holds(self.gone, place):
            return None
        return self.block.columns.vectors[place, : self.dim].astype(np.float32)

    def vectors(self, garment_ids: Collection[int]) -> dict[int, np.ndarray]:
        columns, places = self.block.columns, self._places(garment_ids)
        rows = columns.vectors[places, : self.dim].astype(np.float32)
        later = self.later.keys() & set(garment_ids)
        found = dict(zip(columns.ids[places].tolist(), rows, strict=True))
        return found | {pk: self.later[pk].vector.astype(np.float32) for pk in later}

    def search(
        self, vector: np.ndarray, k: int, where: Where = EVERYTHING, exclude: Collection[int] = ()
    ) -> list[Hit]:
        if not len(self):
            return []
        query = padded(checked(vector, self.dim, k)[None])
        one_thread()
        without = np.union1d(self.gone, self._places(exclude)) if exclude else self.gone
        hits = self.block.search(query, k, where, without)
        if self.later:
            columns = self.delta.columns
            hits += self.delta.search(query, k, where, columns.places(exclude) if exclude else NOWHERE)
            hits = sorted(hits, key=lambda hit: -hit.score)[:k]
        return hits

    def changed(self, garment_ids: Iterable[int], items: Iterable[Item], seq: int) -> "View":
        """Another one without `garment_ids`, with `items`."""
        garment_ids = set(garment_ids)
        later = {pk: item for pk, item in self.later.items() if pk not in garment_ids}
        later |= {item.garment_id: item for item in items if len(item.vector) == self.dim}
        return replace(self, seq=seq, gone=np.union1d(self.gone, self.block.columns.places(garment_ids)), later=later)

    def _places(self, garment_ids: Collection[int]) -> np.ndarray:
        """Where in the block those lie that are still as they are there."""
        return np.setdiff1d(self.block.columns.places(garment_ids), self.gone, assume_unique=True)


def _holds(places: np.ndarray, place: int) -> bool:
    """Whether a place is among these ascending ones."""
    at = int(np.searchsorted(places, place))
    return at < len(places) and places[at] == place
