"""How trousers and shorts go on a body: a panel from the waist to the crotch, and a strip along each leg."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.parts import LEFT_LEG, RIGHT_LEG
from preprocessing.garment.prepare import PreparedGarment
from tryon.engines.preview.figure import SIDES
from tryon.engines.preview.lower_body import LowerBody
from tryon.engines.preview.overhang import Overhang
from tryon.engines.preview.waistband import Bottom, edge_of
from tryon.engines.preview.warp import Patch, untangled

LEG_LABEL = {"left": LEFT_LEG, "right": RIGHT_LEG}
# Rows of the grids above and below the crotch; columns of one half, from its outer edge to the middle.
RISE_ROWS, LEG_ROWS = 8, 20
ACROSS = np.linspace(0, 1, 7)
# Over how much of a torso length the inner edge comes from the crotch to its own side of the leg.
INNER_BLEND = 0.35
# Over how much the outer edge comes from the hip to its own distance from the leg.
OUTER_BLEND = 0.3
# Cloth lies a little off the body.
EASE = 1.03
# The margins beyond the edges, in widths of a half: outside, and inside below the crotch.
MARGIN = 0.15


def trouser_patches(
    garment: PreparedGarment,
    bottom: Bottom,
    body: LowerBody,
    scale: float,
    hem: float,
    over_it: Overhang | None,
) -> tuple[Patch, dict[str, Patch]]:
    """The panel above the crotch and the legs by side, down to the level `hem`, from under a hem that lies over it."""
    halves, legs = [], {}
    for side, sign in SIDES:
        rise = Patch(
            _drawn_rise(garment, bottom, side, sign), _worn_rise(garment, bottom, body, scale, side, sign, over_it)
        )
        drawn = _drawn_edges(garment, bottom, side)
        worn = _worn_edges(bottom, drawn, body, scale, hem, side, hip=rise.target[-1, 0])
        legs[side] = untangled(Patch(_strip(*drawn), _strip(*worn)))
        halves.append(rise)
    grids = []
    for which in ("source", "target"):
        left, right = (getattr(half, which) for half in halves)
        grid = np.concatenate([left, right[:, -2::-1]], axis=1)
        grid = np.concatenate(
            [(2 * grid[:, 0] - grid[:, 1])[:, None], grid, (2 * grid[:, -1] - grid[:, -2])[:, None]], 1
        )
        above, below = 2 * grid[:1] - grid[1:2], grid[-1:] + 0.5 * (grid[-1:] - grid[-2:-1])
        grids.append(np.concatenate([above, grid, below]))
    return untangled(Patch(*grids)), legs


def _strip(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """A grid between two edges (R, 2), carried on a little beyond all of its own."""
    shares = np.concatenate([[-MARGIN], ACROSS, [1 + MARGIN]])
    grid = outer[:, None] + (inner - outer)[:, None] * shares[None, :, None]
    return np.concatenate([grid[:1] + 0.5 * (grid[:1] - grid[1:2]), grid, 2 * grid[-1:] - grid[-2:-1]])


def _heights(bottom: Bottom, side: str) -> np.ndarray:
    return np.linspace(bottom.points[f"waist_{side}"][1], bottom.points["crotch"][1], RISE_ROWS)


def _drawn_outer(garment: PreparedGarment, bottom: Bottom, rows: np.ndarray, side: str) -> np.ndarray:
    """Columns of the garment's outer edge at some rows."""
    waist, hem = bottom.points[f"waist_{side}"], bottom.points[f"hem_outer_{side}"]
    straight = np.interp(rows, [waist[1], hem[1]], [waist[0], hem[0]])
    return edge_of(garment.mask > 127, np.minimum(rows, hem[1] - 3), side, straight, 0.35 * bottom.width)


def _drawn_rise(garment: PreparedGarment, bottom: Bottom, side: str, sign: int) -> np.ndarray:
    """Half of the garment above the crotch; (RISE_ROWS, 7, 2)."""
    rows = _heights(bottom, side)
    outer = np.stack([_drawn_outer(garment, bottom, rows, side), rows], 1)
    outer[0] = bottom.points[f"waist_{side}"]
    return _between_waist_and_crotch(outer, bottom.waist_line(sign * (1 - ACROSS)), bottom.points["crotch"])


def _worn_rise(
    garment: PreparedGarment,
    bottom: Bottom,
    body: LowerBody,
    scale: float,
    side: str,
    sign: int,
    over_it: Overhang | None,
) -> np.ndarray:
    figure, frame = body.figure, body.figure.frame
    rows = _heights(bottom, side)
    share = np.linspace(0, 1, RISE_ROWS)
    waist = body.waist_line(sign * (1 - ACROSS))
    start = frame.along(waist[0]) / frame.torso_length
    levels = start + (body.crotch_level - start) * share
    axis = bottom.axis(rows)
    natural = np.abs(_drawn_outer(garment, bottom, rows, side) - axis) * scale
    worn = figure.half_width(side, levels)
    width = np.minimum(np.clip(natural, EASE * worn, 1.2 * worn), np.maximum(figure.limit(side, levels), worn))
    if over_it is not None:
        width = np.minimum(width, np.maximum(over_it.widest(side, levels), EASE * worn))
    begin = abs(frame.across(waist[0]))
    width = begin + (width - begin) * np.clip(5 * share, 0, 1)
    outer = frame.point(sign * gaussian_filter1d(width, 0.8, mode="nearest"), levels * frame.torso_length)
    outer[0] = waist[0]
    return _between_waist_and_crotch(outer, waist, body.crotch)


def _between_waist_and_crotch(outer: np.ndarray, waist: np.ndarray, crotch: np.ndarray) -> np.ndarray:
    """A grid below a waist line (C, 2), from the outer edge (R, 2) to the middle, where it runs to the crotch."""
    share = np.linspace(0, 1, len(outer))[:, None, None]
    middle = waist[-1] + (crotch - waist[-1]) * share[:, 0]
    grid = outer[:, None] + (middle - outer)[:, None] * ACROSS[None, :, None]
    straight = waist[0] + (waist[-1] - waist[0]) * ACROSS[:, None]
    return grid + (waist - straight)[None] * (1 - share)


def _drawn_edges(garment: PreparedGarment, bottom: Bottom, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Outer and inner edge of a leg in the garment, from the crotch to the hem; (LEG_ROWS, 2) each."""
    crotch, hem = bottom.points["crotch"], bottom.points[f"hem_inner_{side}"]
    last = max(bottom.points[f"hem_outer_{side}"][1], hem[1], crotch[1] + 10)
    rows = np.linspace(crotch[1], last, LEG_ROWS)
    straight = np.interp(rows, [crotch[1], hem[1]], [crotch[0], hem[0]])
    towards_middle = "right" if side == "left" else "left"
    part = garment.parts == LEG_LABEL[side]
    inner = edge_of(part, np.minimum(rows, hem[1] - 3), towards_middle, straight, 0.25 * bottom.width)
    inner[0] = crotch[0]
    return np.stack([_drawn_outer(garment, bottom, rows, side), rows], 1), np.stack([inner, rows], 1)


def _worn_edges(
    bottom: Bottom,
    drawn: tuple[np.ndarray, np.ndarray],
    body: LowerBody,
    scale: float,
    hem: float,
    side: str,
    hip: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The same edges on the body; the outer one goes on from the end of the panel at `hip`."""
    outer, inner = drawn
    leg, start = body.legs[side], body.crotch_level
    end = (bottom.points[f"hem_outer_{side}"][1] + bottom.points[f"hem_inner_{side}"][1]) / 2
    down = outer[:, 1] - outer[0, 1]
    levels = start + (hem - start) * down / max(end - outer[0, 1], 0.5 * down[-1])  # hems rise beside a low crotch
    centre, outward = leg.at(levels)
    body_half = leg.half_width(levels)
    natural = np.abs(outer[:, 0] - inner[:, 0]) / 2 * scale
    on_outer = centre + outward * np.maximum(natural, EASE * body_half)[:, None]
    on_inner = centre - outward * np.maximum(natural, body_half)[:, None]
    away = np.clip((levels - start) / INNER_BLEND, 0, 1)[:, None]
    from_crotch = body.crotch + centre - centre[0]
    on_inner = from_crotch + (on_inner - from_crotch) * away**2 * (3 - 2 * away)
    from_hip = 1 - np.clip((levels - start) / OUTER_BLEND, 0, 1)[:, None]
    return on_outer + (hip - on_outer[0]) * from_hip**2, on_inner
