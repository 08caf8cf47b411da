"""Which part of a top's mask is a sleeve, and where that sleeve ends."""

from __future__ import annotations

import cv2
import numpy as np


def sleeve_part(mask: np.ndarray, points: dict, side: str, crease: np.ndarray | None = None) -> np.ndarray | None:
    """The part of a mask beyond the line from shoulder to armpit and, below, beyond the body's side.

    Args:
        mask: bool (H, W).
        points: shoulder and armpit of both sides.
        side: "left" or "right".
        crease: (n, 2), the line between body and sleeve from the armpit down where no gap parts them, or None.

    Returns:
        bool (H, W), or None where there is no such part.
    """
    sign = -1 if side == "left" else 1
    shoulder, armpit = (np.asarray(points[f"{name}_{side}"], float) for name in ("shoulder", "armpit"))
    along = armpit - shoulder
    normal = np.array([along[1], -along[0]]) / max(np.hypot(*along), 1e-3)
    if normal[0] * sign < 0:
        normal = -normal
    rows = np.arange(mask.shape[0], dtype=np.float32)
    # For each row the column where the sleeve begins: on the armhole's line, then at the body's side.
    tilt = normal[0] if abs(normal[0]) > 1e-3 else 1e-3 * sign
    begins = shoulder[0] - (rows - shoulder[1]) * normal[1] / tilt
    below = int(np.clip(np.ceil(armpit[1]), 0, mask.shape[0]))
    begins[below:] = body_side(mask, points, side, crease)[below:]
    part = mask & ((np.arange(mask.shape[1], dtype=np.float32)[None] - begins[:, None].astype(np.float32)) * sign > 0)
    part = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(part)
    near = np.bincount(labels[:below][part[:below] > 0], minlength=1)  # a sleeve hangs from its armhole
    return labels == near.argmax() if near.any() else None


def body_side(mask: np.ndarray, points: dict, side: str, crease: np.ndarray | None = None) -> np.ndarray:
    """For each row below the armpit the column where the body ends on one side: along the crease, then at the gap
    beside it, and straight on where there is neither; float (H,), the armpit's column above it."""
    sign = -1 if side == "left" else 1
    armpit = points[f"armpit_{side}"]
    axis = int(np.clip((points["armpit_left"][0] + points["armpit_right"][0]) / 2, 0, mask.shape[1] - 1))
    nearby = 0.1 * (points["armpit_right"][0] - points["armpit_left"][0])
    outward = mask[:, axis:] if sign > 0 else mask[:, axis::-1]
    ends = axis + sign * np.where(outward.all(1), outward.shape[1], (~outward).argmax(1))
    known = {} if crease is None else {int(y): x for x, y in crease}
    column, columns = float(armpit[0]), np.full(mask.shape[0], float(armpit[0]))
    for row in range(int(armpit[1]), mask.shape[0]):
        if row in known:
            column = known[row]
        elif abs(ends[row] - column) < nearby:
            column = float(ends[row])
        columns[row] = column
    return columns


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
