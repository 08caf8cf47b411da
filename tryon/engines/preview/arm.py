"""An arm as it is seen: its middle line, how thick it is, and what its bare skin looks like."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter1d

from tryon.engines.pixels import sample
from tryon.engines.preview.warp import Patch, draw

# Sections of an arm between shoulder and wrist, and places across each.
SECTIONS, ACROSS = 60, np.linspace(-2, 2, 81)
# Half the width of an arm as thick as its capsule, in shoulder widths, by the place between shoulder and wrist.
WIDTHS = ((0, 0.25, 0.5, 1.0), (0.17, 0.155, 0.13, 0.095))
# Bare sections that are enough to measure an arm by.
ENOUGH = 4
# Sections over which an arm becomes a shoulder.
SHOULDER = 12
# How far past the wrist a hand's skin may begin, in lengths of the arm.
HAND = 0.2
# Sections over which a painted arm goes over into the seen one.
MEETING = 6


@dataclass(frozen=True)
class Arm:
    """An arm in sections from shoulder to wrist.

    Attributes:
        path: (SECTIONS, 2) its middle.
        normal: (SECTIONS, 2) unit vectors across, away from the body when the arm hangs.
        half: (SECTIONS,) half its width, pixels.
        bare: bool (SECTIONS,), where its skin is seen from side to side.
        length: of the middle line, pixels.
        elbow: its place (0..1).
        beyond: how far past the wrist a sleeve goes on before the skin of the hand begins, pixels.
    """

    path: np.ndarray
    normal: np.ndarray
    half: np.ndarray
    bare: np.ndarray
    length: float
    elbow: float
    beyond: float

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
    def bared_at(self) -> float:
        """The place from which its skin is seen; its end when that is nowhere."""
        return float(self.bare.argmax() / (SECTIONS - 1)) if self.bare.any() else self.end

    @property
    def end(self) -> float:
        """The place where the hand's skin begins; 1 is the wrist."""
        return 1 + self.beyond / max(self.length, 1e-3)

    def outline(self, start: float = 0.0, end: float | None = None) -> np.ndarray:
        """(N, 2) from one place to another, from shoulder to hand unless told."""
        _, middle, normal, half = self.at(np.linspace(start, self.end if end is None else end, SECTIONS) * self.length)
        across = normal * half[:, None]
        return np.concatenate([middle + across, (middle - across)[::-1]])


def measure_arm(parse: np.ndarray, arm_label: int, joints: np.ndarray, sign: int, unit: float, usual: float) -> Arm:
    """Measure an arm where it is bare; elsewhere it goes on as thick, or as `usual` when nothing of it is seen.

    Args:
        parse: uint8 (H, W) of `Parse`, and
        arm_label: the arm's in it.
        joints: (3, 2) shoulder, elbow and wrist.
        sign: -1 for an arm on the picture's left, 1 on its right.
        unit: the shoulder width.
        usual: how thick it is compared with WIDTHS when it is not seen.
    """
    path, tangent, length, elbow = _middle(joints)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1) * sign
    place = np.linspace(0, 1, SECTIONS)
    half = np.interp(place, *WIDTHS) * unit
    rays = path[:, None] + (ACROSS * half[:, None])[..., None] * normal[:, None]
    skin = (sample(parse, rays.reshape(-1, 2), 0) == arm_label).reshape(rays.shape[:2])
    centre = len(ACROSS) // 2
    outer, inner = (~skin[:, centre:]).argmax(1), (~skin[:, centre::-1]).argmax(1)  # first steps off the skin
    step = ACROSS[1] - ACROSS[0]
    width, shift = (outer + inner) * step / 2, (outer - inner) * step / 2
    bare = (outer > 0) & (inner > 0) & (width > 0.4) & (width < 1.3)
    if bare.sum() < ENOUGH:
        arm = Arm(path, normal, half * usual, np.zeros(SECTIONS, bool), length, elbow, 0.0)
        return replace(arm, beyond=_to_hand(arm, parse, arm_label))
    known = np.flatnonzero(bare)
    # A sleeve hides the sides of the nearest sections; towards the shoulder the joint is the better guide.
    width = np.interp(np.arange(SECTIONS), known, width[known])
    shift = np.interp(np.arange(-1, SECTIONS), np.append(-1, known), np.append(0, shift[known]))[1:]
    width, shift = (gaussian_filter1d(values, 2.5, mode="nearest") for values in (width, shift))
    path = path + (shift * half)[:, None] * normal
    arm = Arm(path, normal, half * width, binary_erosion(bare), length, elbow, 0.0)
    return replace(arm, beyond=_to_hand(arm, parse, arm_label))


def _to_hand(arm: Arm, parse: np.ndarray, arm_label: int) -> float:
    """How far past the wrist the hand's skin begins; 0 where it does not."""
    past = np.linspace(0, HAND * arm.length, 31)
    skin = sample(parse, arm.at(arm.length + past)[1], 0) == arm_label
    return float(past[skin.argmax()]) if skin.any() else 0.0


def _middle(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """The way along an arm, rounded at the elbow: points, their tangents, the whole length, the elbow's place."""
    pieces = np.hypot(*np.diff(joints, axis=0).T)
    at = np.append(0, np.cumsum(pieces)) / max(float(pieces.sum()), 1e-3)
    dense = np.linspace(0, 1, SECTIONS)
    path = np.stack([np.interp(dense, at, joints[:, axis]) for axis in (0, 1)], 1)
    before, after = 2 * path[0] - path[12:0:-1], 2 * path[-1] - path[-2:-14:-1]
    path = gaussian_filter1d(np.concatenate([before, path, after]), 2.7, axis=0)[12:-12]
    tangent = np.gradient(path, axis=0)
    return path, tangent / (np.hypot(*tangent.T)[:, None] + 1e-6), float(pieces.sum()), float(at[1])


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
    broad, close = (_carried(strip, arm.bare, sigma) for sigma in (3.0, 1.0))
    share = np.clip(1 - distance_transform_edt(~arm.bare) / MEETING, 0, 1)[:, None, None]
    strip = broad + (close - broad) * share
    source = np.stack(np.meshgrid(np.arange(len(across)), np.arange(SECTIONS)), axis=-1).astype(float)
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


def _carried(strip: np.ndarray, bare: np.ndarray, sigma: float) -> np.ndarray:
    """Colours (SECTIONS, N, 3) smoothed along an arm over its bare sections, and carried on to the others."""
    weight = gaussian_filter1d(bare.astype(float), sigma, mode="constant")
    smooth = gaussian_filter1d(strip * bare[:, None, None].astype(float), sigma, axis=0, mode="constant")
    known, rows = np.flatnonzero(bare), np.arange(SECTIONS)
    smooth = (smooth[known] / weight[known, None, None]).reshape(len(known), -1)
    carried = [np.interp(rows, known, column) for column in smooth.T]
    return np.stack(carried, 1).reshape(strip.shape)
