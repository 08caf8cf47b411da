"""EfficientNet-Lite2 with colour: the default encoder.

The network (Tan & Le 2019, https://arxiv.org/abs/1905.11946; the Lite form of Liu 2020) was trained to name the
things of ImageNet. Its pooled 1280 features are projected on the 380 strongest directions of its own classifier:
what the classifier reads, little else, and it needs no pictures to be fitted. The garment's colours make 100 more.

Runs through ONNX Runtime: half the time of torch and a tenth of its memory. The ONNX file is made from the weights
once, in a process of its own, and kept beside them.
"""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from preprocessing import weights
from preprocessing.errors import Refusal, gettext_noop
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.colour import colour_vectors
from recommend.encoders.pictures import squared
from recommend.encoders.vectors import joined, unit

WEIGHT = "efficientnet_lite2"
SIDE = 260
MEAN, STD = 127.0, 128.0
COLOUR_SHARE = 0.06  # measured: docs/recommend.md
REVISION = 2  # of everything here and in pictures, colour and export: raised when a vector changes
SHA256 = WEIGHTS[WEIGHT].files[0].sha256
EXPORT_SECONDS = 180


class EfficientNet:
    name = WEIGHT
    version = f"{REVISION}-{SHA256[:8]}"
    label = "EfficientNet-Lite2 with colour"

    def problem(self) -> str:
        reason = weights.problem(WEIGHT)
        return f"{reason} ({WEIGHTS[WEIGHT].command})" if reason else ""

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return joined([(1 - COLOUR_SHARE, self.looks(pictures)), (COLOUR_SHARE, colour_vectors(pictures))])

    def looks(self, pictures: list[np.ndarray]) -> np.ndarray:
        """(N, 380) unit rows, without colour's part."""
        features = [self._session.run(None, {"image": prepared(picture)})[0] for picture in pictures]
        return unit(np.concatenate(features))

    @functools.cached_property
    def _session(self):
        import onnxruntime  # workers only

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a worker has more processes than cores
        return onnxruntime.InferenceSession(onnx_file(), options, providers=["CPUExecutionProvider"])


def prepared(picture: np.ndarray) -> np.ndarray:
    """float32 (1, 3, 260, 260), as the network was trained."""
    square = squared(picture, SIDE).astype(np.float32)
    return ((square - MEAN) / STD).transpose(2, 0, 1)[None]


def onnx_file() -> Path:
    """The network as ONNX, made when it is not there yet."""
    source = weights.path(WEIGHT)
    name = f"{WEIGHT}-{SHA256[:12]}-{REVISION}.onnx"
    folder = cache_folder()
    return folder / name if (folder / name).exists() else export(source, folder / name)


def cache_folder() -> Path:
    """Beside the weights; where that cannot be written, this user's own in the machine's temporary folder."""
    beside = weights.folder() / "cache"
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    except OSError:
        pass
    own = Path(tempfile.gettempdir()) / f"fitroom-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.lstat().st_uid != os.getuid():
        raise PermissionError(f"{own} belongs to someone else; what lies there cannot be trusted")
    return own


def export(source: Path, target: Path) -> Path:
    """Write `target` at once or not at all. In a process of its own, so that no worker keeps torch in memory."""
    with tempfile.TemporaryDirectory(dir=target.parent) as aside:
        made = Path(aside) / target.name
        command = [sys.executable, "-m", "recommend.encoders.export", str(source), str(made)]
        done = subprocess.run(
            command, cwd=weights.REPOSITORY, capture_output=True, text=True, timeout=EXPORT_SECONDS, check=False
        )
        if done.returncode:
            raise Refusal(
                "encoder.not_exported",
                gettext_noop("The encoder could not be set up. The log of the worker says why."),
                done.stderr[-2000:],
            )
        os.replace(made, target)
    return target
