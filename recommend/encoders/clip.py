"""CLIP by open_clip (https://github.com/mlfoundations/open_clip), where the shop has brought weights.

The setting RECOMMEND_CLIP is
- a name of the weights registry: "marqo_fashion_siglip" or "clip_vit_b32_laion2b", or
- open_clip's own name of one of them, "ViT-B-32/laion2b_s34b_b79k", or
- a model and a file with its weights, "ViT-B-16//models/mine.safetensors".
Nothing is fetched behind the shop's back.
"""

import functools
import hashlib
import os
from pathlib import Path

import numpy as np

from preprocessing import weights
from preprocessing.errors import Refusal, gettext_noop
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.pictures import squared
from recommend.encoders.vectors import reduced

REVISION = 1  # raised when the same weights give other vectors
LABELS = {
    "marqo_fashion_siglip": "Marqo-FashionSigLIP",
    "clip_vit_b32_laion2b": "CLIP ViT-B/32",
}
OPEN_CLIP_NAMES = {"ViT-B-32/laion2b_s34b_b79k": "clip_vit_b32_laion2b"}
WEIGHTS_FILE = "open_clip_model.safetensors"


class Clip:
    def __init__(self, setting: str):
        self.setting = setting
        self.registered = OPEN_CLIP_NAMES.get(setting, setting if setting in LABELS else "")
        self.model, _, self.file = setting.partition("/")
        if self.registered:
            self.name = self.registered
            self.label = LABELS[self.registered]
        else:
            self.name = f"clip {self.model} {Path(self.file).name}"[:120]
            self.label = f"CLIP {self.model}"

    @property
    def version(self) -> str:
        return f"{REVISION}-{self._sha256()[:12]}"

    def problem(self) -> str:
        if self.registered:
            reason = weights.problem(self.registered)
            return f"{reason} ({WEIGHTS[self.registered].command})" if reason else ""
        if self.file and Path(self.file).is_file():
            return ""
        return f"RECOMMEND_CLIP={self.setting} is neither one of {', '.join(LABELS)} nor a model/file that is there"

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        import torch  # workers only

        tower, side, mean, std = self._tower
        squares = np.stack([squared(picture, side) for picture in pictures]).astype(np.float32) / 255
        with torch.inference_mode():
            vectors = tower(torch.from_numpy((squares - mean) / std).permute(0, 3, 1, 2).contiguous())
        return reduced(vectors.numpy())

    @functools.cached_property
    def _tower(self):
        """The image tower, its side in pixels, and mean and deviation (3,) of its colours; the words' is let go."""
        import open_clip  # workers only: torch, half a gigabyte
        import torch

        torch.set_num_threads(1)  # a worker has more processes than cores
        if self.registered:
            name, file = f"local-dir:{weights.path(self.registered)}", None
        else:
            name, file = self.model, self.file
        try:
            model = open_clip.create_model(name, pretrained=file, weights_only=True, require_pretrained=True)
        except Exception as error:  # open_clip raises whatever its many loaders do
            raise Refusal(
                "encoder.not_loaded",
                gettext_noop("These CLIP weights could not be loaded. The log of the worker says why."),
                f"{self.setting}: {error!r}",
            ) from error
        config = model.visual.preprocess_cfg
        side = config["size"] if isinstance(config["size"], int) else config["size"][0]
        return model.visual.eval(), side, np.float32(config["mean"]), np.float32(config["std"])

    def _sha256(self) -> str:
        if self.registered:
            weight = WEIGHTS[self.registered]
            file = next(file for file in weight.files if file.name == WEIGHTS_FILE)
            return weights.expected(weight, file)[1]
        status = os.stat(self.file)
        return file_sha256(self.file, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def file_sha256(path: str, size: int, mtime_ns: int) -> str:
    """Of a file as it was when it had this size and time: read once a process."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
