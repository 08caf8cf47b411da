"""How a bottom is laid on a figure: trousers, shorts or a skirt at the waist, under the top or over it as now."""

from __future__ import annotations

import numpy as np

from preprocessing.garment.length import hip_width, length_ratio
from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.labels import BOTTOMS, TOPS, Parse
from preprocessing.person.body import SIDES as OWN_SIDES
from tryon.engines.pixels import full, labelled, soft
from tryon.engines.preview.figure import SIDES, Figure, sample
from tryon.engines.preview.front import arms, head, over, sleeved
from tryon.engines.preview.laid import Laid, Piece
from tryon.engines.preview.legs import LEG_LABEL, trouser_patches
from tryon.engines.preview.lower_body import (
    ANKLE,
    LARGEST_SKIRT_LEAN,
    LEG_LEVELS,
    LowerBody,
    check_standing,
    measure_lower,
)
from tryon.engines.preview.overhang import Overhang, find_overhang
from tryon.engines.preview.skirt import skirt_patch
from tryon.engines.preview.waistband import Bottom, one_cloth, upright
from tryon.engines.preview.wardrobe import Wardrobe

# Where a hem lies, in torso lengths: the waist of most bottoms, and widths of the hip per torso length (51 of 47 cm
# for trousers, 48 for skirts; see preprocessing.garment.length).
TROUSER_WAIST, TROUSER_HIP = 0.75, 1.09
SKIRT_WAIST, SKIRT_HIP = 0.72, 1.03
FULL_LENGTH = 2.84
# How far a thigh may lean, in degrees, under trousers; a skirt hangs from both, see `lower_body`.
LARGEST_LEAN = 60.0
# How little of the creases of the trousers worn now is carried on new ones, which crease elsewhere.
FREE_TROUSERS = 0.5
# How far from an arm, in its radii, its sleeve reaches.
SLEEVE = 1.05


def lay(garment: PreparedGarment, figure: Figure, wardrobe: Wardrobe) -> Laid:
    """Lay a bottom on a figure.

    Raises:
        Refusal: "photo.legs_outside" or "photo.legs_bent".
    """
    body, shape = measure_lower(figure), figure.person.parse.shape
    over_it = None if body.seen else find_overhang(figure, wardrobe)
    garment = upright(garment)
    scale = hips(body) / max(hip_width(garment.landmarks), 1)
    hem = hem_level(garment, body)
    garment = one_cloth(garment)
    bottom = Bottom(garment)
    cut = (1 - soft(_top_in_front(body, wardrobe), 1.0)) * _begins(body, over_it)
    before = over(head(figure), arms(figure, None, bared=not wardrobe.top.any()))
    if "crotch" in bottom.points:
        check_standing(body, LARGEST_LEAN)
        panel, legs = trouser_patches(garment, bottom, body, scale, hem, over_it)
        pieces = (
            *(Piece(LEG_LABEL[side], legs[side], before, cut=cut) for side, _ in SIDES),
            Piece(BODY, panel, before, flat=True, cut=cut),
        )
        joined_above, free = bottom.points["crotch"][1] + 8, np.full(shape, FREE_TROUSERS, np.float32)
    else:
        check_standing(body, LARGEST_SKIRT_LEAN)
        pieces = (Piece(BODY, skirt_patch(garment, bottom, body, scale, hem, over_it), before, cut=cut),)
        joined_above = bottom.last
        free = labelled(figure.person.parse, Parse.PANTS, *TOPS).astype(np.float32)
    return Laid(
        garment,
        pieces,
        scale,
        joined_above,
        mended=np.zeros(shape, bool),
        free=free,
    )


def hips(body: LowerBody) -> float:
    """Width of the hips in the photo."""
    levels = np.array([1.05, 1.15, body.crotch_level])
    return float(sum(np.median(body.figure.half_width(side, levels)) for side, _ in SIDES))


def hem_level(garment: PreparedGarment, body: LowerBody) -> float:
    """How far down a bottom reaches, by its own proportions."""
    ratio = length_ratio("lower", garment.landmarks)
    if "crotch" not in garment.landmarks:
        return float(np.clip(SKIRT_WAIST + SKIRT_HIP * ratio, 1.3, ANKLE + 0.05))
    if garment.length == "full":
        return float(np.clip(_worn_end(body), FULL_LENGTH, FULL_LENGTH + 0.08))
    return float(np.clip(TROUSER_WAIST + TROUSER_HIP * ratio, body.crotch_level + 0.12, FULL_LENGTH))


def _worn_end(body: LowerBody) -> float:
    """The level where the bottom worn now ends; 0 without one."""
    ends = [0.0]
    for leg in body.legs.values():
        label = sample(body.figure.person.parse, leg.at(LEG_LEVELS)[0], Parse.BACKGROUND)
        ends += LEG_LEVELS[np.isin(label, BOTTOMS)].tolist()
    return max(ends)


def _top_in_front(body: LowerBody, wardrobe: Wardrobe) -> np.ndarray:
    """Where what is worn above lies before the bottom: where it hangs over, and sleeves; bool (H, W)."""
    if not body.seen:
        return wardrobe.top
    coat = labelled(body.figure.person.parse, Parse.COAT)
    return wardrobe.top & (coat | _sleeves(body.figure, wardrobe) | (_depth(body) < 0))


def _sleeves(figure: Figure, wardrobe: Wardrobe) -> np.ndarray:
    """Where forearms are that are not bare; bool (H, W)."""
    sleeves = np.zeros(figure.half_maps[0].shape, bool)
    for side in OWN_SIDES:
        if sleeved(figure, side, wardrobe.top):
            sleeves |= np.minimum(figure.limbs.forearm[side][0], figure.limbs.hand[side][0]) < SLEEVE
    return full(sleeves, wardrobe.top.shape)


def _depth(body: LowerBody) -> np.ndarray:
    """How far below the waist line each pixel lies, in torso lengths; float32 (H, W)."""
    across, along = body.figure.maps
    constant, tilt, round_ = (np.float32(value) for value in body.waist)
    return along - constant - (tilt + round_ * across) * across


def _begins(body: LowerBody, over_it: Overhang | None) -> np.ndarray | float:
    """1 below the waist line, or the hem that hides it, 0 above; float32 (H, W)."""
    if body.seen:
        return np.clip(_depth(body) * np.float32(body.figure.frame.torso_length) + 0.5, 0, 1)
    return 1.0 if over_it is None else over_it.below(body.figure)
