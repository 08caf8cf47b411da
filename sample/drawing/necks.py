"""Necklines and collars: what is seen inside the neck, and what lies over the front."""

from dataclasses import dataclass

import numpy as np

from sample.drawing.geometry import Pen, band, mirror, offset
from sample.drawing.render import Button, Part, Seam, Stitch


@dataclass
class Neck:
    """style: a key of NECKS; half: half width at the shoulder; drop: depth of the front seam; rib: height of the
    band along it (cm)."""

    style: str = "crew"
    half: float = 8.6
    drop: float = 9.6
    rib: float = 1.9
    dip: float = 1.3  # how far the back neckline hangs below the shoulder points
    placket: float = 0.0  # length below the front neck
    label: str = "#f4f2ee"
    shape: str = "round"

    @property
    def rise(self):
        """How far the neck stands above the shoulder point."""
        return {"mock": 6.0, "shirt": 3.8, "polo": 3.4}.get(self.style, 1.0)

    def seam(self):
        """The front neck seam from the left shoulder point to the right one."""
        half, drop = self.half, self.drop
        if self.shape == "v":
            right = Pen(0, drop).cubic(half * 0.34, drop * 0.62, half * 0.86, drop * 0.34, half, 0).points
        elif self.shape == "boat":
            right = Pen(0, drop).cubic(half * 0.5, drop, half * 0.85, drop * 0.62, half, 0).points
        else:
            right = Pen(0, drop).cubic(half * 0.56, drop, half * 0.96, drop * 0.62, half, 0).points
        return mirror(right)[:0:-1] + right

    def hole(self):
        return [*self.seam(), (self.half, -12), (-self.half, -12)]

    def edge(self):
        """The front edge of the opening, left to right: what the body shows above."""
        if self.style in ("shirt", "polo"):
            half = self.half
            fold = Pen(0, 4.8).line(0.9, 4.7).cubic(3.4, 2.4, half - 1.3, 0.2, half - 1.2, -2.3).points
            return mirror(fold)[:0:-1] + fold
        if self.style == "mock":
            half = self.half - 1.2
            return Pen(-half, -5.0).quad(0, -3.6, half, -5.0).points
        return self.inner(self.rib) if self.rib else self.seam()

    def inner(self, width):
        """The neck seam moved inwards; at the point of a V the two sides meet and do not cross."""
        moved = np.array(offset(self.seam(), -width))
        half = len(moved) // 2
        moved[:half, 0] = np.minimum(moved[:half, 0], 0)
        moved[half:, 0] = np.maximum(moved[half:, 0], 0)
        if self.shape == "v":
            crossed = np.abs(moved[:, 0]) < 1e-6
            moved[crossed, 1] = moved[~crossed, 1].max()
        return [tuple(point) for point in moved]

    def strip(self):
        """The band along the front neck as an outline."""
        return self.seam() + self.inner(self.rib)[::-1]

    def back_line(self):
        """The back neckline, left to right."""
        if self.style in ("shirt", "polo"):
            return Pen(-self.half + 0.6, -1.7).quad(0, -5.2, self.half - 0.6, -1.7).points
        if self.style == "mock":
            half = self.half - 1.2
            return Pen(-half, -5.0).quad(0, -6.6, half, -5.0).points
        half = self.half - 0.75 * self.rib
        return Pen(-half, -0.25).cubic(-half * 0.6, self.dip + 0.3, half * 0.6, self.dip + 0.3, half, -0.25).points

    def front(self):
        edge = self.edge()
        return max(edge, key=lambda point: point[1])

    def back(self):
        line = self.back_line()
        return line[len(line) // 2]


def _inside(top, shade=0.62):
    """The inner back of the garment, seen through the neck, and the label sewn there."""
    neck = top.neck
    outline = neck.back_line() + [(x, y + 1.5) for x, y in neck.seam()][::-1]
    return [
        Part(
            [outline],
            top.colour,
            top.fabric,
            prints=_faded(top.prints),
            volume=0,
            roll=0.5,
            folds=0.25,
            shade=shade,
            inside_shadow=0.35,
        )
    ]


def _faded(prints):
    """The wrong side of a printed cloth shows little of a placed print; woven patterns show through."""
    return [pattern for pattern in prints if not hasattr(pattern, "wear")]


def _label(neck, at):
    """A woven label with the size tab under it."""
    _, y = neck.back()
    y += at
    outline = [(-2.0, y), (2.0, y), (2.0, y + 1.5), (-2.0, y + 1.5)]
    lines = [
        Stitch([(x, y + 0.75), (x + 0.001 + length, y + 0.75)], "#77726a", length, 9)
        for x, length in ((-1.3, 0.5), (-0.55, 0.35), (0.05, 0.6), (0.9, 0.4))
    ]
    tab = [(-0.5, y + 1.5), (0.5, y + 1.5), (0.5, y + 2.3), (-0.5, y + 2.3)]
    return [
        Part([tab], "#ece9e2", "satin", volume=0, roll=0.3, folds=0, shade=0.80, lift=0.3),
        Part([outline], neck.label, "satin", volume=0, roll=0.4, folds=0, shade=0.86, lift=0.35, stitches=lines),
    ]


def banded(top):
    """Crew, scoop, boat and V necks with a ribbed band (or a plain facing when rib is 0)."""
    neck, colour = top.neck, top.trim or top.colour
    below = _inside(top)
    above = []
    if neck.rib:
        below.append(
            Part(
                [band(neck.back_line(), neck.rib * 0.95)],
                colour,
                "fine_rib",
                volume=0,
                roll=1.2,
                roll_width=2,
                folds=0.1,
                shade=0.74,
                lift=0.2,
            )
        )
        below += _label(neck, neck.rib + 0.25)
        strip = neck.strip()
        seam_stitch = Stitch(offset(neck.seam()[2:-2], 0.35), top.thread)
        above.append(
            _follow(
                neck,
                Part(
                    [strip],
                    colour,
                    "fine_rib" if neck.rib > 1.2 else "jersey",
                    prints=top.trim_prints,
                    volume=0,
                    roll=2.2,
                    roll_width=3,
                    folds=0.35,
                    lift=0.3,
                    stitches=[seam_stitch],
                ),
            )
        )
        if neck.shape == "v":
            above[0].seams.append(Seam([(0, neck.drop), (0, neck.drop - neck.rib * 1.5)], 0.7, 0.2))
    else:
        below.append(
            Part(
                [band(neck.back_line(), 3.0)], colour, top.fabric, volume=0, roll=0.8, folds=0.1, shade=0.78, lift=0.15
            )
        )
        below += _label(neck, 0.6)
        above.append(
            Part(
                [band(neck.seam(), 0.7)],
                colour,
                top.fabric,
                prints=top.prints,
                volume=0,
                roll=1.0,
                roll_width=2,
                folds=0.6,
                stitches=[Stitch(offset(neck.seam()[2:-2], 0.6), top.thread)],
            )
        )
    return below, above, []


def _follow(neck, part):
    """Ribs of a neck band stand across it: their relief is drawn around the neck's centre."""
    pitch = 0.42

    def across(x, y):
        around = np.arctan2(y + 2.0, x) * (neck.half + neck.drop) / 2
        return 0.42 * np.tanh(1.8 * np.sin(2 * np.pi * around / pitch))

    part.height, part.fabric = across, "jersey"
    return part


def _placket(top, start, length, width, count, first=2.2, gap=None):
    """A buttoned strip down the centre front -> parts, buttons."""
    half = width / 2
    end = start + length
    outline = [(-half, start), (half, start), (half, end), (-half, end)]
    inset = 0.35
    stitches = [
        Stitch([(-half + inset, start), (-half + inset, end)], top.thread),
        Stitch([(half - inset, start), (half - inset, end)], top.thread),
    ]
    if length < 30:
        stitches.append(Stitch([(-half, end - 0.4), (half, end - 0.4)], top.thread))
        stitches.append(Stitch([(-half, end - 1.9), (half, end - 1.9)], top.thread))
    fabric = "fine_rib" if top.neck.style == "cardigan" else top.fabric
    prints = [] if top.trim else top.prints
    strip = Part(
        [outline],
        top.trim or top.colour,
        fabric,
        prints=prints,
        stitches=stitches,
        volume=0,
        roll=1.5,
        roll_width=1.8,
        folds=0.85,
        lift=0.35,
    )
    gap = gap or (length - first - 3) / max(count - 1, 1)
    buttons = [Button(0, start + first + gap * step, 0.56, top.button) for step in range(count)]
    return [strip], buttons


def henley(top):
    below, above, _ = banded(top)
    start = top.neck.drop - top.neck.rib * 0.9
    strip, buttons = _placket(top, start, top.neck.placket, 3.0, 3, 1.4)
    return below, [*above, *strip], buttons


def collared(top):
    """A shirt collar with its stand; with a short placket it is a polo."""
    neck, colour = top.neck, top.trim or top.colour
    knit = neck.style == "polo"
    fabric = "fine_rib" if knit else top.fabric
    prints = top.trim_prints if top.trim or knit else top.prints
    below = _inside(top, 0.60)
    back = band(neck.back_line(), 3.6)
    below.append(Part([back], colour, fabric, prints=prints, volume=0, roll=1.0, folds=0.1, shade=0.72, lift=0.3))
    below += _label(neck, 4.0) if knit else _label(neck, 3.9)

    half = neck.half
    stand = Pen(half - 1.1, -1.2).cubic(half - 1.4, 1.2, 2.6, 3.2, -1.2, 4.6).line(-1.2, 7.3)
    stand = stand.cubic(3.2, 6.8, half - 0.2, 4.2, half + 0.7, 0.4).line(half - 1.1, -1.2).points
    leaf = Pen(half - 1.2, -2.3).cubic(half - 1.3, 0.2, 3.4, 2.4, 0.9, 4.7)
    tip = (5.6, 12.6) if not knit else (6.4, 11.6)
    leaf.quad(2.6, 8.6, *tip).cubic(7.6, 9.8, half + 2.6, 6.4, half + 2.8, 2.8)
    leaf.cubic(half + 2.2, 0.2, half + 0.6, -1.6, half - 1.2, -2.3)
    inset = Pen(1.5, 5.0).quad(3.0, 8.6, tip[0] + 0.1, tip[1] - 0.8).cubic(7.4, 9.4, half + 2.0, 6.2, half + 2.2, 3.0)
    above = []
    for flip in (mirror, list):
        edge = flip([(0.2, 6.8), (3.6, 6.2), (half - 1, 3.6)])
        above.append(
            Part(
                [flip(stand)],
                colour,
                fabric,
                prints=prints,
                volume=0,
                roll=1.2,
                folds=0.3,
                lift=0.3,
                stitches=[] if knit else [Stitch(edge, top.thread)],
            )
        )
    length = neck.placket or top.hem[1] + top.hem_sag - 5.2
    strip, buttons = _placket(
        top,
        6.4 if not knit else 6.0,
        length if neck.placket else length - 2.0,
        3.2,
        3 if knit else 7,
        4.2 if not knit else 3.0,
        None if knit else 9.2,
    )
    above = [*strip, *above]
    for side, flip in ((-1, mirror), (1, list)):
        above.append(
            Part(
                [flip(leaf.points)],
                colour,
                fabric,
                prints=prints,
                angle=side * (10 if knit else 28),
                volume=2,
                roll=1.9,
                roll_width=2.2,
                folds=0.25,
                lift=0.75,
                stitches=[] if knit else [Stitch(flip(inset.points), top.thread)],
            )
        )
    buttons = [Button(0, 6.0, 0.5, top.button), *buttons]
    limit = top.hem[1] - 5 if not neck.placket else 99
    return below, above, [button for button in buttons if button.y < limit]


def mock(top):
    """A short standing collar, knitted on."""
    neck, colour = top.neck, top.trim or top.colour
    half = neck.half - 1.2
    inside = neck.back_line() + neck.edge()[::-1]
    below = [Part([inside], colour, "fine_rib", volume=0, roll=0.6, folds=0, shade=0.55)]
    tube = (
        neck.edge()
        + Pen(half, -5.0)
        .cubic(half + 0.1, -2, neck.half + 0.6, 0.2, neck.half + 1.2, 0.9)
        .quad(0, neck.drop * 2 - 0.6, -neck.half - 1.2, 0.9)
        .cubic(-neck.half - 0.6, 0.2, -half - 0.1, -2, -half, -5.0)
        .points
    )
    above = [Part([tube], colour, "fine_rib", volume=9, roll=3.4, folds=0.5, lift=0.35)]
    return below, above, []


def cardigan(top):
    """A V neck whose band runs on down the front, buttoned."""
    neck, colour = top.neck, top.trim or top.colour
    below = _inside(top)
    below.append(Part([band(neck.back_line(), 2.6)], colour, "fine_rib", volume=0, roll=1.2, folds=0.1, shade=0.74))
    below += _label(neck, 2.9)
    width = neck.rib
    above = [Part([neck.strip()], colour, "fine_rib", volume=0, roll=2.4, roll_width=3, folds=0.4, lift=0.4)]
    strip, buttons = _placket(
        top, neck.drop - width * 0.9, top.hem[1] + top.hem_sag - neck.drop + width * 0.9, 3.4, 6, 2.6
    )
    strip[0].stitches = []
    return below, [*above, *strip], buttons


NECKS = {
    "crew": banded,
    "henley": henley,
    "shirt": collared,
    "polo": collared,
    "mock": mock,
    "cardigan": cardigan,
}
