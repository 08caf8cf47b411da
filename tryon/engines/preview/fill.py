"""The photo without the top worn in it: skin, what is worn below, or the background, where the new one is smaller."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import ARMS, BOTTOMS, Parse
from preprocessing.person.body import SIDES as OWN_SIDES
from preprocessing.person.body import Limbs
from tryon.engines.preview.figure import Figure


def soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    """A mask with its edge blurred; float32 0..1."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)


def grown(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def shrunk(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def spread(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colours carried from where weight is 1 to where it is 0 (pull-push, Gortler 1996); float32 (H, W, 3)."""
    height, width = weight.shape
    size = (max(width // 2, 1), max(height // 2, 1))
    levels = [
        (
            cv2.resize(image * weight[..., None], size, interpolation=cv2.INTER_AREA),
            cv2.resize(weight, size, interpolation=cv2.INTER_AREA),
        )
    ]
    while min(levels[-1][1].shape) > 4:
        levels.append(tuple(cv2.pyrDown(array) for array in levels[-1]))
    filled = levels[-1][0] / (levels[-1][1][..., None] + 1e-6)
    for colours, weights in levels[-2::-1]:
        filled = cv2.resize(filled, weights.shape[::-1])
        known = np.clip(weights, 0, 1)[..., None]
        filled = filled * (1 - known) + known * (colours / (weights[..., None] + 1e-6))
    return cv2.resize(filled, (width, height))


def local_mean(image: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean about each pixel and the weight there, worked out at a quarter of the size."""
    height, width = weight.shape
    size = (max(width // 4, 1), max(height // 4, 1))
    total = cv2.GaussianBlur(
        cv2.resize(image * weight[..., None], size, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4
    )
    share = cv2.GaussianBlur(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4)
    total = total.reshape(*share.shape, -1) / (share[..., None] + 1e-4)
    mean = cv2.resize(total, (width, height)).reshape(height, width, -1)
    return mean, cv2.resize(share, (width, height))


@dataclass(frozen=True)
class Zones:
    """What would be seen without the top: bool (H, W) each; background is the rest."""

    skin: np.ndarray
    lower: np.ndarray


def old_top(figure: Figure) -> np.ndarray:
    """Where the top worn now is, with its edge, but not over face, hair or what is worn below; bool (H, W)."""
    parse = figure.person.parse
    worn = parse == Parse.UPPER
    edge = grown(worn, 9)
    near = grown(worn, 3)
    kept = (parse == Parse.FACE) | (parse == Parse.HAIR)
    kept |= (np.isin(parse, (*ARMS, *BOTTOMS)) | figure.person.carried) & ~near
    return edge & ~kept


def arm_zone(figure: Figure, limbs: Limbs, across: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where bare arms would be, without the part of the upper arm inside the torso, and distance to their axis in
    units of the arm's own radius."""
    distance = np.minimum(*(limbs.arm_distance(side) / _thickness(figure, limbs, side) for side in OWN_SIDES))
    in_front = np.minimum.reduce([m[side][0] for m in (limbs.forearm, limbs.hand) for side in OWN_SIDES]) < 0.9
    inside = (np.abs(across) < 0.75) & (along > 0) & ~in_front
    return (distance < 1) & ~inside, distance


def _thickness(figure: Figure, limbs: Limbs, side: str) -> float:
    """How thick an arm is compared with its capsule, where it is bare; a usual arm where it is not."""
    label = Parse.LEFT_ARM if side == "left" else Parse.RIGHT_ARM
    away, place = limbs.forearm[side]
    seen = away[(figure.person.parse == label) & (place > -0.1) & (place < 0.8) & (away < 1.3)]
    return float(np.clip(np.quantile(seen, 0.93), 0.55, 0.95)) if len(seen) > 300 else 0.8


def zones(figure: Figure, arms: np.ndarray, across: np.ndarray, along: np.ndarray) -> Zones:
    frame, person = figure.frame, figure.person
    half = np.where(
        across < 0,
        figure.half_width("left", along).astype(np.float32),
        figure.half_width("right", along).astype(np.float32),
    )
    half = half / np.float32(frame.shoulder_width / 2) * 0.97
    trunk = (np.abs(across) < np.minimum(half, 1.12)) & (along > -0.35)
    outline = [
        figure.shoulders["left"],
        figure.necks["left"],
        figure.necks["left"] - 0.2 * frame.shoulder_width * frame.down,
        figure.necks["right"] - 0.2 * frame.shoulder_width * frame.down,
        figure.necks["right"],
        figure.shoulders["right"],
        frame.point(0.6 * frame.shoulder_width, 0.3 * frame.shoulder_width),
        frame.point(-0.6 * frame.shoulder_width, 0.3 * frame.shoulder_width),
    ]
    shoulders = cv2.fillPoly(np.zeros(across.shape, np.uint8), [np.int32(np.round(outline))], 1) > 0
    trunk &= (along > 0.12) | shoulders
    waist = 1.0 if figure.waist is None else figure.waist
    lower = trunk & (along > min(waist - 0.02, 1.0)) & ~arms
    body = shrunk(person.mask > 100, int(0.04 * frame.shoulder_width) | 1)  # cloth is thicker than nothing
    return Zones((arms | (trunk & (along < 1.3))) & body, lower)


def skin(figure: Figure, arms: np.ndarray, arm_distance: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Skin for everywhere, of the colour of the skin nearby, rounded on the arms; float32 (H, W, 3).

    It is smooth, so it is worked out at half the size; only its grain is not.
    """
    person, unit = figure.person, figure.frame.shoulder_width / 2
    height, width = person.parse.shape
    parse, mask = person.parse[::2, ::2], person.mask[::2, ::2]
    image = cv2.resize(person.image, parse.shape[::-1], interpolation=cv2.INTER_AREA)
    seen = np.isin(parse, (Parse.TORSO_SKIN, *ARMS)) | shrunk(parse == Parse.FACE, 5)
    seen &= ~grown(parse == Parse.UPPER, 5) & ~grown(parse == Parse.HAIR, 3)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    usual = np.median(lab[seen if seen.any() else mask > 127], axis=0)
    like_skin = (np.abs(lab - usual) < np.float32([70, 14, 16])).all(-1)
    weight = shrunk(seen & like_skin, 3).astype(np.float32)
    image = image.astype(np.float32)
    median = cv2.cvtColor(usual.astype(np.uint8)[None, None], cv2.COLOR_LAB2RGB)[0, 0].astype(np.float32)
    near, near_weight = local_mean(image, weight, 0.10 * unit)
    far, far_weight = local_mean(image, weight, 0.45 * unit)
    close, further = np.clip(near_weight * 12, 0, 1)[..., None], np.clip(far_weight * 25, 0, 1)[..., None]
    colour = near * close + (1 - close) * (far * further + median * (1 - further))
    on_arm = 1.04 - 0.30 * np.clip(arm_distance[::2, ::2], 0, 1) ** 3
    on_trunk = 1 - 0.05 * np.clip(across[::2, ::2], -1.2, 1.2) ** 2
    rounded = cv2.GaussianBlur(np.where(arms[::2, ::2], on_arm, on_trunk), (0, 0), 0.035 * unit)
    colour = cv2.resize(colour * rounded[..., None], (width, height))
    return colour + np.tile(_GRAIN, (height // 128 + 1, width // 128 + 1))[:height, :width, None]


# A fixed seed: the same bytes twice.
_GRAIN = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 4, (128, 128)).astype(np.float32), (0, 0), 1.0)


def without_top(figure: Figure, limbs: Limbs, old: np.ndarray) -> np.ndarray:
    """The photo with what is under `old` filled in; float32 (H, W, 3)."""
    person = figure.person
    across, along = figure.frame.maps(person.parse.shape)
    arms, distance = arm_zone(figure, limbs, across, along)
    zone = zones(figure, arms, across, along)
    image = person.image.astype(np.float32)
    bare = skin(figure, arms, distance, across)
    background = spread(image, (~grown(person.mask > 12, 9)).astype(np.float32))
    below = shrunk(np.isin(person.parse, BOTTOMS), 5)
    lower = spread(image, below.astype(np.float32)) if below.sum() > 500 else bare
    skin_share = soft(zone.skin & ~zone.lower, 1.5)[..., None]
    lower_share = soft(zone.lower, 1.5)[..., None]
    rest = 1 - np.clip(skin_share + lower_share, 0, 1)
    filled = background * rest + bare * skin_share + lower * lower_share
    share = soft(old, 1.0)[..., None]
    return image * (1 - share) + filled * share
