"""What every encoder does with a picture first: put the garment alone on a square. Pillow and numpy only."""

import numpy as np
from PIL import Image

NEUTRAL = (238, 238, 238)  # behind a cut-out garment: light, as most shops' pictures are
MARGIN = 0.06  # of the longer side, left around a cut-out garment
FOREGROUND = 10.0  # in Lab: what differs so much from the border's colour is taken for the garment
TRUSTED = 0.02, 0.98  # a mask that covers less or more of its picture says nothing


def squared(picture: np.ndarray, side: int) -> np.ndarray:
    """uint8 (side, side, 3): the garment unstretched and whole, on a background of one colour.

    RGBA: cropped to its mask, the rest neutral. RGB: whole, continued in the colour of its border.
    """
    mask = mask_of(picture)
    if mask is None:
        rgb = picture[..., :3]
        return _on_square(Image.fromarray(rgb), side, tuple(int(v) for v in np.median(_border(rgb), axis=0)))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    cut = Image.new("RGB", (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1), NEUTRAL)
    cut.paste(Image.fromarray(np.ascontiguousarray(picture[box][..., :3])), mask=Image.fromarray(picture[box][..., 3]))
    return _on_square(cut, side, NEUTRAL, margin=MARGIN)


def mask_of(picture: np.ndarray) -> np.ndarray | None:
    """bool (H, W) of an RGBA picture; None where there is none worth trusting."""
    if picture.shape[2] == 3:
        return None
    mask = picture[..., 3] >= 128
    return mask if TRUSTED[0] < mask.mean() < TRUSTED[1] else None


def garment_colours(picture: np.ndarray, side: int = 130) -> np.ndarray:
    """Lab colours (N, 3) of the garment, from about side x side pixels.

    Without a mask: what stands out from the border, else the middle of the picture.
    """
    step = max(1, max(picture.shape[:2]) // side)
    small = picture[::step, ::step]
    lab = to_lab(small[..., :3])
    mask = mask_of(small)
    if mask is None:
        mask = np.linalg.norm(lab - np.median(_border(lab), axis=0), axis=-1) > FOREGROUND
        if not TRUSTED[0] < mask.mean() < TRUSTED[1]:
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


def _border(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _on_square(image: Image.Image, side: int, background: tuple, margin: float = 0.0) -> np.ndarray:
    scale = side * (1 - 2 * margin) / max(image.size)
    size = tuple(max(1, round(length * scale)) for length in image.size)
    square = Image.new("RGB", (side, side), background)
    small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    square.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(square)
