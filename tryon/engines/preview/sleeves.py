"""How a sleeve goes along an arm: a strip whose edges follow the drawn sleeve and the arm in the photo."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.prepare import LEFT_SLEEVE, RIGHT_SLEEVE
from preprocessing.labels import Parse
from tryon.engines.preview.figure import Figure, sample
from tryon.engines.preview.source import Source
from tryon.engines.preview.warp import Patch, untangled

SLEEVE_LABEL = {"left": LEFT_SLEEVE, "right": RIGHT_SLEEVE}
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


def _sleeve_reach(source: Source, sleeve: str, ratio: float, near: float, length: float, unit: float, scale: float):
    """How far down the arm the sleeve comes, in pixels from the shoulder joint."""
    natural = 0.5 * near + ratio * source.chest * scale * 0.88
    if sleeve == "long":
        reach = length * (0.985 if ratio >= 1.0 else 0.92)
    elif sleeve == "three_quarter":
        reach = np.clip(natural, 0.55 * length, 0.82 * length)
    else:
        reach = np.clip(natural, near + 0.06 * unit, 0.47 * length)
    return float(max(reach, near + 0.06 * unit))


def sleeve_patch(
    source: Source, figure: Figure, corners: dict, scale: float, sleeve: str, side: str, sign: int
) -> Patch:
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
    on_outer = (
        centre
        + normal * _covered(figure, centre, normal, width(place, np.interp(place, [0.05, 0.4], [1.2, 1.4])))[:, None]
    )
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


def _sleeve_edges(source: Source, side: str, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
