"""A parse map's clothes by a network that knows nothing but clothes, everything else as it was."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.labels import BOTTOMS, TOPS, Parse
from preprocessing.networks.declaration import Network

CLOTHES = (*TOPS, *BOTTOMS, Parse.DRESS)
# A whole-body garment under this much of a top, as a share of both, is a skirt.
TOP_OVER_SKIRT = 0.15
# How far beyond the person's outline the network is believed, in pixels.
REACH = 4


def sees_clothes_alone(network: Network) -> bool:
    return {label for _, label in network.labels} <= {Parse.BACKGROUND, *CLOTHES}


def with_clothes(parse: np.ndarray, seen: np.ndarray, network: Network) -> np.ndarray:
    """Upper and lower clothes as a network sees them; hair, skin, limbs and shoes as the parse map has them.

    Where the network sees none, the parse map's clothes stay: what it overlooks is no bare skin. What it sees away
    from the person is someone else's, or a thing's.

    Args:
        parse, seen: uint8 (H, W) of `Parse`; `seen` holds clothes and background only.
        network: which saw it.
    """
    if Parse.SKIRT not in {label for _, label in network.labels}:
        seen = _with_skirts(parse, seen)
    person = (parse != Parse.BACKGROUND).astype(np.uint8)
    near = cv2.dilate(person, np.ones((2 * REACH + 1,) * 2, np.uint8)) > 0
    taken = near & np.isin(parse, (Parse.BACKGROUND, *CLOTHES)) & (seen != Parse.BACKGROUND)
    return np.where(taken, seen, parse).astype(np.uint8)


def _with_skirts(parse: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Skirts of a network that has no word for them: to it they are now whole-body, now lower clothes."""
    top, whole = (seen == Parse.UPPER).sum(), (seen == Parse.DRESS).sum()
    if top > TOP_OVER_SKIRT * (top + whole):
        seen = np.where(seen == Parse.DRESS, Parse.SKIRT, seen)
    if (parse == Parse.SKIRT).sum() > (parse == Parse.PANTS).sum():
        seen = np.where(seen == Parse.PANTS, Parse.SKIRT, seen)
    return seen
