"""What an index knows of its garments, by columns: the arrays that a snapshot keeps as files."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from recommend.index.flat import STEP

log = logging.getLogger(__name__)


class Key(NamedTuple):
    """Garments of one key lie beside each other, and the genders of one type do: a search reads one stretch."""

    age_group: str
    category: str
    product_type: str
    gender: str


class Item(NamedTuple):
    garment_id: int
    key: Key
    brand: str
    colour: str
    design: str
    vector: np.ndarray  # (dim,) float16, unit length


@dataclass(frozen=True)
class Columns:
    """n garments, sorted by key; within a key by leaf, where there are leaves, and then by id.

    A leaf is a stretch of garments of one key that look alike; `centroids` are the leaves' directions.
    """

    dim: int  # numbers of a vector; width is the next multiple of STEP
    keys: tuple[Key, ...]
    brand_names: tuple[str, ...]
    colour_names: tuple[str, ...]
    key_starts: np.ndarray  # (keys + 1,) int64
    ids: np.ndarray  # (n,) int64
    by_id: np.ndarray  # (n,) int64: places by ascending id
    vectors: np.ndarray  # (n, width) float16, the columns beyond dim are zero
    brands: np.ndarray  # (n,) int32 in brand_names
    colours: np.ndarray  # (n,) int32 in colour_names
    design_text: np.ndarray  # (bytes,) uint8, UTF-8 one after the other
    design_ends: np.ndarray  # (n + 1,) int64: design i is from end i to end i + 1
    centroids: np.ndarray  # (leaves, width) float16
    leaf_starts: np.ndarray  # (leaves + 1,) int64

    @classmethod
    def arrays(cls) -> list[str]:
        return [field.name for field in fields(cls) if field.type is np.ndarray]

    def __len__(self) -> int:
        return len(self.ids)

    def design(self, place: int) -> str:
        start, end = self.design_ends[place : place + 2].tolist()
        return self.design_text[start:end].tobytes().decode() if end > start else ""

    def place(self, garment_id: int) -> int | None:
        """Where a garment lies, if it is here."""
        at = int(np.searchsorted(self.ids, garment_id, sorter=self.by_id))
        place = int(self.by_id[at]) if at < len(self.ids) else -1
        return place if place >= 0 and self.ids[place] == garment_id else None

    def places(self, garment_ids: Iterable[int]) -> np.ndarray:
        """Where those of these garments lie that are here, ascending."""
        asked = np.fromiter(garment_ids, np.int64)
        if not len(self) or not len(asked):
            return np.empty(0, np.int64)
        at = np.searchsorted(self.ids, asked, sorter=self.by_id).clip(max=len(self) - 1)
        places = self.by_id[at]
        return np.unique(places[self.ids[places] == asked])

    def items(self) -> Iterator[Item]:
        for number, key in enumerate(self.keys):
            for place in range(*self.key_starts[number : number + 2].tolist()):
                yield Item(
                    int(self.ids[place]), key, self.brand_names[self.brands[place]],
                    self.colour_names[self.colours[place]], self.design(place), self.vectors[place, : self.dim],
                )  # fmt: skip


class Gathered:
    """Items as they come, put into columns."""

    def __init__(self, items: Iterable[Item], dim: int):
        """Those whose vectors have another length than `dim` are left out."""
        self.dim = dim
        self.ids: list[int] = []
        self.designs: list[bytes] = []
        self.keys, self.brands, self.colours = _Names(), _Names(), _Names()
        width = dim + -dim % STEP
        self._bytes = bytearray()
        filling = bytes(2 * (width - dim))
        for item in items:
            if len(item.vector) != dim:
                log.error("garment %s: a vector of %s instead of %s", item.garment_id, len(item.vector), dim)
                continue
            self.ids.append(item.garment_id)
            self.designs.append(item.design.encode())
            self.keys.add(item.key)
            self.brands.add(item.brand)
            self.colours.add(item.colour)
            self._bytes += item.vector.tobytes() + filling
        self.vectors = np.frombuffer(self._bytes, np.float16).reshape(len(self.ids), width)

    def columns(self, leaves=None) -> Columns:
        """Args:
        leaves: (vectors, order, key_starts) -> leaf of each row in that order, numbered from 0, those of a key in
            a row; and (leaves, width) centroids. None for no leaves.
        """
        ids = np.array(self.ids, np.int64)
        keys, key_of = self.keys.sorted()
        order = np.lexsort((ids, key_of))
        key_starts = np.searchsorted(key_of[order], np.arange(len(keys) + 1))
        centroids, leaf_starts = np.empty((0, self.vectors.shape[1]), np.float16), np.zeros(1, np.int64)
        if leaves:
            leaf_of, centroids = leaves(self.vectors, order, key_starts)
            inside = np.argsort(leaf_of, kind="stable")
            order, leaf_starts = order[inside], np.searchsorted(leaf_of[inside], np.arange(len(centroids) + 1))
        designs = [self.designs[row] for row in order.tolist()]
        return Columns(
            dim=self.dim,
            keys=keys,
            brand_names=tuple(self.brands.numbers),
            colour_names=tuple(self.colours.numbers),
            key_starts=key_starts,
            ids=ids[order],
            by_id=np.argsort(ids[order]),
            vectors=self.vectors[order],
            brands=np.array(self.brands.rows, np.int32)[order],
            colours=np.array(self.colours.rows, np.int32)[order],
            design_text=np.frombuffer(b"".join(designs), np.uint8),
            design_ends=np.cumsum([0, *map(len, designs)], dtype=np.int64),
            centroids=centroids,
            leaf_starts=leaf_starts,
        )


class _Names:
    """Values as small numbers: `rows` holds each row's, `numbers` each value's."""

    def __init__(self):
        self.numbers: dict = {}
        self.rows: list[int] = []

    def add(self, value) -> None:
        self.rows.append(self.numbers.setdefault(value, len(self.numbers)))

    def sorted(self) -> tuple[tuple, np.ndarray]:
        """The values in order, and each row's place among them."""
        values = tuple(sorted(self.numbers))
        rank = np.empty(len(values), np.int64)
        rank[[self.numbers[value] for value in values]] = np.arange(len(values))
        return values, rank[np.array(self.rows, np.int64)]


def gathered(items: Iterable[Item], dim: int) -> Columns:
    return Gathered(items, dim).columns()
