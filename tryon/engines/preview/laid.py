"""A garment laid on a figure: where each piece of it goes, and what is seen of it. All a category has to say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from preprocessing.garment.prepare import PreparedGarment
from tryon.engines.preview.warp import Patch


@dataclass(frozen=True)
class Piece:
    """One part of a garment on its way to the body.

    Attributes:
        label: which part of `PreparedGarment.parts` it draws.
        patch: where that goes.
        hidden: float32 (H, W) 0..1, what lies in front of it: hair, face, hands, arms, clothes that stay.
        flat: whether it is one cloth with the piece before and throws no shadow on it.
        cut: float32 (H, W), 1 where it may be seen, 0 where it ends before its own hem, as the body of a tucked-in
            top does at the waist; None when it is all to be seen. What is cut off does not count as hidden.
    """

    label: int
    patch: Patch
    hidden: np.ndarray
    flat: bool = False
    cut: np.ndarray | None = None


@dataclass(frozen=True)
class Laid:
    """A garment laid on a figure.

    Attributes:
        garment: which.
        pieces: in drawing order; a later one lies on an earlier one and shades it.
        scale: photo pixels for one of the garment's.
        joined_above: row of the garment's picture above which neighbouring parts belong together and overlap a
            little along their seam: the armpits of a top, the crotch of trousers. Below, they only lie side by side.
        mended: bool (H, W), where small holes between the pieces are closed with the cloth about them.
        round: float32 (H, W), a factor for the light on it, such as darker sides of a round body; None for even.
        free: float32 (H, W) 0..1, how far it hangs free of what is worn now, as a skirt before trousers, whose folds
            then say nothing of its own; None where it never does.
        tucked: whether it goes in what is worn below it, so that a new bottom is drawn over it.
    """

    garment: PreparedGarment
    pieces: tuple[Piece, ...]
    scale: float
    joined_above: float
    mended: np.ndarray
    round: np.ndarray | None = None
    free: np.ndarray | None = None
    tucked: bool = False
