"""The encoders that need no CLIP: what networks see of a garment, beside its colours.

The networks were trained to name the things of ImageNet, whatever their colour. Their features are projected on fewer
directions that are fixed: the same on every machine, and fitted to no pictures (recommend/encoders/exports).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommend.encoders import networks
from recommend.encoders.colour import colour_vectors
from recommend.encoders.networks import Network
from recommend.encoders.vectors import joined, unit


@dataclass(frozen=True)
class Part:
    """What a network adds: the first `numbers` of its features, with `share` of the weight."""

    network: Network
    numbers: int
    share: float


@dataclass(frozen=True)
class Joined:
    """An `Encoder`; colour has the share that the parts leave. The shares are measured: docs/recommend.md.

    Attributes:
        revision: raised when a vector changes, be it by `pictures`, `colour` or an export.
    """

    name: str
    label: str
    revision: int
    parts: tuple[Part, ...]
    same_look: float
    optional: bool = False
    has_words: ClassVar[bool] = False

    @property
    def version(self) -> str:
        return "-".join([str(self.revision), *(part.network.sha256[:8] for part in self.parts)])

    def problem(self) -> str:
        return "; ".join(filter(None, (part.network.problem() for part in self.parts)))

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        seen = [(part.share, unit(part.network.features(pictures)[:, : part.numbers])) for part in self.parts]
        colour_share = 1 - sum(part.share for part in self.parts)
        return joined([*seen, (colour_share, colour_vectors(pictures))])


EFFICIENTNET = Joined(
    "efficientnet_lite2",
    "EfficientNet-Lite2 with colour",
    revision=3,
    parts=(Part(networks.EFFICIENTNET, 380, 0.94),),
    same_look=0.97,
)
BOTH = Joined(
    "efficientnet_lite2 inception_fid",
    "EfficientNet-Lite2 and Inception with colour",
    revision=1,
    parts=(Part(networks.EFFICIENTNET, 220, 0.46), Part(networks.INCEPTION, 192, 0.46)),
    same_look=0.96,
    optional=True,
)
