"""The lower body a bottom or a dress is laid on: waist line, crotch and legs, seen or not.

Sides are the picture's. Heights are anatomical levels in torso lengths of a person who stands upright: 0 at the
shoulders, 1 at the hips; a bent or a foreshortened leg has the same levels as a straight one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import ARMS, BOTTOMS, Joint, Parse
from preprocessing.person.prepare import HIPS_SYNTHESISED
from tryon.engines.pixels import labelled
from tryon.engines.preview.figure import SIDES, Figure, sample
from tryon.engines.preview.wardrobe import WAIST

# Levels of the joints of the leg (Winter, Biomechanics and Motor Control of Human Movement, figure 4.1).
HIP, KNEE, ANKLE = 1.0, 1.92, 2.80
LEG_JOINTS = {
    "left": (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE),
    "right": (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE),
}
# Lengths of thigh and shin where a photo does not show them, in torso lengths and in thighs.
THIGH, SHIN = 0.80, 1.0
# From the hips down to the crotch, in shoulder widths: the usual, and between which a gap between the legs ends it.
DROP, DROP_LEAST, DROP_MOST = 0.38, 0.26, 0.48
# Half the width of a leg at some levels, in shoulder widths.
LEG_LEVELS = np.linspace(HIP, 2.95, 40)
USUAL_LEVELS, USUAL_WIDTHS = (1.0, 1.27, 1.6, 1.92, 2.2, 2.8), (0.30, 0.29, 0.235, 0.185, 0.18, 0.12)
# A waistband above this level is seen; under a top that hangs over it, it lies at HIDDEN_WAIST.
SEEN_ABOVE, HIDDEN_WAIST = 0.93, 0.86
SURE = 0.5
# Degrees between thigh and shin from which a leg cannot be dressed.
LARGEST_BEND = 70.0
# How far a thigh may lean under a skirt, in degrees.
LARGEST_SKIRT_LEAN = 40.0


@dataclass(frozen=True)
class Leg:
    """A leg as a path from the hip beyond the ankle.

    Attributes:
        levels: (N,) of the path's points.
        path: (N, 2).
        outward: (N, 2) unit vectors across the path, away from the other leg.
        outer: (40,) half the leg's width on its outer side at LEG_LEVELS.
    """

    levels: np.ndarray
    path: np.ndarray
    outward: np.ndarray
    outer: np.ndarray

    def at(self, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places on the path and the directions across it; (N, 2) each."""
        return tuple(
            np.stack([np.interp(level, self.levels, values[:, axis]) for axis in (0, 1)], axis=-1)
            for values in (self.path, self.outward)
        )

    def half_width(self, level: np.ndarray) -> np.ndarray:
        return np.interp(level, LEG_LEVELS, self.outer)

    @property
    def lean(self) -> float:
        """Degrees between the thigh and straight down."""
        return _angle(self._bones[0], np.array([0.0, 1.0]))

    @property
    def bend(self) -> float:
        """Degrees between the thigh and the shin."""
        return _angle(*self._bones)

    @property
    def _bones(self) -> np.ndarray:
        return np.diff(self.at(np.array([HIP, KNEE, ANKLE]))[0], axis=0)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / max(np.hypot(*a) * np.hypot(*b), 1e-6), -1, 1))))


@dataclass(frozen=True)
class LowerBody:
    """A figure measured below the waist.

    Attributes:
        figure: whose.
        legs: by side.
        drop: from the hips to the crotch, pixels.
    """

    figure: Figure
    legs: dict[str, Leg]
    drop: float

    @property
    def waist(self) -> np.ndarray:
        """Coefficients (3,) of the waist line's level by `across` in half shoulder widths: constant first."""
        return self._waist[0]

    @property
    def seen(self) -> bool:
        """Whether the waist line is seen, or a top hangs over it."""
        return self._waist[1]

    @cached_property
    def _waist(self) -> tuple[np.ndarray, bool]:
        return _waist(self.figure)

    @property
    def crotch(self) -> np.ndarray:
        frame = self.figure.frame
        return frame.point(0, frame.torso_length + self.drop)

    @property
    def crotch_level(self) -> float:
        return HIP + self.drop / self.figure.frame.torso_length

    def waist_line(self, share: np.ndarray) -> np.ndarray:
        """Points of the waist line for shares of its width from -1, its left end, to 1; (N, 2)."""
        left, right = (0.98 * float(self.figure.half_width(side, self.waist[0])) for side, _ in SIDES)
        across = np.where(share < 0, share * left, share * right)
        return self.figure.frame.point(across, self.waist_level(across) * self.figure.frame.torso_length)

    def waist_level(self, across: np.ndarray) -> np.ndarray:
        """Level of the waist line at `across` pixels from the axis."""
        return np.polynomial.polynomial.polyval(across / (self.figure.frame.shoulder_width / 2), self.waist)


def measure_lower(figure: Figure) -> LowerBody:
    """Measure a figure below the waist.

    Raises:
        Refusal: "photo.legs_outside" when the picture ends at the hips.
    """
    frame, person = figure.frame, figure.person
    legs = {side: _leg(figure, side, sign) for side, sign in SIDES}
    drop = _drop(figure)
    thighs = frame.point(0, frame.torso_length + drop)[None]
    below = person.parse[int(max(thighs[0, 1], 0)) :]
    if HIPS_SYNTHESISED in person.flags or not below.any():
        raise Refusal(
            "photo.legs_outside",
            gettext_noop("We cannot see your legs in this photo. Please choose one that shows you down to the knees."),
        )
    return LowerBody(figure, legs, drop)


def check_standing(body: LowerBody, largest_lean: float) -> None:
    """Raises Refusal "photo.legs_bent" when a thigh leans more than this, in degrees, or a knee is bent far."""
    for leg in body.legs.values():
        if leg.lean > largest_lean or leg.bend > LARGEST_BEND:
            raise Refusal(
                "photo.legs_bent",
                gettext_noop("Your legs are bent or spread in this photo. Please choose one where you stand upright."),
                f"lean {leg.lean:.0f}, bend {leg.bend:.0f} degrees",
            )


def _leg(figure: Figure, side: str, sign: int) -> Leg:
    joints = leg_joints(figure, side)
    beyond = joints[2] + 0.3 * (joints[2] - joints[1])
    knots = np.concatenate([joints, beyond[None]])
    pieces = np.hypot(*np.diff(knots, axis=0).T)
    at = np.concatenate([[0], np.cumsum(pieces)])
    dense = np.linspace(0, at[-1], 160)
    path = np.stack([np.interp(dense, at, knots[:, axis]) for axis in (0, 1)], 1)
    path = gaussian_filter1d(path, 5, axis=0, mode="nearest")
    tangent = np.gradient(path, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None] + 1e-6
    outward = sign * np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    levels = np.interp(dense, at, [HIP, KNEE, ANKLE, ANKLE + 0.3 * (ANKLE - KNEE)])
    leg = Leg(levels, path, outward, np.zeros(len(LEG_LEVELS)))
    inside = np.interp(levels, LEG_LEVELS, _beside(figure, leg))
    leg = Leg(levels, path - inside[:, None] * outward, outward, leg.outer)
    return replace(leg, outer=_outer(figure, leg))


def leg_joints(figure: Figure, side: str) -> np.ndarray:
    """Hip, knee and ankle; those the photo does not show are put where they would be on a straight leg; (3, 2)."""
    keypoints = figure.person.keypoints
    hip, knee, ankle = (keypoints[joint, :2].astype(float) for joint in LEG_JOINTS[side])
    sure = [keypoints[joint, 3] >= SURE for joint in LEG_JOINTS[side]]
    if not sure[1]:
        way = knee - hip
        way = way / max(float(np.hypot(*way)), 1e-3) if way[1] > 0 else figure.frame.down
        knee = hip + way * THIGH * figure.frame.torso_length
    if not (sure[1] and sure[2]):
        thigh = knee - hip
        length = max(float(np.hypot(*thigh)), THIGH * figure.frame.torso_length)
        way = thigh / max(float(np.hypot(*thigh)), 1e-3) + [0, 1]  # shins hang down more than thighs
        ankle = knee + way / np.hypot(*way) * SHIN * length
    return np.stack([hip, knee, ankle])


def _beside(figure: Figure, leg: Leg) -> np.ndarray:
    """How far the path must move inwards to run inside the leg seen in the photo: joints near the border of a
    picture, or beyond it, are guesses; pixels, (40,)."""
    unit = figure.frame.shoulder_width
    usual = np.interp(LEG_LEVELS, USUAL_LEVELS, USUAL_WIDTHS) * unit
    steps = np.arange(1.6, -1.2, -0.04)  # from outside
    centre, outward = leg.at(LEG_LEVELS)
    rays = centre[:, None] + (usual[:, None] * steps)[..., None] * outward[:, None]
    person = sample(figure.person.mask, rays.reshape(-1, 2), 0).reshape(rays.shape[:2]) > 127
    first = person.argmax(1)
    beside = np.where(person.any(1), np.maximum(0.8 - steps[first], 0), np.nan) * usual
    known = np.flatnonzero(np.isfinite(beside))
    if len(known) == 0:
        return np.zeros(len(LEG_LEVELS))
    beside = np.interp(np.arange(len(LEG_LEVELS)), known, beside[known])
    return gaussian_filter1d(median_filter(beside, 5, mode="nearest"), 2.0, mode="nearest")


def _outer(figure: Figure, leg: Leg) -> np.ndarray:
    """How far the leg reaches outwards from its path, measured on the outline and kept near the usual."""
    unit = figure.frame.shoulder_width
    usual = np.interp(LEG_LEVELS, USUAL_LEVELS, USUAL_WIDTHS) * unit
    steps = np.arange(0.4, 1.8, 0.02)
    centre, outward = leg.at(LEG_LEVELS)
    rays = centre[:, None] + (usual[:, None] * steps)[..., None] * outward[:, None]
    label = sample(figure.person.parse, rays.reshape(-1, 2), Parse.GLOVE).reshape(rays.shape[:2])
    arm = np.isin(label, (*ARMS, Parse.GLOVE))  # the border of the picture tells as little as an arm
    stop = (label == Parse.BACKGROUND) | arm
    first = stop.argmax(1)
    rows = np.arange(len(LEG_LEVELS))
    told = stop.any(1) & ~arm[rows, first] & (first > 0)
    width = np.where(told, np.clip(steps[first], 0.8, 1.3), 1.0) * usual
    return gaussian_filter1d(median_filter(width, 5, mode="nearest"), 1.2, mode="nearest")


def _drop(figure: Figure) -> float:
    """From the hips to the crotch: where the gap between the legs begins if it is seen, else the usual; pixels."""
    frame, unit = figure.frame, figure.frame.shoulder_width
    down = np.arange(0.15, DROP_MOST, 0.01)
    across = np.linspace(-0.06, 0.06, 5)
    rays = frame.point(across * unit, frame.torso_length)[:, None] + (down * unit)[None, :, None] * frame.down
    open_ = sample(figure.person.mask, rays.reshape(-1, 2), 255).reshape(rays.shape[:2]) < 80
    first = np.flatnonzero(open_.any(0))
    if len(first) == 0:
        return DROP * unit
    return float(max(down[first[0]] - 0.02, DROP_LEAST)) * unit


def _waist(figure: Figure) -> tuple[np.ndarray, bool]:
    """The waist line (see LowerBody) and whether it is seen: the upper edge of what is worn on the lower body."""
    across, along = figure.maps
    parse = figure.person.parse
    worn = labelled(parse, *BOTTOMS) | (labelled(parse, Parse.DRESS) & (along > WAIST))
    worn &= (np.abs(across) < 0.75) & (along > 0.4) & (along < 1.6)
    column = np.clip(((across[worn] + 0.75) * 16).astype(int), 0, 23)
    heights = along[worn]
    places, edges = [], []
    for index in range(24):
        here = heights[column == index]
        if len(here) > 100:
            places.append((index + 0.5) / 16 - 0.75)
            edges.append(np.partition(here, 10)[10])
    if len(places) < 8:
        return np.array([HIDDEN_WAIST, 0, 0]), False
    middle = float(np.median(edges))
    if middle > SEEN_ABOVE:
        return np.array([min(HIDDEN_WAIST, middle - 0.06), 0, 0]), False
    places, edges = np.array(places), np.array(edges)
    near = np.abs(edges - middle) < 0.15  # a hand before the waist pushes its edge down
    tilt = np.polyfit(places[near], edges[near], 1)[0]
    tilt = float(np.clip(tilt, -0.2, 0.2))
    level = edges[near] - tilt * places[near]
    # Round a body seen from above it hangs lowest in the middle; sleeves before its ends make it seem higher there.
    round_ = float(np.clip(np.polyfit(places[near] ** 2, level, 1)[0], -0.10, 0.02))
    # As high as it is anywhere, rather than leave a strip of what is worn now.
    return np.array([np.quantile(level - round_ * places[near] ** 2, 0.1) - 0.01, tilt, round_]), True
