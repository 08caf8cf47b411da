"""Whether a garment's picture shows it worn: skin in its mask or right beside it, where the wearer goes on."""

from __future__ import annotations

import cv2
import numpy as np

LONG_SIDE = 256
# Skin of all tones in YCrCb: Chai and Ngan, “Face segmentation using skin-color map” (IEEE TCSVT 1999).
CR, CB = (133, 173), (77, 127)
# Skin is more yellow than pink cloth is: b over a of CIE Lab.
PINK = 0.75
# Where, from above, a garment is certainly itself.
MIDDLE, LOWER_MIDDLE = (0.35, 0.65), (0.2, 0.4)
# How unlike the garment's own cloth skin has to be, in CIE Lab; the share of the mask from which it is a wearer's.
UNLIKE, SHARE = 14.0, 0.05


def is_worn(image: np.ndarray, mask: np.ndarray, category: str) -> bool:
    """Whether someone wears the garment.

    Cloth may have the colour of skin, and so may a floor. So only what differs from the middle of the garment counts,
    inside the mask or, before a studio's background, where something else stands out from it; and some of it must
    lie where a neck, a face, hands or legs would be: above, below or outside the garment.

    Args:
        image: uint8 RGB (H, W, 3).
        mask: bool (H, W).
        category: "upper", "lower" or "dress"; with a bottom the mask may hold the legs below it.
    """
    scale = min(1.0, LONG_SIDE / max(mask.shape))
    size = tuple(max(1, round(side * scale)) for side in mask.shape[::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    border = np.concatenate([lab[:, :3].reshape(-1, 3), lab[:, -3:].reshape(-1, 3)])  # a body leaves above and below
    skin = (
        _skin_coloured(small, lab)
        & _unlike(lab, lab[_middle(inside, LOWER_MIDDLE if category == "lower" else MIDDLE)], 0.04)
        & _unlike(lab, border, 0.12)
    )
    skin &= inside | _beside(lab, inside, border)
    skin = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    rows = np.flatnonzero(inside.any(1))
    top, bottom = rows[0], rows[-1]
    ends = ~inside
    ends[: top + int(0.2 * (bottom - top))] = True
    ends[bottom - int(0.12 * (bottom - top)) :] = True
    count, labels, stats, _ = cv2.connectedComponentsWithStats(skin)
    area, beyond = 0, 0
    for index in range(1, count):
        size = stats[index, cv2.CC_STAT_AREA]
        if size > 0.006 * inside.sum():
            area += size
            beyond += int((ends & (labels == index)).sum())
    return bool(area > SHARE * inside.sum() and beyond > 0.4 * SHARE * inside.sum())


def _skin_coloured(small: np.ndarray, lab: np.ndarray) -> np.ndarray:
    tones = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    red, blue = tones[..., 1], tones[..., 2]
    skin = (tones[..., 0] > 40) & (red > CR[0] + 2) & (red < CR[1]) & (blue > CB[0]) & (blue < CB[1] - 3)
    return skin & (lab[..., 2] > PINK * lab[..., 1])


def _middle(inside: np.ndarray, share: tuple[float, float]) -> np.ndarray:
    """The middle of the garment, where nobody's skin shows, between two shares of its pixels from above; bool."""
    rows, columns = np.nonzero(inside)
    low, high = np.quantile(rows, share)
    left, right = np.quantile(columns, [0.25, 0.75])
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]]
    return inside & (y >= low) & (y <= high) & (x >= left) & (x <= right)


def _unlike(lab: np.ndarray, sample: np.ndarray, share: float) -> np.ndarray:
    """Where a picture differs from each colour that makes up more than a share of a sample; bool."""
    cells, counts = np.unique(np.round(sample / 8).astype(int), axis=0, return_counts=True)
    unlike = np.ones(lab.shape[:2], bool)
    for cell in cells[counts > share * counts.sum()] * np.float32(8):
        unlike &= (((lab - cell) * np.float32([0.5, 1, 1])) ** 2).sum(-1) > UNLIKE**2
    return unlike


def _beside(lab: np.ndarray, inside: np.ndarray, border: np.ndarray) -> np.ndarray:
    """What stands out from a studio's grey or white background and touches the garment; bool."""
    ground = np.median(border, axis=0)
    away = ((lab - ground) ** 2).sum(-1) > 12**2
    if np.hypot(*ground[1:]) > 8 or (((border - ground) ** 2).sum(-1) > 12**2).mean() > 0.4:
        return np.zeros_like(inside)
    away |= inside
    _, labels = cv2.connectedComponents(away.astype(np.uint8))
    return np.isin(labels, np.unique(labels[inside])) & away & ~inside
