"""What of the person lies in front of the clothes: head, hair, hands, arms, and what they carry."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.labels import ARMS, TOPS, Parse
from tryon.engines.pixels import enlarged, full, labelled, soft
from tryon.engines.preview.figure import ARM_LABEL, HALF, OWN_SIDE, Figure

# Where a short sleeve ends at the latest, in lengths of an arm.
SHORT = 0.5
HEAD = (Parse.HAT, Parse.HAIR, Parse.SUNGLASSES, Parse.SCARF, Parse.FACE, Parse.GLOVE)


def over(*masks: np.ndarray) -> np.ndarray:
    """Soft masks together; float32 (H, W)."""
    return np.maximum.reduce(masks)


def head(figure: Figure) -> np.ndarray:
    """Hair, face and things worn over everything, gloves among them; float32 (H, W)."""
    return soft(labelled(figure.person.parse, *HEAD) | _things(figure), 1.2)


def _things(figure: Figure) -> np.ndarray:
    """Straps and bags worn over the top; not the small marks on it."""
    things = figure.person.carried
    if not things.any():
        return things
    _, labels, stats, _ = cv2.connectedComponentsWithStats(things.view(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] > 0.04 * figure.frame.shoulder_width**2
    large[0] = False
    return large[labels]


def arms(figure: Figure, sleeve: str | None, bared: bool = False) -> np.ndarray:
    """Arms that are seen before the torso of a new top with such sleeves, or before a bottom (None); float32 (H, W).

    Arms covered by the new sleeves are not among them, save for the hands. With `bared`, forearms whose sleeves come
    off are, before a bottom too.
    """
    parse, limbs = figure.person.parse, figure.limbs
    worn = labelled(parse, *TOPS)
    covered = {"sleeveless": 0.30, "short": 0.70}.get(sleeve)
    bare = np.zeros(figure.half_maps[0].shape, bool)
    below_sleeve = np.zeros(bare.shape, np.uint8)
    arms_of = {OWN_SIDE[side]: arm for side, arm in figure.arms.items()}
    for side in ("left", "right"):
        distance, place = limbs.upper_arm[side]
        if covered is not None:
            bare |= (distance < 1.5) & (place > covered)
        lower = np.minimum(limbs.forearm[side][0], limbs.hand[side][0])
        bare |= lower < 1.5
        arm = arms_of[side]
        start = (1.0 if covered is None else covered) * arm.elbow
        # A short sleeve ends on the upper arm, whose rest shows how it goes on above; under a long one it is narrower.
        long = sleeved(figure, side, worn)
        end = arm.end if long else arm.bared_at if arm.bared_at < SHORT else 0
        if (covered is not None or bared) and start < end:  # an arm will be there, before the body
            outline = np.int32(np.round(arm.outline(start, end) / HALF))
            near = np.minimum(distance + 0.12, lower) < 0.92 if long else distance < 1
            below_sleeve |= cv2.fillPoly(np.zeros_like(below_sleeve), [outline], 1) & near
    front = labelled(parse, *ARMS) & full(bare, parse.shape)
    front |= worn & (enlarged(soft(below_sleeve.view(bool), 2.0), parse.shape) > 0.5)
    return soft(front, 1.0)


def sleeved(figure: Figure, side: str, top: np.ndarray) -> bool:
    """Whether a forearm (the person's own side) is in a sleeve of the top worn now (bool (H, W))."""
    forearm = figure.limbs.forearm[side][0] < 0.7
    bare = labelled(figure.person.parse[::HALF, ::HALF], *ARMS)
    return int((top[::HALF, ::HALF] & forearm).sum()) > int((bare & forearm).sum())


def hands(figure: Figure, side: str) -> np.ndarray:
    """Hands that are seen before the sleeve of one side (the picture's): its own and the other; float32 (H, W)."""
    parse, limbs = figure.person.parse, figure.limbs
    own, other = OWN_SIDE[side], side
    at_own = full((limbs.hand[own][0] < 1.0) & (limbs.hand[own][1] > 0.10), parse.shape)
    at_other = full(limbs.hand[other][0] < 1.2, parse.shape)
    other_label = ARM_LABEL["right" if side == "left" else "left"]
    return soft((labelled(parse, *ARMS) & at_own) | (labelled(parse, other_label) & at_other), 1.0)
