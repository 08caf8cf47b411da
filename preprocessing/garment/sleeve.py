"""Which part of a top's mask is a sleeve, and where that sleeve ends."""

from __future__ import annotations

import cv2
import numpy as np


def sleeve_part(mask: np.ndarray, points: dict, side: str) -> np.ndarray | None:
    """The part of a mask beyond the line from shoulder to armpit and from there to the hem; bool (H, W), or None."""
    sign = -1 if side == "left" else 1
    shoulder, armpit = (np.asarray(points[f"{name}_{side}"], float) for name in ("shoulder", "armpit"))
    along = armpit - shoulder
    normal = np.array([along[1], -along[0]]) / max(np.hypot(*along), 1e-3)
    if normal[0] * sign < 0:
        normal = -normal
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    beyond_armhole = (x - shoulder[0]) * normal[0] + (y - shoulder[1]) * normal[1] > 0
    part = mask & np.where(y < armpit[1], beyond_armhole, (x - _body_edge(mask, points, side)[:, None]) * sign > 0)
    part = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(part)
    near = np.bincount(labels[(y < armpit[1]) & (part > 0)], minlength=1)  # a sleeve hangs from its armhole
    return labels == near.argmax() if near.any() else None


def _body_edge(mask: np.ndarray, points: dict, side: str) -> np.ndarray:
    """For each row where the body ends on one side: at the gap beside it, or where the sleeve lies on it, on the line
    from armpit to hem; float (H,)."""
    sign = -1 if side == "left" else 1
    armpit, hem = points[f"armpit_{side}"], points[f"hem_{side}"]
    chest = points["armpit_right"][0] - points["armpit_left"][0]
    line = np.interp(np.arange(mask.shape[0]), [armpit[1], hem[1]], [armpit[0], hem[0]])
    axis = int(np.clip((points["armpit_left"][0] + points["armpit_right"][0]) / 2, 0, mask.shape[1] - 1))
    outward = mask[:, axis:] if sign > 0 else mask[:, axis::-1]
    ends = axis + sign * np.where(outward.all(1), outward.shape[1], (~outward).argmax(1))
    return np.where(np.abs(ends - line) < 0.11 * chest, ends, line)


def cuff(part: np.ndarray, shoulder: np.ndarray, armpit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outer and inner corner of a sleeve's end: the farthest along it, with the upper and the lower edge."""
    rows, columns = np.nonzero(part)
    pixels = np.stack([columns, rows], axis=1).astype(float)
    middle = (shoulder + armpit) / 2
    way = pixels.mean(0) - middle
    for _ in range(2):
        way /= max(np.hypot(*way), 1e-3)
        reach = (pixels - middle) @ way
        way = pixels[reach > np.quantile(reach, 0.9)].mean(0) - middle
    way /= max(np.hypot(*way), 1e-3)
    upward = np.array([way[1], -way[0]])
    if upward @ (shoulder - middle) < 0:
        upward = -upward
    reach = (pixels - middle) @ way
    end = pixels[reach > reach.max() - 0.2 * np.hypot(*(armpit - shoulder))]
    # The corners: across the end first, along the sleeve second.
    outer = end[np.argmax(end @ upward + 0.35 * (end @ way))]
    inner = end[np.argmax(-(end @ upward) + 0.35 * (end @ way))]
    length = (np.hypot(*(outer - shoulder)) + np.hypot(*(inner - armpit))) / 2
    if length < 1.2 * np.hypot(*(armpit - shoulder)):
        away = np.array([(armpit - shoulder)[1], -(armpit - shoulder)[0]])  # from the armhole
        away = away if away @ (pixels.mean(0) - middle) > 0 else -away
        outer = pixels[np.argmax(pixels @ away)]
        inner = _short_cuff(part, outer, armpit)
    return outer, inner


def _short_cuff(part: np.ndarray, outer: np.ndarray, armpit: np.ndarray) -> np.ndarray:
    """Inner corner of a short sleeve's end: where the outline turns on its way from the outer corner to the armpit;
    close to the armpit when it runs straight there."""
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(float)
    chord = armpit - outer
    length = max(float(np.hypot(*chord)), 1.0)
    normal = np.array([-chord[1], chord[0]]) / length
    if normal[1] < 0:
        normal = -normal  # below the sleeve
    place = (contour - outer) @ chord / length**2
    below = np.where((place > 0.05) & (place < 0.98), (contour - outer) @ normal, -np.inf)
    turn = int(np.argmax(below))
    return contour[turn] if below[turn] > 0.06 * length else outer + 0.85 * chord
