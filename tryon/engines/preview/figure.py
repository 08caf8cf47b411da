"""The body a garment is laid on: shoulders, arms and widths, measured on the person's outline.

Sides are the picture's. Lengths are pixels; constants are in shoulder widths, of people who face the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter, minimum_filter1d

from preprocessing.labels import BOTTOMS, TOPS, Joint, Parse
from preprocessing.person.body import SIDES as OWN_SIDES
from preprocessing.person.body import BodyFrame, Limbs, arm_capsules
from preprocessing.person.prepare import PreparedPerson
from tryon.engines.pixels import sample
from tryon.engines.preview.arm import Arm, measure_arm

SIDES = (("left", -1), ("right", 1))
ARM_JOINTS = {
    "left": (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST),
    "right": (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST),
}
# The person's own side, for labels and capsules.
OWN_SIDE = {"left": "right", "right": "left"}
ARM_LABEL = {"left": Parse.RIGHT_ARM, "right": Parse.LEFT_ARM}

# Maps that change slowly are worked out at a part of the size.
HALF, QUARTER = 2, 4
# Where neck and shoulder meet, and how far up that may be found.
NECK_ACROSS, NECK_UP, NECK_LEAST, NECK_MOST = 0.22, 0.23, 0.13, 0.30
# At the hips, from this level down, an arm with this much of the body beyond it lies before the body.
HIPS_FROM, CROSSED = 0.75, 0.12
# What of an arm before the body is seen beyond the body's edge at least, when it is bared of a sleeve.
ARM_SHOWN = 0.05
# Half the width of a torso at some places along it, for where arms or clothes hide it.
LEVELS = np.linspace(0.15, 1.7, 48)
PRIOR_LEVELS, PRIOR_WIDTHS = (0.15, 0.35, 0.62, 1.0, 1.25, 1.7), (0.52, 0.50, 0.44, 0.55, 0.57, 0.55)


@dataclass(frozen=True)
class Figure:
    """A person measured for clothes.

    Attributes:
        person: whose figure it is: a window of the photo.
        frame: axes of the torso.
        limbs: the arms as capsules at half the size, keyed by the person's own sides.
        shoulders, necks: side to (2,): the shoulder's end on the outline, and where neck and shoulder meet.
        arms: side to the arm as it is seen.
        half_widths: side to (48,), half the torso's width at `LEVELS`.
        limits: side to (48,), where an arm hanging there would still hide the top's side; infinite without one.
        waist: where the top worn now ends, in torso lengths; None when it cannot be seen.
    """

    person: PreparedPerson
    frame: BodyFrame
    limbs: Limbs
    shoulders: dict[str, np.ndarray]
    necks: dict[str, np.ndarray]
    arms: dict[str, Arm]
    half_widths: dict[str, np.ndarray]
    limits: dict[str, np.ndarray]
    waist: float | None

    @cached_property
    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel, across in half shoulder widths and along in torso lengths; see `BodyFrame.maps`."""
        return self.frame.maps(self.person.parse.shape)

    @cached_property
    def half_maps(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of every second pixel."""
        return self.frame.maps(self.person.parse[::HALF, ::HALF].shape, HALF)

    @cached_property
    def bottom_at_waist(self) -> bool:
        """Whether a bottom begins where the top worn now ends; under a cropped one there is skin."""
        if self.waist is None:
            return True
        across, along = self.half_maps
        below = (np.abs(across) < 0.5) & (along > self.waist + 0.02) & (along < self.waist + 0.12)
        labels = self.person.parse[::HALF, ::HALF][below]
        return bool(np.isin(labels, BOTTOMS).sum() > (labels == Parse.TORSO_SKIN).sum())

    def half_width(self, side: str, level: np.ndarray) -> np.ndarray:
        return np.interp(level, LEVELS, self.half_widths[side])

    def limit(self, side: str, level: np.ndarray) -> np.ndarray:
        return np.interp(level, LEVELS, self.limits[side])

    def raised(self, point: np.ndarray, most: float) -> np.ndarray:
        """The point moved up to the outline of the body, by at most `most`; not past hair."""
        steps = np.arange(0, max(most, 0), 2.0)
        way = point - steps[:, None] * self.frame.down
        label = sample(self.person.parse, way, Parse.BACKGROUND)
        stop = np.flatnonzero((label == Parse.BACKGROUND) | (label == Parse.HAIR))
        if len(stop) == 0:
            return point
        if label[stop[0]] == Parse.HAIR:
            return point
        return way[stop[0]] - 0.012 * self.frame.shoulder_width * self.frame.down


def prior_widths(frame: BodyFrame, keypoints: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Half widths of a torso as they usually are, with hips as wide as these."""
    usual = np.interp(levels, PRIOR_LEVELS, PRIOR_WIDTHS) * frame.shoulder_width
    hips = float(np.hypot(*(keypoints[Joint.L_HIP, :2] - keypoints[Joint.R_HIP, :2])))
    return np.maximum(usual, np.interp(levels, [0.6, 1.0, 1.7], [0, 0.86 * hips, 0.86 * hips]))


def _half_widths(person: PreparedPerson, frame: BodyFrame, limbs: Limbs) -> tuple[dict, dict]:
    """Distance from the axis to the outline, or a little behind the arm that hides it, kept near the usual; and how
    far out a top may reach there, so that none of it is seen beyond the arm."""
    unit = frame.shoulder_width
    usual = prior_widths(frame, person.keypoints, LEVELS)
    reach = np.arange(0.15 * unit, 1.0 * unit, 2.0)
    widths, limits = {}, {}
    for side, sign in SIDES:
        rays = frame.point(reach * sign, 0)[None] + (LEVELS * frame.torso_length)[:, None, None] * frame.down
        flat = rays.reshape(-1, 2)
        label = sample(person.parse, flat, Parse.BACKGROUND).reshape(rays.shape[:2])
        arm = np.isin(label, (Parse.LEFT_ARM, Parse.RIGHT_ARM))
        to_arm = [sample(m[own][0], flat / HALF, 9) for m in (limbs.upper_arm, limbs.forearm) for own in OWN_SIDES]
        arm |= (np.minimum.reduce(to_arm) < 0.6).reshape(rays.shape[:2]) & (reach > 0.40 * unit)
        stop = (label == Parse.BACKGROUND) | arm
        first = np.where(stop.any(1), stop.argmax(1), len(reach) - 1)
        across_hips = _beyond_arms(stop, label == Parse.BACKGROUND, int(CROSSED * unit / 2))
        first = np.where(LEVELS > HIPS_FROM, across_hips, first)
        measured = reach[first]
        hidden = arm[np.arange(len(LEVELS)), first] | ~stop.any(1)
        behind = np.clip(measured + 0.09 * unit, 0.95 * usual, 1.22 * usual)
        width = np.where(hidden, behind, np.clip(measured, 0.72 * usual, 1.32 * usual))
        width = np.where(hidden & (measured < 0.8 * usual), usual, width)
        outside = label == Parse.BACKGROUND
        outline = np.where(outside.any(1), reach[outside.argmax(1)], 9 * unit) - ARM_SHOWN * unit
        beneath = np.minimum(measured + 0.11 * unit, np.maximum(outline, measured))
        limit = np.where(arm[np.arange(len(LEVELS)), first], beneath, 9 * unit)
        limits[side] = minimum_filter1d(limit, 3, mode="nearest")
        width = np.minimum(width, limit)
        widths[side] = gaussian_filter1d(median_filter(width, 5, mode="nearest"), 1.5, mode="nearest")
    return widths, limits


def _beyond_arms(stop: np.ndarray, background: np.ndarray, gap: int) -> np.ndarray:
    """Where the body ends on each ray (R, N), past arms and hands that lie before it: those with more than `gap`
    steps of body between them and the background."""
    body = cv2.morphologyEx(stop.view(np.uint8), cv2.MORPH_CLOSE, np.ones((1, gap + 1), np.uint8)) == 0
    body &= ~np.logical_or.accumulate(background, axis=1)
    last = body.shape[1] - 1 - body[:, ::-1].argmax(1)
    return np.where(body.any(1), np.minimum(last + 1, body.shape[1] - 1), 0)


def _waist(person: PreparedPerson, frame: BodyFrame) -> float | None:
    """Where the top ends in the middle of the body, in torso lengths."""
    parse = person.parse[::QUARTER, ::QUARTER]
    across, along = frame.maps(parse.shape, QUARTER)
    middle = (np.abs(across) < 0.55) & (along > 0.3) & (along < 1.6)
    parse, along = parse[middle], along[middle]
    top, bottom, skin = (np.isin(parse, labels) for labels in (TOPS, BOTTOMS, (Parse.TORSO_SKIN,)))
    if top.sum() < 8 or (bottom.sum() < 8 and skin.sum() < 8):
        return None
    # Where the share of the top falls below half, walking down.
    levels = np.arange(0.3, 1.6, 0.02)
    shown = top | bottom | skin
    tops, _ = np.histogram(along[top], np.append(levels, 1.6))
    all_of_them, _ = np.histogram(along[shown], np.append(levels, 1.6))
    below = np.flatnonzero((tops < 0.5 * all_of_them) & (all_of_them > 0) & (levels > 0.4))
    return float(levels[below[0]]) if len(below) else None


def _neck_rise(person: PreparedPerson, frame: BodyFrame) -> dict[str, float]:
    """How far above the shoulder joints the neck begins, from the slope of the shoulders beside it."""
    unit = frame.shoulder_width
    away = np.linspace(0.28, 0.44, 9)
    up = np.arange(0, 0.5 * unit, 2.0)
    found = {}
    for side, sign in SIDES:
        rays = frame.point(away * sign * unit, 0)[:, None] - up[:, None] * frame.down
        label = sample(person.parse, rays.reshape(-1, 2), Parse.BACKGROUND).reshape(rays.shape[:2])
        off = np.isin(label, (Parse.BACKGROUND, Parse.HAIR, Parse.FACE))
        first = np.where(off.any(1), off.argmax(1), 0)
        clear = (label[np.arange(len(away)), first] == Parse.BACKGROUND) & (first > 0)
        if clear.sum() >= 4:  # hair may hide the rest
            slope, level = np.polyfit(away[clear], up[first[clear]] / unit, 1)
            found[side] = float(np.clip(level + np.clip(slope, -1, 0) * NECK_ACROSS, NECK_LEAST, NECK_MOST) * unit)
    usual = float(np.mean(list(found.values()))) if found else NECK_UP * unit
    return {side: found.get(side, usual) for side, _ in SIDES}


def _limbs(keypoints: np.ndarray, shape: tuple[int, int]) -> Limbs:
    """The arms as capsules at half the size, from a quarter: away from its axis a distance is nearly linear."""
    points = keypoints.copy()
    points[:, :2] -= 1  # quarter-size pixels sit between four half-size ones
    half, small = (tuple(-(-side // step) for side in shape) for step in (HALF, QUARTER))

    def enlarged(maps):
        size = (small[1] * 2, small[0] * 2)
        return tuple(cv2.resize(array, size)[: half[0], : half[1]] for array in maps)

    limbs = arm_capsules(points, small, QUARTER)
    parts = (limbs.upper_arm, limbs.forearm, limbs.hand)
    return Limbs(*({side: enlarged(maps) for side, maps in part.items()} for part in parts))


def _arm_radii(person: PreparedPerson, frame: BodyFrame, limbs: Limbs) -> dict[str, float]:
    """How thick each arm is compared with its capsule: by all its skin, else by the sleeve on it, else a usual one."""
    parse = person.parse[::HALF, ::HALF]
    across, _ = frame.maps(parse.shape, HALF)
    found = {}
    for side, _ in SIDES:
        away, place = limbs.forearm[OWN_SIDE[side]]
        here = (place > -0.1) & (place < 0.8) & (away < 1.3) & (np.abs(across) > 0.8)
        skin, sleeve = away[here & (parse == ARM_LABEL[side])], away[here & np.isin(parse, TOPS)]
        if len(skin) > 80:
            found[side] = float(np.clip(np.quantile(skin, 0.93), 0.55, 0.95))
        elif len(sleeve) > 80:  # a sleeve stands off a little
            found[side] = float(np.clip(0.85 * np.quantile(sleeve, 0.93), 0.6, 0.85))
    usual = float(np.mean(list(found.values()))) if found else 0.8
    return {side: found.get(side, usual) for side, _ in SIDES}


def measure(person: PreparedPerson) -> Figure:
    """Measure a person."""
    frame = BodyFrame.of(person.keypoints)
    unit = frame.shoulder_width
    limbs = _limbs(person.keypoints, person.parse.shape)
    points = person.keypoints[:, :2].astype(np.float64)
    radii = _arm_radii(person, frame, limbs)
    shoulders, necks, arms = {}, {}, {}
    for side, sign in SIDES:
        joints = points[list(ARM_JOINTS[side])]
        arms[side] = measure_arm(person.parse, ARM_LABEL[side], joints, sign, unit, radii[side])
        joint = joints[0]
        outward = frame.right * sign * 0.8 - frame.down * 0.6
        steps = np.arange(0.06 * unit, 0.30 * unit, 2.0)
        label = sample(person.parse, joint + steps[:, None] * outward, Parse.BACKGROUND)
        off = np.flatnonzero(label == Parse.BACKGROUND)
        reach = steps[off[0]] if len(off) else steps[-1]
        shoulders[side] = joint + outward * np.clip(reach, 0.12 * unit, 0.21 * unit)
    rise = _neck_rise(person, frame)
    for side, sign in SIDES:
        necks[side] = frame.point(sign * NECK_ACROSS * unit, -rise[side])
    half_widths, limits = _half_widths(person, frame, limbs)
    return Figure(person, frame, limbs, shoulders, necks, arms, half_widths, limits, _waist(person, frame))
