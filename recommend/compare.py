"""A CLIP in int8 against itself in float32, on the shop's own pictures: is the quicker one as good here?"""

import time
from dataclasses import dataclass

import numpy as np

from recommend.encoders.clip import Clip

NEAREST = 10
AGREE = 0.95  # share of the nearest in common from which on nobody will see a difference


@dataclass(frozen=True)
class Comparison:
    """`agree`: of each picture's ten nearest by float32, the share that int8 has among its ten."""

    pictures: int
    least_cosine: float
    agree: float
    seconds: float  # a picture, float32
    quick_seconds: float

    @property
    def verdict(self) -> str:
        if self.agree >= AGREE:
            return "int8 finds the same garments here: RECOMMEND_CLIP_PRECISION=int8 is safe."
        return "int8 finds other garments here: stay with float32."


def compare(setting: str, pictures: list[np.ndarray]) -> Comparison:
    """
    Args:
        setting: as RECOMMEND_CLIP.
        pictures: at least two, as encoders take them.

    Raises:
        Refusal: encoder.not_exported.
    """
    vectors, seconds = {}, {}
    for precision in ("float32", "int8"):
        encoder = Clip(setting, precision)
        encoder.encode(pictures[:1])  # loads it
        start = time.process_time()
        vectors[precision] = encoder.encode(pictures)
        seconds[precision] = (time.process_time() - start) / len(pictures)
    exact, quick = vectors["float32"], vectors["int8"]
    return Comparison(
        pictures=len(pictures),
        least_cosine=float((exact * quick).sum(axis=1).min()),
        agree=_in_common(exact, quick),
        seconds=seconds["float32"],
        quick_seconds=seconds["int8"],
    )


def _in_common(exact: np.ndarray, quick: np.ndarray) -> float:
    one, other = _nearest(exact), _nearest(quick)
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(one, other, strict=True)]))


def _nearest(vectors: np.ndarray) -> np.ndarray:
    """(N, at most NEAREST) places of the nearest others."""
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    return np.argsort(-scores, axis=1, kind="stable")[:, : min(NEAREST, len(vectors) - 1)]
