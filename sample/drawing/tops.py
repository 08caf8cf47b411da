"""Garments that hang from the shoulders: shirts, knits and the upper half of dresses."""

import numpy as np

from sample.drawing.closures import tied_belt, wrapped_front
from sample.drawing.collars import NECKS
from sample.drawing.creases import crease
from sample.drawing.cut import armhole, body, half_width, hem_line
from sample.drawing.drapes import inner_hem
from sample.drawing.geometry import Pen, both_sides, mirror, offset
from sample.drawing.parts import Button, Garment, Grain, Part, Seam, Stitch


def sleeve(top):
    """The right sleeve, reaching a little under the body."""
    (sx, sy), (ax, ay) = top.shoulder, top.armpit
    outer, inner = top.cuff_ends
    axis, out = top.axis, np.array([top.axis[1], -top.axis[0]])
    first = np.array([sx, sy]) + np.array([0.97, 0.24]) * min(top.bulge * 1.6, top.sleeve * 0.4)
    second = np.array([sx, sy]) + axis * top.sleeve * 0.45 + out * top.bulge
    pen = Pen(sx - 5, sy - 1.2).line(sx, sy).cubic(*first, *second, *outer)
    pen.quad(*((outer + inner) / 2 + axis * 0.5), *inner)
    fullness = -0.09 if top.sleeve > 35 else 0.05  # a long sleeve is gathered into its cuff
    above_cuff = inner - axis * top.sleeve * 0.3 + out * top.cuff * fullness
    pen.cubic(*above_cuff, *(np.array([ax, ay]) + axis * min(3.2, top.sleeve * 0.1)), ax, ay)
    return pen.line(ax - 6, ay - 1).line(sx - 6, sy + 4).points


def _sleeve_grain(top, side):
    """Stripes run across the sleeve and meet those of the body halfway down the armhole."""
    middle = (np.array(top.shoulder) + np.array(top.armpit)) / 2
    start = middle - top.axis * middle[1]
    return (side * start[0], start[1]), side * (top.sleeve_angle - 90)


def shell(top):
    """The outside of the garment without trims: body, sleeves, seams and hems."""
    trunk, grains, outlines, seams, stitches = body(top), [], [], [], []
    if top.sleeve:
        for side in (1, -1):
            arm = sleeve(top) if side > 0 else mirror(sleeve(top))
            origin, angle = _sleeve_grain(top, side)
            outlines.append(arm)
            grains.append(Grain(arm, origin, angle))
            line = armhole(top) if side > 0 else mirror(armhole(top))
            seams.append(Seam(line, 0.8, 0.35))
    if not top.sleeve:
        binding = offset(armhole(top), 0.8)
        stitches += [Stitch(binding, top.thread), Stitch(mirror(binding), top.thread)]
    for y in (*([top.waist] if top.waist else []), *top.tiers):
        half = half_width(top, y)
        seams.append(Seam(Pen(-half, y).quad(0, y + 1.2, half, y).points, 1.0, 1.0))
    if top.finish in ("stitched", "shirt"):
        rise = 2.0 if top.finish == "stitched" else 0.8
        stitches += _hem_stitches(top, rise)
    return Part(
        [*outlines, trunk],
        top.colour,
        top.fabric,
        holes=[top.neck.hole()],
        prints=top.prints,
        grains=grains,
        seams=seams,
        stitches=stitches,
        folds=top.folds,
        height=top.drape.height if top.drape else None,
        lift=0.7,
    )


def _hem_stitches(top, rise):
    lines = []
    line = np.array(hem_line(top)[3:-3])
    for up in (rise, rise - 0.55) if rise > 1 else (rise,):
        lines.append(Stitch([tuple(p) for p in line - [0, up]], top.thread))
    if top.sleeve and top.finish == "stitched" and top.neck.style != "polo":
        outer, inner = top.cuff_ends
        across = (inner - outer) / np.linalg.norm(inner - outer)
        for up in (rise, rise - 0.55):
            ends = [outer + across * 0.3 - top.axis * up, inner - across * 0.3 - top.axis * up]
            middle = (ends[0] + ends[1]) / 2 + top.axis * 0.25
            cuff = Pen(*ends[0]).quad(*middle, *ends[1]).points
            lines += [Stitch(cuff, top.thread), Stitch(mirror(cuff), top.thread)]
    return lines


def ribbed_hems(top):
    """Ribbed bands at the hem and the cuffs, drawn in a little."""
    half, low = top.hem
    height = top.rib
    hem = Pen(half - 0.2, low - height).cubic(half - 0.4, low - height * 0.6, half - 1.6, low - 1, half - 1.8, low)
    hem.quad(0, low + top.hem_sag * 2, -half + 1.8, low)
    hem.cubic(-half + 1.6, low - 1, -half + 0.4, low - height * 0.6, -half + 0.2, low - height)
    hem.quad(0, low - height + top.hem_sag * 2, half - 0.2, low - height)
    colour = top.trim or top.colour
    parts = [_rib(hem.points, colour, top)]
    return parts + _ribbed_cuffs(top, height * 0.95, 0.35) if top.sleeve else parts


def _ribbed_cuffs(top, height, narrower=0.1):
    cuff = _cuff_block(top, height, narrower)
    x, y = top.cuff_ends[0]
    return [
        _rib(outline, top.trim or top.colour, top, side * (top.sleeve_angle - 90), (side * x, y))
        for side, outline in ((1, cuff), (-1, mirror(cuff)))
    ]


def _rib(outline, colour, top, angle=0.0, origin=(0.0, 0.0)):
    return Part(
        [outline],
        colour,
        "rib",
        angle=angle,
        origin=origin,
        roll=3.0,
        volume=5,
        folds=0.55 * top.folds,
        lift=0.35,
    )


def _cuff_block(top, height, narrower=0.0):
    outer, inner = top.cuff_ends
    across = (inner - outer) / np.linalg.norm(inner - outer)
    a, b = outer - top.axis * height - across * 0.15, inner - top.axis * height + across * 0.1
    c, d = inner - across * narrower, outer + across * narrower
    pen = Pen(*a).quad(*((a + b) / 2 + top.axis * 0.6), *b).line(*c)
    return pen.quad(*((c + d) / 2 + top.axis * 0.6), *d).line(*a).points


def shirt_cuffs(top):
    """Buttoned cuffs of woven cloth."""
    parts, buttons = [], []
    outer, inner = top.cuff_ends
    block = _cuff_block(top, 6.5, -0.1)
    across = (inner - outer) / np.linalg.norm(inner - outer)
    for side in (1, -1):
        flip = (lambda points: points) if side > 0 else mirror
        lines = []
        for up in (0.5, 6.0):
            lines.append(
                Stitch(
                    flip([tuple(outer + across * 0.4 - top.axis * up), tuple(inner - across * 0.4 - top.axis * up)]),
                    top.thread,
                )
            )
        parts.append(
            Part(
                [flip(block)],
                top.trim or top.colour,
                top.fabric,
                prints=top.prints,
                stitches=lines,
                roll=2.0,
                volume=3,
                folds=0.4,
                lift=0.5,
                angle=side * (top.sleeve_angle - 90),
                origin=(side * outer[0], outer[1]),
            )
        )
        x, y = outer + across * top.cuff * 0.72 - top.axis * 3.2
        buttons.append(Button(side * x, y, 0.5, top.button))
    return parts, buttons


def patch_pocket(top):
    x, y, width, height = top.pocket
    left, right = x - width / 2, x + width / 2
    outline = Pen(left, y).line(right, y).line(right, y + height * 0.84).line(x, y + height)
    outline = outline.line(left, y + height * 0.84).line(left, y).points
    inset = 0.25
    edge = [
        (left + inset, y),
        (left + inset, y + height * 0.83),
        (x, y + height - inset - 0.1),
        (right - inset, y + height * 0.83),
        (right - inset, y),
    ]
    stitches = [Stitch(edge, top.thread), Stitch([(left, y + 1.8), (right, y + 1.8)], top.thread)]
    prints = top.prints
    return Part(
        [outline],
        top.colour,
        top.fabric,
        prints=prints,
        stitches=stitches,
        roll=1.4,
        roll_width=2,
        volume=1.5,
        folds=0.8,
        lift=0.4,
    )


def landmarks(top):
    (sx, sy), (ax, ay) = top.shoulder, top.armpit
    half, low = top.hem
    inset = 1.8 if top.finish == "ribbed" else 0.0
    points = {
        "collar": (top.neck.half, 0.0),
        "shoulder": (sx, sy),
        "armpit": (ax, ay),
        "hem": (half - inset, low),
    }
    if top.sleeve:
        outer, inner = top.cuff_ends
        points |= {"cuff_outer": tuple(outer), "cuff_inner": tuple(inner)}
    return both_sides(points) | {"neck_front": top.neck.front(), "neck_back": top.neck.back()}


def draw(top):
    """Top -> Garment."""
    below, above, buttons = NECKS[top.neck.style](top)
    parts = [*below, shell(top)]
    if top.drape:
        parts.insert(0, inner_hem(top.drape, top.hem, top.hem_sag, top.colour, top.fabric, top.prints))
    if top.wrap:
        parts.append(wrapped_front(top))
    if top.finish == "ribbed":
        parts += ribbed_hems(top)
    if top.neck.style == "polo":
        parts += _ribbed_cuffs(top, 2.6)
    if top.finish == "shirt" and top.sleeve > 35:
        cuffs, more = shirt_cuffs(top)
        parts, buttons = parts + cuffs, buttons + more
    if top.pocket:
        parts.append(patch_pocket(top))
    parts += above
    over = tied_belt(top) if top.belt else []
    return Garment(parts, landmarks(top), top.neck.edge(), buttons, over)


__all__ = ["crease", "draw"]
