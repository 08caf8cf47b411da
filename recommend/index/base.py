"""What every index of vectors can be asked, wherever its vectors lie."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


class Hit(NamedTuple):
    garment_id: int
    score: float  # cosine, -1..1
    design: str  # equal for the colours of one design, "" where the garment has none


@dataclass(frozen=True)
class Source:
    """The encoder whose vectors are searched; vectors of another are not to be compared with them."""

    name: str
    version: str
    label: str  # what the shop says


@dataclass(frozen=True)
class Where:
    """What a garment must be to be found; what is left empty may be anything. Texts are compared as they are written.

    Price, and a size in stock, change too often for an index: fetch more than is needed and ask the database.
    """

    categories: frozenset[str] = frozenset()
    product_types: frozenset[str] = frozenset()
    genders: frozenset[str] = frozenset()
    age_group: str = ""
    brands: frozenset[str] = frozenset()
    colours: frozenset[str] = frozenset()

    def __post_init__(self):
        for name in ("categories", "product_types", "genders", "brands", "colours"):
            values = getattr(self, name)
            if isinstance(values, str):
                raise TypeError(f"{name} is the text {values!r}; give a collection of texts")
            object.__setattr__(self, name, frozenset(values))


EVERYTHING = Where()


class VectorRefused(ValueError):
    """A vector that cannot be searched for: of another length than the index's, or with numbers that are none."""


class VectorIndex(Protocol):
    """Published garments' vectors as they were at one moment. Any number of threads may search it.

    Those that inherit it get `vectors` from `vector`.

    Attributes:
        source: the encoder served, None while there is none (and then there are no vectors).
        dim: numbers in a vector, 0 while there are none.
    """

    source: Source | None
    dim: int

    def __len__(self) -> int:
        """How many garments can be found."""

    def vector(self, garment_id: int) -> np.ndarray | None:
        """(dim,) float32 of unit length; None for a garment that cannot be found."""

    def vectors(self, garment_ids: Collection[int]) -> dict[int, np.ndarray]:
        """The same for several at once, those that can be found."""
        found = ((garment_id, self.vector(garment_id)) for garment_id in garment_ids)
        return {garment_id: vector for garment_id, vector in found if vector is not None}

    def search(
        self, vector: np.ndarray, k: int, where: Where = EVERYTHING, exclude: Collection[int] = ()
    ) -> list[Hit]:
        """The k garments nearest to a vector, nearest first.

        The list is shorter only where fewer garments are as `where` asks and not in `exclude` (garment ids). An
        index without vectors finds nothing.

        Raises:
            VectorRefused: the vector is not (dim,) finite numbers.
            ValueError: k is below 1.
        """


def checked(vector: np.ndarray, dim: int, k: int) -> np.ndarray:
    """The vector as (dim,) float32 of unit length, as every search for k garments needs it.

    Raises:
        VectorRefused: it has another shape, or NaN or infinity in it, or no length.
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; at least one must be asked for")
    vector = np.asarray(vector, np.float32)
    if vector.shape != (dim,):
        raise VectorRefused(f"a vector of shape {vector.shape} was given to an index of {dim} numbers")
    length = float(np.linalg.norm(vector.astype(np.float64)))  # float32's squares may be too large
    if not np.isfinite(length):
        raise VectorRefused("the vector has NaN or infinity in it")
    if length == 0:
        raise VectorRefused("the vector is zero, and points nowhere")
    return vector / np.float32(length)
