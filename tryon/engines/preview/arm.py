"""An arm as it is seen: its middle line, how thick it is, and what its bare skin looks like."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter1d

from tryon.engines.preview.pixels import sample
from tryon.engines.preview.warp import Patch, draw

# Sections of an arm between shoulder and wrist, and places across each.
SECTIONS, ACROSS = 60, np.linspace(-2, 2, 81)
# Half the width of an arm as thick as its capsule, in shoulder widths, by the place between shoulder and wrist.
WIDTHS = ((0, 0.25, 0.5, 1.0), (0.17, 0.155, 0.13, 0.095))
# Bare sections that are enough to measure an arm by.
ENOUGH = 4
# Sections over which an arm becomes a shoulder.
SHOULDER = 12


@dataclass(frozen=True)
class Arm:
    """An arm in sections from shoulder to wrist.

    Attributes:
        path: (SECTIONS, 2) its middle.
        normal: (SECTIONS, 2) unit vectors across, away from the body when the arm hangs.
        half: (SECTIONS,) half its width, pixels.
        bare: bool (SECTIONS,), where its skin is seen from side to side.
        length: of the middle line, pixels.
    """

    path: np.ndarray
    normal: np.ndarray
    half: np.ndarray
    bare: np.ndarray
    length: float

    def at(self, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Place (0..1), middle, normal and half width at these distances along it; straight on past the wrist."""
        place = np.clip(distance / max(self.length, 1e-3), 0, 1)
        values = np.concatenate([self.path, self.normal, self.half[:, None]], axis=1).T
        found = [np.interp(place, np.linspace(0, 1, SECTIONS), value) for value in values]
        onward = self.path[-1] - self.path[-4]
        onward = onward / max(float(np.hypot(*onward)), 1e-3)
        middle = np.stack(found[:2], 1) + np.maximum(distance - self.length, 0)[:, None] * onward
        return place, middle, np.stack(found[2:4], 1), found[4]

    @property
    def outline(self) -> np.ndarray:
        across = self.normal * self.half[:, None]
        return np.concatenate([self.path + across, (self.path - across)[::-1]])


def measure_arm(parse: np.ndarray, label: int, joints: np.ndarray, sign: int, unit: float, usual: float) -> Arm:
    """Measure an arm where it is bare; elsewhere it goes on as thick, or as `usual` when nothing of it is seen.

    Args:
        parse: uint8 (H, W) of `Parse`, and
        label: the arm's in it.
        joints: (3, 2) shoulder, elbow and wrist.
        sign: -1 for an arm on the picture's left, 1 on its right.
        unit: the shoulder width.
        usual: how thick it is compared with WIDTHS when it is not seen.
    """
    path, tangent, length = _middle(joints)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1) * sign
    place = np.linspace(0, 1, SECTIONS)
    half = np.interp(place, *WIDTHS) * unit
    rays = path[:, None] + (ACROSS * half[:, None])[..., None] * normal[:, None]
    skin = (sample(parse, rays.reshape(-1, 2), 0) == label).reshape(rays.shape[:2])
    centre = len(ACROSS) // 2
    outer, inner = (~skin[:, centre:]).argmax(1), (~skin[:, centre::-1]).argmax(1)  # first steps off the skin
    step = ACROSS[1] - ACROSS[0]
    width, shift = (outer + inner) * step / 2, (outer - inner) * step / 2
    bare = (outer > 0) & (inner > 0) & (width > 0.4) & (width < 1.3)
    if bare.sum() < ENOUGH:
        return Arm(path, normal, half * usual, np.zeros(SECTIONS, bool), length)
    known = np.flatnonzero(bare)
    # A sleeve hides the sides of the nearest sections; towards the shoulder the joint is the better guide.
    width = np.interp(np.arange(SECTIONS), known, width[known])
    shift = np.interp(np.arange(-1, SECTIONS), np.append(-1, known), np.append(0, shift[known]))[1:]
    width, shift = (gaussian_filter1d(values, 2.5, mode="nearest") for values in (width, shift))
    path = path + (shift * half)[:, None] * normal
    return Arm(path, normal, half * width, binary_erosion(bare), length)


def _middle(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The way along an arm, rounded at the elbow: points, their tangents and the whole length."""
    pieces = np.hypot(*np.diff(joints, axis=0).T)
    at = np.append(0, np.cumsum(pieces)) / max(float(pieces.sum()), 1e-3)
    dense = np.linspace(0, 1, SECTIONS)
    path = np.stack([np.interp(dense, at, joints[:, axis]) for axis in (0, 1)], 1)
    before, after = 2 * path[0] - path[12:0:-1], 2 * path[-1] - path[-2:-14:-1]
    path = gaussian_filter1d(np.concatenate([before, path, after]), 2.7, axis=0)[12:-12]
    tangent = np.gradient(path, axis=0)
    return path, tangent / (np.hypot(*tangent.T)[:, None] + 1e-6), float(pieces.sum())


def bared(arm: Arm, image: np.ndarray, shape: tuple[int, int], step: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The arm without its sleeve: the skin of its bare sections carried on along it, with their light and shadow.

    Args:
        image: uint8 RGB (H, W, 3).
        shape: of the pictures returned, `step` times smaller than `image`.

    Returns:
        uint8 RGB and float32 0..1 of that shape: the arm, and how much it counts, less towards the shoulder, which is
        no part of it; None when too little of it is bare, or none of it in the picture.
    """
    if arm.bare.sum() < ENOUGH:
        return None
    across = np.linspace(-1.05, 1.05, 14)
    # Colours from a little further in, where no background is mixed in.
    places = arm.path[:, None] + (0.85 * across * arm.half[:, None])[..., None] * arm.normal[:, None]
    strip = cv2.remap(image, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = gaussian_filter1d(arm.bare.astype(float), 3.0, mode="constant")
    smooth = gaussian_filter1d(strip * arm.bare[:, None, None].astype(float), 3.0, axis=0, mode="constant")
    known = np.flatnonzero(arm.bare)
    smooth = smooth[known] / weight[known, None, None]
    rows = np.arange(SECTIONS)
    strip = np.stack([
        np.stack([np.interp(rows, known, smooth[:, column, channel]) for column in range(len(across))], 1)
        for channel in range(3)
    ], axis=2)  # fmt: skip
    source = np.stack(np.meshgrid(np.arange(len(across)), rows), axis=-1).astype(float)
    target = (arm.path[:, None] + (across * arm.half[:, None])[..., None] * arm.normal[:, None]) / step
    flow = draw(Patch(source, target), shape)
    if flow.places.size == 0:
        return None
    picture, share = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32)
    picture[flow.box] = cv2.convertScaleAbs(
        cv2.remap(strip.astype(np.float32), flow.places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
    share[flow.box] = np.clip(flow.places[..., 1] / SHOULDER, 0, 1)
    return picture, cv2.GaussianBlur(share, (0, 0), 1.0)
