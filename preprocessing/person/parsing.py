"""From regions (hair, skin, clothes) and joints to a parse map: which sleeve, which arm, where the waist is."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, median_filter

from preprocessing.labels import Joint, Parse, Region
from preprocessing.person.body import SIDES, BodyFrame, Limbs, arm_capsules, capsule

# The parse is made at half size: the network's own grid is coarser still.
STEP = 2
# Where a top ends when colours do not tell, in torso lengths, and how sure that is.
WAIST, WAIST_SPREAD = 0.98, 0.10
_EMPTY = 2e-5


class _Colours:
    """How likely a colour is in a part of the picture: a smoothed Lab histogram."""

    BINS = (32, 32, 32)

    def __init__(self, bins: np.ndarray, where: np.ndarray):
        histogram = np.bincount(bins[where], minlength=32**3).reshape(self.BINS).astype(np.float32)
        histogram = gaussian_filter(histogram, (1.6, 0.8, 0.8))
        self.histogram = histogram.ravel() / max(float(histogram.sum()), 1e-6)

    def __getitem__(self, bins: np.ndarray) -> np.ndarray:
        return self.histogram[bins]


def _colour_bins(image: np.ndarray) -> np.ndarray:
    """Index of each pixel's cell in a Lab histogram, fine about grey where clothes and skin lie; int (H, W)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 0.8), cv2.COLOR_RGB2LAB).astype(np.int32)
    a = np.clip((lab[..., 1] - 64) // 4, 0, 31)
    b = np.clip((lab[..., 2] - 64) // 4, 0, 31)
    return (lab[..., 0] // 8) * 1024 + a * 32 + b


def _upper_over_lower(
    bins: np.ndarray, clothes: np.ndarray, top_seed: np.ndarray, bottom_seed: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Log likelihood of top against bottom, by colour learnt from seeds and then from its own answer."""
    top, bottom = top_seed, bottom_seed
    ratio = np.zeros(bins.shape, np.float32)
    for _ in range(2):
        if top.sum() < 50 or bottom.sum() < 50:
            break
        ratio = np.log((_Colours(bins, top)[bins] + _EMPTY) / (_Colours(bins, bottom)[bins] + _EMPTY))
        ratio = cv2.blur(np.clip(ratio, -4, 4).astype(np.float32), (5, 5))
        top = clothes & (ratio + prior > 1.5)
        bottom = clothes & (ratio + prior < -1.5)
    return ratio


def _waist_rows(evidence: np.ndarray, use: np.ndarray, upward: np.ndarray) -> np.ndarray | None:
    """For each column the row that best parts top above from bottom below, smoothed; None where nothing tells."""
    evidence = np.where(use, np.clip(evidence, -4, 4), 0)
    evidence = np.where(upward, np.abs(evidence), evidence)  # high on the chest everything is top
    evidence = cv2.blur(evidence.astype(np.float32), (25, 1))
    columns = np.flatnonzero(use.sum(0) > 0.02 * use.shape[0])
    if len(columns) < 10:
        return None
    rows = np.cumsum(evidence, axis=0).argmax(0)[columns].astype(np.float32)
    rows = median_filter(rows, 25, mode="nearest")
    return np.interp(np.arange(use.shape[1]), columns, rows)


def _split_clothes(
    image: np.ndarray, clothes: np.ndarray, keypoints: np.ndarray, limbs: Limbs
) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the top and of what is worn below it; bool (h, w) each."""
    shape = clothes.shape
    across, along = BodyFrame.of(keypoints).maps(shape, STEP)
    unit = BodyFrame.of(keypoints).shoulder_width
    sleeves = np.minimum.reduce([limbs.upper_arm[s][0] for s in SIDES] + [limbs.forearm[s][0] for s in SIDES])
    lower_arms = np.minimum.reduce([limbs.forearm[s][0] for s in SIDES] + [limbs.hand[s][0] for s in SIDES])
    thighs = np.minimum.reduce(
        [
            capsule(shape, keypoints[hip, :2], keypoints[knee, :2], (0.34 * unit, 0.22 * unit), STEP)[0]
            for hip, knee in ((Joint.L_HIP, Joint.L_KNEE), (Joint.R_HIP, Joint.R_KNEE))
        ]
    )
    free = clothes & (lower_arms > 1.0)
    prior = np.clip((WAIST - along) / WAIST_SPREAD, -4, 4)
    ratio = _upper_over_lower(
        _colour_bins(image),
        free,
        free & (np.abs(across) < 0.7) & (along > 0.12) & (along < 0.6),
        free & (thighs < 0.8) & (along > 1.2),
        prior,
    )
    trunk = free & (np.abs(across) < 1.3)
    rows = _waist_rows(ratio + prior, trunk, along < 0.35)
    above = along < WAIST if rows is None else np.arange(shape[0])[:, None] < rows[None]
    cuffs = np.minimum(sleeves, lower_arms)
    sleeve = ((sleeves < 1.0) & (ratio > -0.7)) | ((cuffs < 1.6) & (ratio > 1.0))
    top = clothes & (above | (sleeve & (along < 1.8)) | (along < 0.2))
    bottom = _largest(clothes & ~top) | (clothes & ~top & (along > 1.1))
    return clothes & ~bottom, bottom


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest piece: what is worn below is in one, and a bit of another is a sleeve's end."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def parse_person(image: np.ndarray, regions: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """The parse map of a person.

    Args:
        image: uint8 RGB (h, w, 3) and
        regions: float32 (6, h, w), both at half size.
        keypoints: (33, 4), at full size.

    Returns:
        uint8 (h, w) of `Parse`.
    """
    shape = regions.shape[1:]
    frame = BodyFrame.of(keypoints)
    across, along = frame.maps(shape, STEP)
    limbs = arm_capsules(keypoints, shape, STEP)
    left, right = (limbs.arm_distance(side) for side in SIDES)
    region = regions.argmax(0)

    parse = np.zeros(shape, np.uint8)
    top, bottom = _split_clothes(image, region == Region.CLOTHES, keypoints, limbs)
    parse[top], parse[bottom] = Parse.UPPER, Parse.PANTS
    parse[region == Region.HAIR] = Parse.HAIR
    skin = (region == Region.BODY_SKIN) | (region == Region.FACE_SKIN)
    parse[skin] = Parse.TORSO_SKIN
    neck = (along < 0.1) & (np.abs(across) < 0.62)
    arm = skin & (np.minimum(left, right) < 1.5) & ~neck
    leg = skin & (along > 1.05) & (np.minimum(left, right) > 1.2)
    parse[leg & (across > 0)] = Parse.LEFT_LEG
    parse[leg & (across <= 0)] = Parse.RIGHT_LEG
    parse[arm & (left <= right)] = Parse.LEFT_ARM
    parse[arm & (right < left)] = Parse.RIGHT_ARM
    parse[(region == Region.FACE_SKIN) & (along < 0.15)] = Parse.FACE
    return cv2.medianBlur(parse, 5)


def enlarge(parse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A parse map at another size with smooth borders instead of steps."""
    best = np.zeros(shape, np.float32)
    large = np.zeros(shape, np.uint8)
    for label in np.unique(parse):
        part = cv2.GaussianBlur((parse == label).astype(np.float32), (0, 0), 0.8)
        part = cv2.resize(part, shape[::-1], interpolation=cv2.INTER_LINEAR)
        closer = part > best
        large[closer] = label
        best = np.maximum(best, part)
    return large
