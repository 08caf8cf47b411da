"""Skirts."""

from dataclasses import dataclass, field

import numpy as np

from sample.drawing.drapes import Drape, inner_hem
from sample.drawing.geometry import Pen, both_sides, mirror, offset
from sample.drawing.parts import Button, Garment, Part, Seam, Stitch


@dataclass
class Skirt:
    """A skirt laid flat, in cm."""

    colour: str
    fabric: str = "crepe"
    waist: float = 18.0
    hip: tuple = (24.0, 20.0)
    hem: tuple = (30.0, 60.0)
    sag: float = 1.6
    band: float = 3.2
    style: str = "plain"  # plain, pleated, denim, bias, pencil
    count: float = 5
    depth: float = 8.0
    sway: float = 0.8
    gather: float = 0.1
    thread: str | None = None
    fade: float = 0.0
    prints: list = field(default_factory=list)
    button: str = "#b0895a"
    seed: int = 1
    elastic: bool = False

    def __post_init__(self):
        widths = ((self.band, self.waist + 0.5), self.hip[::-1], self.hem[::-1])
        self.drape = Drape(
            np.random.default_rng(self.seed),
            self.band,
            widths,
            self.count,
            self.depth,
            self.sway,
            self.gather,
            self.style == "pleated",
        )

    def extent(self):
        side = max(self.hip[0], self.hem[0])
        return -side, -1.5, side, self.hem[1] + self.sag + 1


def _skirt_side(s):
    return Pen(s.waist, 0).down([(s.waist + 0.5, s.band), s.hip, s.hem]).points


def _skirt_hem(s):
    share = np.linspace(1, -1, 161)
    return list(zip(share * s.hem[0], s.hem[1] + s.sag * (1 - share**2) + s.drape.hem_wave(share), strict=True))


def draw(s):
    """Skirt -> Garment."""
    top = Pen(-s.waist, 0).quad(0, 2.0, s.waist, 0).points
    back = Pen(-s.waist + 0.2, 0).quad(0, -1.8, s.waist - 0.2, 0).points
    side = _skirt_side(s)
    outline = top + side[1:] + _skirt_hem(s)[1:-1] + mirror(side)[::-1]
    parts = [
        Part(
            [back + [(x, y + 1) for x, y in top][::-1]],
            s.colour,
            s.fabric,
            prints=s.prints,
            volume=0,
            roll=0.8,
            folds=0.1,
            shade=0.52,
            inside_shadow=0.25,
        ),
        Part(
            [[(-2.2, -0.3), (2.2, -0.3), (2.2, 1.1), (-2.2, 1.1)]],
            "#efe9dc",
            "satin",
            volume=0,
            roll=0.3,
            folds=0,
            shade=0.75,
            lift=0.2,
        ),
        inner_hem(s.drape, s.hem, s.sag, s.colour, s.fabric, s.prints),
    ]
    seams, stitches, buttons = [], [], []
    if s.style == "pencil":
        for flip in (list, mirror):
            seams.append(Seam(flip([(s.waist * 0.45, s.band), (s.waist * 0.52, s.band + 11)]), 0.9, 0.3))
        stitches.append(Stitch([(x, y - 2.6) for x, y in _skirt_hem(s)[3:-3]], None, 0.12, 0.5))
    if s.style == "denim":
        line = _skirt_hem(s)[3:-3]
        stitches += [
            Stitch([(x, y - 1.6) for x, y in line], s.thread),
            Stitch([(x, y - 2.1) for x, y in line], s.thread),
        ]
        for x in (-1.7, 1.7):
            stitches.append(Stitch([(x, s.band + 1), (x, s.hem[1] + s.sag - 0.4)], s.thread))
        seams.append(Seam([(2.1, s.band + 1), (2.1, s.hem[1] + s.sag)], 1.2, 0.4))
        for flip in (list, mirror):
            pocket = Pen(s.waist * 0.5, s.band + 1.2)
            pocket = pocket.quad(s.waist * 0.62, s.band + 8.5, s.waist + 3.0, s.band + 9.5).points
            seams.append(Seam(flip(pocket), 1.3, 0.4))
            stitches.append(Stitch(offset(flip(pocket), -0.6 if flip is list else 0.6), s.thread))
        buttons = [Button(0, y, 0.75, s.button, 0) for y in np.arange(s.band / 2 + 1.0, s.hem[1] - 6, 7.6)]
    parts.append(
        Part(
            [outline],
            s.colour,
            s.fabric,
            prints=s.prints,
            seams=seams,
            stitches=stitches,
            volume=10,
            height=s.drape.height,
            lift=0.6,
            tint=_skirt_wear(s) if s.fade else None,
        )
    )
    lower = [(x * (s.waist + 0.5) / s.waist, y + s.band) for x, y in top]
    edges = [Stitch(offset(top, 0.4), s.thread), Stitch([(x, y - 0.4) for x, y in lower], s.thread)]
    waistband = Part(
        [top + lower[::-1]],
        s.colour,
        "rib" if s.elastic else s.fabric,
        prints=s.prints,
        volume=2,
        roll=1.6,
        folds=0.25,
        lift=0.35,
        stitches=edges if s.style == "denim" else [],
    )
    return Garment([*parts, waistband], both_sides({"waist": (s.waist, 0.0), "hem": s.hem}), [], buttons)


def _skirt_wear(s):
    def tint(x, y, mottle):
        centre = np.exp(-(((np.abs(x) - 11) / 7) ** 2) - ((y - s.hem[1] * 0.5) / 16) ** 2)
        return 1 + s.fade * centre * (1 + 0.15 * mottle)

    return tint


def crease(s, folds, rng):
    low = s.hem[1]
    folds.hang(0.5 if s.style != "pleated" else 0.2, (520, 130))
    if s.style not in ("pleated", "bias"):
        folds.crumple(s.extent(), 0.8)
    if s.style == "bias":
        for x in rng.permutation(np.linspace(-0.85, 0.85, 8))[:6] * s.waist:
            lean = rng.normal(0.12, 0.10) * rng.choice([-1, 1])
            reach = rng.uniform(0.45, 0.9) * low
            start = np.array([x, s.band - 1])
            folds.crease(
                start,
                start + reach * np.array([lean + x / 90, 1]),
                rng.uniform(0.45, 0.8),
                rng.uniform(1.1, 1.9),
                rng.normal(0, 1.5),
                rng.uniform(-0.5, 0.5),
            )
    if s.style in ("pencil", "denim", "plain"):
        for side in (1, -1):
            towards = 180 if side > 0 else 0
            folds.fan((side * s.hip[0] * 0.95, s.hip[1]), towards + side * 20, 25, 14, rng.integers(1, 4), 0.55, 1.1)
            folds.fan((side * s.waist * 0.9, s.band + 1), 90 + side * 18, 12, 16, 2, 0.5)
        for _ in range(rng.integers(2, 5)):
            x = rng.uniform(-0.7, 0.7) * s.hem[0]
            folds.crease(
                (x, low * 0.5),
                (x * 1.05, low * rng.uniform(0.85, 1.0)),
                rng.uniform(0.35, 0.7),
                1.5,
                rng.normal(0, 1),
                rng.uniform(-1, 1),
            )
