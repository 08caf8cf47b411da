"""Cloth that hangs in waves: flares, gathers, pleats, and the hem that goes with them."""

from dataclasses import dataclass

import numpy as np

from sample.drawing.parts import Part


@dataclass
class Drape:
    """Waves that widen from a seam at y = start down to the hem.

    count: waves across; depth: their height at the hem in pixels; sway: how far the hem follows them, cm;
    gather: how strongly they stand at the seam already (0 = only at the hem, 1 = from the seam on);
    pleated: flat knife pleats in place of round waves.
    """

    rng: np.random.Generator
    start: float
    widths: tuple  # (y, half width) from the seam to the hem
    count: float = 6
    depth: float = 9.0
    sway: float = 0.8
    gather: float = 0.2
    pleated: bool = False

    def __post_init__(self):
        knots = np.linspace(-1.3, 1.3, 14)
        uneven = 0.0 if self.pleated else 0.30
        steps = 1 + self.rng.uniform(-uneven, uneven, len(knots))
        phases = np.cumsum(steps)
        self._knots, self._phases = knots, (phases - phases.mean()) / (phases[-1] - phases[0]) * 1.3 * self.count
        self._offset = 0.5 if self.pleated else self.rng.uniform(0, 1)
        self._uneven = self.rng.uniform(0.45, 1.15, 64)

    @property
    def hem(self):
        return self.widths[-1][0]

    def _phase(self, share):
        return np.interp(share, self._knots, self._phases) + self._offset

    def _wave(self, share):
        phase = self._phase(share)
        if self.pleated:
            part = phase % 1.0
            return np.where(part < 0.9, part / 0.9, (1 - part) / 0.1)
        height = self._uneven[(np.floor(phase + 0.5).astype(int) + 32) % 64]
        return (0.5 + 0.5 * np.cos(2 * np.pi * phase)) ** 1.25 * height

    def half_width(self, y):
        return np.interp(y, [w[0] for w in self.widths], [w[1] for w in self.widths])

    def height(self, x, y):
        """Pixels, at x, y in cm."""
        down = np.clip((y - self.start) / (self.hem - self.start), 0, 1.1)
        share = x / self.half_width(y)
        share = share + (0 if self.pleated else 0.03) * np.sin(y * 0.13 + x * 0.05)
        grown = self.gather * np.clip((y - self.start) / 2.5, 0, 1) + (1 - self.gather) * down**1.15
        return np.where(y > self.start, self.depth * grown * self._wave(share), 0)

    def hem_wave(self, share):
        """cm by which the hem hangs lower at a share -1..1 of its half width."""
        wave = self._wave(share)
        return self.sway * (wave - 0.5) * np.clip((1 - np.abs(share)) * 9, 0, 1)


def gathers(folds, rng, y, half, length=9.0, spacing=2.2, strength=0.7):
    """Short creases below a gathered seam at height y, over its half width (cm)."""
    for x in np.arange(-half + 0.8, half - 0.5, spacing):
        x += rng.normal(0, 0.5)
        reach = length * rng.uniform(0.45, 1.3)
        folds.crease(
            (x, y - 0.2),
            (x * (1 + reach / 90) + rng.normal(0, 0.4), y + reach),
            strength * rng.uniform(0.5, 1.0),
            rng.uniform(0.35, 0.6),
            rng.normal(0, 0.2),
            rng.uniform(-1, 1),
        )


def inner_hem(drape, hem, sag, colour, fabric, prints):
    """The inside of the back, seen where the front hem swings up."""
    half, low = hem
    share = np.linspace(1, -1, 81)
    y = low + sag * (1 - share**2) + 0.12 * drape.sway * np.sin(share * 9) - 0.1
    line = list(zip(share * half * 0.95, y, strict=True))
    outline = [(-half * 0.93, low - 6), (half * 0.93, low - 6), *line]
    return Part([outline], colour, fabric, prints=prints, volume=0, roll=1.0, folds=0.3, shade=0.42)
