"""From garments laid on a figure to a picture: draw the cloth, shade it, leave the rest alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from preprocessing.labels import Parse
from tryon.engines.pixels import box_of, enlarged, full, halved, labelled, mixed, shrunk, soft, spread
from tryon.engines.preview import shade
from tryon.engines.preview.cloth import Cloth
from tryon.engines.preview.figure import HALF, Figure
from tryon.engines.preview.laid import Laid
from tryon.engines.preview.undress import edged, without
from tryon.engines.preview.wardrobe import Wardrobe

# The middle of the chest: half its width in half shoulder widths, from and to levels in torso lengths, between the end
# of usual necklines and the hem of a cropped top.
CHEST = (0.5, 0.2, 0.45)


@dataclass(frozen=True)
class Drawn:
    """One garment in the photo.

    Attributes:
        cloth: uint8 RGB (H, W, 3), its colours, where `cover` is above 0.
        cover: float32 (H, W), how much of it is seen.
        whole: float32 (H, W), how much would be seen with nothing of the person in front.
        folds: number of turned-over cells that show cloth.
        chest: share of the chest that is covered, below what necklines leave open; 1 for bottoms.
    """

    cloth: np.ndarray
    cover: np.ndarray
    whole: np.ndarray
    folds: int
    chest: float = 1.0


@dataclass(frozen=True)
class Composite:
    """A picture and how it came about.

    Attributes:
        image: uint8 RGB (H, W, 3).
        touched: bool (H, W), where it may differ from the photo.
        drawn: the garments in drawing order; what a later one covers does not count as seen or whole.
    """

    image: np.ndarray
    touched: np.ndarray
    drawn: tuple[Drawn, ...]


def _drawn(laid: Laid, figure: Figure) -> tuple[Drawn, np.ndarray]:
    """A garment before light falls on it, and the shadows its pieces throw on each other, as a factor."""
    shape, unit = figure.person.parse.shape, figure.frame.shoulder_width
    cloth = Cloth(laid)
    colour, cover, whole = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    light, folds = np.ones(shape, np.float32), 0
    for number, piece in enumerate(laid.pieces):
        found = cloth.draw(piece, shape)
        if found is None:
            continue
        box, rgb, alpha, folded = found
        folds += folded
        if piece.cut is not None:
            alpha *= piece.cut[box]
        whole[box] = np.maximum(whole[box], alpha)
        alpha *= 1 - piece.hidden[box]
        under = cover[box] * (1 - alpha)
        if number and not piece.flat:
            light[box] *= 1 - 0.22 * shade.thrown(alpha, 0.035 * unit) * under
        colour[box] = mixed(rgb, np.ascontiguousarray(colour[box]), alpha, under)
        cover[box] = under + alpha
    hidden = np.minimum.reduce([piece.hidden for piece in laid.pieces])
    _mend(colour, cover, laid.mended & (figure.person.mask > 127) & (hidden < 0.3), unit)
    chest = 1.0 if laid.garment.category == "lower" else _chest_covered(figure, whole)
    return Drawn(colour, cover, whole, folds, chest), light


def _chest_covered(figure: Figure, whole: np.ndarray) -> float:
    across, along = figure.half_maps
    chest = (np.abs(across) < CHEST[0]) & (along > CHEST[1]) & (along < CHEST[2])
    covered = whole[::HALF, ::HALF][chest] > 0.5
    return float(covered.mean()) if covered.size else 1.0


def _mend(colour: np.ndarray, cover: np.ndarray, where: np.ndarray, unit: float) -> None:
    """Close the small holes in cover and colour, in place, with the cloth about them."""
    small = halved(cover, 2) > 0.5
    size = int(0.05 * unit) | 1
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = full(cv2.morphologyEx(small.view(np.uint8), cv2.MORPH_CLOSE, ellipse).view(bool), cover.shape)
    holes = closed & (cover < 0.5) & where
    if not holes.any():
        return
    box = box_of(holes, margin=2 * size)
    add = soft(closed[box] & where[box], 1.0) * (1 - cover[box])
    sure = (halved(cover[box], 2) > 0.9).astype(np.float32)
    carried = cv2.convertScaleAbs(spread(halved(colour[box], 2).astype(np.float32), sure))
    colour[box] = mixed(enlarged(carried, add.shape), np.ascontiguousarray(colour[box]), add, cover[box])
    cover[box] += add


def _lowered(array: np.ndarray, rows: int) -> np.ndarray:
    """A map moved down by some rows; nothing comes in at the top."""
    moved = np.zeros_like(array)
    moved[rows:] = array[: len(array) - rows]
    return moved


def compose(figure: Figure, wardrobe: Wardrobe, garments: Sequence[Laid]) -> Composite:
    """Draw garments in this order on the figure without the clothes that come off."""
    person, unit = figure.person, figure.frame.shoulder_width
    old = edged(figure, wardrobe)
    result, touched = without(figure, wardrobe, old)
    light_now = enlarged(shade.folds(figure, old), old.shape)
    still = person.mask * np.float32(1 / 255) * ~labelled(person.parse, Parse.HAIR)
    drawn = []
    for laid in garments:
        new, light = _drawn(laid, figure)
        shadow = _lowered(shade.thrown(new.cover, 0.02 * unit), int(0.012 * unit)) * (1 - new.cover) * still
        light *= shade.rim(new.cover, unit)
        light *= light_now if laid.free is None else 1 + (light_now - 1) * (1 - shade.thrown(laid.free, 0.05 * unit))
        if laid.round is not None:
            light *= laid.round
        light /= shade.level(light, new.cover)
        shaded, below = (
            cv2.multiply(picture, cv2.merge([factor] * 3), dtype=cv2.CV_8U)
            for picture, factor in ((new.cloth, light), (result, 1 - 0.30 * shadow))
        )
        result = mixed(shaded, below, new.cover)
        touched |= (new.cover > 0.003) | (shadow > 0.01)
        under = 1 - new.cover
        drawn = [replace(one, cover=one.cover * under, whole=one.whole * under) for one in drawn] + [new]
    touched &= ~shrunk(labelled(person.parse, Parse.FACE), 5)
    cv2.copyTo(person.image, (~touched).view(np.uint8), result)
    return Composite(result, touched, tuple(drawn))
