"""How a skirt, or the skirt of a dress, goes on a body: one panel that hangs from the hips."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.parts import BODY
from preprocessing.garment.prepare import PreparedGarment
from tryon.engines.preview.figure import SIDES
from tryon.engines.preview.lower_body import HIP, LowerBody
from tryon.engines.preview.overhang import Overhang
from tryon.engines.preview.waistband import Bottom, edge_of
from tryon.engines.preview.warp import Patch, untangled

ROWS = 22
ACROSS = np.linspace(-1, 1, 13)
MARGIN = 0.12
# Cloth lies a little off the body.
EASE = 1.04
# How much lower a skirt hangs in the middle than at its sides, in shoulder widths at the hem.
SAG = 0.05
# From where a skirt hangs by its own weight, in torso lengths.
HANGS_FROM = 1.1


def skirt_patch(
    garment: PreparedGarment,
    bottom: Bottom,
    body: LowerBody,
    scale: float,
    hem: float,
    over_it: Overhang | None,
) -> Patch:
    """A skirt from the waist line down to the level `hem`, from under a hem that lies over it."""
    drawn, worn = skirt_sides(garment, bottom, body, scale, body.waist[0], hem, over_it)
    for side, end, index in (("left", -1.0, 0), ("right", 1.0, 1)):
        drawn[index] += _fade(ROWS) * (bottom.points[f"waist_{side}"] - drawn[index][0])
        worn[index] += _fade(ROWS) * (body.waist_line(np.array([end]))[0] - worn[index][0])
    source = _panel(*drawn, bottom.waist_line(ACROSS))
    target = _panel(*worn, body.waist_line(ACROSS))
    sag = np.linspace(0, SAG, ROWS)[:, None] * (1 - ACROSS**2) * body.figure.frame.shoulder_width
    target[..., 1] += sag  # a hem goes round the legs
    return untangled(Patch(_carried_on(source), _carried_on(target)))


def skirt_sides(
    garment: PreparedGarment,
    bottom: Bottom,
    body: LowerBody,
    scale: float,
    waist: float,
    hem: float,
    over_it: Overhang | None = None,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Left and right side of a skirt from the level `waist` to the level `hem`, in the garment and on the body;
    (ROWS, 2) each."""
    rows = np.linspace(bottom.top, bottom.last, ROWS)
    levels = np.linspace(waist, hem, ROWS)
    centre, across = _hanging(body, levels)
    drawn, worn = [], []
    for side, sign in SIDES:
        edge = _drawn_edge(garment, bottom, rows, side)
        natural = np.abs(edge - bottom.axis(rows)) * scale
        least = _least(body, levels, centre, across, side, sign)
        width = np.maximum(natural, least)
        if over_it is not None:
            width = np.minimum(width, np.maximum(over_it.widest(side, levels), least))
        # It cannot spread before the hips hold it out.
        held = 1.12 * EASE * body.figure.half_width(side, levels)
        width = np.where(levels < HANGS_FROM, np.minimum(width, held), width)
        width = gaussian_filter1d(width, 2.0, mode="nearest")
        drawn.append(np.stack([edge, rows], 1))
        worn.append(centre + sign * across * width[:, None])
    return drawn, worn


def _hanging(body: LowerBody, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle line of a skirt at some levels and the directions across it; (N, 2) each."""
    frame = body.figure.frame
    legs = [leg.at(levels)[0] for leg in body.legs.values()]
    between = (legs[0] + legs[1]) / 2
    hips = frame.point(0, HIP * frame.torso_length)
    trunk = frame.point(np.zeros_like(levels), levels * frame.torso_length)
    hung = np.stack([(hips[0] + between[:, 0]) / 2, np.where(levels > HIP, between[:, 1], trunk[:, 1])], 1)
    share = np.clip((levels - HIP) / 0.3, 0, 1)[:, None]
    centre = trunk + (hung - trunk) * share
    straight = np.linspace(centre[0, 0], centre[-1, 0], len(centre))
    centre[:, 0] = straight + gaussian_filter1d(centre[:, 0] - straight, 3.0, mode="constant")  # no kink at the hips
    across = frame.right + (np.array([1.0, 0.0]) - frame.right) * share
    return centre, across / np.hypot(*across.T)[:, None]


def _least(
    body: LowerBody, levels: np.ndarray, centre: np.ndarray, across: np.ndarray, side: str, sign: int
) -> np.ndarray:
    """How far the hips and the leg of one side reach from the middle of a skirt: it cannot be narrower; (N,)."""
    at, outward = body.legs[side].at(levels)
    outline = at + outward * body.legs[side].half_width(levels)[:, None]
    leg = sign * ((outline - centre) * across).sum(1)
    hips = body.figure.half_width(side, levels)
    return EASE * (hips + (leg - hips) * np.clip((levels - 1.15) / 0.2, 0, 1))


def _panel(left: np.ndarray, right: np.ndarray, top: np.ndarray) -> np.ndarray:
    """A grid between two sides (R, 2) whose first row is a curve (13, 2); (R, 13, 2)."""
    share = (ACROSS + 1) / 2
    grid = left[:, None] + (right - left)[:, None] * share[None, :, None]
    return grid + (top - grid[0]) * _fade(len(left))[..., None]


def _fade(rows: int) -> np.ndarray:
    """How much of what moves the waist line moves the rows below it; (rows, 1)."""
    return np.clip(1 - np.linspace(0, 3, rows), 0, 1)[:, None]


def _carried_on(grid: np.ndarray) -> np.ndarray:
    """A grid carried on a little beyond its edges."""
    side = MARGIN * (grid[:, -1] - grid[:, 0])
    grid = np.concatenate([(grid[:, 0] - side)[:, None], grid, (grid[:, -1] + side)[:, None]], axis=1)
    return np.concatenate([2 * grid[:1] - grid[1:2], grid, 2 * grid[-1:] - grid[-2:-1]])


def _drawn_edge(garment: PreparedGarment, bottom: Bottom, rows: np.ndarray, side: str) -> np.ndarray:
    waist, hem = bottom.points[f"waist_{side}"], bottom.points[f"hem_{side}"]
    straight = np.interp(rows, [waist[1], hem[1]], [waist[0], hem[0]])
    # Below its corners a round hem runs inwards; folds beside the outline are not to bend those in the middle.
    edge = edge_of(garment.parts == BODY, np.minimum(rows, hem[1] - 3), side, straight, 0.2 * bottom.width)
    return gaussian_filter1d(edge, 2.0, mode="nearest")
