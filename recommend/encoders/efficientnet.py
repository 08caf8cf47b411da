"""EfficientNet-Lite2 with colour: the default encoder.

The network (Tan & Le 2019, https://arxiv.org/abs/1905.11946; the Lite form of Liu 2020) was trained to name the
things of ImageNet. Its pooled 1280 features are projected on the 380 strongest directions of its own classifier:
what the classifier reads, little else, and it needs no pictures to be fitted. The garment's colours make 100 more.
"""

import functools
from pathlib import Path

import numpy as np

from preprocessing import weights
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.colour import colour_vectors
from recommend.encoders.pictures import squared
from recommend.encoders.runtime import exported, session
from recommend.encoders.vectors import joined, unit

WEIGHT = "efficientnet_lite2"
SIDE = 260
MEAN, STD = 127.0, 128.0
COLOUR_SHARE = 0.06  # measured: docs/recommend.md
REVISION = 2  # of everything here and in pictures, colour and export: raised when a vector changes
EXPORT = 3  # of the ONNX file's form
SHA256 = WEIGHTS[WEIGHT].files[0].sha256


class EfficientNet:
    name = WEIGHT
    version = f"{REVISION}-{SHA256[:8]}"
    label = "EfficientNet-Lite2 with colour"
    has_words = False

    def problem(self) -> str:
        reason = weights.problem(WEIGHT)
        return f"{reason} ({WEIGHTS[WEIGHT].command})" if reason else ""

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return joined([(1 - COLOUR_SHARE, self.looks(pictures)), (COLOUR_SHARE, colour_vectors(pictures))])

    def looks(self, pictures: list[np.ndarray]) -> np.ndarray:
        """(N, 380) unit rows, without colour's part."""
        features = [self._session.run(None, {"input": prepared(picture)})[0] for picture in pictures]
        return unit(np.concatenate(features))

    @functools.cached_property
    def _session(self):
        return session(onnx_file())


def prepared(picture: np.ndarray) -> np.ndarray:
    """float32 (1, 3, 260, 260), as the network was trained."""
    square = squared(picture, SIDE).astype(np.float32)
    return ((square - MEAN) / STD).transpose(2, 0, 1)[None]


def onnx_file() -> Path:
    """The network as ONNX, made when it is not there yet."""
    source = weights.path(WEIGHT)
    name = f"{WEIGHT}-{SHA256[:12]}-{EXPORT}.onnx"
    return exported(name, "efficientnet", str(source))
