"""What closes a garment in front: plackets, wrapped fronts, tied belts."""

import numpy as np

from sample.drawing.cut import body, half_width
from sample.drawing.geometry import Pen, band, offset
from sample.drawing.parts import Button, Part, Seam, Stitch


def placket(top, start, length, width, count, first=2.2, gap=None):
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


def wrapped_front(top):
    """The upper front of a wrap dress: its edge runs from the neck to the waist and on down the skirt."""
    half, y = half_width(top, top.waist), top.waist
    low = top.hem[1] + 4
    edge = Pen(-1.2, top.neck.drop - 2.5).cubic(2, top.neck.drop + 2, half * 0.7, y - 6, half * 0.86, y).points
    edge += Pen(half * 0.86, y).cubic(half * 0.9, y + 15, half * 0.75, low - 25, half * 0.35, low).points[1:]
    panel = [*edge, (-90, low), (-90, -5), (-1.2, -5)]
    stitches = [Stitch(offset(edge[8:], 0.7), top.thread)]
    return Part(
        [panel],
        top.colour,
        top.fabric,
        prints=top.prints,
        within=body(top),
        holes=[top.neck.hole()],
        stitches=stitches,
        seams=[Seam(Pen(-half, y).quad(0, y + 1.2, half * 0.86, y).points, 0.9, 1.0)],
        volume=8,
        roll=2.0,
        roll_width=2.5,
        lift=0.75,
        folds=top.folds,
        height=top.drape.height if top.drape else None,
    )


def tied_belt(top):
    """A narrow self-tied belt with its knot and two ends."""
    y, half = top.waist, half_width(top, top.waist)
    line = Pen(-half - 0.2, y - 1.6).quad(0, y - 0.4, half + 0.2, y - 1.6).points
    knot_x = half * (0.78 if top.wrap else 0.22)
    knot_y = float(np.interp(knot_x, [p[0] for p in line], [p[1] for p in line])) + 1.6
    parts = [Part([band(line, 3.2)], top.belt, top.fabric, volume=0, roll=1.2, roll_width=1.6, folds=0.25, lift=0.7)]
    for lean, length in ((-3.6, 25), (2.8, 29)):
        tail = (
            Pen(knot_x, knot_y)
            .cubic(knot_x + lean * 0.5, knot_y + 6, knot_x + lean * 1.3, knot_y + 14, knot_x + lean, knot_y + length)
            .points
        )
        parts.append(
            Part(
                [band(offset(tail, -1.2), 2.4)],
                top.belt,
                top.fabric,
                volume=0,
                roll=1.1,
                roll_width=1.5,
                folds=0.3,
                lift=0.8,
            )
        )
    x, y = knot_x, knot_y - 0.1
    knot = Pen(x - 1.2, y - 1.9).cubic(x - 0.4, y - 2.2, x + 0.8, y - 2.2, x + 1.5, y - 1.7)
    knot.cubic(x + 1.2, y - 0.6, x + 1.3, y + 0.7, x + 1.7, y + 1.8).cubic(
        x + 0.6, y + 2.3, x - 0.8, y + 2.2, x - 1.6, y + 1.7
    ).cubic(x - 1.3, y + 0.6, x - 1.0, y - 0.8, x - 1.2, y - 1.9)
    wrinkle = Seam([(x - 0.4, y - 1.8), (x + 0.1, y), (x - 0.2, y + 1.9)], 0.7, 0.2)
    parts.append(Part([knot.points], top.belt, top.fabric, seams=[wrinkle], volume=0, roll=1.6, folds=0.1, lift=0.8))
    return parts
