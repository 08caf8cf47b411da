"""The cut of a garment that hangs from the shoulders: its measures and the outline of its body."""

from dataclasses import dataclass, field

import numpy as np

from sample.drawing.drapes import Drape
from sample.drawing.geometry import Pen, mirror
from sample.drawing.neckline import Neck


@dataclass
class Top:
    """A top or dress laid flat, in cm. Right half; x from the centre front, y from the shoulder's highest point.

    sides: the side seam below the armpit as (half width, y), the last one the hem corner.
    sleeve: length from the shoulder tip, 0 for none; sleeve_angle: degrees below the horizontal.
    """

    colour: str
    fabric: str = "jersey"
    neck: Neck = field(default_factory=Neck)
    shoulder: tuple = (22.0, 4.6)
    armpit: tuple = (26.0, 24.5)
    armhole_in: float = 2.2
    sides: tuple = ((25.4, 42), (25.8, 70))
    hem_sag: float = 0.9
    sleeve: float = 19.0
    sleeve_angle: float = 35.0
    cuff: float = 17.0
    bulge: float = 1.4
    finish: str = "stitched"  # hem and cuffs: stitched, ribbed, plain, shirt
    trim: str | None = None  # colour of ribs, collar and cuffs; None = as the cloth
    rib: float = 6.0
    prints: list = field(default_factory=list)
    thread: str | None = None
    folds: float = 1.0
    pocket: tuple | None = None  # centre x, top y, width, height
    button: str = "#f1ede4"
    drape: Drape | None = None  # how the skirt of a dress hangs
    waist: float | None = None  # height of a waist seam
    belt: str | None = None  # colour of a tied belt at the waist
    tiers: tuple = ()  # heights of further gathered seams
    wrap: bool = False

    @property
    def hem(self):
        return self.sides[-1]

    @property
    def axis(self):
        turn = np.radians(self.sleeve_angle)
        return np.array([np.cos(turn), np.sin(turn)])

    @property
    def cuff_ends(self):
        """Outer and inner end of the right cuff."""
        outer = np.array(self.shoulder) + self.axis * self.sleeve
        inward = np.array([-self.axis[1], self.axis[0]])
        return outer, outer + inward * self.cuff + self.axis * 0.4

    def extent(self):
        reach = self.cuff_ends[0][0] if self.sleeve else self.shoulder[0]
        side = max(reach, self.armpit[0], *(x for x, _ in self.sides))
        low = max(self.hem[1] + self.hem_sag, self.cuff_ends[1][1] if self.sleeve else 0)
        return -side, -2.0 - self.neck.rise, side, low


def armhole(top):
    """From the right shoulder tip to the armpit."""
    (sx, sy), (ax, ay) = top.shoulder, top.armpit
    depth = top.armhole_in
    return Pen(sx, sy).cubic(sx - depth * 0.5, sy + 5, ax - depth * 2.2, ay - 5.5, ax, ay).points


def hem_line(top):
    """From the right hem corner to the left one."""
    half, low = top.hem
    share = np.linspace(1, -1, 121)
    y = low + top.hem_sag * (1 - share**2)
    if top.drape:
        y = y + top.drape.hem_wave(share)
    return list(zip(share * half, y, strict=True))


def half_width(top, y):
    """Half the width of the body at a height below the armpit, cm."""
    side = Pen(*top.armpit).down(top.sides).points
    return float(np.interp(y, [p[1] for p in side], [p[0] for p in side]))


def body(top):
    neck = top.neck
    (x, y), third = top.shoulder, (top.shoulder[0] - neck.half) / 3
    right = Pen(neck.half, 0.0).cubic(neck.half + third, y * 0.22, x - third, y * 0.74, x, y).points
    side = Pen(*top.armpit).down(top.sides).points
    half = right + armhole(top)[1:] + side[1:]
    return [(0, 0), *half, *hem_line(top)[1:-1], *mirror(half)[::-1]]
