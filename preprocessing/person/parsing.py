"""From regions (hair, skin, clothes) and joints to a parse map: which garment, which arm, which leg, which shoe."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.labels import ARMS, Joint, Parse, Region
from preprocessing.person.body import SIDES, BodyFrame, arm_capsules, capsule
from preprocessing.person.clothes import dress_labels
from preprocessing.person.scene import Scene

# The parse is made at half size: the network's own grid is coarser still.
STEP = 2
LEGS = {
    "left": (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE, Joint.L_HEEL, Joint.L_TOES),
    "right": (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE, Joint.R_HEEL, Joint.R_TOES),
}
# Grey levels of a channel by which a hat differs from the hair at least.
ALIKE = 20
_IS_BOTTOM = np.isin(np.arange(len(Parse)), (Parse.PANTS, Parse.SKIRT, Parse.DRESS))


def parse_person(image: np.ndarray, regions: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parse map of a person.

    Args:
        image: uint8 RGB (h, w, 3) and
        regions: float32 (6, h, w), both at half size.
        keypoints: (33, 4), at full size.

    Returns:
        uint8 (h, w) of `Parse`, and bool (h, w): things carried or worn that it has no label for.
    """
    shape = regions.shape[1:]
    frame = BodyFrame.of(keypoints)
    across, along = frame.maps(shape, STEP)
    limbs = arm_capsules(keypoints, shape, STEP)
    region = regions.argmax(0)
    skin = (region == Region.BODY_SKIN) | (region == Region.FACE_SKIN)
    scene = Scene(image, region == Region.CLOTHES, skin, keypoints, frame, across, along, limbs, STEP)

    parse = dress_labels(scene)
    parse[region == Region.HAIR] = Parse.HAIR
    parse[skin] = Parse.TORSO_SKIN
    left, right = (limbs.arm_distance(side) for side in SIDES)
    eyes = frame.along((keypoints[Joint.L_EYE, :2] + keypoints[Joint.R_EYE, :2]) / 2) / frame.torso_length
    neck = _joined(skin & (along > eyes) & (along < 0.25) & (np.abs(across) < 0.85), np.abs(across) < 0.4)
    raised = (along < -0.05) & ((np.abs(across) > 1.0) | (along < eyes))  # hands beside or over the head
    arm = skin & ((np.minimum(left, right) < 1.5) | raised) & ~neck
    legs, thighs = _legs(keypoints, shape)
    leg = skin & ((along > 1.05) | thighs) & (np.minimum(left, right) > 1.2)
    parse[leg & (legs["left"] <= legs["right"])] = Parse.LEFT_LEG
    parse[leg & (legs["right"] < legs["left"])] = Parse.RIGHT_LEG
    parse[arm & (left <= right)] = Parse.LEFT_ARM
    parse[arm & (right < left)] = Parse.RIGHT_ARM
    parse[(region == Region.FACE_SKIN) & (along < 0.15)] = Parse.FACE
    _give_bits_to_arms(parse, scene)

    others = region == Region.OTHERS
    _head_wear(parse, others, image, keypoints)
    _shoes_and_socks(parse, others, keypoints, legs)
    _trimmings(parse, others, scene)
    parse = cv2.medianBlur(parse, 5)
    return parse, others & (parse == Parse.BACKGROUND)


def _joined(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The pieces of a mask that reach a seed: skin outside a strap is shoulder, not neck."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    reached = np.zeros(count, bool)
    reached[np.unique(labels[mask & seed])] = True
    return reached[labels] & mask


def _legs(keypoints: np.ndarray, shape: tuple[int, int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Distance to each leg in units of its radius, and where thighs are that are seen, even of someone who sits."""
    unit, points = BodyFrame.of(keypoints).shoulder_width, keypoints[:, :2]
    legs, thighs = {}, np.zeros(shape, bool)
    for side in SIDES:
        hip, knee, ankle = (points[joint] for joint in LEGS[side][:3])
        thigh, place = capsule(shape, hip, knee, (0.3 * unit, 0.22 * unit), STEP)
        legs[side] = np.minimum(thigh, capsule(shape, knee, ankle, (0.22 * unit, 0.14 * unit), STEP)[0])
        if keypoints[LEGS[side][1], 3] >= 0.5:
            thighs |= (thigh < 1.1) & (place > 0.25)
    return legs, thighs


def _give_bits_to_arms(parse: np.ndarray, scene: Scene) -> None:
    """A thumb that sticks out of a hand is no belly: small pieces of skin beside an arm belong to it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((parse == Parse.TORSO_SKIN).astype(np.uint8))
    for piece in range(1, count):
        left, top, width, height, area = stats[piece]
        if area > 0.03 * scene.unit**2:
            continue
        window = (
            slice(max(0, top - 2), top + height + 2),
            slice(max(0, left - 2), left + width + 2),
        )
        own = labels[window] == piece
        if scene.along[window][own].mean() < 0.3:
            continue
        around = parse[window][cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0]
        arms = [(around == arm).sum() for arm in ARMS]
        hand = min(float(scene.limbs.hand[side][0][window][own].min()) for side in SIDES)
        belly = width > 1.5 * height and hand > 2.0
        if max(arms) > 0 and not belly:
            parse[window][own] = ARMS[int(np.argmax(arms))]


def _head_wear(parse: np.ndarray, others: np.ndarray, image: np.ndarray, keypoints: np.ndarray) -> None:
    """Hats above the eyes and glasses on them; what looks like the hair is hair."""
    hair = image[parse == Parse.HAIR].mean(0) if (parse == Parse.HAIR).sum() > 50 else np.full(3, np.inf)
    points = keypoints[:, :2] / STEP
    eyes = (points[Joint.L_EYE] + points[Joint.R_EYE]) / 2
    mouth = (points[Joint.L_MOUTH] + points[Joint.R_MOUTH]) / 2
    face = float(np.hypot(*(mouth - eyes)))
    down = (mouth - eyes) / max(face, 1e-3)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(others.astype(np.uint8))
    for piece in range(1, count):
        away = centres[piece] - eyes
        small = stats[piece, cv2.CC_STAT_AREA] < 0.5 * face**2
        along, across = away @ down / max(face, 1e-3), abs(away @ (down[1], -down[0])) / max(face, 1e-3)
        if across > 2.0:
            continue
        if -2.6 < along < -0.55:
            own = labels == piece
            alike = np.abs(image[own].mean(0) - hair).max() < ALIKE
            parse[own] = Parse.HAIR if small or alike else Parse.HAT
        elif abs(along) <= 0.55 and across < 1.0:
            parse[labels == piece] = Parse.SUNGLASSES


def _trimmings(parse: np.ndarray, others: np.ndarray, scene: Scene) -> None:
    """A zip or a buckle belongs to the garment that is all round it."""
    loose = (others & (parse == Parse.BACKGROUND)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(loose)
    for piece in range(1, count):
        left, top, width, height, area = stats[piece]
        if area > 0.06 * scene.unit**2:
            continue
        window = slice(max(0, top - 3), top + height + 3), slice(max(0, left - 3), left + width + 3)
        own = labels[window] == piece
        ring = (cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~own
        garment = np.bincount(parse[window][ring & scene.clothes[window]], minlength=1)
        if garment.max() > 0.7 * ring.sum():
            parse[window][own] = garment.argmax()


def _foot(keypoints: np.ndarray, side: str, shape: tuple[int, int]) -> np.ndarray:
    """Distance to a foot in units of its thickness."""
    unit, points = BodyFrame.of(keypoints).shoulder_width, keypoints[:, :2]
    ankle, heel, toes = (points[joint] for joint in LEGS[side][2:])
    sole = capsule(shape, heel, toes, (0.14 * unit, 0.14 * unit), STEP)[0]
    return np.minimum(sole, capsule(shape, ankle, toes, (0.12 * unit, 0.12 * unit), STEP)[0])


def _seen_feet(keypoints: np.ndarray, shape: tuple[int, int]) -> list[str]:
    """Sides whose ankle is in the picture."""
    ankles = {side: keypoints[LEGS[side][2]] for side in SIDES}
    return [side for side, (_, y, _, sure) in ankles.items() if sure >= 0.5 and y < shape[0] * STEP]


def feet(keypoints: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where feet are, at half size; bool (h, w)."""
    found = np.zeros(shape, bool)
    for side in _seen_feet(keypoints, shape):
        found |= _foot(keypoints, side, shape) < 1.5
    return found


def _shoes_and_socks(
    parse: np.ndarray, others: np.ndarray, keypoints: np.ndarray, legs: dict[str, np.ndarray]
) -> None:
    """What covers a foot is a shoe; cloth on a shin that hangs on nothing above is a sock."""
    cloth = _IS_BOTTOM[parse]
    loose = cloth & ~_largest(cloth)
    for side in _seen_feet(keypoints, parse.shape):
        knee, ankle = (keypoints[joint, :2] for joint in LEGS[side][1:3])
        _, place = capsule(parse.shape, knee, ankle, (1, 1), STEP)
        shin = (legs[side] < 1.3) & (place > 0.3)
        parse[(loose | others) & shin & (place <= 0.97)] = Parse.SOCKS
        shoe = ((others | loose) & (place > 0.97)) | (cloth & (place > 1.05))  # trousers end about the ankle
        shoe &= _foot(keypoints, side, parse.shape) < 1.4
        parse[shoe] = Parse.LEFT_SHOE if side == "left" else Parse.RIGHT_SHOE


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if count > 1 else mask


def enlarge(parse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A parse map at another size with smooth borders instead of steps."""
    return cv2.medianBlur(cv2.resize(parse, shape[::-1], interpolation=cv2.INTER_NEAREST), 5)
