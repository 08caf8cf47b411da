"""Where the body of a top goes: shoulders, armpits and sides on the figure, and the grid between them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tryon.engines.preview.figure import SIDES, Figure
from tryon.engines.preview.source import Source
from tryon.engines.preview.warp import Patch, coons, untangled

# Rows of the torso grid from shoulder to armpit and from armpit to hem; columns from shoulder end to collar.
ARMHOLE_ROWS, SIDE_ROWS = 6, 16
# Chest of the garment on the body, in shoulder widths.
CHEST = 1.04
# How much wider than the body cloth may be and still keep its size in the middle.
MOST_EASE = 1.4
# How far a collar is moved up to meet the outline, in shoulder widths.
COLLAR_RISE = 0.02


def place_corners(source: Source, figure: Figure, scale: float) -> dict[str, np.ndarray]:
    """Where collar, shoulder and armpit points go on the body."""
    frame, unit = figure.frame, figure.frame.shoulder_width
    corners = {}
    for side, sign in SIDES:
        shoulder, neck = figure.shoulders[side], figure.necks[side]
        end, root = abs(frame.across(shoulder)), abs(frame.across(neck))
        points = {name: source.points[f"{name}_{side}"] for name in ("collar", "shoulder", "armpit")}
        drawn = {name: abs(point[0] - source.axis) for name, point in points.items()}
        if source.sleeved:
            reach = end
            share = drawn["collar"] / max(drawn["shoulder"], 1)
            at_collar = np.clip(min(share * reach, drawn["collar"] * scale * 1.12), 0.19 * unit, 0.97 * reach)
        else:
            reach = min(drawn["shoulder"] * scale * 1.08, end)
            share = drawn["collar"] / max(drawn["shoulder"], 1)
            at_collar = np.clip(share * reach, 0.14 * unit, 0.97 * reach)

        def on_shoulder(across, shoulder=shoulder, neck=neck, end=end, root=root):
            return shoulder + (neck - shoulder) * np.clip((end - across) / max(end - root, 1), -0.1, 1.08)

        corners[f"shoulder_{side}"] = figure.raised(on_shoulder(reach), 0.16 * unit)
        corners[f"collar_{side}"] = figure.raised(on_shoulder(at_collar), COLLAR_RISE * unit)
        corners[f"armpit_{side}"] = _armpit(source, figure, scale, side, sign, corners)
    return corners


def _armpit(source: Source, figure: Figure, scale: float, side: str, sign: int, corners: dict) -> np.ndarray:
    frame, unit = figure.frame, figure.frame.shoulder_width
    path = figure.arms[side].path
    arm = path[len(path) // 3] - path[0]
    arm /= max(float(np.hypot(*arm)), 1e-3)
    lifted = float(np.clip(1 - arm @ frame.down, 0, 1.6))
    drop = source.points[f"armpit_{side}"][1]
    if source.sleeved:
        depth = np.clip((drop - source.points[f"shoulder_{side}"][1]) * scale, 0.42 * unit, 0.72 * unit)
        start = frame.along(figure.shoulders[side])
    else:
        depth = np.clip((drop - source.points[f"collar_{side}"][1]) * scale, 0.45 * unit, 0.80 * unit)
        start = frame.along(corners[f"collar_{side}"])
    if source.sleeved:
        across = (0.44 + 0.13 * min(lifted, 1)) * unit  # on the inner side of the arm
    else:
        across = (0.49 + 0.07 * min(lifted, 1)) * unit
    level = (start + depth) / frame.torso_length
    if figure.limit(side, level) > 5 * unit:  # the body's own side is seen
        across = max(across, min(float(figure.half_width(side, level)), 0.66 * unit))
    return frame.point(sign * across, start + depth)


def torso_patch(source: Source, figure: Figure, corners: dict, scale: float, hem: float) -> Patch:
    frame, unit = figure.frame, figure.frame.shoulder_width
    rows = ARMHOLE_ROWS + SIDE_ROWS
    edges = {"source": {}, "target": {}}
    for side, sign in SIDES:
        edges["source"][side], edges["target"][side] = _side(source, figure, corners, scale, hem, side, sign)
    # Columns: shoulder end, collar, middle and back; rows by the garment's own height.
    collar = np.mean([
        abs(source.points[f"collar_{side}"][0] - source.axis)
        / max(abs(source.points[f"shoulder_{side}"][0] - source.axis), 1)
        for side, _ in SIDES
    ])  # fmt: skip
    collar = float(np.clip(collar, 0.12, 0.93))
    columns = np.concatenate(
        [np.linspace(-1, -collar, 5), np.linspace(-collar, collar, 9)[1:-1], np.linspace(collar, 1, 5)]
    )
    heights = (edges["source"]["left"][:, 1] + edges["source"]["right"][:, 1]) / 2
    v = (heights - heights[0]) / max(heights[-1] - heights[0], 1)
    u = (columns + 1) / 2

    grids = {}
    for which, points in (("source", source.points), ("target", corners)):
        knots = [points[name] for name in ("shoulder_left", "collar_left", "collar_right", "shoulder_right")]
        top = np.stack(
            [np.interp(columns, [-1, -collar, collar, 1], [knot[axis] for knot in knots]) for axis in (0, 1)], axis=1
        )
        on_seam = (np.abs(columns) >= collar) & (np.abs(columns) < 0.97)
        if which == "source":
            top[on_seam] = [source.on_cloth(point) for point in top[on_seam]]
        left, right = edges[which]["left"], edges[which]["right"]
        bottom = left[-1] + (right[-1] - left[-1]) * u[:, None]
        if which == "target":
            bottom = bottom + ((1 - columns**2) * 0.035 * unit)[:, None] * frame.down  # a hem seen round a belly
            away = np.clip((np.abs(columns[on_seam]) - collar) / (1 - collar) * 2.5, 0, 1)
            rise = (COLLAR_RISE + (0.10 - COLLAR_RISE) * away) * unit  # little beside the neck, which goes on upwards
            top[on_seam] = [figure.raised(point, most) for point, most in zip(top[on_seam], rise, strict=True)]
        grids[which] = coons(top, bottom, left, right, u, v)

    # Cloth wider than the body goes round it: the middle keeps its size, columns draw together towards the sides.
    drawn, seen = (np.hypot(*(edges[which]["right"] - edges[which]["left"]).T) for which in ("source", "target"))
    for row in range(rows):
        ease = np.clip(drawn[row] * scale / max(seen[row], 1), 1, MOST_EASE) - 1
        at = columns + (columns - columns**3) * ease * np.clip(v[row] / 0.3, 0, 1)
        for axis in (0, 1):
            grids["target"][row, :, axis] = np.interp(at, columns, grids["target"][row, :, axis].copy())
    return untangled(_with_margins(grids, source, figure, scale, hem, corners))


def _side(
    source: Source, figure: Figure, corners: dict, scale: float, hem: float, side: str, sign: int
) -> tuple[np.ndarray, np.ndarray]:
    """One side of the torso from shoulder end to armpit to hem, in the garment and on the body; (R, 2) each."""
    frame, unit = figure.frame, figure.frame.shoulder_width
    share = np.linspace(0, 1, ARMHOLE_ROWS, endpoint=False)[:, None]
    armhole = [
        points[f"shoulder_{side}"] + share * (points[f"armpit_{side}"] - points[f"shoulder_{side}"])
        for points in (source.points, corners)
    ]
    armpit = source.points[f"armpit_{side}"]
    heights = np.linspace(armpit[1], source.bottom, SIDE_ROWS)
    x = np.interp(heights, source.rows, source.edges[side])
    x[0] = armpit[0]

    target = corners[f"armpit_{side}"]
    levels = np.linspace(frame.along(target) / frame.torso_length, hem, SIDE_ROWS)
    body, limit = figure.half_width(side, levels), figure.limit(side, levels)
    width = np.clip(np.abs(x - source.axis) * scale, 1.03 * body, 1.28 * body + 0.02 * unit)
    width = np.minimum(width, limit)
    start = abs(frame.across(target))
    width = start + (width - start) * np.clip(np.linspace(0, 3, SIDE_ROWS), 0, 1) ** 0.8
    width = gaussian_filter1d(width, 1.2, mode="nearest")
    width[0] = start
    for row in range(1, SIDE_ROWS):  # no wings where an arm gives way, but the body is covered
        width[row] = min(width[row], max(width[row - 1] + 0.03 * unit, 1.03 * body[row]))
    for row in range(SIDE_ROWS - 2, 0, -1):  # cloth falls straight, where no arm is before it
        width[row] = max(width[row], min(width[row + 1] - 0.04 * unit, limit[row]))
    on_body = np.stack(
        [frame.point(sign * w, level * frame.torso_length) for w, level in zip(width, levels, strict=True)]
    )
    return np.concatenate([armhole[0], np.stack([x, heights], 1)]), np.concatenate([armhole[1], on_body])


def _with_margins(grids: dict, source: Source, figure: Figure, scale: float, hem: float, corners: dict) -> Patch:
    """The torso's grids carried on beyond their edges: standing collars, curved hems, sides that bulge."""
    frame = figure.frame
    chest = source.chest
    collar = sum(frame.along(corners[f"collar_{side}"]) for side, _ in SIDES) / 2
    down_scale = (hem * frame.torso_length - collar) / source.length
    above, below = np.array([0.45, 0.22, 0.08]) * chest, np.array([0.06, 0.20]) * chest
    grown = {}
    for which, down, up_by, down_by in (
        ("source", np.array([0.0, 1.0]), 1.0, 1.0),
        ("target", frame.down, scale, down_scale),
    ):
        grid = grids[which]
        grid = np.concatenate([
            np.stack([grid[0] - down * up_by * size for size in above]),
            grid,
            np.stack([grid[-1] + down * down_by * size for size in below]),
        ])  # fmt: skip
        side = 0.16 * chest * (1.0 if which == "source" else 0.8 * scale)
        reach = np.ones(len(grid))
        if source.sleeved:
            reach[: len(above) + ARMHOLE_ROWS] = 0.2  # beyond the armhole is the sleeve
        across = np.array([1.0, 0.0]) if which == "source" else frame.right
        outward = (reach * side)[:, None] * across
        grown[which] = np.concatenate(
            [(grid[:, 0] - outward)[:, None], grid, (grid[:, -1] + outward)[:, None]], axis=1
        )
    return Patch(grown["source"], grown["target"])
