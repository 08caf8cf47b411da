"""What of the person lies in front of the clothes: head, hair, hands, arms, and what they carry."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.labels import ARMS, Parse
from tryon.engines.preview.figure import ARM_LABEL, OWN_SIDE, Figure
from tryon.engines.preview.pixels import soft

HEAD = (Parse.HAT, Parse.HAIR, Parse.SUNGLASSES, Parse.SCARF)


def over(*masks: np.ndarray) -> np.ndarray:
    """Soft masks one over the other; float32 (H, W)."""
    free = 1 - masks[0]
    for mask in masks[1:]:
        free = free * (1 - mask)
    return 1 - free


def head(figure: Figure) -> np.ndarray:
    """Hair, face and things worn over everything, gloves among them; float32 (H, W)."""
    parse = figure.person.parse
    things = _things(figure) | (parse == Parse.GLOVE)
    return over(soft(np.isin(parse, HEAD), 1.5), soft(parse == Parse.FACE, 1.2), soft(things, 1.0))


def _things(figure: Figure) -> np.ndarray:
    """Straps and bags worn over the top; not the small marks on it."""
    things = figure.person.carried.astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(things)
    large = stats[:, cv2.CC_STAT_AREA] > 0.04 * figure.frame.shoulder_width**2
    large[0] = False
    return large[labels]


def arms(figure: Figure, sleeve: str | None) -> np.ndarray:
    """Arms that are seen before the torso of a new top with such sleeves, or before a bottom (None); float32 (H, W).

    Arms covered by the new sleeves are not among them, save for the hands.
    """
    parse, limbs = figure.person.parse, figure.limbs
    arm = np.isin(parse, ARMS)
    covered = {"sleeveless": 0.30, "short": 0.70}.get(sleeve)
    front = np.zeros(parse.shape, bool)
    for side in ("left", "right"):
        distance, place = limbs.upper_arm[side]
        if covered is not None:
            front |= arm & (distance < 1.5) & (place > covered)
        lower = np.minimum(limbs.forearm[side][0], limbs.hand[side][0])
        front |= arm & (lower < 1.5)
        if covered is not None:  # an old sleeve before the body: an arm will be there
            front |= (parse == Parse.UPPER) & (lower < 0.92)
    return soft(front, 1.0)


def hands(figure: Figure, side: str) -> np.ndarray:
    """Hands that are seen before the sleeve of one side (the picture's): its own and the other; float32 (H, W)."""
    parse, limbs = figure.person.parse, figure.limbs
    own, other = OWN_SIDE[side], side
    own_hand = np.isin(parse, ARMS) & (limbs.hand[own][0] < 1.0) & (limbs.hand[own][1] > 0.10)
    other_label = ARM_LABEL["right" if side == "left" else "left"]
    other_hand = (parse == other_label) & (limbs.hand[other][0] < 1.2)
    return soft(own_hand | other_hand, 1.0)
