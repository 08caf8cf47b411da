"""Cloth: how it is woven, how it creases, and how light falls on it. Heights are in final pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from sample.drawing.geometry import HEIGHT, SUPERSAMPLE, WIDTH

KEY_LIGHT = np.array([-0.50, -0.58, 0.64])
FILL_LIGHT = np.array([0.62, -0.10, 0.78])


@dataclass(frozen=True)
class Fabric:
    """What tells one cloth from another.

    weave: one of the functions in WEAVES; relief: its height; softness: width of folds against a
    medium cloth; drape: height of folds; crumple: fine sharp creases; mottle: uneven dye;
    gloss: strength of the highlight; fuzz: light caught by raised fibres at the rim.
    """

    weave: str
    relief: float = 0.1
    softness: float = 1.0
    drape: float = 1.0
    crumple: float = 0.3
    mottle: float = 0.015
    gloss: float = 0.0
    fuzz: float = 0.05


FABRICS = {
    "jersey": Fabric("jersey", 0.10, 1.0, 0.9, 0.12),
    "slub": Fabric("slub", 0.16, 1.0, 0.9, 0.2, 0.03),
    "marl": Fabric("jersey", 0.10, 1.2, 0.9, 0.05, 0.10, fuzz=0.08),
    "fleece": Fabric("fleece", 0.14, 1.7, 1.15, 0.0, 0.02, fuzz=0.12),
    "pique": Fabric("pique", 0.26, 1.1, 0.8, 0.1),
    "fine_rib": Fabric("fine_rib", 0.42, 1.0, 0.6, 0.0, 0.02, fuzz=0.08),
    "rib": Fabric("rib", 0.8, 1.3, 0.7, 0.0, 0.02, fuzz=0.1),
    "stockinette": Fabric("stockinette", 0.75, 1.8, 1.0, 0.0, 0.03, fuzz=0.14),
    "fine_knit": Fabric("fine_knit", 0.34, 1.4, 0.95, 0.0, 0.025, fuzz=0.12),
    "poplin": Fabric("plain", 0.025, 0.8, 0.85, 0.9, 0.01),
    "oxford": Fabric("plain", 0.05, 0.9, 0.85, 0.8, 0.016),
    "flannel": Fabric("twill", 0.10, 1.1, 0.9, 0.4, 0.03, fuzz=0.12),
    "linen": Fabric("linen", 0.08, 0.9, 0.9, 1.1, 0.03),
    "twill": Fabric("twill", 0.16, 1.0, 0.85, 0.4, 0.02),
    "denim": Fabric("denim", 0.24, 0.95, 0.85, 0.5, 0.11),
    "wool": Fabric("twill", 0.10, 1.3, 0.75, 0.05, 0.05, fuzz=0.1),
    "crepe": Fabric("crepe", 0.05, 1.4, 1.0, 0.05, 0.01),
    "viscose": Fabric("plain", 0.03, 1.1, 1.1, 0.15, 0.01, gloss=0.02),
    "satin": Fabric("plain", 0.02, 1.5, 1.5, 0.0, 0.0, gloss=0.30, fuzz=0.0),
}


def noise(rng, cell, octaves=3, persistence=0.5, shape=(HEIGHT, WIDTH)):
    """Smooth noise of unit spread; cell: (height, width) in pixels of the coarsest octave."""
    total = np.zeros(shape, np.float32)
    weight = 1.0
    for octave in range(octaves):
        rows = max(3, int(shape[0] / cell[0] * 2**octave) + 2)
        columns = max(3, int(shape[1] / cell[1] * 2**octave) + 2)
        coarse = rng.standard_normal((rows, columns)).astype(np.float32)
        total += weight * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
        weight *= persistence
    return total / max(float(total.std()), 1e-6)


def fine_noise(rng, cell, octaves=1):
    """The same at the size that masks are drawn in."""
    return noise(rng, cell, octaves, shape=(HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE))


def weave(fabric, u, v, rng):
    """The relief of the cloth's structure over cloth coordinates u (across) and v (along), in cm; about -1..1."""

    def speckle(sigma_y, sigma_x):
        grain = cv2.GaussianBlur(rng.standard_normal(u.shape, np.float32), (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
        return grain / grain.std()

    return WEAVES[fabric.weave](u, v, speckle)


def _stitches(u, v, wale, course):
    """Rows of V-shaped loops; wale and course are their width and height in cm."""
    across = (u / wale) % 1.0
    lean = np.abs(across - 0.5) * 1.3
    row = ((v / course) + lean) % 1.0
    leg = np.sin(np.pi * ((across * 2) % 1.0))
    return (leg * np.sqrt(np.abs(np.sin(np.pi * row)))).astype(np.float32) * 1.6 - 0.8


def _ribs(u, pitch):
    wave = np.sin(2 * np.pi * u / pitch)
    return np.tanh(wave * 1.8).astype(np.float32)


WEAVES = {
    "jersey": lambda u, v, speckle: 0.7 * np.sin(2 * np.pi * u / 0.22) + 0.8 * speckle(2.5, 0.8),
    "slub": lambda u, v, speckle: speckle(1.0, 9.0) + 0.5 * np.sin(2 * np.pi * u / 0.24),
    "fleece": lambda u, v, speckle: speckle(1.4, 1.4),
    "pique": lambda u, v, speckle: np.sin(2 * np.pi * u / 0.3) * np.sin(2 * np.pi * (v / 0.3)) * 1.4,
    "fine_rib": lambda u, v, speckle: _ribs(u, 0.42) + 0.2 * speckle(1.5, 0.8),
    "rib": lambda u, v, speckle: _ribs(u, 0.85) + 0.2 * speckle(1.2, 0.8),
    "stockinette": lambda u, v, speckle: _stitches(u, v, 0.62, 0.5),
    "fine_knit": lambda u, v, speckle: _stitches(u, v, 0.36, 0.3) + 0.25 * speckle(1.2, 1.2),
    "plain": lambda u, v, speckle: 0.7 * speckle(0.7, 3.0) + 0.7 * speckle(3.0, 0.7),
    "linen": lambda u, v, speckle: speckle(0.7, 11.0) + speckle(11.0, 0.7),
    "twill": lambda u, v, speckle: np.sin(2 * np.pi * (u - v) / 0.2) + 0.5 * speckle(2.0, 2.0),
    "denim": lambda u, v, speckle: np.sin(2 * np.pi * (u * 1.2 - v) / 0.22) + 0.9 * speckle(3.5, 0.8),
    "crepe": lambda u, v, speckle: speckle(1.2, 1.2),
}


class Folds:
    """A height field of the creases all parts of one garment share (final picture size)."""

    def __init__(self, stage, fabric, rng):
        self.stage, self.fabric, self.rng = stage, fabric, rng
        self.height = np.zeros((HEIGHT, WIDTH), np.float32)
        self._creases = np.zeros_like(self.height)
        self._sway = noise(rng, (170, 170), 2) * 5.0

    def crease(self, start, end, strength=1.0, width=1.0, bend=0.0, one_sided=0.0, wander=1.0):
        """A ridge from start to end (cm) that rises quickly and runs out slowly.

        strength and width are against the cloth's own; bend: bow in cm; one_sided: -1..1, which flank
        is the steep one; wander: how far it strays from its line.
        """
        (x0, y0), (x1, y1) = self.stage.pixels([start, end])
        length = max(np.hypot(x1 - x0, y1 - y0), 1.0)
        broad = 9.0 * width * self.fabric.softness
        margin = int(4 * broad + abs(bend) * self.stage.scale + 20)
        top, bottom = (int(v) for v in (max(min(y0, y1) - margin, 0), min(max(y0, y1) + margin, HEIGHT)))
        left, right = (int(v) for v in (max(min(x0, x1) - margin, 0), min(max(x0, x1) + margin, WIDTH)))
        if bottom <= top or right <= left:
            return
        rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
        along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / length**2
        across = ((columns - x0) * (y1 - y0) - (rows - y0) * (x1 - x0)) / length
        inside = np.clip(along, 0, 1)
        across = (
            across + bend * self.stage.scale * np.sin(np.pi * inside) + wander * self._sway[top:bottom, left:right]
        )
        envelope = 2.6 * inside**0.8 * (1 - inside) ** 1.1
        spread = broad * (0.35 + 1.0 * inside)
        flank = np.where(across < 0, 1 + 0.55 * one_sided, 1 - 0.55 * one_sided) * spread
        ridge = np.exp(-((across / flank) ** 2))
        valley = np.exp(-(((across - 2.1 * spread * np.sign(one_sided or 1)) / (1.5 * spread)) ** 2))
        amount = 6.6 * strength * self.fabric.drape
        fold = (amount * envelope * (ridge - 0.45 * valley)).astype(np.float32)
        # Cloth that is already folded does not fold again across: a later crease dies away on an earlier one.
        earlier = self._creases[top:bottom, left:right]
        fold *= np.exp(-np.abs(earlier) / 2.5)
        earlier += fold
        self.height[top:bottom, left:right] += fold

    def fan(self, start, angle, spread, length, count, strength=1.0, width=1.0):
        """Creases that leave one point, as cloth does where it is held; angle in degrees, 0 = right, 90 = down."""
        rng = self.rng
        for position in np.linspace(-1, 1, count) if count > 1 else [0.0]:
            direction = np.radians(angle + position * spread + rng.normal(0, 5))
            reach = length * rng.uniform(0.6, 1.2)
            first = np.array(start) + rng.normal(0, 0.5, 2)
            last = first + reach * np.array([np.cos(direction), np.sin(direction)])
            self.crease(
                first,
                last,
                strength * rng.uniform(0.55, 1.15),
                width * rng.uniform(0.7, 1.2),
                rng.normal(0, 0.04) * reach,
                rng.uniform(-0.8, 0.8),
            )

    def hang(self, amount=1.0, cell=(420, 90)):
        """Broad soft waves that run with the grain."""
        wave = noise(self.rng, cell, 2, 0.4)
        warp = noise(self.rng, (300, 260), 2) * 22
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        wave = cv2.remap(wave, columns + warp, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        self.height += amount * self.fabric.drape * 3.2 * np.sqrt(wave**2 + 0.15)

    def crumple(self, extent, amount=1.0):
        """The short sharp creases that cotton and linen keep after lying folded, strewn over the extent (cm)."""
        rng, left, top, right, bottom = self.rng, *extent
        for _ in range(int(55 * amount * self.fabric.crumple)):
            start = np.array([rng.uniform(left, right), rng.uniform(top, bottom)])
            direction = rng.choice([rng.normal(0.15, 0.5), rng.normal(1.2, 0.4), rng.normal(-0.9, 0.4)])
            end = start + rng.uniform(4, 13) * np.array([np.cos(direction), np.sin(direction)])
            strength, width = rng.uniform(0.08, 0.24), rng.uniform(0.3, 0.8)
            self.crease(start, end, strength, width, rng.normal(0, 0.2), rng.uniform(-1, 1), wander=0.3)
        self.height += 0.8 * self.fabric.crumple * noise(rng, (130, 100), 2)


def light(height, fabric):
    """Height at mask size -> (diffuse, highlight), both float32; flat cloth has a diffuse of 1."""
    slope_x = cv2.Scharr(height, cv2.CV_32F, 1, 0) / 32 * SUPERSAMPLE
    slope_y = cv2.Scharr(height, cv2.CV_32F, 0, 1) / 32 * SUPERSAMPLE
    up = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)

    def lambert(source):
        source = source / np.linalg.norm(source)
        return np.maximum((-slope_x * source[0] - slope_y * source[1] + source[2]) * up, 0) / source[2]

    small = cv2.resize(height, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    hollow = np.zeros_like(small)
    for sigma, weight in ((4, 0.055), (11, 0.04)):
        hollow += weight * np.maximum(cv2.GaussianBlur(small, (0, 0), sigma) - small, 0)
    hollow = cv2.resize(hollow, height.shape[::-1], interpolation=cv2.INTER_LINEAR)
    open_sky = np.exp(-2.2 * hollow)
    diffuse = (0.50 * lambert(KEY_LIGHT) + 0.22 * lambert(FILL_LIGHT)) * (0.45 + 0.55 * open_sky) + 0.28 * open_sky

    halfway = KEY_LIGHT / np.linalg.norm(KEY_LIGHT) + np.array([0, 0, 1.0])
    halfway /= np.linalg.norm(halfway)
    shine = np.maximum((-slope_x * halfway[0] - slope_y * halfway[1] + halfway[2]) * up, 0)
    highlight = fabric.gloss * (shine**22 - 0.12) + (fabric.fuzz * 0.6 + 0.012) * (1 - up) + 0.010 * shine**6
    return diffuse.astype(np.float32), np.maximum(highlight, 0).astype(np.float32)


def linear(colour):
    """'#rrggbb' or sRGB 0..1 -> linear light, float32."""
    if isinstance(colour, str):
        colour = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    colour = np.asarray(colour, np.float32)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light_values):
    """Linear light -> sRGB 0..1."""
    clipped = np.clip(light_values, 0, 1)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
