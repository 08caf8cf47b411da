"""Colours of garments, and how far apart they look."""

import numpy as np

from shop.colours import family, lab
from shop.models import Garment, GarmentPicture
from shop.words import COLOURS

MINOR = 0.08  # of a garment's surface: a seam, a button, a thin stripe
SAME, CLOSE, OTHER = 6.0, 14.0, 20.0  # differences up to which colours are called so; from OTHER on they are others


def palette(garment: Garment) -> np.ndarray:
    """(n, 4) float64 L, a, b, share, largest first, the shares' sum 1; of a garment of `Filters.rows`.

    What the analysis found on a flat picture; else the merchant's word; (0, 4) where that is not known either.
    """
    front = garment.front or {}
    found = front.get("colours") if front.get("role") == GarmentPicture.Role.FLAT else None
    if found:
        colours = np.array([[*colour["lab"], colour["share"]] for colour in found])
        colours = colours[(colours[:, 3] >= MINOR) | (np.arange(len(colours)) == 0)]
        colours[:, 3] /= colours[:, 3].sum()
        return colours
    swatch = COLOURS.get(garment.colour.strip().lower())
    return np.array([[*lab(swatch), 1.0]]) if swatch else np.empty((0, 4))


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Colour differences CIE94 (CIE 116-1995, with the geometric mean of the chromas), (n, 3+) x (m, 3+) to (n, m).

    About 1 can just be seen; from 20 on nobody would speak of one colour.
    """
    one, other = one[:, None], other[None]
    chroma, chroma_other = np.hypot(one[..., 1], one[..., 2]), np.hypot(other[..., 1], other[..., 2])
    lightness, d_chroma = one[..., 0] - other[..., 0], chroma - chroma_other
    d_hue2 = np.maximum((one[..., 1] - other[..., 1]) ** 2 + (one[..., 2] - other[..., 2]) ** 2 - d_chroma**2, 0)
    mean = np.sqrt(chroma * chroma_other)
    return np.sqrt(lightness**2 + (d_chroma / (1 + 0.045 * mean)) ** 2 + d_hue2 / (1 + 0.015 * mean) ** 2)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Between two palettes: how far each colour is from the nearest of the other garment, by its share.

    The larger of both ways round, so that a plain navy tee is not called like one with white stripes.
    """
    if not len(one) or not len(other):
        return float("inf")
    each = difference(one, other)
    return float(max(each.min(axis=1) @ one[:, 3], each.min(axis=0) @ other[:, 3]))


def main_family(colours: np.ndarray) -> Garment.ColourFamily:
    """Of a palette's largest colour; there must be one."""
    return family(*colours[0, :3].tolist())


def patterned(colours: np.ndarray) -> bool:
    """Whether a palette has colours beside its largest, as stripes, checks and prints have; False where unknown."""
    return len(colours) > 1 and bool((difference(colours[:1], colours) >= OTHER).any())
