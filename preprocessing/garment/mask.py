"""Where the garment is in its picture: against a plain background, a coloured cloth, or a busy one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Below this share of border pixels near the fitted background, colour alone cannot part garment from background.
PLAIN = 0.9
# Above this share of a side of the picture, what was found there is background rather than garment.
TOUCHING = 0.12
# Below this median distance a garment's shadow may differ more from the background than the garment does.
PALE = 30


@dataclass(frozen=True)
class FoundMask:
    """A garment's mask.

    Attributes:
        soft: float32 (H, W), 0..1.
        plain: 0..1, how much of the picture's border looks like one smooth background.
    """

    soft: np.ndarray
    plain: float

    @property
    def hard(self) -> np.ndarray:
        return self.soft > 0.5


@dataclass(frozen=True)
class _Background:
    """The colour behind a garment as a smooth surface.

    Attributes:
        distance: float32 (H, W), how far each pixel is from it, in Lab units with colour counted more than light.
        surface: float32 (H, W, 3), 8-bit Lab.
        noise: the usual distance of background pixels.
        plain: see FoundMask.
        coloured: whether it has a colour of its own, as a cloth has and a studio has not.
    """

    distance: np.ndarray
    surface: np.ndarray
    noise: float
    plain: float
    coloured: bool


def _ellipse(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _border(shape: tuple[int, int], width: int) -> np.ndarray:
    border = np.ones(shape, bool)
    border[width:-width, width:-width] = False
    return border


def _background(lab: np.ndarray) -> _Background:
    """Fit a quadratic to the border's colour (light falls off towards corners) and measure from it."""
    height, width = lab.shape[:2]
    border = _border((height, width), max(4, int(0.02 * min(height, width))))
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    colours, basis = lab[border], terms[border]
    keep = np.ones(len(colours), bool)
    for _ in range(3):  # least squares, leaving out what does not fit: a garment that touches the border
        coefficients = np.linalg.lstsq(basis[keep][::3], colours[keep][::3], rcond=None)[0]
        off = np.abs(colours - basis @ coefficients)
        limit = np.maximum(2.5 * np.median(off, axis=0), [6, 3, 3])
        keep = (off < limit).all(1)
        if keep.sum() < 200:
            break
    surface = (terms.reshape(-1, 6) @ coefficients).reshape(lab.shape).astype(np.float32)
    distance = cv2.blur(_distance(lab, surface), (3, 3))
    at_border = distance[border]
    noise = float(np.median(at_border))
    plain = float((at_border < max(8.0, 4 * noise)).mean())
    colour = np.hypot(surface[border][:, 1] - 128, surface[border][:, 2] - 128)
    return _Background(distance, surface, noise, plain, bool(np.median(colour) > 15))


def _distance(lab: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """How far colours are from the background's, where a fold or shadow of a coloured cloth counts little:
    there colour weakens together with light, and only a change of their relation tells a garment."""
    colour = np.hypot(surface[..., 1] - 128, surface[..., 2] - 128)
    coloured = np.clip((colour - 10) / 15, 0, 1)  # 0: a grey background, where only light can tell
    shade = np.clip(lab[..., 0] / np.maximum(surface[..., 0], 1), 0.25, 1.3)
    shade = 1 + coloured * (shade - 1)
    tint = (lab[..., 1:] - 128) - shade[..., None] * (surface[..., 1:] - 128)
    light = (1 - 0.75 * coloured) * (lab[..., 0] - surface[..., 0])
    return np.sqrt(light**2 + 2.56 * (tint**2).sum(-1))


def _regions_off_border(hard: np.ndarray, close: int) -> np.ndarray | None:
    """Fill what the border cannot reach, and keep the large pieces; None when nothing is left."""
    pad = close + 2
    padded = cv2.copyMakeBorder(hard.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _ellipse(close))[pad:-pad, pad:-pad]
    _, labels = cv2.connectedComponents((closed == 0).astype(np.uint8), connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = ~np.isin(labels, outside[outside > 0])
    opened = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return _large_pieces(opened > 0, 0.01)


def _large_pieces(mask: np.ndarray, share: float) -> np.ndarray | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.isin(labels, np.flatnonzero(areas > share * areas.max()))


def _by_distance(background: _Background) -> np.ndarray | None:
    """The garment by its distance from the background, with a lower limit where it hardly differs (white on white)."""
    distance, noise = background.distance, background.noise
    sure = _regions_off_border(distance > max(8.0, 4 * noise), 5)
    if background.coloured and sure is not None:  # folds and shadows of the cloth are nearer to it than the garment
        return _regions_off_border(distance > max(8.0, 4 * noise, 0.4 * np.median(distance[sure])), 5)
    faint = _regions_off_border(distance > max(2.2, 2.5 * noise), 9)
    if sure is None or faint is None:
        return sure if faint is None else faint
    thick = cv2.morphologyEx((faint & ~sure).astype(np.uint8), cv2.MORPH_OPEN, _ellipse(19)) > 0
    added = thick.sum() / max(1, faint.sum())
    contrast = float(np.median(distance[sure]))
    # With a garment that stands out, a faint rim is its shadow; with one that does not, it is the garment.
    if added < (0.15 if contrast > 40 else 0.012) or faint.mean() > 0.8:
        return sure
    return (
        cv2.morphologyEx(
            (sure | cv2.erode(faint.astype(np.uint8), np.ones((3, 3))) > 0).astype(np.uint8),
            cv2.MORPH_OPEN,
            _ellipse(7),
        )
        > 0
    )


def _without_gaps(mask: np.ndarray, background: _Background) -> np.ndarray:
    """Open the enclosed holes that show background: between sleeve and body, or through a collar."""
    contrast = float(np.median(background.distance[mask])) if mask.any() else 0
    limit = max(1.5, 1.6 * background.noise)
    if background.coloured:  # such a gap lies in shadow
        limit = max(limit, 0.3 * contrast)
    alike = background.distance < limit
    alike = cv2.morphologyEx((alike & mask).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] > 0.0004 * mask.size
    tall = stats[:, cv2.CC_STAT_HEIGHT] > 1.2 * stats[:, cv2.CC_STAT_WIDTH]
    found = np.flatnonzero(large & tall)
    found = found[found > 0]
    if contrast < 20 or len(found) > 4:  # white on white, or a print, has such places in its middle
        return mask
    return mask & ~(cv2.dilate(np.isin(labels, found).astype(np.uint8), np.ones((3, 3))) > 0)


def _with_stripes(mask: np.ndarray) -> np.ndarray:
    """Fill in stripes of the background's colour that run across the garment and out at its sides."""
    reach = int(0.13 * mask.shape[0]) | 1
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), reach, reach, 0, 0, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8))[reach:-reach]
    added = ((closed > 0) & ~mask).astype(np.uint8)
    wide = max(3, int(0.25 * mask.any(0).sum()))
    return mask | (cv2.morphologyEx(added, cv2.MORPH_OPEN, np.ones((1, wide), np.uint8)) > 0)


def _without_shadow(mask: np.ndarray, lab: np.ndarray, background: _Background) -> np.ndarray:
    """Take off a drop shadow: background made darker, without its own colour, fading out instead of ending.

    A part of the garment that looks so (a pale grey sleeve on white) has a sharp outer edge and stays.
    """
    drop = background.surface[..., 0] - lab[..., 0]
    tint = np.abs(lab[..., 1:] - background.surface[..., 1:]).max(-1)
    core = cv2.erode(mask.astype(np.uint8), _ellipse(int(0.06 * min(mask.shape)) | 1)) > 0
    contrast = float(np.median(background.distance[core if core.any() else mask]))
    shaded = mask & (drop > 1) & (background.distance < 0.6 * contrast) & (tint < 5 + 0.08 * drop)
    shaded = cv2.morphologyEx(shaded.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    rest = mask & (shaded == 0)
    if rest.sum() < 0.6 * mask.sum():
        return mask
    strength = float(np.median(background.distance[rest]))
    gradient = cv2.magnitude(*(cv2.Sobel(lab[..., 0], cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0))) / 8
    edge = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3)), iterations=2) == 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shaded, connectivity=8)
    cut = np.zeros(mask.shape, bool)
    for index in range(1, count):
        if stats[index, cv2.CC_STAT_AREA] < 12:
            continue
        x, y, w, h = stats[index, :4]
        window = np.s_[y : y + h, x : x + w]
        part = labels[window] == index
        rim = part & edge[window]
        if part.sum() > 0.03 * min(mask.shape) * rim.sum():
            continue  # reaches far in from the outline: a stripe or a panel
        weak = np.median(background.distance[window][part]) < 0.55 * strength
        if weak and np.median(gradient[window][rim]) < max(3.5, 0.10 * strength):
            cut[window] |= part
    left = cv2.morphologyEx((mask & ~cut).astype(np.uint8), cv2.MORPH_OPEN, _ellipse(5))
    kept = _large_pieces(left > 0, 0.08)
    return mask if kept is None else kept


def _pale(mask: np.ndarray, image: np.ndarray, lab: np.ndarray, background: _Background) -> np.ndarray:
    """A garment hardly lighter or darker than its background, cut from its own shadow, which differs more.

    GrabCut learns both from the picture: what is deep inside is the garment, what is darker than the background near
    the outline is likely shadow.
    """
    scale = 400 / max(mask.shape)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size = small.shape[1::-1]
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    drop = cv2.resize(background.surface[..., 0] - lab[..., 0], size, interpolation=cv2.INTER_AREA)
    guess = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    rim = (inside > 0) & (cv2.erode(inside, _ellipse(25)) == 0)
    guess[rim & (drop > 3)] = cv2.GC_PR_BGD
    guess[cv2.erode(inside, _ellipse(45)) > 0] = cv2.GC_FGD
    if not (guess == cv2.GC_FGD).any() or (guess == cv2.GC_PR_BGD).sum() < 0.06 * inside.sum():
        return mask  # no shadow to speak of
    cv2.setRNGSeed(1)  # GrabCut draws samples; the same picture must give the same mask
    cv2.grabCut(small, guess, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    piece = _middle_piece(cv2.morphologyEx(cut, cv2.MORPH_OPEN, _ellipse(3)))
    if piece is None or piece.sum() < 0.6 * inside.sum():
        return mask
    piece = cv2.morphologyEx(_fill_small_holes(piece).astype(np.uint8), cv2.MORPH_CLOSE, _ellipse(3))
    return cv2.resize(piece.astype(np.float32), mask.shape[::-1], interpolation=cv2.INTER_CUBIC) > 0.5


def _by_cutting(image: np.ndarray, lab: np.ndarray) -> np.ndarray | None:
    """GrabCut (Rother 2004) from a border of several colours: flat-lays on floors and carpets. At 320 pixels."""
    scale = 320 / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = cv2.resize(lab, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    border = _border((height, width), max(3, int(0.04 * min(height, width))))
    _, _, centres = cv2.kmeans(
        lab[border], 4, np.arange(border.sum(), dtype=np.int32)[:, None] % 4,
        (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5), 1, cv2.KMEANS_USE_INITIAL_LABELS,
    )  # fmt: skip
    away = np.sqrt((((lab[:, :, None] - centres) * np.float32([0.6, 1.2, 1.2])) ** 2).sum(-1)).min(2)
    limit = max(float(np.quantile(away[border], 0.97)), 8.0)
    likely = cv2.medianBlur((away > limit).astype(np.uint8), 5)
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    middle = (np.abs(x) < 0.30) & (np.abs(y) < 0.34)
    core = cv2.erode(likely, np.ones((5, 5)), iterations=2) > 0
    guess = np.where(likely > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    guess[border] = cv2.GC_BGD
    guess[core & middle & (away > 1.5 * limit)] = cv2.GC_FGD
    if np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).sum() < 50:
        return None
    cv2.setRNGSeed(1)  # GrabCut draws samples; the same picture must give the same mask
    cv2.grabCut(small, guess, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3)))
    piece = _middle_piece(mask)
    if piece is None:
        return None
    return cv2.resize(_fill_small_holes(piece).astype(np.float32), image.shape[1::-1],
                      interpolation=cv2.INTER_CUBIC) > 0.5  # fmt: skip


def _middle_piece(mask: np.ndarray) -> np.ndarray | None:
    """The largest piece, where being in the middle counts."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    away = ((centres[1:] / mask.shape[::-1] - 0.5) ** 2).sum(1)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA] * np.exp(-4 * away)))


def _fill_small_holes(mask: np.ndarray) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] < 0.01 * mask.size)
    return mask | (np.isin(labels, small) & (labels > 0))


def soften(mask: np.ndarray, image: np.ndarray) -> np.ndarray:
    """A soft edge that follows the picture's, drawn in a little so that no background comes along; float32 0..1."""
    soft = cv2.ximgproc.guidedFilter(image, mask.astype(np.float32), 4, (0.01 * 255) ** 2)
    soft = np.clip((soft - 0.40) / 0.5, 0, 1)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) > 0
    return np.where(near, soft, 0).astype(np.float32)


def from_alpha(alpha: np.ndarray) -> FoundMask | None:
    """The mask of a cut-out picture: its own transparency, without pieces apart such as a drawn shadow."""
    kept = _large_pieces(alpha > 127, 0.3)
    if kept is None:
        return None
    near = cv2.dilate(kept.astype(np.uint8), np.ones((5, 5))) > 0
    return FoundMask(np.where(near, alpha.astype(np.float32) / 255, 0).astype(np.float32), 1.0)


def find_mask(image: np.ndarray) -> FoundMask | None:
    """Find the one garment in a picture.

    Args:
        image: uint8 RGB (H, W, 3), long side about 1024.

    Returns:
        None when nothing stands out.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    background = _background(lab)
    mask = _by_distance(background)
    touching = 0.0 if mask is None else max(side.mean() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if background.plain < PLAIN or touching > TOUCHING:
        cut = _by_cutting(image, lab)
        if cut is not None and 0.03 < cut.mean() < 0.9:
            mask = cut
    elif mask is not None:
        mask = _large_pieces(_with_stripes(mask), 0.08)
        mask = _without_gaps(mask, background)
        if np.median(background.distance[mask]) < PALE:
            mask = _pale(mask, image, lab, background)
        else:
            mask = _without_shadow(mask, lab, background)
    if mask is None or mask.mean() < 0.01:
        return None
    mask = cv2.medianBlur(mask.astype(np.uint8), 5) > 0
    return FoundMask(soften(mask, image), background.plain)
