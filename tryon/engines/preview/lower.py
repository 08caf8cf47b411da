"""The lower body a bottom or a dress is laid on: waist line, crotch and legs, seen or not.

Sides are the picture's. Heights are anatomical levels in torso lengths of a person who stands upright: 0 at the
shoulders, 1 at the hips; a bent or a foreshortened leg has the same levels as a straight one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import ARMS, BOTTOMS, Joint, Parse
from preprocessing.person.prepare import HIPS_SYNTHESISED
from tryon.engines.preview.figure import SIDES, Figure, sample

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

    @cached_property
    def lean(self) -> float:
        """Degrees between the thigh and straight down."""
        way = self.at(np.array([KNEE]))[0][0] - self.path[0]
        return float(np.degrees(np.arctan2(abs(way[0]), way[1])))


@dataclass(frozen=True)
class LowerBody:
    """A figure measured below the waist.

    Attributes:
        figure: whose.
        legs: by side.
        waist: (3,) coefficients of the waist line's level by `across` in half shoulder widths: constant first.
        seen: whether the waist line is seen, or a top hangs over it.
        drop: from the hips to the crotch, pixels.
    """

    figure: Figure
    legs: dict[str, Leg]
    waist: np.ndarray
    seen: bool
    drop: float

    @property
    def crotch(self) -> np.ndarray:
        frame = self.figure.frame
        return frame.point(0, frame.torso_length + self.drop)

    @property
    def crotch_level(self) -> float:
        return HIP + self.drop / self.figure.frame.torso_length

    def waist_line(self, share: np.ndarray) -> np.ndarray:
        """Points of the waist line for shares -1 (its left end) to 1; (N, 2)."""
        frame = self.figure.frame
        ends = [0.98 * self.figure.half_width(side, self.waist[0]) for side, _ in SIDES]
        across = np.interp(share, [-1, 0, 1], [-ends[0], 0, ends[1]])
        return frame.point(across[:, None] * [1, 0], 0)[..., 0, :] + self.waist_level(across)[
            :, None
        ] * frame.torso_length * (frame.down)

    def waist_level(self, across: np.ndarray) -> np.ndarray:
        unit = across / (self.figure.frame.shoulder_width / 2)
        return np.polynomial.polynomial.polyval(unit, self.waist)
