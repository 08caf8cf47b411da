"""What is said of a network so that it can be run: its file, its input, its output, and what its labels mean here.

Standard library only: the web process reads declarations to check its settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from preprocessing import weights
from preprocessing.labels import Body25, DensePose, Parse
from preprocessing.pretrained import WEIGHTS

# The labels of each role's map; a cloth mask has none.
ROLES: dict[str, type[IntEnum] | None] = {
    "keypoints": Body25,
    "parse": Parse,
    "densepose": DensePose,
    "cloth_mask": None,
}
DECODERS: dict[str, tuple[str, ...]] = {
    "keypoints": ("heatmaps",),
    "parse": ("argmax", "labels"),
    "densepose": ("argmax", "labels"),
    "cloth_mask": ("soft", "sigmoid", "minmax"),
}
FITS = ("stretch", "letterbox")
ORDERS = ("RGB", "BGR")
MAX = "max"

Labels = tuple[tuple[str, IntEnum | None], ...]


class NetworkFailed(Exception):
    """A network gave no answer, and why; the map that is made without it still stands."""


@dataclass(frozen=True)
class Network:
    """One ONNX network with one picture as its input, (1, 3, height, width) of float32 or float16.

    Attributes:
        name: as the setting NETWORKS names it.
        role: the map it makes, a key of `ROLES`.
        size: height and width of its input.
        decode: how its output becomes that map.
            "argmax": (1, C, h, w), the greatest channel is the label.
            "labels": (1, h, w) or (1, 1, h, w), the labels themselves.
            "soft": (1, 1, h, w) or (1, h, w), a mask of 0..1; "sigmoid": the same before its sigmoid; "minmax": the
            same, stretched to 0..1.
            "heatmaps": (1, C, h, w), a joint lies where its channel peaks, which is also its confidence.
        labels: each label or channel of the network in its order: what its makers call it, and what it is here;
            None for a channel of heatmaps that is no joint.
        weight: its name in the registry of pretrained files, or
        file: the operator's own, and
        sha256: of that file.
        fit: "stretch" to `size`, or "letterbox": keep the picture's shape, pad with the mean colour.
        order: of the colour channels.
        divide: the pixels 0..255 by this number, or by the picture's greatest value ("max"); then
        mean: is taken off, and the rest divided by
        std: each in `order`.
        output: name or number of the output that is read.
        channels: the first that count and the one behind the last; None: all.
        threshold: soft masks become hard there; heatmaps below it are no joint.
        refine: whether a soft mask's edge is drawn to the picture's (guided filter).
        seconds: to wait for an answer, loading included.
        megabytes: its process may use on a CPU.
    """

    name: str
    role: str
    size: tuple[int, int]
    decode: str
    labels: Labels = ()
    weight: str = ""
    file: Path | None = None
    sha256: str = ""
    fit: str = "stretch"
    order: str = "RGB"
    divide: float | str = 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: str | int = 0
    channels: tuple[int, int] | None = None
    threshold: float | None = None
    refine: bool = False
    seconds: float = 60.0
    megabytes: int = 4096

    @property
    def path(self) -> Path:
        if self.file:
            return self.file
        weight = WEIGHTS[self.weight]
        return weights.file_path(weight, weight.files[0])

    @property
    def digest(self) -> str:
        """The sha256 its file must have."""
        weight = WEIGHTS.get(self.weight)
        return weights.expected(weight, weight.files[0])[1] if weight else self.sha256

    @property
    def problem(self) -> str:
        """What is wrong with its file, as far as name and size tell; empty when nothing is."""
        if self.weight:
            problem = weights.problem(self.weight)
            return f"{problem} ({WEIGHTS[self.weight].command})" if problem else ""
        return "" if self.file.is_file() else f"{self.file.name} is not in {self.file.parent}"
