"""Pretrained networks that look at pictures, in ONNX Runtime. How each is made: recommend/encoders/exports."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing import weights
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.pictures import squared
from recommend.encoders.runtime import exported, session


@dataclass(frozen=True)
class Network:
    """Building one is cheap; it is loaded when it first looks.

    Attributes:
        weight: its name in preprocessing/pretrained.py.
        side: of the square it takes, in pixels.
        mean, deviation: of the pixels (0..255) it was trained on, or what its makers took for them.
        export: of the ONNX file's form.
    """

    weight: str
    side: int
    mean: float
    deviation: float
    export: int = 1

    @property
    def sha256(self) -> str:
        return WEIGHTS[self.weight].files[0].sha256

    def problem(self) -> str:
        """Why it cannot be used, with the command that helps; empty when it can."""
        reason = weights.problem(self.weight)
        return f"{reason} ({WEIGHTS[self.weight].command})" if reason else ""

    def features(self, pictures: list[np.ndarray]) -> np.ndarray:
        """(N, dim) float32 of pictures as an `Encoder` takes them; the more telling numbers come first, if any are."""
        return np.concatenate([self._session.run(None, {"input": self.prepared(picture)})[0] for picture in pictures])

    def prepared(self, picture: np.ndarray) -> np.ndarray:
        """float32 (1, 3, side, side), as it was trained."""
        square = squared(picture, self.side).astype(np.float32)
        return ((square - self.mean) / self.deviation).transpose(2, 0, 1)[None]

    def onnx_file(self) -> Path:
        """Made when it is not there yet.

        Raises:
            WeightsMissing, or Refusal: encoder.not_exported.
        """
        weights.path(self.weight)
        return exported(f"{self.weight}-{self.sha256[:12]}-{self.export}.onnx", "features", self.weight)

    @functools.cached_property
    def _session(self):
        return session(self.onnx_file())


# Tan and Le 2019, https://arxiv.org/abs/1905.11946, in the Lite form of Liu 2020. 380 numbers.
EFFICIENTNET = Network("efficientnet_lite2", 260, 127.0, 128.0, export=3)
# Szegedy et al. 2015, https://arxiv.org/abs/1512.00567. 192 numbers.
INCEPTION = Network("inception_fid", 299, 127.5, 127.5)
