"""How a top is laid on a figure: its torso, a sleeve along each arm, over the bottom or tucked in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import ARMS, Parse
from tryon.engines.pixels import enlarged, full, grown, labelled, soft
from tryon.engines.preview.figure import SIDES, Figure
from tryon.engines.preview.front import arms, hands, head, over
from tryon.engines.preview.laid import Laid, Piece
from tryon.engines.preview.sleeves import SLEEVE_LABEL, sleeve_patch
from tryon.engines.preview.source import Source, without_tails
from tryon.engines.preview.torso import CHEST, place_corners, torso_patch
from tryon.engines.preview.wardrobe import WAIST, Wardrobe

# A hem is not pulled below this many torso lengths; beyond, half of the rest counts, since cloth there hangs in folds.
HEM_SOFT, HEM_LAST = 1.05, 1.45
TUCK_ABOVE = 0.93


def lay(garment: PreparedGarment, figure: Figure, wardrobe: Wardrobe) -> Laid:
    """Lay a top on a figure."""
    garment = without_tails(garment)
    source = Source(garment)
    scale = CHEST * figure.frame.shoulder_width / max(source.chest, 1)
    corners = place_corners(source, figure, scale)
    hem, tucked = _hem(source, figure, corners, scale)
    body, *sleeves = pieces(source, figure, corners, scale, hem, garment.sleeve)
    if tucked:  # sleeves hang on past the waist
        body = replace(body, cut=_cut(figure, wardrobe))
    return Laid(
        garment,
        (body, *sleeves),
        scale,
        joined_above=max(source.points[f"armpit_{side}"][1] for side, _ in SIDES) + 4,
        mended=mended(source, figure, corners, hem),
        round=rounded(figure),
        tucked=tucked,
    )


def pieces(
    source: Source, figure: Figure, corners: dict, scale: float, hem: float, sleeve: str | None
) -> tuple[Piece, ...]:
    """The torso down to `hem` (torso lengths) and the sleeves, with what lies in front of each."""
    before = head(figure)
    sleeve = sleeve if source.sleeved else "sleeveless"
    torso = torso_patch(source, figure, corners, scale, hem)
    found = [Piece(BODY, torso, over(before, arms(figure, sleeve)))]
    if source.sleeved:
        for side, sign in SIDES:
            patch = sleeve_patch(source, figure, corners, scale, sleeve, side, sign)
            found.append(Piece(SLEEVE_LABEL[side], patch, over(before, hands(figure, side))))
    return tuple(found)


def rounded(figure: Figure) -> np.ndarray:
    """Light that falls off towards the sides of a torso; float32 (H, W)."""
    across, _ = figure.half_maps
    return enlarged(1 - 0.10 * np.clip(np.abs(across) - 0.35, 0, 0.8) ** 1.5, figure.person.parse.shape)


def mended(source: Source, figure: Figure, corners: dict, hem: float) -> np.ndarray:
    """Where shoulder, torso and sleeve meet, and the old top or an armpit would be seen between them."""
    unit, (across, along) = figure.frame.shoulder_width, figure.half_maps
    collar = min(abs(figure.frame.across(corners[f"collar_{side}"])) for side, _ in SIDES)
    beside_neck = np.abs(across) * unit / 2 > 0.9 * collar
    down = along * figure.frame.torso_length
    parse = figure.person.parse[::2, ::2]
    worn = labelled(parse, Parse.UPPER, Parse.COAT, Parse.DRESS)
    if source.sleeved:
        worn |= labelled(parse, *ARMS, Parse.TORSO_SKIN) & beside_neck
    worn &= (beside_neck | (down > 0.55 * unit)) & (down < hem * figure.frame.torso_length - 0.05 * unit)
    return full(worn, figure.person.parse.shape)


def _hem(source: Source, figure: Figure, corners: dict, scale: float) -> tuple[float, bool]:
    """Where the hem comes to lie in torso lengths, and whether the top is tucked in."""
    frame = figure.frame
    collar = sum(frame.along(corners[f"collar_{side}"]) for side, _ in SIDES) / 2
    hem = (collar + source.length * scale) / frame.torso_length
    waist, tucked = figure.waist, False
    if (figure.person.parse == Parse.DRESS).any():
        waist = WAIST
    elif waist is not None and 0.5 < waist < 1.35:
        tucked = waist < TUCK_ABOVE and hem > waist + 0.03 and figure.bottom_at_waist
    if hem > HEM_SOFT:
        hem = HEM_SOFT + 0.5 * (hem - HEM_SOFT)
    if waist is not None and 0.5 < waist < 1.35 and waist - 0.60 < hem < waist + 0.04:
        hem = waist + 0.05  # a little longer, rather than a strip of the old top
    return float(np.clip(hem, 0.45, HEM_LAST)), tucked


def _cut(figure: Figure, wardrobe: Wardrobe) -> np.ndarray | None:
    """1 where the body of a tucked-in top may be seen, 0 below the waist; None when a new bottom covers that."""
    if not wardrobe.bottom.any() or figure.waist is None:
        return None
    _, along = figure.half_maps
    shape = figure.person.parse.shape
    near_waist = full(along > figure.waist - 0.15, shape)
    fade = 1 / (1 + np.exp(np.clip((along - figure.waist - 0.07) / 0.006, -30, 30)))
    return enlarged(fade, shape) * (1 - soft(grown(wardrobe.bottom, 3) & near_waist, 1.0))
