"""CLIP by open_clip (https://github.com/mlfoundations/open_clip), where the shop has brought weights.

The setting RECOMMEND_CLIP is
- empty: DEFAULT where the shop has brought its weights, else none, or
- NONE: none, whatever has been brought, or
- a name of the weights registry: "marqo_fashion_siglip" or "clip_vit_b32_laion2b", or
- open_clip's own name of one of them: OPEN_CLIP_NAMES, or
- a model and a file with its weights, "ViT-B-16//models/mine.safetensors", or
- a folder as open_clip saves a model, "/models/mine".
Nothing is fetched behind the shop's back. RECOMMEND_CLIP_PRECISION is "float32", or "int8", which takes about two
fifths of the time for a picture, decoded and all, and gives nearly the same vectors: `manage.py embed --compare` says
how nearly on the shop's own pictures. Words are always encoded in float32: they are few, and remembered.
"""

import functools
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from preprocessing import weights
from preprocessing.errors import Refusal, gettext_noop
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.pictures import squared
from recommend.encoders.runtime import cache_folder, exported, session
from recommend.encoders.vectors import MOST, reduced
from recommend.encoders.words import Words

REVISION = 2  # raised when the same weights give other vectors
EXPORT = 2  # of the exported folder's form
LABELS = {
    "marqo_fashion_siglip": "Marqo-FashionSigLIP",
    "clip_vit_b32_laion2b": "CLIP ViT-B/32",
}
OPEN_CLIP_NAMES = {
    "hf-hub:Marqo/marqo-fashionSigLIP": "marqo_fashion_siglip",
    "ViT-B-32/laion2b_s34b_b79k": "clip_vit_b32_laion2b",
}
DEFAULT = "marqo_fashion_siglip"
NONE = "none"
WEIGHTS_FILE = "open_clip_model.safetensors"
PRECISIONS = ("float32", "int8")
AT_ONCE = 4  # pictures: three quarters of the time for each by ViT-B/32; eight save no more, and cost ViT-B/16 some


class Clip:
    """Args:
    setting: as above, but neither empty nor NONE.
    named: whether the shop asked for it; one that it has not is used where it was brought, and not missed elsewhere.
    """

    same_look = 0.99  # not measured, so high; `./dev bench retrieval` measures it where weights are

    def __init__(self, setting: str, precision: str = "float32", *, named: bool = True):
        self.setting = setting
        self.named = named
        self.precision = precision
        self.registered = OPEN_CLIP_NAMES.get(setting, setting if setting in LABELS else "")
        self.model, _, self.file = setting.partition("/")
        if self.registered:
            self.name = self.registered
            self.label = LABELS[self.registered]
        elif self.model:
            self.name = f"clip {self.model} {Path(self.file).name}"[:120]
            self.label = f"CLIP {self.model}"
        else:
            self.name = f"clip {Path(setting).name}"[:120]
            self.label = f"CLIP {Path(setting).name}"

    @property
    def version(self) -> str:
        """Vectors of both precisions are nearly the same, but not mixed in one index."""
        return f"{REVISION}-{self._sha256()[:12]}" + ("" if self.precision == "float32" else f"-{self.precision}")

    def problem(self) -> str:
        if self.registered:
            reason = weights.problem(self.registered)
            return f"{reason} ({WEIGHTS[self.registered].command})" if reason else ""
        if self.brought:
            return ""
        return (
            f"RECOMMEND_CLIP={self.setting} is neither {NONE}, nor one of {', '.join([*LABELS, *OPEN_CLIP_NAMES])}, "
            f"nor a model/file that is there, nor a folder that holds {WEIGHTS_FILE}"
        )

    @property
    def brought(self) -> bool:
        """Whether its weights are there at all, usable or not."""
        return self._weights_file().is_file()

    @property
    def optional(self) -> bool:
        return not (self.named or self.brought)

    @property
    def has_words(self) -> bool:
        """Taken for granted until a worker has looked at the model."""
        return "no_words" not in self._told()

    @property
    def wide(self) -> bool:
        """Whether it gives more numbers than a vector may have. Not known until a worker has looked at the model."""
        return (self._told().get("dim") or 0) > MOST

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return reduced(self.features(pictures))

    def encode_words(self, texts: list[str]) -> np.ndarray:
        """Raises:
        Refusal: encoder.no_words for a model whose words cannot be read.
        """
        return reduced(self.word_features(texts))

    def features(self, pictures: list[np.ndarray]) -> np.ndarray:
        """Rows (N, dim) as the network gives them, of any length and of as many numbers as it has."""
        return self.seen(self.prepared(pictures))

    def prepared(self, pictures: list[np.ndarray]) -> np.ndarray:
        """float32 (N, 3, side, side), as the network was trained."""
        squares = np.stack([squared(picture, self._about["side"]) for picture in pictures]).astype(np.float32) / 255
        squares = (squares - np.float32(self._about["mean"])) / np.float32(self._about["std"])
        return np.ascontiguousarray(squares.transpose(0, 3, 1, 2))

    def seen(self, batch: np.ndarray) -> np.ndarray:
        """Rows (N, dim) of what `prepared` gives."""
        # In int8 one at a time: it rounds by all that it is given, and a vector must not depend on its neighbours.
        size = AT_ONCE if self.precision == "float32" else 1
        parts = [batch[start : start + size] for start in range(0, len(batch), size)]
        return np.concatenate([self._image_tower.run(None, {"input": part})[0] for part in parts])

    def word_features(self, texts: list[str]) -> np.ndarray:
        """As `features`, of texts. Raises as `encode_words`."""
        if reason := self._about.get("no_words"):
            raise Refusal(
                "encoder.no_words",
                gettext_noop("This shop's encoder reads pictures only. Words are looked up in titles and texts."),
                f"{self.setting}: {reason}",
            )
        tower, tokens = self._words_tower, self._words(texts)
        return np.concatenate([tower.run(None, {"input": self._shortened(row)})[0] for row in tokens])

    def _shortened(self, tokens: np.ndarray) -> np.ndarray:
        """(1, length) without what comes after the end, where that changes nothing: a tenth of the time."""
        end = self._about["end"]
        return tokens[None] if end is None else tokens[None, : int((tokens == end).argmax()) + 1]

    @functools.cached_property
    def _image_tower(self):
        return session(self._folder / "image.onnx")

    @functools.cached_property
    def _words_tower(self):
        return session(self._folder / "words.onnx")

    @functools.cached_property
    def _words(self) -> Words:
        return Words(self._folder / "tokenizer.json", self._about["clean"])

    @functools.cached_property
    def _about(self) -> dict:
        return json.loads((self._folder / "about.json").read_text())

    @functools.cached_property
    def _folder(self) -> Path:
        if self.registered:
            told = f"local-dir:{weights.path(self.registered)}", ""
        elif self.model:
            told = self.model, self.file
        else:
            told = f"local-dir:{self.setting}", ""
        return exported(self._folder_name(), "clip", *told, self.precision)

    def _told(self) -> dict:
        """What is known of the model without making it ready; empty before a worker has."""
        try:
            return json.loads((cache_folder() / self._folder_name() / "about.json").read_text())
        except OSError:
            return {}

    def _folder_name(self) -> str:
        model = hashlib.sha256(f"{self.name}\n{self._sha256()}".encode()).hexdigest()[:16]
        return f"clip-{model}-{self.precision}-{EXPORT}"

    def _sha256(self) -> str:
        if self.registered:
            weight = WEIGHTS[self.registered]
            file = next(file for file in weight.files if file.name == WEIGHTS_FILE)
            return weights.expected(weight, file)[1]
        status = os.stat(file := self._weights_file())
        return file_sha256(file, status.st_size, status.st_mtime_ns)

    def _weights_file(self) -> Path:
        if self.registered:
            return weights.folder() / self.registered / WEIGHTS_FILE
        return Path(self.file) if self.model else Path(self.setting) / WEIGHTS_FILE


@functools.lru_cache(maxsize=4)
def file_sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Of a file as it was when it had this size and time: read once a process."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
