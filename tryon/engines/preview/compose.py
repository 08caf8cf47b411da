"""From garments laid on a figure to a picture: draw the cloth, shade it, leave the rest alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import Parse
from tryon.engines.preview import shade
from tryon.engines.preview.cloth import Cloth
from tryon.engines.preview.figure import Figure
from tryon.engines.preview.laid import Laid
from tryon.engines.preview.pixels import box_of, shrunk, soft, spread
from tryon.engines.preview.undress import edged, without
from tryon.engines.preview.wardrobe import Wardrobe


@dataclass(frozen=True)
class Drawn:
    """One garment in the photo.

    Attributes:
        cloth: float32 RGB (H, W, 3), its colours times `cover`.
        cover: float32 (H, W), how much of it is seen.
        whole: float32 (H, W), how much would be seen with nothing of the person in front.
        folds: number of turned-over cells that show cloth.
    """

    cloth: np.ndarray
    cover: np.ndarray
    whole: np.ndarray
    folds: int


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
    colour, cover, whole = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    light, folds = np.ones(shape, np.float32), 0
    for number, piece in enumerate(laid.pieces):
        box, rgba, folded = cloth.draw(piece, shape)
        folds += folded
        alpha = rgba[..., 3] * np.float32(1 / 255)
        if laid.cut is not None:
            alpha *= laid.cut[box]
        whole[box] = np.maximum(whole[box], alpha)
        alpha *= 1 - piece.hidden[box]
        if number:
            layer = np.zeros(shape, np.float32)
            layer[box] = alpha
            light *= 1 - 0.22 * shade.thrown(layer, 0.035 * unit) * (1 - layer) * cover
        colour[box] = colour[box] * (1 - alpha)[..., None] + rgba[..., :3] * alpha[..., None]
        cover[box] += alpha * (1 - cover[box])
    hidden = np.minimum.reduce([piece.hidden for piece in laid.pieces])
    colour, cover = _mended(colour, cover, laid.mended & (figure.person.mask > 127) & (hidden < 0.3), unit)
    return Drawn(colour, cover, whole, folds), light


def _mended(colour: np.ndarray, cover: np.ndarray, where: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Colour and cover with the small holes closed, with the cloth about them."""
    size = int(0.10 * unit) | 1
    hard = (cover > 0.5).astype(np.uint8)
    closed = cv2.morphologyEx(hard, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    holes = (closed > hard) & where
    if not holes.any():
        return colour, cover
    box = box_of(holes, margin=size)
    add = soft(closed[box] > 0, 1.0) * soft(where[box], 1.0) * (1 - cover[box])
    sure = (cover[box] > 0.9).astype(np.float32)
    carried = spread(colour[box] / np.maximum(cover[box], 1e-3)[..., None], sure)
    colour, cover = colour.copy(), cover.copy()
    colour[box] += carried * add[..., None]
    cover[box] += add
    return colour, cover


def compose(figure: Figure, wardrobe: Wardrobe, garments: Sequence[Laid]) -> Composite:
    """Draw garments in this order on the figure without the clothes that come off."""
    person, unit = figure.person, figure.frame.shoulder_width
    old = edged(figure, wardrobe)
    result = without(figure, wardrobe, old).astype(np.float32)
    touched = soft(old, 1.0) > 0.003
    light_now = shade.enlarged(shade.folds(figure, old), old.shape)
    still = (person.mask / np.float32(255)) * (1 - soft(person.parse == Parse.HAIR, 1.5))
    drawn = []
    for laid in garments:
        new, light = _drawn(laid, figure)
        shadow = np.roll(shade.thrown(new.cover, 0.02 * unit), int(0.012 * unit), axis=0) * (1 - new.cover) * still
        light *= light_now * shade.rim(new.cover, unit)
        if laid.round is not None:
            light *= laid.round
        result *= ((1 - 0.30 * shadow) * (1 - new.cover))[..., None]
        result += np.minimum(new.cloth * light[..., None], 255 * new.cover[..., None])
        touched |= (new.cover > 0.003) | (shadow > 0.01)
        under = 1 - new.cover
        drawn = [Drawn(d.cloth * under[..., None], d.cover * under, d.whole * under, d.folds) for d in drawn] + [new]
    touched &= ~shrunk(person.parse == Parse.FACE, 5)
    image = np.where(touched[..., None], np.clip(result + 0.5, 0, 255).astype(np.uint8), person.image)
    return Composite(image, touched, tuple(drawn))
