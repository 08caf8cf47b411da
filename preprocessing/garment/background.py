"""What a garment lies on: a few tones under uneven light, each also in shadow; how likely a colour is one of them.

Densities are per unit of volume of 8-bit RGB space.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.cutting import dilated, ellipse

# Density of a colour of which nothing is known: the volume of RGB as far as pictures fill it.
ANY = 1 / 2e7
# Share of a background's pixels that may have any colour, and of those that lie in shadow.
UNLIKE, SHADED = 0.05, 0.15
# The deepest shadow, as a share of the background's value, and the brightest light on uneven cloth or a floor.
DEEPEST, BRIGHTEST = 0.38, 1.25
# A tone's misfit (squared distance over variance, three degrees of freedom) from which a colour is another one.
OTHER = 16

# Below this share of border pixels near a smooth background, or above this deviation from it, it has several tones.
PLAIN, SMOOTH = 0.9, 7
TONES = 5
# Below this deviation it is studio paper, even but for its light.
QUIET = 1.5
# Below this one it was painted flat, and a white garment is told by less. The least deviation of a tone in light and
# tint, on any background and on a flat one: what noise and JPEG leave.
FLAT, LEAST, LEAST_FLAT = 0.1, (1.5, 0.9), (0.6, 0.7)
# A garment may touch the border of studio paper that still shows on this share of it, and in three of four corners.
TOUCHED, CORNERS = 0.75, 3


def border(shape: tuple[int, int], width: int) -> np.ndarray:
    ring = np.ones(shape, bool)
    ring[width:-width, width:-width] = False
    return ring


def surface(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A quadratic through the colours at `where`, leaving out what does not fit; float32 (H, W, 3).

    Light falls off smoothly towards corners; a garment that touches the border, or a line on the floor, does not.
    """
    height, width = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    step = max(1, int(where.sum() / 3000))
    colours, basis = image[where][::step], terms[where][::step]
    keep = np.ones(len(colours), bool)
    for _ in range(4):
        coefficients = np.linalg.lstsq(basis[keep], colours[keep], rcond=None)[0]
        off = np.abs(colours - basis @ coefficients).max(1)
        kept = off < max(2.5 * np.median(off[keep]), 3)
        if kept.sum() < 60:
            break
        keep = kept
    return np.clip(terms @ coefficients, 8, 262).astype(np.float32)


@dataclass(frozen=True)
class Tone:
    """One colour of a background: in shadow it moves along the line to black.

    Attributes:
        unit, length: its direction and distance from black.
        light, tint: usual deviation along that line and off it.
        share: of the background's pixels.
    """

    unit: np.ndarray
    length: float
    light: float
    tint: float
    share: float

    @classmethod
    def of(cls, pixels: np.ndarray, share: float, least: tuple[float, float] = LEAST) -> Tone:
        middle = np.maximum(np.median(pixels, axis=0), 4).astype(np.float32)
        length = float(np.linalg.norm(middle))
        unit = middle / length
        along = pixels @ unit
        off = ((pixels - along[:, None] * unit) ** 2).sum(1)
        light = max(1.48 * float(np.median(np.abs(along - length))), least[0])
        tint = max(float(np.median(off) / 1.386) ** 0.5, least[1])
        return cls(unit, length, light, tint, share)


@dataclass(frozen=True)
class Likeness:
    """How a picture's pixels (H, W) look to a background model.

    Attributes:
        lit, shaded: float32, how likely the background in light makes this colour, and in shadow; to be added.
        misfit, shaded_misfit: from the nearest tone, and from the nearest shadow of one; OTHER and more is strange.
    """

    lit: np.ndarray
    shaded: np.ndarray
    misfit: np.ndarray
    shaded_misfit: np.ndarray

    @property
    def density(self) -> np.ndarray:
        return self.lit + self.shaded


@dataclass(frozen=True)
class Background:
    """Tones, and how much lighter than a tone it may be in places: 1 on studio paper."""

    tones: tuple[Tone, ...]
    brightest: float = 1.0

    @classmethod
    def of(
        cls, image: np.ndarray, where: np.ndarray, count: int, brightest: float = 1.0, least: tuple = LEAST
    ) -> Background:
        """The tones of the pixels at `where`, at most `count`; `least` are their least deviations."""
        pixels = image[where]
        pixels = pixels[:: max(1, len(pixels) // 4000)]
        if count == 1:
            return cls((Tone.of(pixels, 1.0, least),), brightest)
        start = np.arange(len(pixels), dtype=np.int32)[:, None] % count
        rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
        _, labels, _ = cv2.kmeans(pixels, count, start, rule, 1, cv2.KMEANS_USE_INITIAL_LABELS)
        parts = [pixels[labels[:, 0] == index] for index in range(count)]
        return cls(
            tuple(Tone.of(part, len(part) / len(pixels), least) for part in parts if len(part) >= 12), brightest
        )

    def joined(self, other: Background) -> Background:
        return Background(self.tones + other.tones, self.brightest)

    def likeness(self, image: np.ndarray) -> Likeness:
        lit = np.full(image.shape[:2], UNLIKE * ANY, np.float32)
        dark = np.zeros_like(lit)
        misfit, shaded_misfit = np.full((2, *image.shape[:2]), np.inf, np.float32)
        squared = np.einsum("hwc,hwc->hw", image, image)
        for tone in self.tones:
            along = image @ tone.unit
            shade = along / tone.length
            off = np.maximum(squared - along * along, 0)
            plain = ((along - tone.length) / tone.light) ** 2 + off / tone.tint**2
            # Light in a shadow comes from elsewhere and shifts the tint a little.
            tint2 = tone.tint**2 + 0.5 + (0.022 * tone.length * np.clip(np.abs(1 - shade), 0, 1)) ** 2
            beyond = (
                np.maximum(along - self.brightest * tone.length, 0) / tone.light
                + np.maximum(DEEPEST - shade, 0) / 0.015
            )
            shaded = off / tint2 + beyond**2
            peak = (2 * np.pi) ** -1.5 / (tone.light * tone.tint**2)
            lit += tone.share * (1 - SHADED) * peak * np.exp(-0.5 * np.minimum(plain, 60))
            peak = 1 / ((1 - DEEPEST) * tone.length * 2 * np.pi * tint2)
            dark += tone.share * SHADED * peak * np.exp(-0.5 * np.minimum(shaded, 60))
            misfit, shaded_misfit = np.minimum(misfit, plain), np.minimum(shaded_misfit, shaded)
        return Likeness(lit, dark, misfit, shaded_misfit)


class ColourCount:
    """Densities of a picture's colours, counted over a part of it in cells of 6 units along and off the grey axis."""

    CELL, CELLS, ORIGIN = 6.0, (76, 64, 72), np.float32([0, 31 * 6, 36 * 6])
    TURN = np.float32([[3**-0.5] * 3, [2**-0.5, -(2**-0.5), 0], [6**-0.5, 6**-0.5, -2 * 6**-0.5]])

    def __init__(self, image: np.ndarray):
        self.turned = cv2.transform(image, self.TURN)
        self.cells = self._cells(self.turned)

    def _cells(self, turned: np.ndarray) -> np.ndarray:
        index = ((turned + self.ORIGIN) / self.CELL).astype(np.int32)
        np.clip(index, 0, np.int32(self.CELLS) - 1, out=index)
        return (index[..., 0] * self.CELLS[1] + index[..., 1]) * self.CELLS[2] + index[..., 2]

    def density(self, where: np.ndarray, in_shade: float) -> np.ndarray:
        """How likely a colour of `where` is each pixel's; `in_shade` weighs the same colours in shade."""
        size = int(np.prod(self.CELLS))
        counts = np.bincount(self.cells[where], minlength=size).astype(np.float32)
        inside = self.turned[where]
        counts += in_shade * np.bincount(self._cells(inside * _shades(len(inside))[:, None]), minlength=size)
        counts = counts.reshape(self.CELLS)
        for axis, sigma in enumerate((1.0, 0.8, 0.8)):
            counts = gaussian_filter1d(counts, sigma, axis=axis, truncate=2.5, mode="constant")
        return (counts / max(1, len(inside)) / self.CELL**3).ravel()[self.cells]


class ShadowCount:
    """The same finely, for colours near the line from black to a background's tone: there a garment of the
    background's hue and the background in shadow differ by little."""

    CELLS, STEPS = (56, 18, 18), (0.0143, 1.5, 1.5)

    def __init__(self, image: np.ndarray, tone: Tone):
        first = np.cross(tone.unit, [0, 0, 1.0])
        first /= np.linalg.norm(first)
        second = np.cross(tone.unit, first)
        self.shade = image @ tone.unit / tone.length
        off = [cv2.blur(image @ np.float32(way), (3, 3)) / step + 9
               for way, step in zip((first, second), self.STEPS[1:], strict=True)]  # fmt: skip
        index = np.stack([self._row(self.shade), *off], axis=-1)
        self.near = ((index >= 0) & (index < self.CELLS)).all(-1)
        index = np.where(self.near[..., None], index, 0).astype(np.int32)
        self.tint = index[..., 1] * self.CELLS[2] + index[..., 2]
        self.cells = index[..., 0] * (self.CELLS[1] * self.CELLS[2]) + self.tint
        self.volume = self.STEPS[0] * tone.length * self.STEPS[1] * self.STEPS[2]

    def _row(self, shade: np.ndarray) -> np.ndarray:
        return (1.08 - shade) / self.STEPS[0]

    def density(self, where: np.ndarray, sigmas: tuple[float, float, float], in_shade: float = 0) -> np.ndarray:
        """As ColourCount's, valid where `near`."""
        near = where & self.near
        size = int(np.prod(self.CELLS))
        counts = np.bincount(self.cells[near], minlength=size).astype(np.float32)
        if in_shade:
            row = self._row(self.shade[near] * _shades(int(near.sum()))).astype(np.int32)
            valid = (row >= 0) & (row < self.CELLS[0])
            cells = row[valid] * (self.CELLS[1] * self.CELLS[2]) + self.tint[near][valid]
            counts += in_shade * np.bincount(cells, minlength=size)
        counts = counts.reshape(self.CELLS)
        for axis, sigma in enumerate(sigmas):
            counts = gaussian_filter1d(counts, sigma, axis=axis, mode="constant")
        return (counts / max(1, where.sum()) / self.volume).ravel()[self.cells]


def _shades(count: int) -> np.ndarray:
    """As many shares of light, from half to nearly all, in an order that has nothing to do with the picture's."""
    return np.linspace(0.5, 0.97, 17, dtype=np.float32)[np.arange(count) * 7 % 17]


@dataclass(frozen=True)
class Ground:
    """A small picture with what its border says of the background.

    Attributes:
        image: float32 RGB (H, W, 3), noise taken off.
        even: the same with the background's light made even.
        background, likeness: the model and how the picture looks to it.
        noise: the usual deviation of border pixels.
        plain: 0..1, how much of the border beside the garment looks like one smooth background.
        one: whether the background is of one tone.
        touching: bool (H, W), what of the border the garment itself covers, as far as that can be told.
    """

    image: np.ndarray
    even: np.ndarray
    background: Background
    likeness: Likeness
    noise: float
    plain: float
    one: bool
    touching: np.ndarray

    @property
    def quiet(self) -> float:
        """1 on studio paper, less the more its noise hides of small changes of light."""
        return min(1.0, QUIET / max(self.noise, 1e-3))

    @property
    def shade(self) -> np.ndarray:
        """Share of the first tone's light (H, W)."""
        tone = self.background.tones[0]
        return self.even @ tone.unit / tone.length


def ground_of(small: np.ndarray) -> Ground:
    """What the border of a small uint8 RGB picture says of its background."""
    width = max(3, round(0.025 * min(small.shape[:2])))
    ring = border(small.shape[:2], width)
    light = surface(small.astype(np.float32), ring)
    away = np.abs(small - light).max(-1)
    noise = float(np.median(away[ring]))
    usual = away < max(7, 4 * noise)
    touching = _touching(usual, ring, width) if noise < QUIET else np.zeros_like(ring)
    plain = float(usual[ring & ~touching].mean())
    one = plain >= PLAIN and noise <= SMOOTH
    calm = cv2.medianBlur(small, 3 if noise < 8 else 5) if noise > 3 else small
    calm = calm.astype(np.float32)
    even = calm * (light.reshape(-1, 3).mean(0) / light)
    brightest = 1 if noise < QUIET else BRIGHTEST
    least = LEAST_FLAT if noise < FLAT else LEAST
    background = Background.of(even, ring & ~touching, 1 if one else TONES, brightest, least)
    lines = ring & ~usual & ~touching
    if one and lines.sum() > 0.004 * ring.sum() and _is_thin(lines):  # joints of tiles
        background = background.joined(Background.of(even, lines, 2))
    return Ground(calm, even, background, background.likeness(even), noise, plain, one, touching)


def _touching(usual: np.ndarray, ring: np.ndarray, width: int) -> np.ndarray:
    """What of the border the garment covers on studio paper: pieces unlike the paper, thicker than joints, that go on
    into the middle. None where too little of the border shows paper to be sure which is which."""
    ends, (height, across) = (slice(width), slice(-width, None)), usual.shape
    corners = sum(usual[rows, columns].mean() > 0.5 for rows in ends for columns in ends)
    if corners < CORNERS or usual[ring].mean() < TOUCHED:
        return np.zeros_like(ring)
    thick = cv2.morphologyEx((~usual).astype(np.uint8), cv2.MORPH_OPEN, ellipse(2 * width - 1))
    _, labels = cv2.connectedComponents(thick)
    middle = labels[height // 4 : -(height // 4), across // 4 : -(across // 4)]
    piece = np.isin(labels, np.unique(middle[middle > 0]))
    return dilated(piece, width) & ring & ~usual


def _is_thin(lines: np.ndarray) -> bool:
    thickest = cv2.distanceTransform(lines.astype(np.uint8), cv2.DIST_L2, 3).max()
    return bool(thickest <= 0.012 * min(lines.shape))
