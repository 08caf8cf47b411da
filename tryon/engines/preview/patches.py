"""How a top is cut into patches and where each goes on the body: one for the torso, one for each sleeve."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment import BODY, LEFT_SLEEVE, RIGHT_SLEEVE, PreparedGarment
from preprocessing.labels import Parse
from tryon.engines.preview.figure import SIDES, Figure, sample
from tryon.engines.preview.warp import Patch, coons, untangled

SLEEVE_LABEL = {"left": LEFT_SLEEVE, "right": RIGHT_SLEEVE}

# Rows of the torso grid from shoulder to armpit and from armpit to hem; columns from shoulder end to collar.
ARMHOLE_ROWS, SIDE_ROWS = 6, 16
# Chest of the garment on the body, in shoulder widths.
CHEST = 1.04
# A hem is not pulled below this many torso lengths; beyond, half of the rest counts, since cloth there hangs in folds.
HEM_SOFT, HEM_LAST = 1.05, 1.45
TUCK_ABOVE = 0.93


@dataclass(frozen=True)
class Cut:
    """A garment laid on a figure.

    Attributes:
        torso, sleeves: the patches; sleeves by side, empty without sleeves.
        corners: places on the body by landmark name.
        scale: photo pixels for one of the garment's.
        hem: where the hem comes to lie, in torso lengths.
        tucked: whether the top is worn inside what is below, as the one worn now.
    """

    torso: Patch
    sleeves: dict[str, Patch]
    corners: dict[str, np.ndarray]
    scale: float
    hem: float
    tucked: bool


class _Source:
    """The garment's own measures, in its picture's pixels."""

    def __init__(self, garment: PreparedGarment):
        self.points = {name: np.array(point, float) for name, point in garment.landmarks.items()}
        self.parts = garment.parts
        self.sleeved = "cuff_outer_left" in self.points and garment.sleeve != "sleeveless"
        self.chest = float(self.points["armpit_right"][0] - self.points["armpit_left"][0])
        body = garment.parts == BODY
        self.axis = float(sum(self.points[f"armpit_{side}"][0] for side, _ in SIDES) / 2)
        column = int(np.clip(self.axis, 0, body.shape[1] - 1))
        rows = np.flatnonzero(body[:, column])
        self.bottom = float(rows.max()) if len(rows) else self.points["hem_left"][1]
        self.length = self.bottom - float(sum(self.points[f"collar_{side}"][1] for side, _ in SIDES) / 2)
        self._profile(body)

    def _profile(self, body: np.ndarray) -> None:
        """Left and right edge of the body below the armpits."""
        first = max(self.points[f"armpit_{side}"][1] for side, _ in SIDES)
        self.rows = np.linspace(first, max(self.bottom - 2, first + 10), 24)
        self.edges = {}
        for side, sign in SIDES:
            armpit, hem = self.points[f"armpit_{side}"], self.points[f"hem_{side}"]
            straight = np.interp(self.rows, [armpit[1], hem[1]], [armpit[0], hem[0]])
            edge = np.full(len(self.rows), np.nan)
            for index, row in enumerate(self.rows):
                columns = np.flatnonzero(body[min(int(row), body.shape[0] - 1)])
                if len(columns):
                    edge[index] = columns.max() if sign > 0 else columns.min()
            edge = np.where(np.isnan(edge), straight, edge)
            edge = np.clip(edge, straight - 0.14 * self.chest, straight + 0.14 * self.chest)
            self.edges[side] = gaussian_filter1d(edge, 1.2, mode="nearest")


def _place_corners(source: _Source, figure: Figure, scale: float) -> dict[str, np.ndarray]:
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
        corners[f"collar_{side}"] = figure.raised(on_shoulder(at_collar), 0.08 * unit)
        corners[f"armpit_{side}"] = _armpit(source, figure, scale, side, sign, corners)
    return corners


def _armpit(source: _Source, figure: Figure, scale: float, side: str, sign: int, corners: dict) -> np.ndarray:
    frame, unit = figure.frame, figure.frame.shoulder_width
    joint, elbow, _ = figure.arms[side]
    arm = (elbow - joint) / max(float(np.hypot(*(elbow - joint))), 1e-3)
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
    return frame.point(sign * across, start + depth)


def _hem(source: _Source, figure: Figure, corners: dict, scale: float) -> tuple[float, bool]:
    """Where the hem comes to lie in torso lengths, and whether the top is tucked in."""
    frame = figure.frame
    collar = sum(frame.along(corners[f"collar_{side}"]) for side, _ in SIDES) / 2
    hem = (collar + source.length * scale) / frame.torso_length
    waist = figure.waist
    tucked = False
    if waist is not None and 0.5 < waist < 1.35:
        tucked = waist < TUCK_ABOVE and hem > waist + 0.03 and source.length / source.chest < 2.3
        if waist - 0.60 < hem < waist + 0.04:
            hem = waist + 0.05  # a little longer, rather than a strip of the old top
    if hem > HEM_SOFT:
        hem = HEM_SOFT + 0.5 * (hem - HEM_SOFT)
    return float(np.clip(hem, 0.45, HEM_LAST)), tucked


def _torso(source: _Source, figure: Figure, corners: dict, scale: float, hem: float) -> Patch:
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
        left, right = edges[which]["left"], edges[which]["right"]
        bottom = left[-1] + (right[-1] - left[-1]) * u[:, None]
        if which == "target":
            bottom = bottom + ((1 - columns**2) * 0.035 * unit)[:, None] * frame.down  # a hem seen round a belly
            on_seam = (np.abs(columns) >= collar) & (np.abs(columns) < 0.97)
            top[on_seam] = [figure.raised(point, 0.10 * unit) for point in top[on_seam]]
        grids[which] = coons(top, bottom, left, right, u, v)

    # A body is round: columns draw together towards its sides, the more the further down.
    rounder = columns * (0.90 + 0.10 * columns**2)
    for row in range(rows):
        share = np.clip(v[row] / 0.3, 0, 1)
        at = columns + (rounder - columns) * share
        for axis in (0, 1):
            grids["target"][row, :, axis] = np.interp(at, columns, grids["target"][row, :, axis].copy())
    return untangled(_with_margins(grids, source, figure, scale, hem, corners))


def _side(
    source: _Source, figure: Figure, corners: dict, scale: float, hem: float, side: str, sign: int
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
    body = figure.half_width(side, levels)
    width = np.clip(np.abs(x - source.axis) * scale, 1.03 * body, 1.28 * body + 0.02 * unit)
    width = np.minimum(width, figure.limit(side, levels))
    start = abs(frame.across(target))
    width = start + (width - start) * np.clip(np.linspace(0, 3, SIDE_ROWS), 0, 1) ** 0.8
    width = gaussian_filter1d(width, 1.2, mode="nearest")
    width[0] = start
    on_body = np.stack(
        [frame.point(sign * w, level * frame.torso_length) for w, level in zip(width, levels, strict=True)]
    )
    return np.concatenate([armhole[0], np.stack([x, heights], 1)]), np.concatenate([armhole[1], on_body])


def _with_margins(
    grids: dict, source: _Source, figure: Figure, scale: float, hem: float, corners: dict
) -> Patch:
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


ROWS = 18
ACROSS = np.array([-0.12, 0, 0.2, 0.4, 0.6, 0.8, 1.0])


def _arm_path(arm: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The way along an arm, rounded at the elbow: 200 points, their tangents and the whole length."""
    pieces = np.hypot(*np.diff(arm, axis=0).T)
    length = float(pieces.sum())
    at = np.concatenate([[0], np.cumsum(pieces)]) / max(length, 1e-3)
    dense = np.linspace(0, 1, 200)
    path = np.stack([np.interp(dense, at, arm[:, axis]) for axis in (0, 1)], 1)
    before, after = 2 * path[0] - path[40:0:-1], 2 * path[-1] - path[-2:-42:-1]
    path = gaussian_filter1d(np.concatenate([before, path, after]), 9, axis=0)[40:-40]
    tangent = np.gradient(path, axis=0)
    return path, tangent / (np.hypot(*tangent.T)[:, None] + 1e-6), length


def _covered(figure: Figure, path: np.ndarray, normal: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Widths made wide enough for the arm seen in the photo; a sleeve worn now counts only a little beyond."""
    out = width.copy()
    skin = (Parse.TORSO_SKIN, Parse.LEFT_ARM, Parse.RIGHT_ARM)
    for index in range(len(path)):
        steps = np.arange(0.3 * width[index], 1.7 * width[index], 2.0)
        labels = sample(figure.person.parse, path[index] + steps[:, None] * normal[index], Parse.BACKGROUND)
        sleeve = (labels == Parse.UPPER) & (steps < 1.2 * width[index])
        off = np.flatnonzero(~(np.isin(labels, skin) | sleeve))
        if len(off):
            out[index] = max(width[index], steps[off[0]] + 3)
    return gaussian_filter1d(out, 1.2, mode="nearest")


def _sleeve_reach(source: _Source, sleeve: str, ratio: float, near: float, length: float, unit: float, scale: float):
    """How far down the arm the sleeve comes, in pixels from the shoulder joint."""
    natural = 0.5 * near + ratio * source.chest * scale * 0.88
    if sleeve == "long":
        reach = length * (0.985 if ratio >= 1.0 else 0.92)
    elif sleeve == "three_quarter":
        reach = np.clip(natural, 0.55 * length, 0.82 * length)
    else:
        reach = np.clip(natural, near + 0.06 * unit, 0.47 * length)
    return float(max(reach, near + 0.06 * unit))


def _sleeve(source: _Source, figure: Figure, corners: dict, scale: float, sleeve: str, side: str, sign: int) -> Patch:
    unit = figure.frame.shoulder_width
    shoulder, armpit, outer, inner = (
        source.points[f"{name}_{side}"] for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    ratio = float((np.hypot(*(outer - shoulder)) + np.hypot(*(inner - armpit))) / 2 / source.chest)
    arm = figure.arms[side]
    path, tangent, length = _arm_path(arm)
    upper = max(float(np.hypot(*(arm[1] - arm[0]))), 1)
    near = float(np.clip((corners[f"armpit_{side}"] - arm[0]) @ (arm[1] - arm[0]) / upper, 0.15 * unit, 0.8 * upper))
    reach = _sleeve_reach(source, sleeve, ratio, near, length, unit, scale)

    share = np.linspace(0, 1, ROWS)

    def along(distance):
        place = np.clip(distance / max(length, 1e-3), 0, 1)
        at = [np.interp(place, np.linspace(0, 1, 200), values) for values in (*path.T, *tangent.T)]
        normal = np.stack([at[3], -at[2]], 1)
        if sign < 0:
            normal = -normal
        return place, np.stack(at[:2], 1), normal  # normal: away from the body for an arm that hangs

    opening, cuff = np.hypot(*(shoulder - armpit)), np.hypot(*(outer - inner))
    drawn = 0.74 * (opening + (cuff - opening) * share) / 2 * scale

    def width(place, most):
        arm_width = np.interp(place, [0, 0.25, 0.5, 1.0], [0.17, 0.145, 0.12, 0.085]) * unit
        return np.clip(drawn, 1.08 * arm_width, most * arm_width)

    far_out, far_in = share * reach, near + (reach - near) * share
    place, centre, normal = along(far_out)
    on_outer = centre + normal * _covered(figure, centre, normal, width(place, np.interp(place, [0.05, 0.4], [1.2, 1.4])))[:, None]
    outer_shift = centre - centre[0]
    blend = 1 - (1 - np.clip(far_out / (0.28 * unit), 0, 1)) ** 2
    start = corners[f"shoulder_{side}"] + outer_shift
    on_outer = start + (on_outer - start) * blend[:, None]

    place, centre, normal = along(far_in)
    on_inner = centre - normal * width(place, 1.2)[:, None]
    blend = 1 - (1 - np.clip((far_in - near) / (0.35 * unit), 0, 1)) ** 2
    if sleeve == "short":
        blend = np.maximum(blend, share)
    start = corners[f"armpit_{side}"] + (centre - centre[0])
    on_inner = start + (on_inner - start) * blend[:, None]
    on_inner = _outside_armhole(on_inner, corners, side, sign, np.clip(1 - (far_in - near) / (0.35 * unit), 0, 1))
    on_outer[1:-1] = 0.25 * on_outer[:-2] + 0.5 * on_outer[1:-1] + 0.25 * on_outer[2:]

    drawn_outer, drawn_inner = _sleeve_edges(source, side, share)
    grids = []
    for outer_edge, inner_edge in ((drawn_outer, drawn_inner), (on_outer, on_inner)):
        grid = outer_edge[:, None] + (inner_edge - outer_edge)[:, None] * ACROSS[None, :, None]
        grids.append(np.concatenate([grid, grid[-1:] + 2 * (grid[-1:] - grid[-2:-1])]))
    return untangled(Patch(*grids))


def _outside_armhole(edge: np.ndarray, corners: dict, side: str, sign: int, weight: np.ndarray) -> np.ndarray:
    """An inner edge that does not run back under the torso where `weight` is 1: there a sleeve would fold."""
    shoulder, armpit = corners[f"shoulder_{side}"], corners[f"armpit_{side}"]
    along = (armpit - shoulder) / max(float(np.hypot(*(armpit - shoulder))), 1e-3)
    normal = np.array([along[1], -along[0]])
    if normal[0] * sign < 0:
        normal = -normal
    inside = np.maximum(np.arange(len(edge)) * 0.4 - (edge - armpit) @ normal, 0) * weight
    return edge + inside[:, None] * normal


def _sleeve_edges(source: _Source, side: str, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge of the drawn sleeve from armhole to cuff, by length along its outline."""
    shoulder, armpit, outer, inner = (
        source.points[f"{name}_{side}"] for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    straight = [start + (end - start) * share[:, None] for start, end in ((shoulder, outer), (armpit, inner))]
    part = (source.parts == SLEEVE_LABEL[side]).astype(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return straight[0], straight[1]
    contour = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(float)
    at = {
        name: int(np.argmin(((contour - point) ** 2).sum(1)))
        for name, point in (("shoulder", shoulder), ("outer", outer), ("armpit", armpit), ("inner", inner))
    }
    edges = []
    for start, end, other, fallback, exact in (
        ("shoulder", "outer", "armpit", straight[0], shoulder),
        ("armpit", "inner", "shoulder", straight[1], armpit),
    ):
        way = _walk(contour, at[start], at[end], at[other])
        if way is None:
            edges.append(fallback)
            continue
        way = gaussian_filter1d(way, 4, axis=0, mode="nearest")
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
        edge = np.stack([np.interp(share * length[-1], length, way[:, axis]) for axis in (0, 1)], 1)
        edges.append(edge + (exact - edge[0]) * (1 - share[:, None]) ** 4)
    return edges[0], edges[1]


def _walk(contour: np.ndarray, start: int, end: int, avoid: int) -> np.ndarray | None:
    """The contour from one index to another on the side that does not pass a third; None when too short."""
    count = len(contour)
    ways = [
        (start + np.arange((end - start) % count + 1)) % count,
        (start - np.arange((start - end) % count + 1)) % count,
    ]
    free = [way for way in ways if avoid not in way[3:-3]]
    way = min(free or ways, key=len)
    return contour[way] if len(way) >= 8 else None


def cut(garment: PreparedGarment, figure: Figure) -> Cut:
    """Lay a top on a figure."""
    source = _Source(garment)
    scale = CHEST * figure.frame.shoulder_width / max(source.chest, 1)
    corners = _place_corners(source, figure, scale)
    hem, tucked = _hem(source, figure, corners, scale)
    torso = _torso(source, figure, corners, scale, hem)
    sleeves = {}
    if source.sleeved:
        sleeves = {
            side: _sleeve(source, figure, corners, scale, garment.sleeve, side, sign) for side, sign in SIDES
        }
    return Cut(torso, sleeves, corners, scale, hem, tucked)
