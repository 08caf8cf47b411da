"""Where the garment is in its picture: on studio paper, on a coloured cloth, on a floor; its shadow left behind.

The picture is parted at low resolution: what the border shows is the background, in light and in shadow, what stands
out of it in the middle is the garment, and the cheapest line between the two is its outline. The exact edge is then
worked out in a narrow band along that line.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.garment.background import (
    ANY,
    BRIGHTEST,
    OTHER,
    QUIET,
    SHADED,
    TONES,
    UNLIKE,
    Background,
    ColourCount,
    Ground,
    Likeness,
    ShadowCount,
    border,
    ground_of,
)
from preprocessing.garment.cutting import (
    SURE,
    closed,
    cut,
    dilated,
    ellipse,
    eroded,
    filled,
    large_pieces,
    tall,
    with_inner_back,
    without_prints_cut_out,
)
from preprocessing.garment.edge import soft_edge

# Long sides of the picture that is cut, and of the one in which the edge is worked out.
CUT_SIDE, EDGE_SIDE = 288, 512
# Fewer pixels of a garment than this teach nothing of its colours.
FEW = 30
# How much more a small step of light counts on quiet paper, and how wide a change is no step but a ramp, in pixels.
STEPS, RAMP = 4, 4
# Evidence (log likelihood ratio) of light that clearly rises or falls outwards, how near the line that tells, in
# pixels, and the smallest change per pixel, as a share of the background's light, that tells.
SLOPE, SLOPE_REACH, LEAST_RISE = 4, 8, 0.004
# How far from its outline a mask is doubted, in pixels.
DOUBT_REACH = 20
# How much of a garment is likely seen in shade, as its inner back is.
IN_SHADE = 0.03


@dataclass(frozen=True)
class FoundMask:
    """A garment's mask.

    Attributes:
        soft: float32 (H, W), 0..1.
        plain: 0..1, how much of the picture's border beside the garment looks like one smooth background.
        clear: 0..1, 1 less what may be wrong near the outline, as a share of the garment's area.
    """

    soft: np.ndarray
    plain: float
    clear: float = 1.0

    @property
    def hard(self) -> np.ndarray:
        return self.soft > 0.5


@dataclass(frozen=True)
class _Start:
    """Where to begin; bool (H, W).

    Attributes:
        place: roughly the garment with its shadow.
        middle: deep inside it.
        known: of the middle what is garment for certain.
        gap: background seen through it.
        stripes: of the background's colour, between others.
    """

    place: np.ndarray
    middle: np.ndarray
    known: np.ndarray
    gap: np.ndarray
    stripes: np.ndarray


def _start(ground: Ground) -> _Start | None:
    other, strange = (
        cv2.medianBlur((misfit > OTHER).astype(np.uint8), 3) > 0
        for misfit in (ground.likeness.misfit, ground.likeness.shaded_misfit)
    )
    place = cv2.morphologyEx(filled(closed(other, 7)).astype(np.uint8), cv2.MORPH_OPEN, ellipse(5)) > 0
    if not place.any():
        return None
    place = large_pieces(place, 0.1)
    depth = cv2.distanceTransform(np.pad(place, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    middle = depth > 0.5 * depth.max()
    gap = _gap(place, middle, other, strange)
    known = middle & ~dilated(gap, 3)
    if ground.one and (place & ~strange)[middle].mean() > 0.5:
        known &= ~_lighter_few(ground, middle)
    stripes = _stripes(place, other) & ~gap if (place & ~other & ~gap)[middle].mean() > 0.05 else np.zeros_like(place)
    return _Start(place | stripes, middle, known, gap, stripes) if known.sum() >= FEW else None


def _stripes(place: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Stripes of the background's colour that run across the garment and out at its sides."""
    reach = round(0.13 * place.shape[0]) | 1
    stands = (place & other).astype(np.uint8)
    closed_up = cv2.copyMakeBorder(stands, reach, reach, 0, 0, cv2.BORDER_CONSTANT)
    closed_up = cv2.morphologyEx(closed_up, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8))[reach:-reach]
    wide = max(3, round(0.25 * place.any(0).sum()))
    return cv2.morphologyEx(closed_up & (1 - stands), cv2.MORPH_OPEN, np.ones((1, wide), np.uint8)) > 0


def _gap(place: np.ndarray, middle: np.ndarray, other: np.ndarray, strange: np.ndarray) -> np.ndarray:
    """Background seen between sleeve and body or between the legs, unless the garment itself is of that colour."""
    for alike in (place & ~strange, place & ~other):
        if alike[middle].mean() < 0.05:
            return alike & ~_wide(alike & other)
        upright = dilated(tall(alike, round(0.09 * place.shape[0])), 5)
        if (alike & ~upright)[middle].mean() < 0.05 and upright[middle].mean() < 0.3:
            return alike & upright & ~_wide(alike & other)
    return np.zeros_like(place)


def _wide(mask: np.ndarray) -> np.ndarray:
    """Where a mask is wider than a gap or a shadow is."""
    size = round(0.09 * min(mask.shape)) | 1
    return dilated(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, ellipse(size)) > 0, 5)


def _lighter_few(ground: Ground, middle: np.ndarray) -> np.ndarray:
    """Pixels of a garment of the background's hue that are nearer to the background than to the rest of it, where
    they are few: a gap in shadow."""
    usual = float(np.median(ground.shade[middle]))
    lighter = ground.shade > (usual + 1) / 2
    few = usual < 0.93 and lighter[middle].mean() < 0.25
    return dilated(lighter, 3) if few else np.zeros_like(lighter)


def _drawn(ground: Ground, turned: np.ndarray) -> np.ndarray:
    """The picture whose edges draw the line, from its colours along and off the grey axis: float32 (H, W, 2). On quiet
    paper a step of little light counts as much as a large one elsewhere; a ramp, as a shadow makes, does not."""
    light = turned[..., 0] / 1.74
    if ground.one:
        steps = light - cv2.GaussianBlur(light, (0, 0), RAMP)
        light = 128 + (1 + (STEPS - 1) * ground.quiet) * steps
    return np.dstack([light, 128 + turned[..., 1]])


def _by_slope(ground: Ground, garment: np.ndarray) -> np.ndarray:
    """Evidence by how light changes outwards near the line found so far: a shadow is deepest beside the garment that
    casts it and gets lighter away from it, and a garment gets darker where it rounds off. float32 (H, W)."""
    outwards = cv2.distanceTransform((~garment).astype(np.uint8), cv2.DIST_L2, 5)
    outwards -= cv2.distanceTransform(garment.astype(np.uint8), cv2.DIST_L2, 5)
    calm, shade = cv2.GaussianBlur(outwards, (0, 0), 2), ground.shade
    rise = sum(
        cv2.Sobel(calm, cv2.CV_32F, *way, ksize=3, scale=1 / 8)
        * cv2.Sobel(shade, cv2.CV_32F, *way, ksize=3, scale=1 / 8)
        for way in ((1, 0), (0, 1))
    )
    told = (np.abs(outwards) < SLOPE_REACH) & (ground.likeness.shaded_misfit < OTHER)
    tone = ground.background.tones[0]
    certain = np.clip(rise / (LEAST_RISE + tone.light / tone.length), -1, 1)
    return np.where(told, -SLOPE * ground.quiet * certain, 0)


def _outline(ground: Ground, start: _Start) -> tuple[np.ndarray, np.ndarray] | None:
    """The garment (bool) and the evidence for it (float32), learning its colours and its shadow's from a first cut."""
    known, behind = start.known, ground.likeness.density
    colours = ColourCount(ground.image)
    # A garment keeps its colour where the background's light falls off, so each is counted under its own light.
    fine = fine_behind = None
    if ground.one:
        fine, fine_behind = (ShadowCount(image, ground.background.tones[0]) for image in (ground.image, ground.even))
    drawn = _drawn(ground, colours.turned)
    outside = border(known.shape, 1) & ~ground.touching
    if ground.one:
        outside |= ~dilated(start.place, 9)
    garment = None
    for _ in range(2):
        if garment is not None:
            known = eroded(garment, 9)
            if known.sum() < FEW:
                break
            if fine_behind is not None:
                if ground.noise < QUIET:
                    known |= eroded(_wide(start.place & ~garment), 9)  # no shadow, so another part of it
                behind = _with_shadow_learned(ground.likeness, fine_behind, garment)
            else:
                behind = (
                    Background.of(ground.even, ~dilated(garment, 7), TONES + 1, BRIGHTEST)
                    .likeness(ground.even)
                    .density
                )
        front = (1 - UNLIKE) * colours.density(known, IN_SHADE)
        if fine is not None:
            front = np.where(fine.near, (1 - UNLIKE) * fine.density(known, (1.0, 0.9, 0.9), IN_SHADE), front)
        evidence = np.log(front + UNLIKE * ANY) - np.log(behind)
        if garment is not None and ground.one:
            evidence += _by_slope(ground, garment)
        evidence[start.stripes] = np.maximum(evidence[start.stripes], 1)
        inside = start.middle & (evidence > 2)
        if not inside.any():
            return None
        garment = large_pieces(cut(evidence, drawn, inside, outside), 0.1)
    garment = without_prints_cut_out(garment, evidence)
    if ground.one:
        shadow = ground.likeness.shaded_misfit < OTHER
        garment = with_inner_back(garment, ground.likeness.misfit > OTHER, shadow, ground.shade)
    return garment, evidence


def _with_shadow_learned(likeness: Likeness, fine: ShadowCount, garment: np.ndarray) -> np.ndarray:
    """The background's density with its shadow as it is around this garment. Necks and gaps teach nothing: what lies
    in them may be the garment's."""
    reach = round(0.2 * min(garment.shape)) | 1
    around = dilated(garment, 41) & ~closed(garment, reach) & ~dilated(garment, 3)
    shaded = around & (likeness.misfit > OTHER) & (likeness.shaded_misfit < OTHER)
    if shaded.sum() < 0.02 * around.sum():
        return likeness.lit + 0.1 * likeness.shaded
    learned = SHADED * fine.density(shaded, (1.6, 1.2, 1.2))
    return likeness.lit + np.where(fine.near, 0.2 * likeness.shaded + 0.8 * learned, likeness.shaded)


def _clear(garment: np.ndarray, evidence: np.ndarray) -> float:
    """1 less the share of the garment's area that speaks against the mask near its outline. What a neighbourhood says
    in the mean counts: stripes and marl have threads of any colour, and outside a shadow is told from a sleeve left
    out by its width."""
    sure = np.clip(evidence, -SURE, SURE)
    doubted = np.where(garment, _around(sure, garment, 4) <= 0, _around(sure, ~garment, 1.5) >= 0)
    doubted &= dilated(garment, 2 * DOUBT_REACH + 1) & ~eroded(garment, 2 * DOUBT_REACH + 1)
    return max(0.0, 1 - float(doubted.sum() / garment.sum()))


def _around(values: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """The mean of the values at `where` around each pixel, float32."""
    weight = cv2.GaussianBlur(where.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(np.where(where, values, 0).astype(np.float32), (0, 0), sigma)
    return total / np.maximum(weight, 1e-3)


def from_alpha(alpha: np.ndarray) -> FoundMask | None:
    """The mask of a cut-out picture: its own transparency, without pieces apart such as a drawn shadow."""
    if not (alpha > 127).any():
        return None
    near = cv2.dilate(large_pieces(alpha > 127, 0.3).astype(np.uint8), np.ones((5, 5))) > 0
    return FoundMask(np.where(near, alpha.astype(np.float32) / 255, 0).astype(np.float32), 1.0)


def _small(image: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(scale * length)) for length in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def find_mask(image: np.ndarray) -> FoundMask | None:
    """Find the one garment in a picture.

    Args:
        image: uint8 RGB (H, W, 3), long side about 1024.

    Returns:
        None when nothing stands out.
    """
    half = _small(image, EDGE_SIDE)
    ground = ground_of(_small(half, CUT_SIDE))
    start = _start(ground)
    found = _outline(ground, start) if start is not None else None
    if found is None or found[0].mean() < 0.01:
        return None
    garment, evidence = found
    soft = cv2.resize(soft_edge(half, garment, ground.noise), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    soft = np.clip(1.5 * soft - 0.25, 0, 1)  # as steep as an edge of the full size
    return FoundMask(soft, ground.plain, _clear(garment, evidence))
