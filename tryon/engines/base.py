"""What an engine is. Imports nothing heavy: the web process reads EngineInfo, only a worker calls `load`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from preprocessing.garment.prepare import PreparedGarment
    from preprocessing.person.prepare import PreparedPerson


@dataclass(frozen=True)
class Generated:
    """A finished picture.

    Attributes:
        image: uint8 RGB (H, W, 3), the size of the photo it was made from.
        touched: bool (H, W), where the picture may differ from the photo; everywhere else it is equal to the byte.
        notes: small JSON-able facts kept with the job (delta E, hidden part, ...).
    """

    image: np.ndarray
    touched: np.ndarray
    notes: dict = field(default_factory=dict)


class Engine(Protocol):
    def generate(self, person: PreparedPerson, garments: Sequence[PreparedGarment]) -> Generated:
        """Put one garment on the person, or an outfit: a top and a bottom, in this order.

        Raises Refusal when the result would not be worth showing.
        """


@dataclass(frozen=True)
class EngineInfo:
    """An engine's card.

    Attributes:
        name: as stored in the job's row.
        version: raised when the same input gives another picture.
        queue: "cpu" or "gpu".
        categories: of garments it can put on.
        outfits: whether it can put on a top and a bottom at once.
        weights: names in preprocessing.weights; all must be there before the engine is offered.
        licence: SPDX name or the licence's own, of code and weights together.
        commercial_use: whether that licence allows a shop to use it.
        module: imported by `load` in the worker; has a function `load() -> Engine`.
    """

    name: str
    version: str
    queue: str
    categories: frozenset[str]
    weights: tuple[str, ...]
    licence: str
    commercial_use: bool
    module: str
    outfits: bool = False

    def load(self) -> Engine:
        return importlib.import_module(self.module).load()
