"""How a sleeve goes along an arm: a strip whose edges follow the drawn sleeve and the arm in the photo."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from preprocessing.garment.parts import LEFT_SLEEVE, RIGHT_SLEEVE
from preprocessing.labels import ARMS, TOPS, Parse
from tryon.engines.pixels import sample
from tryon.engines.preview.figure import Figure
from tryon.engines.preview.source import Source
from tryon.engines.preview.warp import Patch, paired, untangled

SLEEVE_LABEL = {"left": LEFT_SLEEVE, "right": RIGHT_SLEEVE}
ROWS = 18
# How much wider than a sleeve worn now a new one may be.
SLEEVE_OVER_SLEEVE = 1.1
# How far beyond the wrist joint a sleeve worn now may show that a long one ends, in lengths of the arm.
PAST_WRIST = 1.1
# Points of an edge before it is cut into rows.
POINTS = 60
ACROSS = np.array([-0.04, 0, 0.2, 0.4, 0.6, 0.8, 1.0])


def _beside_outline(
    figure: Figure, path: np.ndarray, normal: np.ndarray, width: np.ndarray, bare: tuple = (Parse.TORSO_SKIN, *ARMS)
) -> np.ndarray:
    """Widths that keep near the outline where it is seen, since joints lie only roughly in the middle of an arm:
    wide enough for bare skin (labels `bare`), and little wider than a sleeve worn now."""
    shares = np.linspace(0.3, 1.7, 36)
    rays = path[:, None] + (shares * width[:, None])[..., None] * normal[:, None]
    labels = sample(figure.person.parse, rays.reshape(-1, 2), Parse.BACKGROUND).reshape(rays.shape[:2])
    skin = np.isin(labels, bare)
    off = ~skin & ~np.isin(labels, TOPS)
    first = np.where(off.any(1), off.argmax(1), len(shares) - 1)
    outline = shares[first] * width
    on_skin = skin[np.arange(len(path)), np.maximum(first - 1, 0)]
    seen = off.any(1) & (first > 0)
    out = np.where(seen & on_skin, np.maximum(width, outline + 3), width)
    out = np.where(seen & ~on_skin, np.minimum(out, SLEEVE_OVER_SLEEVE * outline), out)
    return gaussian_filter1d(out, 2.0, mode="nearest")


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


def _worn_end(figure: Figure, side: str) -> float:
    """Where a sleeve worn now that hides the wrist joint ends, in pixels from the shoulder joint; 0 without one."""
    arm = figure.arms[side]
    distance = arm.length * np.linspace(0.95, PAST_WRIST, 31)
    _, middle, _, _ = arm.at(distance)
    worn = np.isin(sample(figure.person.parse, middle, Parse.BACKGROUND), TOPS)
    ends = np.flatnonzero(~worn)
    last = ends[0] if len(ends) else len(worn)
    return float(distance[last - 1]) if last and distance[last - 1] > arm.length else 0.0


def sleeve_patch(
    source: Source, figure: Figure, corners: dict, scale: float, sleeve: str, side: str, sign: int
) -> Patch:
    unit = figure.frame.shoulder_width
    shoulder, armpit, outer, inner = (
        source.points[f"{name}_{side}"] for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    ratio = float((np.hypot(*(outer - shoulder)) + np.hypot(*(inner - armpit))) / 2 / source.chest)
    arm = figure.arms[side]
    way = arm.path[len(arm.path) // 3] - arm.path[0]
    way /= max(float(np.hypot(*way)), 1e-3)
    near = float(np.clip((corners[f"armpit_{side}"] - arm.path[0]) @ way, 0.15 * unit, 0.4 * arm.length))
    reach = _sleeve_reach(source, sleeve, ratio, near, arm.length, unit, scale)
    if sleeve == "long":
        reach = max(reach, _worn_end(figure, side))

    share = np.linspace(0, 1, POINTS)
    opening, cuff = np.hypot(*(shoulder - armpit)), np.hypot(*(outer - inner))
    drawn = 0.74 * (opening + (cuff - opening) * share) / 2 * scale

    # Cloth lies on the outside of an arm and hangs on its inside.
    place, centre, normal, half = arm.at(share * reach)
    close = np.clip(drawn, 1.06 * half, np.interp(place, [0.1, 0.4], [1.12, 1.3]) * half)
    widths = _beside_outline(figure, centre, normal, close)
    start = corners[f"shoulder_{side}"] + centre - centre[0]
    on_outer = _from(start, centre + normal * widths[:, None], share * reach / (0.28 * unit))

    _, centre, normal, half = arm.at(near + (reach - near) * share)
    start = corners[f"armpit_{side}"] + centre - centre[0]
    inward = share * (reach - near) / (0.35 * unit)
    loose = np.clip(2 * drawn - close, 1.1 * half, 1.4 * half)
    loose = np.maximum(loose, _beside_outline(figure, centre, -normal, half, ARMS))
    on_inner = _from(start, centre - normal * loose[:, None], np.maximum(inward, share**2))
    on_inner = _outside_armhole(on_inner, corners, side, sign, np.clip(1 - inward, 0, 1))

    grids = []
    for upper, lower in paired((_sleeve_edges(source, side), (on_outer, on_inner)), ROWS):
        grid = upper[:, None] + (lower - upper)[:, None] * ACROSS[None, :, None]
        beyond = grid[-1] - grid[-2]  # a cuff that is not straight
        beyond *= 0.1 * np.hypot(*(upper[0] - lower[0])) / max(float(np.hypot(*beyond.mean(0))), 1e-3)
        grids.append(np.concatenate([grid, (grid[-1] + beyond.mean(0))[None]]))
    return untangled(Patch(*grids))


def _from(start: np.ndarray, edge: np.ndarray, share: np.ndarray) -> np.ndarray:
    """An edge that leaves another gently and has come to its own where `share` reaches 1."""
    return start + (edge - start) * (1 - (1 - np.clip(share, 0, 1)) ** 2)[:, None]


def _outside_armhole(edge: np.ndarray, corners: dict, side: str, sign: int, weight: np.ndarray) -> np.ndarray:
    """An inner edge that does not run back under the torso where `weight` is 1: there a sleeve would fold."""
    shoulder, armpit = corners[f"shoulder_{side}"], corners[f"armpit_{side}"]
    along = (armpit - shoulder) / max(float(np.hypot(*(armpit - shoulder))), 1e-3)
    normal = np.array([along[1], -along[0]])
    if normal[0] * sign < 0:
        normal = -normal
    inside = np.maximum(np.linspace(0, 0.4 * ROWS, len(edge)) - (edge - armpit) @ normal, 0) * weight
    return edge + inside[:, None] * normal


def _sleeve_edges(source: Source, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge of the drawn sleeve, from shoulder and armpit to the cuff, along its outline.

    Which corner of the cuff ends which edge is told by their order along the outline.
    """
    shoulder, armpit, *cuff = (
        source.points[f"{name}_{side}"] for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner")
    )
    part = (source.parts == SLEEVE_LABEL[side]).view(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return tuple(np.linspace(start, end, POINTS) for start, end in zip((shoulder, armpit), cuff, strict=True))
    contour = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(float)

    def place(point):
        return int(np.argmin(((contour - point) ** 2).sum(1)))

    # Walk from the shoulder away from the armpit, which then comes last.
    contour = np.roll(contour, -place(shoulder), axis=0)
    if place(armpit) < len(contour) / 2:
        contour = np.roll(contour[::-1], 1, axis=0)
    last = place(armpit)
    first, second = sorted(np.clip([place(corner) for corner in cuff], 8, last - 8))
    edges = []
    for way, start in ((contour[: first + 1], shoulder), (contour[second : last + 1][::-1], armpit)):
        way = gaussian_filter1d(way, 4, axis=0, mode="nearest")
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
        way += (start - way[0]) * ((1 - length / length[-1]) ** 4)[:, None]
        edges.append(way)
    return edges[0], edges[1]
