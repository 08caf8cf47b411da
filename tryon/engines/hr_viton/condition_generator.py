"""HR-VITON's condition generator: how the garment bends, and where each part of the dressed person will be.

Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions", ECCV 2022,
arXiv:2206.14180, section 3.1 and figure 3. The names of the layers are those of the published checkpoint.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.engines.hr_viton.warp import sample, twice


class Conditions(NamedTuple):
    """What the condition generator gives for a batch of B, at h x w.

    Attributes:
        flows: five appearance flows, coarse to fine, (B, h/32, w/32, 2) to (B, h/2, w/2, 2): how far each place is
            shifted, in pixels of its own level.
        segmentation: (B, labels, h, w), at least 0: the higher, the likelier.
        cloth: (B, 3, h, w), the warped cloth, -1..1, and
        mask: (B, 1, h, w), its mask, 0..1.
    """

    flows: list[Tensor]
    segmentation: Tensor
    cloth: Tensor
    mask: Tensor


class ResBlock(nn.Module):
    """A residual block that first brings its input to another size: half, "same" or twice ("down", "up")."""

    def __init__(self, channels_in: int, channels: int, size: str):
        super().__init__()
        self.grows = size == "up"
        point = nn.Conv2d(channels_in, channels, 1)
        self.scale = {
            "down": lambda: nn.Conv2d(channels_in, channels, 3, stride=2, padding=1, bias=False),
            "same": lambda: point,
            "up": lambda: nn.Sequential(nn.Identity(), point),
        }[size]()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.scale(x)
        if self.grows:  # the paper enlarges first; a 1x1 convolution commutes with that, and is a quarter of the work
            x = twice(x)
        return F.relu(x + self.block(x))


class ConditionGenerator(nn.Module):
    """Two encoders, a flow pathway and a segmentation pathway that see each other at every level.

    Args:
        cloth_channels: of the cloth and its mask.
        person_channels: of the parse agnostic and the DensePose map.
        labels: of the segmentation.
        width: channels of the first level; 96 in the published checkpoint.
    """

    def __init__(self, cloth_channels: int = 4, person_channels: int = 16, labels: int = 13, width: int = 96):
        super().__init__()
        n = width
        widths = [n, 2 * n, 4 * n, 4 * n, 4 * n]

        def encoder(channels: int) -> nn.ModuleList:
            return nn.ModuleList(ResBlock(a, b, "down") for a, b in pairwise([channels, *widths]))

        def points() -> nn.ModuleList:
            return nn.ModuleList(nn.Conv2d(channels, 4 * n, 1) for channels in widths[:4])

        self.ClothEncoder = encoder(cloth_channels)
        self.PoseEncoder = encoder(person_channels)
        self.conv = ResBlock(4 * n, 8 * n, "same")
        self.SegDecoder = nn.ModuleList(
            ResBlock(a, b, "up") for a, b in ((8 * n, 4 * n), (12 * n, 4 * n), (12 * n, 2 * n), (8 * n, n), (6 * n, n))
        )
        self.out_layer = ResBlock(n + person_channels + cloth_channels, labels, "same")
        self.conv1 = points()
        self.conv2 = points()
        self.flow_conv = nn.ModuleList(nn.Conv2d(8 * n, 2, 3, padding=1) for _ in range(5))
        self.bottleneck = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, 4 * n, 3, padding=1), nn.ReLU()) for channels in (4 * n, 4 * n, 2 * n, n)
        )

    def forward(self, cloth: Tensor, person: Tensor) -> Conditions:
        """
        Args:
            cloth: (B, 4, 256, 192), the cloth, -1..1, and its mask, 0 or 1.
            person: (B, 16, 256, 192), the parse agnostic, 0 or 1 in 13 channels, and the DensePose map, -1..1.
        """
        E1, E2 = [], []
        for levels, encoder, x in ((E1, self.ClothEncoder, cloth), (E2, self.PoseEncoder, person)):
            for block in encoder:
                x = block(x)  # (B, 96, 128, 96) … (B, 384, 8, 6)
                levels.append(x)

        T1, T2 = E1[4], E2[4]
        flows = [self._flow(0, T1, T2)]  # (B, 8, 6, 2)
        x = self.SegDecoder[0](self.conv(T2))  # (B, 384, 16, 12)
        for level in range(1, 5):
            skip = 4 - level
            T1 = twice(T1) + self.conv1[skip](E1[skip])
            T2 = twice(T2) + self.conv2[skip](E2[skip])
            flow = twice(flows[-1].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            warped = sample(T1, flow)
            flows.append(flow + self._flow(level, warped, self.bottleneck[level - 1](x)))  # up to (B, 128, 96, 2)
            x = self.SegDecoder[level](torch.cat([x, E2[skip], warped], 1))  # up to (B, 96, 256, 192)

        warped = sample(cloth, twice(flows[-1].permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        segmentation = self.out_layer(torch.cat([x, person, warped], 1))  # (B, 13, 256, 192)
        return Conditions(flows, segmentation, warped[:, :-1], warped[:, -1:])

    def _flow(self, level: int, *features: Tensor) -> Tensor:
        return self.flow_conv[level](torch.cat(features, 1)).permute(0, 2, 3, 1)
