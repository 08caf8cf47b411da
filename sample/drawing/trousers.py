"""Trousers and shorts."""

from dataclasses import dataclass, field

import numpy as np

from sample.drawing.geometry import Pen, band, both_sides, mirror, offset
from sample.drawing.parts import Button, Garment, Part, Seam, Stitch


@dataclass
class Trousers:
    """Trousers or shorts laid flat, in cm; y from the top of the waistband at the side."""

    colour: str
    fabric: str = "twill"
    waist: float = 20.5
    hip: tuple = (26.5, 21.0)
    rise: float = 28.0
    knee: tuple | None = (25.6, 4.4, 62.0)  # outer x, inner x, y (below the hip)
    hem: tuple = (25.2, 6.6, 104.0)  # outer x, inner x, y
    style: str = "chino"  # chino, jeans, tailored, drawstring
    thread: str | None = None
    fade: float = 0.0
    prints: list = field(default_factory=list)
    button: str = "#d9cfba"

    def extent(self):
        side = max(self.hip[0], self.hem[0], self.knee[0] if self.knee else 0)
        return -side, -1.5, side, self.hem[2] + 1


WAISTBAND = 4.0


def _side(t):
    pen = Pen(t.waist, 0)
    points = [(t.waist + 1.0, WAISTBAND), t.hip]
    if t.knee:
        points.append((t.knee[0], t.knee[2]))
    points.append((t.hem[0], t.hem[2]))
    return pen.down(points).points


def _inseam(t):
    """From the inner hem up to the crotch."""
    pen = Pen(t.hem[1], t.hem[2] + 0.5)
    if t.knee:
        pen.through([(t.knee[1], t.knee[2]), (min(1.9, t.knee[1] + 0.2), t.rise + 8)])
    else:
        pen.line(1.8, t.rise + 4)
    x, y = pen.points[-1]
    return pen.cubic(x * 0.55, y - 3, 0.8, t.rise + 0.6, 0, t.rise).points


def _front_waist(t):
    """From left to right along the top edge of the front."""
    return Pen(-t.waist, 0).quad(0, 2.6, t.waist, 0).points


def _outline(t):
    side, inseam = _side(t), _inseam(t)
    hem = Pen(*side[-1]).quad((t.hem[0] + t.hem[1]) / 2, t.hem[2] + 0.9, *inseam[0]).points
    half = side + hem[1:] + inseam[1:]
    return _front_waist(t) + half[1:] + mirror(half)[::-1]


def _hem_line(t, up):
    a, b = np.array([t.hem[0], t.hem[2]]), np.array([t.hem[1], t.hem[2] + 0.5])
    lean = np.array([0, up])
    middle = (a + b) / 2 - lean + [0, 0.4]
    start, end = a - lean - [0.1, 0], b - lean
    return Pen(*start).quad(*middle, *end).points


def _fly(t):
    top, low = 1.3 + WAISTBAND, t.rise - 7
    return Pen(3.4, top).line(3.3, low - 5).quad(3.1, low, 0.4, low + 1.2).points


def _curve(t):
    """The seam from the waistband down to the crotch, a touch off the centre."""
    return Pen(0.2, 1.3 + WAISTBAND).quad(0.5, t.rise * 0.6, 0, t.rise).points


def _pockets(t):
    """Right-hand pocket openings, as lines from the waistband to the side."""
    if t.style == "jeans":
        return (
            Pen(t.waist * 0.47, WAISTBAND + 1.6)
            .cubic(t.waist * 0.5, WAISTBAND + 7, t.waist * 0.75, WAISTBAND + 9.6, t.waist + 3.2, WAISTBAND + 9.4)
            .points
        )
    return (
        Pen(t.waist * 0.66, WAISTBAND + 0.9)
        .quad(t.waist * 0.9, WAISTBAND + 8, t.hip[0] - 0.9, WAISTBAND + 15.5)
        .points
    )


def _wear(t):
    """Where jeans lose their dye: thighs, knees, and lines that run out from the crotch."""

    def tint(x, y, mottle):
        side = np.abs(x)
        centre = (t.hip[0] + 2) * 0.52
        thigh = np.exp(-(((side - centre) / 5.5) ** 2) - ((y - t.rise - 12) / 19) ** 2)
        knee = 0.5 * np.exp(-(((side - centre - 2) / 5) ** 2) - ((y - t.rise - 34) / 12) ** 2)
        whiskers = np.zeros_like(x)
        for step, (start, slope) in enumerate(((-9, 0.45), (-6.0, 0.3), (-2.8, 0.16), (1, 0.0))):
            line = y - (t.rise + start) + slope * (side - 4) * (1 if step < 3 else 0)
            reach = np.exp(-(((side - 12) / 7) ** 2))
            whiskers += 0.22 * np.exp(-((line / 0.7) ** 2)) * reach
        edge = 0.35 * np.exp(-(((t.hem[2] - 1.4 - y) / 0.8) ** 2)) * (1 + 0.6 * np.sin(x * 5))
        return 1 + t.fade * (1.5 * thigh + knee + whiskers + edge) * (1 + 0.15 * mottle)

    return tint


def draw(t):
    """Trousers -> Garment."""
    waist = _front_waist(t)
    back = Pen(-t.waist + 0.3, 0).quad(0, -2.4, t.waist - 0.3, 0).points
    inside = Part(
        [back + [(x, y + 1.0) for x, y in waist][::-1]],
        t.colour,
        t.fabric,
        prints=t.prints,
        volume=0,
        roll=0.8,
        folds=0.1,
        shade=0.52,
        inside_shadow=0.25,
    )
    label = Part(
        [[(-2.6, -0.4), (2.6, -0.4), (2.6, 1.1), (-2.6, 1.1)]],
        "#efe9dc",
        "satin",
        volume=0,
        roll=0.3,
        folds=0,
        shade=0.75,
        lift=0.2,
    )
    gold = t.thread
    seams = [Seam(_curve(t), 0.8, 0.35)]
    stitches = []
    for flip in (list, mirror):
        pocket = flip(_pockets(t))
        if t.style != "drawstring":
            seams.append(Seam(pocket, 1.3, 0.4))
            edge = offset(pocket, -0.55 if flip is list else 0.55)
            stitches.append(Stitch(edge, gold))
        if t.style == "jeans":
            stitches.append(Stitch(offset(pocket, -1.15 if flip is list else 1.15), gold))
            side = [(x - 0.9, y) for x, y in _side(t) if y > WAISTBAND + 0.5]
            seams.append(Seam(flip(side), 0.5, 0.9))
        if t.style != "tailored":
            stitches.append(Stitch(flip(_hem_line(t, 1.6)), gold))
    if t.style != "drawstring":
        stitches.append(Stitch(_fly(t), gold))
        if t.style == "jeans":
            stitches.append(Stitch([(x - 0.6, y) for x, y in _fly(t)[:-6]], gold))
            stitches.append(Stitch([(x + 0.5, y) for x, y in _curve(t)[len(_curve(t)) // 2 :]], gold))
    if t.style == "tailored":
        centre = (t.hem[0] + t.hem[1]) / 2
        for flip in (list, mirror):
            press = Pen(t.waist * 0.52, WAISTBAND + 2).through([(t.hip[0] * 0.56, t.rise + 4), (centre, t.hem[2])])
            seams.append(Seam(flip(press.points), -0.9, 0.0))
    shell = Part(
        [_outline(t)],
        t.colour,
        t.fabric,
        prints=t.prints,
        seams=seams,
        stitches=stitches,
        volume=11,
        tint=_wear(t) if t.fade else None,
        lift=0.6,
    )
    parts = [inside, label, shell]
    extra, buttons = (_drawstring if t.style == "drawstring" else _waistband)(t)
    return Garment(parts + extra, _trouser_landmarks(t), [], buttons)


def _waistband(t):
    line = _front_waist(t)
    lower = [(x * (t.waist + 1.0) / t.waist, y + WAISTBAND) for x, y in line]
    stitches = (
        []
        if t.style == "tailored"
        else [Stitch(offset(line, 0.5), t.thread), Stitch([(x, y - 0.45) for x, y in lower], t.thread)]
    )
    parts = [
        Part(
            [line + lower[::-1]],
            t.colour,
            t.fabric,
            prints=t.prints,
            stitches=stitches,
            seams=[Seam([(0.4, 1.2), (0.4, 1.4 + WAISTBAND)], 1.2, 0.0)],
            volume=2,
            roll=1.8,
            folds=0.3,
            lift=0.45,
            tint=None,
        )
    ]
    for x in (-t.waist * 0.56, t.waist * 0.56):
        y = np.interp(abs(x), [0, t.waist], [1.3, 0]) - 0.3
        loop = [(x - 0.65, y), (x + 0.65, y), (x + 0.68, y + WAISTBAND + 1.0), (x - 0.62, y + WAISTBAND + 1.0)]
        edges = [
            Stitch([(x + dx, y + 0.2), (x + dx, y + WAISTBAND + 0.8)], t.thread, 0.25, 0.12) for dx in (-0.35, 0.35)
        ]
        parts.append(
            Part(
                [loop],
                t.colour,
                t.fabric,
                stitches=[] if t.style == "tailored" else edges,
                volume=0,
                roll=1.4,
                roll_width=1.4,
                folds=0,
                lift=0.7,
            )
        )
    buttons = []
    if t.style == "tailored":
        pass
    else:
        metal = t.style == "jeans"
        buttons.append(
            Button(
                1.9, 1.3 + WAISTBAND / 2, 0.85 if metal else 0.7, "#a98d62" if metal else t.button, 0 if metal else 4
            )
        )
    if t.style == "jeans":
        for side in (1, -1):
            between_stitches = offset(_pockets(t), -0.85)
            for x, y in (between_stitches[2], between_stitches[-8]):
                buttons.append(Button(side * x, y, 0.34, "#b0895a", 0))
    return parts, buttons


def _drawstring(t):
    line = _front_waist(t)
    lower = [(x * (t.waist + 1.0) / t.waist, y + WAISTBAND) for x, y in line]
    parts = [Part([line + lower[::-1]], t.colour, "rib", prints=t.prints, volume=3, roll=2.4, folds=0.2, lift=0.3)]
    for side, reach, drop in ((-1, 3.0, 14.0), (1, 4.6, 12.6)):
        cord = Pen(side * 1.6, 3.3).cubic(side * 1.2, 7, side * (reach + 1.2), 9, side * reach, drop).points
        parts.append(
            Part([band(cord, 0.6)], "#efeae0", "fine_rib", volume=0, roll=1.4, roll_width=1.2, folds=0, lift=0.8)
        )
    eyelets = [Button(side * 1.6, 3.3, 0.35, "#8f8a80", 0) for side in (-1, 1)]
    return parts, eyelets


def crease(t, folds, rng):
    folds.hang(0.7, (520, 80))
    folds.crumple(t.extent(), 0.8)
    long = t.hem[2] > 80
    for side in (1, -1):
        towards = 0 if side > 0 else 180
        folds.fan((side * 0.8, t.rise - 1), towards - side * 24, 20, 15, rng.integers(2, 5), 0.85, 0.9)
        folds.fan((side * 1.8, t.rise + 3), towards + side * 50, 18, 16 if long else 9, rng.integers(1, 4), 0.7)
        folds.fan((side * (t.waist + 2), 12), 90 + side * 28, 10, 16, 2, 0.45, 1.0)
        if not long:
            continue
        for _ in range(rng.integers(4, 7)):
            y = rng.choice([t.knee[2] + rng.normal(0, 7), t.hem[2] - rng.uniform(3, 20)])
            inner = np.interp(y, [t.rise, t.hem[2]], [2, t.hem[1]])
            outer = np.interp(y, [20, t.hem[2]], [t.hip[0], t.hem[0]])
            start, end = (inner, outer) if rng.random() < 0.5 else (outer, inner)
            stop = start + (end - start) * rng.uniform(0.45, 0.95)
            folds.crease(
                (side * start, y),
                (side * stop, y + rng.normal(0, 3.5)),
                rng.uniform(0.45, 0.95),
                rng.uniform(0.6, 1.1),
                rng.normal(0, 0.9),
                rng.uniform(-1, 1),
            )
        x = (t.hem[0] + t.hem[1]) / 2
        for _ in range(2):
            start = rng.uniform(t.rise + 6, t.hem[2] - 30)
            folds.crease(
                (side * (x * 0.85 + rng.normal(0, 3)), start),
                (side * (x + rng.normal(0, 2)), start + rng.uniform(20, 34)),
                rng.uniform(0.4, 0.7),
                1.6,
                rng.normal(0, 1),
                rng.uniform(-1, 1),
            )


def _trouser_landmarks(t):
    outer, inner = (t.hem[0], t.hem[2]), (t.hem[1], t.hem[2] + 0.5)
    points = {"waist": (t.waist, 0.0), "hem_outer": outer, "hem_inner": inner}
    return both_sides(points) | {"crotch": (0.0, t.rise)}
