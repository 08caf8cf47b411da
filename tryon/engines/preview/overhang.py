"""The hem of a top that hangs over a bottom: above it nothing of the bottom is seen, and there the bottom is hardly
wider than the top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from preprocessing.person.body import SIDES as OWN_SIDES
from tryon.engines.pixels import enlarged
from tryon.engines.preview.figure import HALF, SIDES, Figure
from tryon.engines.preview.wardrobe import WAIST, Wardrobe

# Columns a hem is looked for in, in half shoulder widths, and pixels (of every second) that tell one.
REACH, COLUMNS, ENOUGH = 1.2, 39, 12
# How far a column's hem may lie from a straight one through all, in torso lengths: beyond are sleeves and hands.
SLACK = 0.07
# How much wider than the top a bottom comes out of it, and how much it widens from there for each pixel down.
OUT, FLARE = 1.03, 0.6
# Pixels a bottom goes on under the soft edge of a hem.
UNDER = 3


@dataclass(frozen=True)
class Overhang:
    """A hem that lies over the bottom.

    Attributes:
        across: (N,) places along it, in half shoulder widths.
        level: (N,) its level there, in torso lengths.
        widths: side to half the top's width just above it, pixels.
        torso: pixels of a torso length.
    """

    across: np.ndarray
    level: np.ndarray
    widths: dict[str, float]
    torso: float

    def below(self, figure: Figure) -> np.ndarray:
        """1 below the hem, and where it would go on beside the top, 0 above; float32 (H, W)."""
        across, along = figure.half_maps
        pixels = (along - np.interp(across, self.across, self.level)) * self.torso + UNDER
        return enlarged(np.clip(pixels + 0.5, 0, 1).astype(np.float32), figure.person.parse.shape)

    def widest(self, side: str, level: np.ndarray) -> np.ndarray:
        """How far from the axis a bottom may reach at some levels, pixels."""
        end = float(self.level[0 if side == "left" else -1])
        return OUT * self.widths[side] + FLARE * np.maximum(level - end, 0) * self.torso


def find_overhang(figure: Figure, wardrobe: Wardrobe) -> Overhang | None:
    """The hem of the top that stays on; None when there is none to be seen."""
    across, along = figure.half_maps
    limbs = figure.limbs
    arms = np.minimum.reduce([part[side][0] for part in (limbs.forearm, limbs.hand) for side in OWN_SIDES])
    top = wardrobe.top[::HALF, ::HALF] & (np.abs(across) < REACH) & (along > WAIST) & (along < 1.7) & (arms > 1)
    column = ((across[top] + REACH) / (2 * REACH) * COLUMNS).astype(int)
    heights = along[top]
    places, levels = [], []
    for index in range(COLUMNS):
        here = heights[column == index]
        if len(here) > ENOUGH:
            places.append((index + 0.5) / COLUMNS * 2 * REACH - REACH)
            levels.append(np.partition(here, -3)[-3])
    if len(places) < 8:
        return None
    places, levels = np.array(places), np.array(levels)
    middle = np.abs(levels - np.median(levels)) < 2 * SLACK
    near = np.abs(levels - np.polyval(np.polyfit(places[middle], levels[middle], 1), places)) < SLACK
    if near.sum() < 2:
        return None
    places, levels = places[near], median_filter(levels[near], 3, mode="nearest")
    unit, torso = figure.frame.shoulder_width, figure.frame.torso_length
    widths = {}
    for side, sign in SIDES:
        end = float(levels[0 if side == "left" else -1])
        band = (along > end - 0.10) & (along < end - 0.02)
        beside = (across * sign)[top & band & (across * sign > 0)]
        seen = float(np.quantile(beside, 0.98)) * unit / 2 if len(beside) > ENOUGH else 0.0
        widths[side] = max(seen, 0.98 * float(figure.half_width(side, end - 0.05)))
    return Overhang(places, levels, widths, torso)
