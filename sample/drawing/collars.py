"""Necklines and collars: what is seen inside the neck, and what lies over the front."""

import numpy as np

from sample.drawing.closures import placket
from sample.drawing.geometry import Pen, band, mirror, offset
from sample.drawing.parts import Button, Part, Seam, Stitch


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


def henley(top):
    below, above, _ = banded(top)
    start = top.neck.drop - top.neck.rib * 0.9
    strip, buttons = placket(top, start, top.neck.placket, 3.0, 3, 1.4)
    return below, [*above, *strip], buttons


def collared(top):
    """A shirt collar with its stand; with a short placket it is a polo."""
    neck, colour = top.neck, top.trim or top.colour
    knit = neck.style == "polo"
    fabric = "fine_rib" if knit else top.fabric
    prints = [] if top.trim or knit else top.prints
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
    strip, buttons = placket(
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
    strip, buttons = placket(
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
