"""What every encoder does with a picture first: put the garment whole on a square. Pillow and numpy only."""

import numpy as np
from PIL import Image

MARGIN = 0.06  # of the garment's longer side, left around it
FOREGROUND = 10.0  # in Lab: what differs so much from the background's colour is not background
PLAIN = 0.9  # share of the background of one colour from which on a mask is trusted
COVERS = 0.02, 0.98  # a mask that covers less or more of its picture says nothing


def squared(picture: np.ndarray, side: int) -> np.ndarray:
    """uint8 (side, side, 3): the garment unstretched and whole, continued in the colour of the picture's border.

    RGBA: cropped to the garment where its mask can be trusted. The background stays: networks trained on photos
    know less of cut-outs (docs/recommend.md has the figures).
    """
    rgb = picture[..., :3]
    mask = mask_of(picture)
    if mask is not None:
        rgb = rgb[_around(mask)]
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    square = Image.new("RGB", (side, side), tuple(int(value) for value in np.median(_border(rgb), axis=0)))
    small = Image.fromarray(np.ascontiguousarray(rgb)).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    square.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(square)


def mask_of(picture: np.ndarray) -> np.ndarray | None:
    """bool (H, W) of an RGBA picture; None where there is none worth trusting.

    On a plain background masks are good; on others a wrong one does more harm than a right one helps.
    """
    if picture.shape[2] == 3:
        return None
    mask = picture[..., 3] >= 128
    if not COVERS[0] < mask.mean() < COVERS[1]:
        return None
    small = _thinned(picture)
    behind = to_lab(small[small[..., 3] < 8, :3])
    return mask if len(behind) and _stands_out(behind, np.median(behind, axis=0)).mean() <= 1 - PLAIN else None


def garment_colours(picture: np.ndarray) -> np.ndarray:
    """Lab colours (N, 3) of the garment.

    Without a mask: what stands out from the border, else the middle of the picture.
    """
    small = _thinned(picture)
    lab = to_lab(small[..., :3])
    mask = mask_of(small)
    if mask is None:
        mask = _stands_out(lab, np.median(_border(lab), axis=0))
        if not COVERS[0] < mask.mean() < COVERS[1]:
            height, width = mask.shape
            mask = np.zeros_like(mask)
            mask[height // 5 : height - height // 5, width // 5 : width - width // 5] = True
    return lab[mask]


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of sRGB uint8 (..., 3): L 0..100, a and b about -100..100."""
    linear = rgb.astype(np.float32) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


_WHITE = np.array([[0.95047], [1.0], [1.08883]], np.float32)
_TO_XYZ = (
    np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
        np.float32,
    )
    / _WHITE
)


def _thinned(picture: np.ndarray) -> np.ndarray:
    """Every n-th pixel of every n-th row, so that 128 to 256 are left along the longer side."""
    step = max(1, max(picture.shape[:2]) // 128)
    return picture[::step, ::step]


def _border(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _stands_out(lab: np.ndarray, background: np.ndarray) -> np.ndarray:
    return np.linalg.norm(lab - background, axis=-1) > FOREGROUND


def _around(mask: np.ndarray) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    margin = round(MARGIN * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    return tuple(slice(max(0, span[0] - margin), span[-1] + 1 + margin) for span in (rows, columns))
