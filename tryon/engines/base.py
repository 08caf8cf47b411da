"""What an engine is. Imports nothing heavy: the web process reads EngineInfo, only a worker calls `load`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from preprocessing.garment.prepare import PreparedGarment
    from preprocessing.networks.person import Frame
    from preprocessing.person.prepare import PreparedPerson


@dataclass(frozen=True)
class Inputs:
    """What an engine makes a picture from; each takes what it needs.

    Attributes:
        person: everything known of the photo.
        garments: one, or an outfit: a top and a bottom, in this order.
        frame: the person as HD engines see one, with every map; for engines whose card asks for it, else None.
        seed: of whatever an engine draws by chance; the same inputs and seed give the same picture.
    """

    person: PreparedPerson
    garments: Sequence[PreparedGarment]
    frame: Frame | None = None
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """A finished picture.

    Attributes:
        image: uint8 RGB (H, W, 3), the size of the photo it was made from.
        touched: bool (H, W), where the picture may differ from the photo; everywhere else it is equal to the byte.
        notes: small JSON-able facts kept with the job (delta E, hidden part, ...).
        timings: seconds of each step inside the engine, by its name; kept with the job.
    """

    image: np.ndarray
    touched: np.ndarray
    notes: dict = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)


class Engine(Protocol):
    def generate(self, inputs: Inputs) -> Generated:
        """Put the garments on the person. Raises Refusal when the result would not be worth showing."""


@dataclass(frozen=True)
class EngineInfo:
    """An engine's card.

    Attributes:
        name: as stored in the job's row.
        version: raised when the same input gives another picture.
        queue: "cpu" or "gpu".
        categories: of garments it can put on.
        outfits: whether it can put on a top and a bottom at once.
        frame: the part of the photo its networks see: "upper" (crown to thigh), "whole", or "" for none; the worker
            then gives it the `preprocessing.networks.person.Frame`, which is made once a photo.
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
    frame: str = ""

    def load(self) -> Engine:
        """The engine, warm: its networks have run once at their real size, so the first shopper waits for nothing."""
        return importlib.import_module(self.module).load()
