"""Parts a small picture in two along the cheapest line, and mends what such a cut gets wrong of a garment."""

from __future__ import annotations

import cv2
import numpy as np

# How much a pixel's own evidence counts against the length of the line.
EVIDENCE = 8.0
# Evidence beyond this (natural logarithm of a likelihood ratio) counts no more.
SURE = 8.0
# How much sharper light falls at the top of an inner back than in a shadow, as a share of the background's light.
EDGE = 0.02


def ellipse(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def eroded(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.erode(mask.astype(np.uint8), ellipse(size), borderValue=0) > 0


def dilated(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), ellipse(size)) > 0


def closed(mask: np.ndarray, size: int) -> np.ndarray:
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), *4 * [size], cv2.BORDER_CONSTANT)
    return cv2.morphologyEx(padded, cv2.MORPH_CLOSE, ellipse(size))[size:-size, size:-size] > 0


def large_pieces(mask: np.ndarray, share: float) -> np.ndarray:
    """The pieces with more than this share of the largest one's area."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return (areas > share * areas.max())[labels]


def holes(mask: np.ndarray) -> list[np.ndarray]:
    """Each region of the background that the picture's border cannot reach; bool (H, W)."""
    count, labels = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return [labels == index for index in range(1, count) if index not in outside]


def filled(mask: np.ndarray) -> np.ndarray:
    _, labels = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return ~np.isin(labels, outside[outside > 0])


def tall(mask: np.ndarray, length: int) -> np.ndarray:
    """What of a mask stands in columns at least this long."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), length, length, 0, 0, cv2.BORDER_CONSTANT)
    return cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))[length:-length] > 0


def cut(evidence: np.ndarray, image: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The minimum cut (Boykov and Jolly 2001) between given pixels inside and outside; bool (H, W).

    OpenCV has the solver in GrabCut. Its own colour models are kept from learning and set so that the first channel,
    which holds the evidence, gives the cost of a pixel and the others do not; all give the cost of a step.

    Args:
        evidence: log likelihood ratio of garment to background (H, W).
        image: two channels 0..255 whose edges draw the line (H, W, 2).
    """
    step = 4.0
    coded = np.dstack([128 + step * np.clip(evidence, -SURE, SURE), image])
    trimap = np.where(evidence > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[outside], trimap[inside] = cv2.GC_BGD, cv2.GC_FGD
    apart = 6 * step

    def model(centre: float) -> np.ndarray:
        """One normal distribution: weights of five, their means, their covariances."""
        numbers = np.zeros((1, 65))
        numbers[0, 0] = 1
        numbers[0, 5:8] = centre, 128, 128
        numbers[0, 20:29] = np.diag([2 * apart * step / EVIDENCE, 1e6, 1e6]).ravel()
        return numbers

    behind, front = model(128 - apart), model(128 + apart)
    coded = np.clip(np.round(coded), 0, 255).astype(np.uint8)
    cv2.grabCut(coded, trimap, None, behind, front, 1, cv2.GC_EVAL_FREEZE_MODEL)
    return (trimap & 1) > 0


def without_prints_cut_out(mask: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Fill the holes that are not a gap between sleeve and body or between the legs: those are tall and clear."""
    mask = mask.copy()
    for hole in holes(mask):
        rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
        upright = rows[-1] - rows[0] + 1 > 1.6 * (columns[-1] - columns[0] + 1)
        hull = cv2.convexHull(np.argwhere(hole).astype(np.int32))
        smooth = hole.sum() > 0.6 * cv2.contourArea(hull)
        if not (upright and smooth) or hole.sum() < 0.0006 * mask.size or np.median(evidence[hole]) > -2:
            mask |= hole
    return mask


def with_inner_back(mask: np.ndarray, strange: np.ndarray, shadow: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """Add what shows of the back above a neckline or waistband: enclosed left, right and below, open at the top, and
    darker all over. Where it could be the background in shadow, the back is told by the edge that it ends with at
    the top: a shadow fades.

    Args:
        strange: unlike the background in light (H, W).
        shadow: like the background in shadow (H, W).
        shade: share of the background's light (H, W).
    """
    sides = [np.logical_or.accumulate(mask[:, ::way], axis=1)[:, ::way] for way in (1, -1)]
    valley = mask.any(0) & ~np.logical_or.accumulate(mask, axis=0) & sides[0] & sides[1]
    valley = cv2.morphologyEx(valley.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(valley, connectivity=4)
    mask = mask.copy()
    for index in range(1, count):
        part = labels == index
        if stats[index, cv2.CC_STAT_AREA] <= 20 or strange[part].mean() <= 0.75:
            continue
        if shadow[part].mean() < 0.5 or _top_edge(part, shade) > EDGE:
            mask |= part
    return mask


def _top_edge(part: np.ndarray, shade: np.ndarray) -> float:
    """How sharply light falls down the columns of a part, its lower end left out: the median of their maxima."""
    falls = np.zeros_like(shade)
    falls[3:-3] = shade[2:-4] - shade[4:-2] - (shade[:-6] - shade[6:]) / 3  # none where it falls evenly
    reach = cv2.dilate(part.astype(np.uint8), np.ones((7, 1), np.uint8)) > 0
    ends = ~cv2.erode(part.astype(np.uint8), np.ones((4, 1), np.uint8), anchor=(0, 0), borderValue=0) & part
    below = np.logical_or.accumulate(part, axis=0) & ~part
    looked_at = reach & ~(ends > 0) & ~below
    columns = part.any(0)
    return float(np.median(np.where(looked_at, falls, -1).max(0)[columns]))
