"""What turns pictures into vectors. The first encoder that can be used is wanted: the CLIP of the setting (by default
Marqo-FashionSigLIP where the shop has brought it), then EfficientNet-Lite2 and Inception with colour, then
EfficientNet-Lite2 with colour, then colour alone.

Nothing heavy is imported before an encoder encodes; web processes never come to that.
"""

import functools
import logging
from typing import Protocol

import numpy as np
from django.conf import settings

from recommend.encoders.clip import DEFAULT, NONE, Clip
from recommend.encoders.colour import Colour
from recommend.encoders.joined import BOTH, EFFICIENTNET

log = logging.getLogger(__name__)

UNKNOWN_SAME_LOOK = 0.99  # where the encoder that serves is none of the settings' any more


class Encoder(Protocol):
    """Building one is cheap; its network is loaded when it first encodes.

    Attributes:
        name, version: together they name the space its vectors live in; any change of result needs another version.
        label: what the shop says, as "EfficientNet-Lite2 with colour".
        has_words: whether words can be encoded too.
        optional: used where its weights are, and not missed where they are not.
        same_look: the cosine from which two garments are taken for one and the same, measured (docs/recommend.md).
    """

    name: str
    version: str
    label: str
    has_words: bool
    optional: bool
    same_look: float

    def problem(self) -> str:
        """Why it cannot be used, with the command that helps; empty when it can."""

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        """Vectors of pictures, (N, dim) float32 of unit length, dim at most 512.

        A picture is uint8 RGB (H, W, 3), or RGBA (H, W, 4) where alpha says what is garment.
        """

    def encode_words(self, texts: list[str]) -> np.ndarray:
        """Where it `has_words`: vectors of texts, in the space of the pictures' and of the same shape."""


def wanted() -> Encoder:
    """What new pictures are embedded with."""
    if told := problem():
        say(told)
    encoder = next(encoder for encoder in _chosen() if not encoder.problem())
    return _fitted().newest(encoder) if isinstance(encoder, Clip) else encoder


def of(name: str, version: str) -> Encoder | None:
    """The one that made vectors of this name and version; None where it cannot be used (any more)."""
    encoder = _named(name)
    if encoder is None or encoder.problem():
        return None
    if encoder.version == version:
        return encoder
    return _fitted().of_version(encoder, version) if isinstance(encoder, Clip) else None


def problem() -> str:
    """What keeps the encoder of the settings from being used, one sentence; empty when nothing does."""
    in_order = _chosen()
    first = next(encoder for encoder in in_order if not encoder.optional)
    if not (reason := first.problem()):
        return ""
    used = next(encoder for encoder in in_order if not encoder.problem())
    return f"{first.label} cannot be used: {reason}. Similar items use {used.label}."


def same_look(name: str) -> float:
    """`Encoder.same_look` of the encoder of this name, whose weights need not be here."""
    encoder = _named(name)
    return encoder.same_look if encoder else UNKNOWN_SAME_LOOK


def label(name: str) -> str:
    """`Encoder.label` likewise; the name itself where the encoder is none of the settings' any more."""
    encoder = _named(name)
    return encoder.label if encoder else name


def lacking(name: str) -> str:
    """Why this process cannot use the encoder of this name, which the settings allow, one sentence; empty when it can.

    Where that one serves, other workers have what it takes: what this process can use must not take its place.
    """
    encoder = _named(name)
    reason = encoder.problem() if encoder else ""
    return f"{encoder.label} serves and cannot be used here: {reason}." if reason else ""


def clip() -> Clip | None:
    """The CLIP of the settings, whether it can be used or not; None where the shop wants none."""
    return next((encoder for encoder in _chosen() if isinstance(encoder, Clip)), None)


def _named(name: str) -> Encoder | None:
    return next((encoder for encoder in _chosen() if encoder.name == name), None)


def _chosen() -> tuple[Encoder, ...]:
    return _in_order(settings.RECOMMEND_CLIP, settings.RECOMMEND_CLIP_PRECISION)


def _fitted():
    from recommend.encoders import fitted  # it reads the database, which the exports' processes do without

    return fitted


@functools.cache
def _in_order(clip: str, precision: str) -> tuple[Encoder, ...]:
    clips = [] if clip == NONE else [Clip(clip or DEFAULT, precision, named=bool(clip))]
    return (*clips, BOTH, EFFICIENTNET, Colour())


@functools.cache
def say(told: str) -> None:
    """Once a process, not at every picture."""
    log.error(told)
