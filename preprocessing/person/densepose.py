"""A DensePose label map (24 parts of the body's surface) without a DensePose network: capsules about the joints.

What DensePose (arXiv:1802.00434) shows is the body under hair and loose clothes, not their outline: where the person
mask is narrower than a limb's capsule it decides, where it is wider the capsule does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import ndimage

from preprocessing.labels import LEGS, DensePose, Joint, Parse
from preprocessing.person.body import ARM, SIDES, BodyFrame, capsule
from preprocessing.person.parsing import STEP, enlarge

if TYPE_CHECKING:
    from preprocessing.person.prepare import PreparedPerson

# A joint less sure than this has no limb drawn to it.
SURE = 0.3
# Radii in shoulder widths, at the start and at the end of a limb, of a body without loose clothes.
UPPER_ARM, FOREARM, HAND = (0.18, 0.14), (0.13, 0.09), (0.10, 0.14)
THIGH, CALF, FOOT = (0.30, 0.21), (0.20, 0.11), (0.11, 0.10)
# How far from a limb's axis, in its radius, skin and trousers still are that limb; wider clothes are cloth alone.
FITTED = 1.25
# Half of the torso's width in half shoulder widths.
TORSO = 1.06
# Share of an arm's width that its outer half takes when the thumb faces the camera, and how that grows as the hand
# turns its back there; the upper arm turns less. A limb's width is looked at in so many cuts along it.
OUTER = {"UPPER_ARM": (0.2, 0.2), "FOREARM": (0.4, 0.45)}
CUTS = 24
# In torso lengths from the shoulders down: where the neck begins (its sides, its middle) and where the legs do.
NECK_SIDES, NECK_MIDDLE = -0.20, -0.14
HIPS, CROTCH = 1.0, 1.16

THIGHS = (DensePose.LEFT_THIGH_FRONT, DensePose.RIGHT_THIGH_FRONT)
LEG = {
    "left": (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE, Joint.L_TOES, Joint.L_HEEL),
    "right": (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE, Joint.R_TOES, Joint.R_HEEL),
}


def densepose(person: PreparedPerson) -> np.ndarray:
    """The parts of the body's surface that a person shows.

    Args:
        person: prepared, facing the camera as `prepare_person` asks.

    Returns:
        uint8 (H, W) of `DensePose`.
    """
    shape = person.parse.shape
    small = (max(1, shape[0] // STEP), max(1, shape[1] // STEP))
    body = cv2.resize(person.mask, small[::-1], interpolation=cv2.INTER_AREA) > 127
    labels = np.zeros(small, np.uint8)
    across, along = _torso_place(person.keypoints, small)
    clothes = cv2.resize(person.parse, small[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    _draw_legs(labels, person.keypoints, np.isin(clothes, (Parse.PANTS, Parse.SOCKS, *LEGS)))
    labels[_torso(across, along)] = DensePose.TORSO_FRONT
    _draw_head(labels, person.keypoints, across, along)
    for side in sorted(SIDES, key=lambda side: -person.keypoints[ARM[side][2], 2]):  # the nearer arm last
        bare = clothes == (Parse.LEFT_ARM if side == "left" else Parse.RIGHT_ARM)
        _draw_arm(labels, person.keypoints, side, across, body, bare)
    labels[~body] = DensePose.BACKGROUND
    return enlarge(labels, shape)


def picture(labels: np.ndarray) -> np.ndarray:
    """A label map as HR-VITON's networks take it: OpenCV's PARULA over label / 24, on black; uint8 RGB (H, W, 3)."""
    return PALETTE[labels]


def labels_of(colours: np.ndarray) -> np.ndarray:
    """A label map back from such a picture, which may have been a JPEG; uint8 (H, W)."""
    labels = np.zeros(colours.shape[:2], np.uint8)
    nearest = np.full(labels.shape, np.inf, np.float32)
    for part in DensePose:
        difference = np.abs(colours.astype(np.float32) - PALETTE[part]).sum(-1)
        closer = difference < nearest
        labels[closer] = part
        nearest[closer] = difference[closer]
    return labels


def _palette() -> np.ndarray:
    values = (np.arange(len(DensePose)) * 255 / (len(DensePose) - 1)).astype(np.uint8)
    colours = cv2.applyColorMap(values[:, None], cv2.COLORMAP_PARULA)[:, 0, ::-1].copy()
    colours[DensePose.BACKGROUND] = 0
    return colours


PALETTE = _palette()


def _torso_place(keypoints: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's place on the torso: across in half shoulder widths from the line between the middles of shoulders
    and hips (+ to the picture's right), along 0 on the line through the shoulders and 1 on that through the hips,
    however both lean; float32 (h, w) each."""
    frame = BodyFrame.of(keypoints)
    across, along = frame.maps(shape, STEP)
    shoulders = across * _lean(frame, keypoints, Joint.L_SHOULDER, Joint.R_SHOULDER)
    hips = 1 + across * _lean(frame, keypoints, Joint.L_HIP, Joint.R_HIP)
    return across, (along - shoulders) / np.maximum(hips - shoulders, 0.3)


def _lean(frame: BodyFrame, keypoints: np.ndarray, left: Joint, right: Joint) -> np.float32:
    """How much further down the left one of two joints is, in torso lengths per half shoulder width across."""
    apart = keypoints[left, :2] - keypoints[right, :2]
    aside = max(float(apart @ frame.right), 0.2 * frame.shoulder_width)
    return np.float32(float(apart @ frame.down) / frame.torso_length / aside * frame.shoulder_width / 2)


def _torso(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    aside = np.abs(across)
    slope = np.interp(aside, (0.35, TORSO), (NECK_SIDES, -0.10))
    end = HIPS + (CROTCH - HIPS) * np.maximum(1 - aside, 0) ** 1.5
    return (aside < TORSO) & (along > slope) & (along < end)


def _draw_legs(labels: np.ndarray, keypoints: np.ndarray, fitted: np.ndarray) -> None:
    """Both legs. Skin and trousers (`fitted`) beside and between them are theirs too; a skirt's cloth is not."""
    unit = BodyFrame.of(keypoints).shoulder_width
    points, sure = keypoints[:, :2].astype(np.float64), keypoints[:, 3] >= SURE
    nearest = np.full(labels.shape, np.inf, np.float32)
    leg = np.zeros(labels.shape, np.uint8)
    between = fitted.copy()
    for side, (hip, knee, ankle, toes, heel) in LEG.items():
        name = side.upper()
        limbs = [(hip, knee, THIGH, DensePose[f"{name}_THIGH_FRONT"])]
        if sure[knee]:
            limbs.append((knee, ankle, CALF, DensePose[f"{name}_CALF_FRONT"]))
        if sure[ankle]:
            limbs += [(ankle, end, FOOT, DensePose[f"{name}_FOOT"]) for end in (toes, heel)]
        for start, end, radii, part in limbs:
            radii = tuple(radius * unit for radius in radii)
            distance, place = capsule(labels.shape, points[start], points[end], radii, STEP)
            nearer = distance < nearest
            leg[nearer] = part
            nearest[nearer] = distance[nearer]
            if part in THIGHS:
                outside = _offset(labels.shape, points[start], points[end], radii) * (1 if side == "left" else -1)
                between &= (outside < 0) & (place > 0) & (place < 1)
    drawn = (nearest < 1) | between | (fitted & (nearest < FITTED))
    labels[drawn] = leg[drawn]


def _draw_head(labels: np.ndarray, keypoints: np.ndarray, across: np.ndarray, along: np.ndarray) -> None:
    points = keypoints[:, :2].astype(np.float64)
    eyes = (points[Joint.L_EYE] + points[Joint.R_EYE]) / 2
    mouth = (points[Joint.L_MOUTH] + points[Joint.R_MOUTH]) / 2
    frame = BodyFrame.of(keypoints)
    ears = (points[Joint.L_EAR] + points[Joint.R_EAR]) / 2
    down = mouth - eyes
    size = max(float(np.hypot(*down)), 0.1 * frame.shoulder_width)
    down = down / size
    base = frame.point(0, NECK_MIDDLE * frame.torso_length)
    skull, _ = capsule(
        labels.shape, eyes - 0.3 * size * down, eyes + 0.7 * size * down, (1.4 * size, 1.15 * size), STEP
    )
    neck, _ = capsule(labels.shape, (ears + mouth) / 2, base, (0.85 * size, 0.85 * size), STEP)
    end = NECK_MIDDLE + (NECK_SIDES - NECK_MIDDLE) * np.minimum(np.abs(across) / 0.4, 1) ** 2
    head = ((skull < 1) | (neck < 1)) & (along < end)
    labels[(labels > 0) & (along < end)] = DensePose.BACKGROUND
    left = _left_of_the_face(labels.shape, eyes, mouth, base)
    labels[head & left] = DensePose.HEAD_LEFT
    labels[head & ~left] = DensePose.HEAD_RIGHT


def _left_of_the_face(shape: tuple[int, int], eyes: np.ndarray, mouth: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The person's left half: right, in the picture, of a line through eyes and mouth and on to the neck; bool."""
    x = (np.arange(shape[1], dtype=np.float32)[None] + 0.5) * STEP
    y = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) * STEP
    crown = eyes - 3 * (mouth - eyes)
    knots = np.array(sorted([crown, mouth, base], key=lambda point: point[1]))
    return x > np.interp(y, knots[:, 1], knots[:, 0])


def _draw_arm(
    labels: np.ndarray, keypoints: np.ndarray, side: str, across: np.ndarray, body: np.ndarray, bare: np.ndarray
) -> None:
    unit = BodyFrame.of(keypoints).shoulder_width
    points, sure = keypoints[:, :2].astype(np.float64), keypoints[:, 3] >= SURE
    shoulder, elbow, wrist, index, little = ARM[side]
    name, sign = side.upper(), 1 if side == "left" else -1
    limbs = [(shoulder, elbow, UPPER_ARM, "UPPER_ARM")]
    if sure[elbow] and (sure[wrist] or not _inside(points[wrist], labels.shape)):  # else it is behind the back
        limbs.append((elbow, wrist, FOREARM, "FOREARM"))
    for start, end, radii, part in limbs:
        radii = tuple(r * unit for r in radii)
        distance, place = capsule(labels.shape, points[start], points[end], radii, STEP)
        limb = body & (distance < np.where(bare, FITTED, 1)) & (place < 1)
        if part == "UPPER_ARM":
            limb &= (place > -0.35) & (np.abs(across) > 0.95 - 0.3 * np.clip(place, 0, 1))
        offset = sign * _offset(labels.shape, points[start], points[end], radii)
        neutral, turning = OUTER[part]
        outer = _outermost(limb, offset, place, neutral + turning * _turn(points, side))
        labels[limb] = DensePose[f"{name}_{part}_INNER"]
        labels[outer] = DensePose[f"{name}_{part}_OUTER"]
    if sure[wrist]:
        knuckles = (points[index] + points[little]) / 2
        tips = points[wrist] + (knuckles - points[wrist]) * 1.6
        distance, place = capsule(labels.shape, points[wrist], tips, tuple(r * unit for r in HAND), STEP)
        labels[(distance < 1) & (place > 0)] = DensePose[f"{name}_HAND"]


def _outermost(limb: np.ndarray, offset: np.ndarray, place: np.ndarray, share: float) -> np.ndarray:
    """The outer `share` of a limb's width, wherever the mask lets it be seen; bool (h, w)."""
    if not limb.any():
        return limb
    offset, cut = offset[limb], np.clip((place[limb] * CUTS).astype(np.int32), 0, CUTS - 1)
    seen = np.unique(cut)
    inner, outer = ndimage.minimum(offset, cut, seen), ndimage.maximum(offset, cut, seen)
    border = ndimage.gaussian_filter1d(outer - share * (outer - inner), 1.0, mode="nearest")
    outermost = np.zeros_like(limb)
    outermost[limb] = offset > np.interp(cut, seen, border)
    return outermost


def _inside(point: np.ndarray, shape: tuple[int, int]) -> bool:
    return 0 <= point[0] < shape[1] * STEP and 0 <= point[1] < shape[0] * STEP


def _turn(points: np.ndarray, side: str) -> float:
    """How far the back of the hand faces the camera: 1 wholly, 0 the thumb does, -1 the palm does."""
    _, elbow, wrist, index, little = ARM[side]
    way = points[wrist] - points[elbow]
    hand = float(np.hypot(*((points[index] + points[little]) / 2 - points[wrist])))
    outward = np.array([way[1], -way[0]]) * (1 if side == "left" else -1) / max(float(np.hypot(*way)), 1e-3)
    # Knuckles of index and little finger are about 0.7 hand lengths (wrist to knuckles) apart.
    return float(np.clip((points[little] - points[index]) @ outward / max(0.7 * hand, 1e-3), -1, 1))


def _offset(shape: tuple[int, int], start: np.ndarray, end: np.ndarray, radii: tuple[float, float]) -> np.ndarray:
    """Signed distance from a limb's axis in its radius; + lies where a left arm that hangs down has its outside."""
    x = np.arange(shape[1], dtype=np.float32)[None] * STEP - np.float32(start[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] * STEP - np.float32(start[1])
    way = (end - start).astype(np.float32)
    length = max(float(np.hypot(*way)), 1e-3)
    place = np.clip((x * way[0] + y * way[1]) / length**2, 0, 1)
    return (x * way[1] - y * way[0]) / length / (radii[0] + (radii[1] - radii[0]) * place)
