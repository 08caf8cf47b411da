"""From patches to a picture: draw the cloth, put in front what belongs there, shade it, leave the rest alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.garment.neckline import back_inside
from preprocessing.garment.prepare import BODY, PreparedGarment
from preprocessing.labels import ARMS, BOTTOMS, Parse
from preprocessing.person.body import Limbs
from tryon.engines.preview.figure import ARM_LABEL, OWN_SIDE, Figure
from tryon.engines.preview.fill import grown, local_mean, old_top, shrunk, soft, spread, without_top
from tryon.engines.preview.patches import Cut
from tryon.engines.preview.sleeves import SLEEVE_LABEL
from tryon.engines.preview.warp import Patch, draw, folded


@dataclass(frozen=True)
class Composite:
    """A picture and how it came about.

    Attributes:
        image: uint8 RGB (H, W, 3).
        touched: bool (H, W), where it may differ from the photo.
        cover: float32 (H, W), how much of the new garment is seen.
        drawn: float32 (H, W), how much would be seen with nothing in front.
        cloth: float32 RGB (H, W, 3), the garment's colours before shading.
        folds: number of turned-over cells that show cloth.
    """

    image: np.ndarray
    touched: np.ndarray
    cover: np.ndarray
    drawn: np.ndarray
    cloth: np.ndarray
    folds: int


@dataclass(frozen=True)
class _Layer:
    colour: np.ndarray  # float32 (H, W, 3)
    alpha: np.ndarray  # float32 (H, W)


class _Cloth:
    """The garment's pixels made ready for drawing: colours carried over the edge, one alpha for each part."""

    def __init__(self, garment: PreparedGarment, scale: float):
        self.alpha = garment.mask.astype(np.float32) / 255
        hard = garment.mask > 127
        image = garment.image.astype(np.float32)
        if scale < 0.7:  # drawn smaller than photographed
            image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
        core = shrunk(hard, 5).astype(np.float32)
        # The outermost pixels hold some background: take the colours from further in.
        self.colour = np.where((core > 0)[..., None], image, spread(image, core))
        if garment.neckline is not None:
            inside = back_inside(garment.mask > 0, garment.neckline)
            self.alpha = self.alpha * (1 - soft(inside, 1.0))
        self.parts = garment.parts
        # Neighbours overlap along the armhole; below it they may lie side by side without belonging together.
        armpit = max(garment.landmarks[f"armpit_{side}"][1] for side in ("left", "right"))
        self.above_armpit = np.arange(hard.shape[0])[:, None] < armpit + 4

    def part(self, label: int) -> np.ndarray:
        """Alpha of one part, a few pixels beyond its seam so that neighbours overlap."""
        here = self.parts == label
        others = (self.parts != 0) & ~here & ~(grown(here, 9) & self.above_armpit)
        return self.alpha * (1 - soft(others, 1.0)) * (soft(grown(here, 11), 1.5) if label != BODY else 1.0)


def _layer(cloth: _Cloth, patch: Patch, label: int, shape: tuple[int, int]) -> tuple[_Layer, int]:
    alpha = cloth.part(label)
    flow = draw(patch, shape)
    colour = cv2.remap(cloth.colour, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shown = cv2.remap(alpha, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    shown[flow[..., 0] < -5000] = 0
    return _Layer(colour, shown), int(folded(patch, alpha).sum())


def _arms_in_front(figure: Figure, limbs: Limbs, sleeve: str) -> np.ndarray:
    """Bare arms that are seen before the torso of the new top; bool (H, W)."""
    parse = figure.person.parse
    arm = np.isin(parse, ARMS)
    covered = {"sleeveless": 0.30, "short": 0.70}.get(sleeve)
    front = np.zeros(parse.shape, bool)
    for side in ("left", "right"):
        distance, place = limbs.upper_arm[side]
        if covered is not None:
            front |= arm & (distance < 1.5) & (place > covered)
        lower = np.minimum(limbs.forearm[side][0], limbs.hand[side][0])
        front |= arm & (lower < 1.5)
        if covered is not None:  # an old sleeve before the body: an arm will be there
            front |= (parse == Parse.UPPER) & (lower < 0.92)
    return front


def _things_in_front(figure: Figure) -> np.ndarray:
    """Straps and bags worn over the top; not the small marks on it."""
    things = figure.person.carried.astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(things)
    large = stats[:, cv2.CC_STAT_AREA] > 0.04 * figure.frame.shoulder_width**2
    large[0] = False
    return large[labels]


def _waist_cut(figure: Figure, cut: Cut, along: np.ndarray) -> np.ndarray:
    """1 where a tucked-in top may be seen, 0 below the waist; float32 (H, W)."""
    if not cut.tucked or figure.waist is None:
        return np.ones(along.shape, np.float32)
    below = grown(np.isin(figure.person.parse, BOTTOMS), 3) & (along > figure.waist - 0.15)
    fade = 1 / (1 + np.exp(np.clip((along - figure.waist - 0.07) / 0.006, -30, 30)))
    return (fade * (1 - soft(below, 1.0))).astype(np.float32)


def _closed(colour: np.ndarray, cover: np.ndarray, figure: Figure, cut: Cut, old: np.ndarray, occluded: np.ndarray):
    """Cover and colour with the small holes closed where shoulder and sleeve meet and the old top would show."""
    unit = figure.frame.shoulder_width
    across, along = figure.frame.maps(cover.shape)
    collar = min(abs(figure.frame.across(cut.corners[f"collar_{side}"])) for side in ("left", "right"))
    beside_neck = np.abs(across) * unit / 2 > 0.9 * collar
    down = along * figure.frame.torso_length
    hard = (cover > 0.5).astype(np.uint8)
    size = int(0.10 * unit) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    close = cv2.morphologyEx(hard, cv2.MORPH_CLOSE, kernel) > 0
    band = close & (beside_neck | (down > 0.55 * unit)) & (down < cut.hem * figure.frame.torso_length - 0.05 * unit)
    shoulder_skin = np.isin(figure.person.parse, (*ARMS, Parse.TORSO_SKIN)) & beside_neck if cut.sleeves else False
    band &= old | shoulder_skin
    add = soft(band & (figure.person.mask > 127) & ~occluded, 1.0) * (1 - cover)
    if add.max() < 0.05:
        return colour, cover
    carried = spread(colour, (cover > 0.9).astype(np.float32))
    share = (cover / np.maximum(cover + add, 1e-4))[..., None]
    return colour * share + carried * (1 - share), np.clip(cover + add, 0, 1)


def _shading(figure: Figure, old: np.ndarray, cover: np.ndarray, sleeves: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Light and shadow for the new top: the large folds of the old one, rounder edges, the sleeves' shadow."""
    parse, unit = figure.person.parse, figure.frame.shoulder_width
    shade = np.ones(parse.shape, np.float32)
    worn = (parse == Parse.UPPER) & shrunk(old, 7)
    if worn.sum() > 800:
        lab = cv2.cvtColor(figure.person.image, cv2.COLOR_RGB2LAB).astype(np.float32)
        weight = worn.astype(np.float32)
        fine, _ = local_mean(lab[..., :1], weight, 0.025 * unit)
        broad, _ = local_mean(lab[..., :1], weight, 0.22 * unit)
        ratio = np.clip((fine[..., 0] + 8) / (broad[..., 0] + 8), 0.75, 1.2)
        colours = lab[worn]
        motley = float(np.median(np.abs(colours[:, 1:] - np.median(colours[:, 1:], axis=0)), axis=0).sum())
        uneven = float(np.std(colours[:, 0] - broad[..., 0][worn]))
        trust = np.clip(1.15 - uneven / 26 - motley / 16, 0.12, 0.9)  # a print is not a fold
        shade += (ratio - 1) * trust * soft(worn, 0.03 * unit)
    inward = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    shade *= 1 - 0.16 * np.exp(-inward / (0.035 * unit))
    across, _ = figure.frame.maps(parse.shape)
    shade *= 1 - 0.10 * np.clip(np.abs(across) - 0.35, 0, 0.8) ** 1.5 * (1 - sleeves)
    if sleeves.any():
        shade *= 1 - 0.22 * soft(sleeves, 0.035 * unit) * (1 - sleeves) * torso
    return shade


def compose(garment: PreparedGarment, figure: Figure, limbs: Limbs, cut: Cut) -> Composite:
    """Draw a garment that has been laid on a figure."""
    person, unit = figure.person, figure.frame.shoulder_width
    parse, shape = person.parse, person.parse.shape
    _, along = figure.frame.maps(shape)
    cloth = _Cloth(garment, cut.scale)
    sleeve = garment.sleeve if cut.sleeves else "sleeveless"

    hair, face = soft(parse == Parse.HAIR, 1.5), soft(parse == Parse.FACE, 1.2)
    things = soft(_things_in_front(figure), 1.0)
    head = (1 - hair) * (1 - face) * (1 - things)
    arms = soft(_arms_in_front(figure, limbs, sleeve), 1.0)

    layer, folds = _layer(cloth, cut.torso, BODY, shape)
    torso = layer.alpha * head * (1 - arms) * _waist_cut(figure, cut, along)
    colour, cover, drawn = layer.colour, torso.copy(), layer.alpha.copy()
    sleeves = np.zeros(shape, np.float32)
    for side, patch in cut.sleeves.items():
        layer, more = _layer(cloth, patch, SLEEVE_LABEL[side], shape)
        folds += more
        own, other = OWN_SIDE[side], side
        arm = np.isin(parse, ARMS)
        own_hand = arm & (limbs.hand[own][0] < 1.0) & (limbs.hand[own][1] > 0.10)
        other_label = ARM_LABEL["right" if side == "left" else "left"]
        other_hand = (parse == other_label) & (limbs.hand[other][0] < 1.2)
        alpha = layer.alpha * head * (1 - soft(own_hand | other_hand, 1.0))
        colour = colour * (1 - alpha[..., None]) + layer.colour * alpha[..., None]
        cover = cover + alpha - cover * alpha
        drawn = np.maximum(drawn, layer.alpha)
        sleeves = np.maximum(sleeves, alpha)

    old = old_top(figure)
    occluded = (1 - head + arms) > 0.3
    colour, cover = _closed(colour, cover, figure, cut, old, occluded)

    image = person.image.astype(np.float32)
    below = without_top(figure, limbs, old)
    shadow = np.roll(soft(cover > 0.5, 0.02 * unit), int(0.012 * unit), axis=0)
    shadow = shadow * (1 - cover) * (person.mask / np.float32(255)) * (1 - hair)
    below *= (1 - 0.30 * shadow)[..., None]
    shaded = np.clip(colour * _shading(figure, old, cover, sleeves, torso)[..., None], 0, 255)
    result = below * (1 - cover[..., None]) + shaded * cover[..., None]

    touched = (cover > 0.003) | (soft(old, 1.0) > 0.003) | (shadow > 0.01)
    touched &= ~shrunk(parse == Parse.FACE, 5)
    result = np.where(touched[..., None], np.clip(np.round(result), 0, 255), image).astype(np.uint8)
    return Composite(result, touched, cover, drawn, colour, folds)
