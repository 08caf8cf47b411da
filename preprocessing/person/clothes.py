"""Which clothes a person wears: where the top ends, how far sleeves go, trousers or a skirt, or a dress.

An open coat over a top is not told from one top: regions and colours cannot say it apart from a raglan or a panel of
another colour. Both are UPPER.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from preprocessing.labels import Joint, Parse
from preprocessing.person.body import SIDES, capsule
from preprocessing.person.legwear import is_skirt
from preprocessing.person.scene import Colours, Scene, colour_bins, pattern_bins, thin

# Where a top ends when colours do not tell, in torso lengths below the shoulders, and how sure that is.
WAIST, WAIST_SPREAD = 0.98, 0.10
# A dress is as alike above and below as this, by Bhattacharyya's coefficient of its colours.
ONE_COLOUR = 0.75
_EMPTY = 2e-5
# The line of the waist is sought on a grid this much coarser; a clear horizontal edge is worth so much log likelihood,
# and climbing a row, no more than one per column, costs so much.
_COARSE, _EDGE, _CLIMB = 2, 14.0, 1.0


def dress_labels(scene: Scene) -> np.ndarray:
    """Labels of the clothes: UPPER, DRESS, PANTS or SKIRT; uint8 (h, w), 0 where there are none."""
    forearms = np.minimum.reduce([np.minimum(scene.limbs.forearm[s][0], scene.limbs.hand[s][0]) for s in SIDES])
    free = scene.clothes & (forearms > 1.0)
    chest = free & (np.abs(scene.across) < 0.7) & (scene.along > 0.12) & (scene.along < 0.6)
    thighs = free & (_thigh_distance(scene) < 0.8) & (scene.along > 1.2)
    ratio = _top_over_bottom(scene, free, chest, thighs)
    bare = _bare_waist(scene)
    top = _top(scene, free, ratio, bare)
    bottom = scene.clothes & ~top

    labels = np.zeros(scene.clothes.shape, np.uint8)
    skirt = is_skirt(scene, bottom)
    if skirt and bare is None and _one_colour(scene, chest, thighs & (scene.along > 1.35)):
        labels[scene.clothes] = Parse.DRESS
        return labels
    labels[top] = Parse.UPPER
    labels[bottom] = Parse.SKIRT if skirt else Parse.PANTS
    return labels


def _thigh_distance(scene: Scene) -> np.ndarray:
    unit, points = scene.frame.shoulder_width, scene.keypoints[:, :2]
    return np.minimum.reduce(
        [
            capsule(scene.clothes.shape, points[hip], points[knee], (0.34 * unit, 0.22 * unit), scene.step)[0]
            for hip, knee in ((Joint.L_HIP, Joint.L_KNEE), (Joint.R_HIP, Joint.R_KNEE))
        ]
    )


def _waist_prior(scene: Scene) -> np.ndarray:
    return np.clip((WAIST - scene.along) / WAIST_SPREAD, -4, 4)


def _top_over_bottom(scene: Scene, free: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Log likelihood of top against bottom, by colour learnt from seeds and then from its own answer; (h, w)."""
    free, top, bottom, prior = (thin(a) for a in (free, top, bottom, _waist_prior(scene)))
    colours, patterns = colour_bins(thin(scene.image)), pattern_bins(thin(scene.image))
    ratio = np.zeros(free.shape, np.float32)
    for _ in range(2):
        if top.sum() < 20 or bottom.sum() < 20:
            break
        colour = np.log((Colours(colours, top).histogram + _EMPTY) / (Colours(colours, bottom).histogram + _EMPTY))
        pattern = np.log(_shares(patterns, top) / _shares(patterns, bottom))
        ratio = np.clip(colour, -4, 4).astype(np.float32)[colours]
        ratio += np.clip(pattern, -2, 2).astype(np.float32)[patterns]
        ratio = cv2.blur(ratio, (3, 3))
        top = free & (ratio + prior > 1.5)
        bottom = free & (ratio + prior < -1.5)
    return cv2.resize(ratio, scene.clothes.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _shares(bins: np.ndarray, where: np.ndarray) -> np.ndarray:
    histogram = np.bincount(bins[where], minlength=48).reshape(6, 8).astype(np.float32)
    histogram = gaussian_filter(histogram, (0.6, 0.8)).ravel() / where.sum()
    return histogram + 0.01


def _bare_waist(scene: Scene) -> tuple[float, float] | None:
    """First and last row of a belt of bare skin between top and bottom; None where there is none."""
    middle = (np.abs(scene.across) < 0.5) & (scene.along > 0.1) & (scene.along < 1.3)
    arms = np.minimum(*(scene.limbs.arm_distance(side) for side in SIDES)) < 1.5
    skin, clothes = (middle & scene.skin & ~arms).sum(1), (middle & scene.clothes).sum(1)
    low = (middle & (scene.along > 0.4)).any(1)
    bare = np.flatnonzero(low & (skin > np.maximum(2 * clothes, 0.15 * scene.unit)))
    if len(bare) == 0:
        return None
    run = max(np.split(bare, np.flatnonzero(np.diff(bare) > 0.03 * scene.torso) + 1), key=len)
    above, below = clothes[: run[0]].sum(), clothes[run[-1] + 1 :].sum()
    enough = 0.05 * scene.torso * scene.unit
    if len(run) < 0.03 * scene.torso or above < enough or below < 0.3 * enough:
        return None
    return float(run[0]), float(run[-1])


def _top(scene: Scene, free: np.ndarray, ratio: np.ndarray, bare: tuple[float, float] | None) -> np.ndarray:
    """Mask of the top with its sleeves."""
    trunk = free & (np.abs(scene.across) < 1.3)
    rows = np.arange(trunk.shape[0])[:, None]
    if bare:
        above = np.broadcast_to(rows < (bare[0] + bare[1]) / 2, trunk.shape)
    else:
        line = _waist_line(scene, trunk, ratio + _waist_prior(scene))
        above = scene.along < WAIST if line is None else rows < line[None]
    sleeves = _sleeves(scene, ratio) & (scene.along < 1.8)
    return _without_crumbs(scene, scene.clothes & (above | sleeves | (scene.along < 0.2)), sleeves)


def _waist_line(scene: Scene, trunk: np.ndarray, evidence: np.ndarray) -> np.ndarray | None:
    """For each column the row that best parts top above from bottom below; None where the trunk is too small.

    The best path from side to side by dynamic programming: it gathers evidence of the top above it and of the bottom
    below it, likes horizontal edges, and may climb only slowly.
    """
    inner = cv2.erode(trunk.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0  # the outline's colours are mixed
    evidence = np.where(inner, np.clip(evidence, -4, 4), 0)
    evidence = np.where(scene.along < 0.35, np.abs(evidence), evidence)  # high on the chest everything is top
    size = (trunk.shape[1] // _COARSE, trunk.shape[0] // _COARSE)
    gain = np.cumsum(cv2.resize(evidence.astype(np.float32), size, interpolation=cv2.INTER_AREA), axis=0)
    gain += _EDGE * _level_edges(scene, trunk, size)
    used = np.flatnonzero(cv2.resize(trunk.astype(np.uint8), size).sum(0) > 0.02 * size[1])
    if len(used) < 5:
        return None
    used = np.arange(used[0], used[-1] + 1)
    best, came = gain[:, used[0]], []
    padded = np.full(len(best) + 2, -np.inf, np.float32)
    for column in used[1:]:
        padded[1:-1] = best
        options = np.stack([padded[:-2] - _CLIMB, best, padded[2:] - _CLIMB])
        came.append(options.argmax(0))
        best = options.max(0) + gain[:, column]
    path = [int(best.argmax())]
    for choice in reversed(came):
        path.append(path[-1] + int(choice[path[-1]]) - 1)
    columns = (used + 0.5) * _COARSE
    return np.interp(np.arange(trunk.shape[1]), columns, (np.array(path[::-1], np.float32) + 1) * _COARSE)


def _level_edges(scene: Scene, trunk: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How much of a horizontal edge passes through each place of the trunk, 0..1; (h, w) at `size` (width, height).

    The clearest edge about the waist counts 1, so that a hem of black over black counts, too.
    """
    grey = cv2.resize(cv2.cvtColor(scene.image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(trunk.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    inside = cv2.erode(inside, np.ones((5, 3), np.uint8)).astype(np.float32)
    slope = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3) * inside
    width = int(0.25 * scene.unit / _COARSE) | 1
    level = np.abs(cv2.blur(slope, (width, 1)))  # what rises here and falls there is a fold, not a hem
    about = (inside > 0) & (cv2.resize(scene.along, size) > 0.6)
    return np.clip(level / max(float(np.quantile(level[about], 0.98)), 3.0), 0, 1) if about.any() else level * 0


def _sleeves(scene: Scene, ratio: np.ndarray) -> np.ndarray:
    """Where sleeves are: along each arm as far as it is clothed."""
    sleeves = np.zeros(scene.clothes.shape, bool)
    for side in SIDES:
        upper, fore, hand = scene.limbs.upper_arm[side], scene.limbs.forearm[side], scene.limbs.hand[side]
        if _clothed(scene, *upper) < 0.35:
            continue
        sleeve = (upper[0] < 1.0) & (ratio > -0.7)
        if _clothed(scene, *fore) >= 0.35:
            cuff = np.minimum(np.minimum(upper[0], fore[0]), hand[0])
            sleeve |= ((fore[0] < 1.0) & (ratio > -0.7)) | ((cuff < 1.6) & (ratio > 1.0))
        sleeves |= sleeve
    return sleeves


def _clothed(scene: Scene, distance: np.ndarray, place: np.ndarray) -> float:
    """Share of a limb's core covered by clothes rather than skin; 1 where it is not seen."""
    core = (distance < 0.5) & (place > 0) & (place < 1)
    clothes, skin = (core & scene.clothes).sum(), (core & scene.skin).sum()
    return float(clothes / (clothes + skin)) if clothes + skin > 10 else 1.0


def _without_crumbs(scene: Scene, top: np.ndarray, sleeves: np.ndarray) -> np.ndarray:
    """The top without small pieces apart from it low on the body, and with the pieces of others high on it."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats(top.astype(np.uint8))
    if count > 2:
        areas = stats[:, cv2.CC_STAT_AREA]
        of_sleeves = np.bincount(labels[sleeves], minlength=count) > 0.5 * areas
        for piece in range(1, count):
            middle = scene.along[int(centres[piece][1]), int(centres[piece][0])]
            if areas[piece] < 0.08 * areas[1:].max() and middle > 0.8 and not of_sleeves[piece]:
                top = top & (labels != piece)
    bottom = scene.clothes & ~top
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bottom.astype(np.uint8))
    if count < 2:
        return top
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return top | (bottom & (labels != largest) & (scene.along < 1.1))


def _one_colour(scene: Scene, chest: np.ndarray, skirt: np.ndarray) -> bool:
    """Whether chest and skirt look like one piece, and enough of the skirt is seen to say so."""
    bins, chest, skirt = colour_bins(thin(scene.image)), thin(chest), thin(skirt)
    if min(chest.sum(), skirt.sum()) < 50:
        return False
    return Colours(bins, chest).likeness(Colours(bins, skirt)) > ONE_COLOUR
