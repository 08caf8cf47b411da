"""How a dress is laid on a figure: as a top down to its waist, and as a skirt from there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from preprocessing.garment.length import length_ratio
from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import Parse
from tryon.engines.pixels import labelled
from tryon.engines.preview import top
from tryon.engines.preview.figure import SIDES, Figure
from tryon.engines.preview.laid import Laid
from tryon.engines.preview.lower_body import ANKLE, LARGEST_SKIRT_LEAN, LowerBody, check_standing, measure_lower
from tryon.engines.preview.skirt import skirt_sides
from tryon.engines.preview.source import Source
from tryon.engines.preview.torso import CHEST, place_corners
from tryon.engines.preview.waistband import Bottom
from tryon.engines.preview.wardrobe import Wardrobe
from tryon.engines.preview.warp import Patch, untangled

# Torso lengths a dress reaches down for each of its own chest widths: one of 44 cm on a torso of 47.
LENGTH = 0.94
# Where the waist of a dress may lie on the body, in torso lengths.
WAIST_LEAST, WAIST_MOST = 0.62, 0.82
# Rows that `torso_patch` adds below its hem.
MARGIN_ROWS = 2
# How much lower a skirt hangs in the middle than at its sides, in shoulder widths at the hem.
SAG = 0.05


def lay(garment: PreparedGarment, figure: Figure, wardrobe: Wardrobe) -> Laid:
    """Lay a dress on a figure.

    Raises:
        Refusal: "photo.legs_outside" or "photo.legs_bent".
    """
    body = measure_lower(figure)
    check_standing(body, LARGEST_SKIRT_LEAN)
    source = Source(_bodice(garment))
    scale = CHEST * figure.frame.shoulder_width / max(source.chest, 1)
    corners = place_corners(source, figure, scale)
    collar = sum(figure.frame.along(corners[f"collar_{side}"]) for side, _ in SIDES) / 2
    waist = float(np.clip((collar + source.length * scale) / figure.frame.torso_length, WAIST_LEAST, WAIST_MOST))
    hem = float(np.clip(LENGTH * length_ratio("dress", garment.landmarks) - 0.03, waist + 0.3, ANKLE + 0.05))
    bodice, *sleeves = top.pieces(source, figure, corners, scale, waist, garment.sleeve)
    whole = replace(bodice, patch=_with_skirt(bodice.patch, garment, body, scale, waist, hem))
    return Laid(
        garment,
        (whole, *sleeves),
        scale,
        joined_above=max(source.points[f"armpit_{side}"][1] for side, _ in SIDES) + 4,
        mended=top.mended(source, figure, corners, waist),
        round=top.rounded(figure),
        free=_free(figure, waist),
    )


def _free(figure: Figure, waist: float) -> np.ndarray:
    """Below the waist a dress hangs free of all but a skirt; float32 (H, W)."""
    _, along = figure.maps
    return ((along > waist) & ~labelled(figure.person.parse, Parse.SKIRT, Parse.DRESS)).astype(np.float32)


def _bodice(garment: PreparedGarment) -> PreparedGarment:
    """A dress as if it ended at its waist."""
    points = dict(garment.landmarks)
    waist = (points["waist_left"][1] + points["waist_right"][1]) / 2
    parts = garment.parts.copy()
    below = parts[int(waist) :]
    below[below == BODY] = 0
    points |= {f"hem_{side}": points[f"waist_{side}"] for side, _ in SIDES}
    return replace(garment, landmarks=points, parts=parts)


def _with_skirt(
    bodice: Patch, garment: PreparedGarment, body: LowerBody, scale: float, waist: float, hem: float
) -> Patch:
    """The bodice's patch carried on down to the hem."""
    ends = bodice.source[-MARGIN_ROWS - 1], bodice.target[-MARGIN_ROWS - 1]
    drawn, worn = skirt_sides(garment, Bottom(garment), body, scale, waist, hem)
    unit = body.figure.frame.shoulder_width
    grids = []
    for which, last, (left, right), sag in (("source", ends[0], drawn, 0.0), ("target", ends[1], worn, SAG * unit)):
        # The columns go on from where they end; the first and the last are margins.
        first, end = last[1], last[-2]
        chord = end - first
        share = (last - first) @ chord / float(chord @ chord)
        bend = last - first - share[:, None] * chord
        rows = left[:, None] + (right - left)[:, None] * share[None, :, None] + bend
        rows = rows + (last - rows[0]) * np.clip(1 - np.linspace(0, 5, len(rows)), 0, 1)[:, None, None] ** 2
        rows[..., 1] += sag * np.linspace(0, 1, len(rows))[:, None] * np.clip(1 - (2 * share - 1) ** 2, 0, 1)
        above = getattr(bodice, which)[:-MARGIN_ROWS]
        grids.append(np.concatenate([above, rows[1:], 2 * rows[-1:] - rows[-2:-1]]))
    return untangled(Patch(*grids))
