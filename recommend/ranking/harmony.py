"""Whether the colours of two garments go together.

Rules of colour theory on the hue circle of CIELAB. A neutral (black, white, grey, and what is dark enough to be taken
for it, as navy) goes with any colour. Two colours go together by one hue in different lightness, as neighbours
(analogous), or as opposites (complementary): the harmonious intervals of Itten (The Art of Color, 1961) and of Moon
and Spencer (Geometric formulation of classical color harmony, JOSA 34, 1944), who call what lies between them, and
what is nearly but not quite equal, ambiguous. The angles are Moon and Spencer's, rounded; the marks between 0 and 1
are ours and say no more than which is preferred: colours before neutrals, which always can be had.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

NEUTRAL_CHROMA, DARK, DARK_CHROMA = 15.0, 25.0, 32.0
ONE_HUE, NEIGHBOURS, OPPOSITES = 15.0, 45.0, 120.0  # degrees; beyond NEIGHBOURS and before OPPOSITES is ambiguous
APART = 15.0  # of lightness, so that shades of one hue look meant
EQUAL = 4.0  # a difference that looks like one cloth
VIVID = 50.0  # chroma
LARGEST = 3  # colours of a garment that are looked at
GOES = 0.65  # from here on colours are said to go together


class Relation(StrEnum):
    NEUTRAL = "neutral"
    SHADES = "shades"
    NEIGHBOURS = "neighbours"
    OPPOSITES = "opposites"
    NONE = ""


def pair(one: Sequence[float], other: Sequence[float]) -> tuple[float, Relation]:
    """Of two colours L, a, b: how well they go together, 0..1, and by what."""
    contrast = min(abs(one[0] - other[0]) / 50, 1.0)
    neutrals = is_neutral(one) + is_neutral(other)
    if neutrals == 2:
        return 0.66 + 0.14 * contrast, Relation.NEUTRAL
    if neutrals == 1:
        return 0.66 + 0.1 * contrast, Relation.NEUTRAL
    angle = abs((_hue(one) - _hue(other) + 180) % 360 - 180)
    if angle <= ONE_HUE:
        return _shades(one, other)
    if angle <= NEIGHBOURS:
        return 0.8, Relation.NEIGHBOURS
    if angle < OPPOSITES:
        return 0.3, Relation.NONE
    both_vivid = min(_chroma(one), _chroma(other)) > VIVID
    return (0.5, Relation.NONE) if both_vivid else (0.78, Relation.OPPOSITES)


def _shades(one: Sequence[float], other: Sequence[float]) -> tuple[float, Relation]:
    if abs(one[0] - other[0]) >= APART:
        return 0.85, Relation.SHADES
    equal = math.dist(one[:3], other[:3]) <= EQUAL
    return (0.7, Relation.SHADES) if equal else (0.45, Relation.NONE)


def harmony(one: np.ndarray, other: np.ndarray) -> tuple[float | None, Relation]:
    """Of two palettes (n, 4): the mean of all pairs by their shares, and the relation of the largest colours.

    None where the colours of either are not known.
    """
    if not len(one) or not len(other):
        return None, Relation.NONE
    one, other = one[:LARGEST].tolist(), other[:LARGEST].tolist()  # Python's numbers: numpy is slow with single ones
    pairs = [(a[3] * b[3], pair(a, b)[0]) for a in one for b in other]
    mark = sum(share * mark for share, mark in pairs) / sum(share for share, _ in pairs)
    return mark, pair(one[0], other[0])[1] if mark >= GOES else Relation.NONE


def is_neutral(colour: Sequence[float]) -> bool:
    """Of a colour L, a, b."""
    chroma = _chroma(colour)
    return chroma <= NEUTRAL_CHROMA or (colour[0] <= DARK and chroma <= DARK_CHROMA)


def _chroma(colour: Sequence[float]) -> float:
    return math.hypot(colour[1], colour[2])


def _hue(colour: Sequence[float]) -> float:
    return math.degrees(math.atan2(colour[2], colour[1]))
