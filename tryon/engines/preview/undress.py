"""The photo without the clothes that come off: skin, what stays on, or the background, where the new ones are smaller.

What is filled in is smooth, so colours are worked out at a quarter of the size and where they belong at half of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import ARMS, BOTTOMS, LEGS, TOPS, Joint, Parse
from preprocessing.person.body import SIDES as OWN_SIDES
from preprocessing.person.body import capsule
from tryon.engines.pixels import (
    box_of,
    enlarged,
    full,
    grown,
    halved,
    labelled,
    local_mean,
    mixed,
    shrunk,
    soft,
    spread,
)
from tryon.engines.preview.arm import SHOULDER, bared
from tryon.engines.preview.figure import HALF, OWN_SIDE, QUARTER, SIDES, Figure, prior_widths
from tryon.engines.preview.lower_body import LEG_JOINTS, leg_joints
from tryon.engines.preview.wardrobe import BELLY, Wardrobe

# Radii of bare legs at hip, knee and ankle, in shoulder widths.
LEG_RADII = (0.29, 0.17, 0.11)
LEG_LABEL = {"left": Parse.RIGHT_LEG, "right": Parse.LEFT_LEG}
# Where trousers and skirts begin at the latest, in torso lengths, when the top worn now hangs over them.
TROUSERS = 0.85
# By how much skin and cloth must differ in hue (Lab's a and b) to be told apart between the fingers.
HUES = 20.0
# Below the arms a top covers the sides of the trunk: they are left out of its bare skin rather than seen beside it.
TAPER = 0.92
# Of 255, how much of a blurred mask lies as far inside as cloth is thick.
INSIDE = 205
# The same for where skin has its edge.
EDGE = 128
# How far a painted arm goes over into the seen one, in shoulder widths.
GENTLE = 0.03
# What counts as changed.
LEAST_SHARE = 0.003
# A fixed seed: the same bytes twice.
_GRAIN = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 4, (128, 128)).astype(np.float32), (0, 0), 1.0)


@dataclass(frozen=True)
class Zones:
    """What would be seen without the clothes, at half the size; the rest is background.

    Attributes:
        skin: float32 (H/2, W/2) 0..1, bare skin.
        top, bottom: bool (H/2, W/2), where what stays on would go on.
        round: float32 (H/2, W/2), light on the limbs and the trunk as a factor.
    """

    skin: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    round: np.ndarray


def edged(figure: Figure, wardrobe: Wardrobe) -> np.ndarray:
    """What comes off with its edge, but nothing of face, hair, skin or what stays; bool (H, W)."""
    parse, off = figure.person.parse, wardrobe.off
    clothes = _without_specks(wardrobe.top | wardrobe.bottom, int(0.08 * figure.frame.shoulder_width))
    arms = labelled(parse, *ARMS)
    kept = (arms | labelled(parse, *LEGS) | clothes | figure.person.carried) & ~grown(off, 3)
    # The shadow of a cuff goes with it, but fingers before the cloth stay whole, and arms beside it.
    cuffs = arms & grown(off, int(0.06 * figure.frame.shoulder_width) | 1) & ~full(_fingers(figure), off.shape)
    cuffs &= ~_bare(figure, off.shape)
    cuffs |= _between_fingers(figure, off, arms)
    return ((grown(off, 9) & ~kept) | cuffs) & ~labelled(parse, Parse.FACE, Parse.HAIR)


def _fingers(figure: Figure) -> np.ndarray:
    """About the hands, without the wrists; bool (H/2, W/2)."""
    hands = [figure.limbs.hand[side] for side in OWN_SIDES]
    return np.logical_or.reduce([(away < 2) & (place > 0.15) for away, place in hands])


def _bare(figure: Figure, shape: tuple[int, int], before: float = 0.0, after: float = 1.0) -> np.ndarray:
    """Arms from `before` the place where they begin to be seen from side to side to `after` it; bool (H, W)."""
    mask = np.zeros(shape, np.uint8)
    for arm in figure.arms.values():
        if arm.bare.any():
            outline = arm.outline(max(arm.bared_at - before, 0), min(arm.bared_at + after, 1))
            cv2.fillPoly(mask, [np.int32(np.round(outline))], 1)
    return mask.view(bool)


def _seams(figure: Figure, old: np.ndarray) -> np.ndarray:
    """Where a painted arm goes over into the seen one gently, its outlines left out; float32 (H, W)."""
    near = _bare(figure, old.shape, 0.06, 0.08)
    box, seams = box_of(near, margin=6), np.zeros(old.shape, np.float32)
    if near.any():
        seams[box] = soft(shrunk(near[box] & (old[box] | labelled(figure.person.parse[box], *ARMS)), 5), 1.0)
    return seams


def _between_fingers(figure: Figure, off: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Where what a parse map takes for a hand has the hue of the clothes that come off; bool (H, W)."""
    near = int(0.15 * figure.frame.shoulder_width) | 1
    found = np.zeros_like(off)
    hands = np.minimum(*(figure.limbs.hand[side][0] for side in OWN_SIDES)) < 1.5
    hands = arms & full(hands, off.shape) & grown(off, near)
    box = box_of(hands, margin=near)
    if not hands.any():
        return found
    hue = cv2.cvtColor(figure.person.image[box], cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32)
    cloth, known = local_mean(hue, shrunk(off[box], 5).astype(np.float32), 0.5 * near)
    skin = np.median(hue[hands[box]], axis=0)
    apart = cloth - skin
    contrast = (apart**2).sum(-1)
    share = ((hue - skin) * apart).sum(-1) / (contrast + 1)
    found[box] = grown(hands[box] & (known > 1e-4) & (contrast > HUES**2) & (share > 0.4), 3) & hands[box]
    return found


def _without_specks(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask without what is narrower than `size`: there the parse map took one garment for another."""
    return cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)).view(bool)


def without(figure: Figure, wardrobe: Wardrobe, old: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The photo with what is under `old` (bool (H, W)) filled in; uint8 RGB (H, W, 3), and where it may differ."""
    person = figure.person
    if not old.any():
        return person.image, old
    zones = _zones(figure, wardrobe)
    small = halved(person.image, QUARTER).astype(np.float32)
    half = zones.skin.shape

    def carried(mask):
        return _bytes(enlarged(spread(small, _quarter(mask)), half))

    bare = _bytes(enlarged(_skin(figure, small), half) * cv2.merge([zones.round] * 3))
    for arm in figure.arms.values():
        found = bared(arm, person.image, half, HALF)
        if found is not None:
            bare = mixed(found[0], bare, found[1])
    filled = carried(~grown(person.mask > 12, 9))
    filled = mixed(bare, filled, zones.skin)
    for zone, kept in ((zones.bottom, wardrobe.bottom), (zones.top, wardrobe.top)):
        if zone.any():
            filled = mixed(bare if kept.sum() < 500 else carried(shrunk(kept, 5)), filled, soft(zone, 0.8))
    box = box_of(old, margin=int(3 * GENTLE * figure.frame.shoulder_width) + 4)
    part, skin = (enlarged(array, old.shape)[box] for array in (filled, zones.skin))
    rows, columns = part.shape[:2]
    grain = np.tile(_GRAIN, (rows // 128 + 1, columns // 128 + 1))[:rows, :columns] * skin
    part = cv2.add(part, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
    result = person.image.copy()
    share = soft(old, 1.0)
    share[box] = np.maximum(
        share[box], _seams(figure, old)[box] * soft(old[box], GENTLE * figure.frame.shoulder_width)
    )
    result[box] = mixed(part, np.ascontiguousarray(person.image[box]), share[box])
    return result, share > LEAST_SHARE


def _bytes(picture: np.ndarray) -> np.ndarray:
    return cv2.convertScaleAbs(picture)


def _quarter(mask: np.ndarray) -> np.ndarray:
    """1 where all of a quarter-size pixel lies in a mask; float32."""
    return (halved(mask.view(np.uint8) * np.uint8(255), QUARTER) == 255).astype(np.float32)


def _zones(figure: Figure, wardrobe: Wardrobe) -> Zones:
    frame, person = figure.frame, figure.person
    half = person.parse[::HALF, ::HALF].shape
    across, along = figure.half_maps
    arms, to_arm = _arms(figure, across, along)
    legs, to_leg = _legs(figure, half)
    widths = np.where(across < 0, *(figure.half_width(side, along).astype(np.float32) for side in ("left", "right")))
    usual = prior_widths(frame, person.keypoints, along).astype(np.float32)  # the clothes worn may be loose
    widths = np.minimum(0.97 * widths, usual) / np.float32(frame.shoulder_width / 2)
    trunk = (np.abs(across) < np.minimum(widths, 1.12)) & (along > -0.35) & ((along > 0.12) | _shoulders(figure, half))
    # Cloth has a thickness; and the mask comes in steps that no skin has.
    body = cv2.GaussianBlur(person.mask[::HALF, ::HALF], (0, 0), 0.025 * frame.shoulder_width / HALF)
    body = body > INSIDE + (EDGE - INSIDE) * _beside_skin(person.parse[::HALF, ::HALF], frame.shoulder_width / HALF)
    waist = 1.0 if figure.waist is None else figure.waist
    sides = np.abs(across) > TAPER * widths
    bare = arms | (trunk & (along < (1.1 if wardrobe.belly else BELLY)) & ~(sides & (along > BELLY)))
    bare = _smooth(bare & body, 0.03 * frame.shoulder_width / HALF)
    legs *= (along > 0.9) * soft(body, 0.8)
    skin = bare if wardrobe.bottom.any() else np.maximum(bare, legs)
    on_arm = 1.06 - 0.14 * to_arm - 0.24 * np.clip(to_arm, 0, 1) ** 3
    on_leg = 1.05 - 0.12 * np.clip(to_leg, 0, 1) - 0.18 * np.clip(to_leg, 0, 1) ** 3
    on_trunk = 1 - 0.05 * np.clip(across, -1.2, 1.2) ** 2
    rounded = np.where(arms, on_arm, np.where((legs > 0) & (along > 1.1), on_leg, on_trunk))
    nothing = np.zeros(half, bool)
    begins = min(waist - 0.02, TROUSERS) if figure.bottom_at_waist else TROUSERS
    hem = grown(wardrobe.top[::HALF, ::HALF], 5)  # cloth goes on below its edge
    return Zones(
        skin,
        top=((trunk & (along < min(waist + 0.05, 0.95))) | hem) & ~arms if wardrobe.top.any() else nothing,
        bottom=(trunk | (legs > 0.5)) & (along > begins) & ~arms if wardrobe.bottom.any() else nothing,
        round=cv2.GaussianBlur(rounded.astype(np.float32), (0, 0), 0.0175 * frame.shoulder_width),
    )


def _beside_skin(parse: np.ndarray, unit: float) -> np.ndarray:
    """1 on and beside arms that are seen, where painted skin goes over into them, less further off; float32."""
    return soft(grown(labelled(parse, *ARMS), int(0.1 * unit) | 1), 0.05 * unit)


def _smooth(zone: np.ndarray, sigma: float) -> np.ndarray:
    """A zone whose outline has lost the creases of the clothes it was taken from, with a soft edge; float32."""
    blurred = soft(zone, sigma)
    return np.clip((blurred - 0.5) * np.float32(1.5 * sigma) + 0.5, 0, 1)


def _shoulders(figure: Figure, half: tuple[int, int]) -> np.ndarray:
    """The bare upper trunk with the neck, which is narrower than where collars lie and leans as the head does."""
    frame, unit = figure.frame, figure.frame.shoulder_width
    ears = figure.person.keypoints[[Joint.L_EAR, Joint.R_EAR], :2].mean(0)
    lean = float(np.clip(frame.across(ears) / unit, -0.15, 0.15))
    sides = []
    for side, sign in SIDES:
        root, end = figure.necks[side] + 0.04 * unit * frame.down, figure.shoulders[side]
        slope = root + 0.3 * (end - root) + 0.02 * unit * frame.down
        throat = root - sign * 0.06 * unit * frame.right
        chin = throat + (0.5 * lean * frame.right - 0.25 * frame.down) * unit
        sides.append([end, slope, throat, chin])
    below = [frame.point(0.6 * unit, 0.3 * unit), frame.point(-0.6 * unit, 0.3 * unit)]
    outline = np.array([*sides[0], *sides[1][::-1], *below])
    return cv2.fillPoly(np.zeros(half, np.uint8), [np.int32(np.round(outline / HALF))], 1) > 0


def _arms(figure: Figure, across: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where bare arms would be, without the part of the upper arm inside the torso, and the distance to their axis
    in units of the arm's own radius; at half the size."""
    limbs = figure.limbs
    arms, to_axis = np.zeros(across.shape, np.uint8), np.ones(across.shape, np.float32)
    for side, arm in figure.arms.items():
        one = (limbs.hand[OWN_SIDE[side]][0] < 0.8).astype(np.uint8)
        cv2.fillPoly(one, [np.int32(np.round(arm.outline() / HALF))], 1)
        round_ = max(float(arm.half[0]), float(np.hypot(*(figure.shoulders[side] - arm.path[0]))))
        cv2.circle(one, [int(place / HALF) for place in arm.path[0]], int(round_ / HALF), 1, cv2.FILLED)
        cv2.fillPoly(one, [_shoulder(figure, side)], 1)
        inward = cv2.distanceTransform(one, cv2.DIST_L2, 3) / (np.median(arm.half) / HALF)
        arms |= one
        to_axis = np.where(one > 0, 1 - np.minimum(inward, 1), to_axis)
    near = np.minimum.reduce([part[side][0] for part in (limbs.forearm, limbs.hand) for side in OWN_SIDES])
    inside = (np.abs(across) < 0.75) & (along > 0) & ~(near < 0.9)
    seen = labelled(figure.person.parse[::HALF, ::HALF], *ARMS) & ~_fingers(figure)  # to its edge, up to the hand
    return ((arms > 0) & ~inside) | seen, to_axis


def _shoulder(figure: Figure, side: str) -> np.ndarray:
    """The outline of a bare shoulder, from the neck to where the arm is an arm; int32 (N, 2), at half the size."""
    arm = figure.arms[side]
    across = arm.normal[SHOULDER] * arm.half[SHOULDER]
    outer, inner = arm.path[SHOULDER] + across, arm.path[SHOULDER] - across
    corners = [figure.necks[side], figure.shoulders[side], outer, inner]
    return cv2.convexHull(np.int32(np.round(np.array(corners) / HALF)))


def _legs(figure: Figure, half: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel a bare leg would cover, and the distance to its axis in units of its radius; at half the
    size."""
    unit = figure.frame.shoulder_width
    hip, knee, ankle = (radius * unit for radius in LEG_RADII)
    distances = []
    for side in LEG_JOINTS:
        joints = leg_joints(figure, side)
        aside, thick = _seen_shin(figure, side, *capsule(half, joints[1], joints[2], (knee, ankle), HALF))
        at_knee, at_ankle = joints[1:] + aside
        distances.append(capsule(half, joints[0], at_knee, (hip, knee * thick), HALF)[0])
        distances.append(capsule(half, at_knee, at_ankle, (knee * thick, ankle * thick), HALF)[0])
    distance = np.minimum.reduce(distances)
    return np.clip((1 - distance) * knee / HALF + 0.5, 0, 1), distance


def _seen_shin(figure: Figure, side: str, distance: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, float]:
    """How far a shin seen bare lies beside its capsule, in pixels (2,), and its thickness compared with it."""
    bare = labelled(figure.person.parse, LEG_LABEL[side], Parse.SOCKS)[::HALF, ::HALF]
    bare &= (place > 0) & (place < 0.95) & (distance < 2)
    if bare.sum() < 60:
        return np.zeros(2), 1.0
    first, last = np.quantile(place[bare], [0.05, 0.95])
    part = (place > first) & (place < last)
    seen, usual = np.argwhere(bare & part), np.argwhere((distance < 1) & part)
    aside = (seen.mean(0) - usual.mean(0))[::-1] * HALF
    return aside, float(np.clip(len(seen) / max(len(usual), 1), 0.6, 1.4))


def _skin(figure: Figure, small: np.ndarray) -> np.ndarray:
    """Skin for everywhere, of the colour of the skin nearby; float32 RGB at a quarter of the size, like `small`."""
    person, unit = figure.person, figure.frame.shoulder_width / QUARTER
    parse = person.parse
    seen = labelled(parse, Parse.TORSO_SKIN, *ARMS, *LEGS) | shrunk(labelled(parse, Parse.FACE), 9)
    seen &= ~grown(labelled(parse, *TOPS, *BOTTOMS, Parse.DRESS), 9) & ~grown(labelled(parse, Parse.HAIR), 5)
    weight = _quarter(seen)
    lab = cv2.cvtColor(small.astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
    usual = np.median(lab[weight > 0 if weight.any() else _quarter(person.mask > 127) > 0], axis=0)
    weight *= (np.abs(lab - usual) < np.float32([70, 14, 16])).all(-1)
    median = cv2.cvtColor(usual.astype(np.uint8)[None, None], cv2.COLOR_LAB2RGB)[0, 0].astype(np.float32)
    near_weight = cv2.GaussianBlur(weight, (0, 0), 0.14 * unit)
    far, far_weight = local_mean(small, weight, 0.45 * unit)
    close, further = np.clip(near_weight * 8, 0, 1)[..., None], np.clip(far_weight * 25, 0, 1)[..., None]
    return spread(small, weight) * close + (1 - close) * (far * further + median * (1 - further))
