"""The colours of a garment as a vector, and the encoder that goes by them alone.

CLIP and ImageNet networks are weak at colour: both are trained to name things whatever their colour.
"""

import numpy as np

from recommend.encoders.pictures import garment_colours
from recommend.encoders.vectors import unit

L_BINS, AB_BINS, AB_RANGE = 4, 5, 60.0
DIM = L_BINS * AB_BINS * AB_BINS


def colour_vectors(pictures: list[np.ndarray]) -> np.ndarray:
    """(N, DIM) unit rows whose inner product is the Bhattacharyya coefficient of the pictures' Lab histograms."""
    return unit(np.sqrt([histogram(garment_colours(picture)) for picture in pictures]))


def histogram(lab: np.ndarray) -> np.ndarray:
    """Shares (DIM,) of Lab colours (N, 3). Each colour is shared out among the eight bins around it,

    so that a slightly other light gives a slightly other histogram.
    """
    bins = np.array([L_BINS, AB_BINS, AB_BINS])
    low, high = np.array([0.0, -AB_RANGE, -AB_RANGE]), np.array([100.0, AB_RANGE, AB_RANGE])
    places = np.clip((lab - low) / (high - low), 0, 1) * (bins - 1)
    floor = np.minimum(places.astype(int), bins - 2)
    beyond = places - floor
    shares = np.zeros(DIM)
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(corner, beyond, 1 - beyond).prod(axis=1)
        at = np.ravel_multi_index((floor + corner).T, bins)
        shares += np.bincount(at, weight, DIM)
    return shares / max(len(lab), 1)


class Colour:
    name = "colour"
    version = "1"
    label = "colour"
    has_words = False
    optional = False
    same_look = 2.0  # no cosine: many different garments have the same colours

    def problem(self) -> str:
        return ""

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return colour_vectors(pictures)
