"""Inception-v3 up to its last features: the network of TensorFlow's 2015 release, by which FID is measured.

Szegedy et al. 2015, https://arxiv.org/abs/1512.00567. The file is TorchScript, code and tensors. The code is not run:
the network is written down here, with the file's names, and the tensors are loaded strictly. The file lacks the
classifier, so there are no directions that it reads; the features are projected on a fixed random subspace.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import batch_norm, conv2d, relu

from recommend.encoders.exports.torchscript import tensors
from recommend.encoders.vectors import subspace

SIDE = 299
CHANNELS, NUMBERS = 2048, 192
PREFIX = "net.layers."  # of the file's names
EPSILON = 1e-3  # of batch normalization


def load(file: Path) -> tuple[nn.Module, np.ndarray]:
    """The network, and directions (2048, 192)."""
    with torch.device("meta"):  # no memory for numbers that are not kept
        network = Inception()
    state = {name.removeprefix(PREFIX): tensor for name, tensor in tensors(file).items()}
    network.load_state_dict(state, strict=True, assign=True)
    return network, subspace(CHANNELS, NUMBERS)


class Convolution(nn.Module):
    """With batch normalization, which has no scale here, and ReLU; padded to keep the size unless told otherwise."""

    def __init__(self, inputs: int, outputs: int, height: int = 1, width: int = 1, stride: int = 1, pad: bool = True):
        super().__init__()
        self.stride, self.padding = stride, (height // 2, width // 2) if pad else 0
        self.weight = nn.Parameter(torch.empty(outputs, inputs, height, width))
        self.beta = nn.Parameter(torch.empty(outputs))
        self.register_buffer("mean", torch.empty(outputs))
        self.register_buffer("var", torch.empty(outputs))

    def forward(self, x):
        x = conv2d(x, self.weight, stride=self.stride, padding=self.padding)
        return relu(batch_norm(x, self.mean, self.var, bias=self.beta, eps=EPSILON))


class Branches(nn.ModuleDict):
    """All of the same input, their channels side by side."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.values()], 1)


def chain(*convolutions: Convolution, pool: nn.Module | None = None) -> nn.Sequential:
    """One after the other, behind the pool; named pool, conv, conv_1, conv_2, …"""
    named = [(f"conv_{place}" if place else "conv", each) for place, each in enumerate(convolutions)]
    return nn.Sequential(OrderedDict([("pool", pool)] * bool(pool) + named))


def mean_around() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def halving() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2)


def block_a(inputs: int, pooled: int) -> Branches:
    """Figure 5, with one 5 x 5 kept: to 224 channels and those pooled."""
    return Branches(
        {
            "conv": Convolution(inputs, 64),
            "tower": chain(Convolution(inputs, 48), Convolution(48, 64, 5, 5)),
            "tower_1": chain(Convolution(inputs, 64), Convolution(64, 96, 3, 3), Convolution(96, 96, 3, 3)),
            "tower_2": chain(Convolution(inputs, pooled), pool=mean_around()),
        }
    )


def block_b() -> Branches:
    """Figure 10: 288 channels to 768, half as high and wide."""
    return Branches(
        {
            "conv": Convolution(288, 384, 3, 3, stride=2, pad=False),
            "tower": chain(
                Convolution(288, 64), Convolution(64, 96, 3, 3), Convolution(96, 96, 3, 3, stride=2, pad=False)
            ),
            "pool": halving(),
        }
    )


def block_c(inner: int) -> Branches:
    """Figure 6: 768 channels to 768."""
    return Branches(
        {
            "conv": Convolution(768, 192),
            "tower": chain(Convolution(768, inner), Convolution(inner, inner, 1, 7), Convolution(inner, 192, 7, 1)),
            "tower_1": chain(
                Convolution(768, inner),
                Convolution(inner, inner, 7, 1),
                Convolution(inner, inner, 1, 7),
                Convolution(inner, inner, 7, 1),
                Convolution(inner, 192, 1, 7),
            ),
            "tower_2": chain(Convolution(768, 192), pool=mean_around()),
        }
    )


def block_d() -> Branches:
    """768 channels to 1280, half as high and wide."""
    return Branches(
        {
            "tower": chain(Convolution(768, 192), Convolution(192, 320, 3, 3, stride=2, pad=False)),
            "tower_1": chain(
                Convolution(768, 192),
                Convolution(192, 192, 1, 7),
                Convolution(192, 192, 7, 1),
                Convolution(192, 192, 3, 3, stride=2, pad=False),
            ),
            "pool": halving(),
        }
    )


class BlockE(nn.Module):
    """Figure 7: to 2048 channels."""

    def __init__(self, inputs: int, pool: nn.Module):
        super().__init__()
        self.conv = Convolution(inputs, 320)
        self.tower_conv = Convolution(inputs, 384)
        self.tower_mixed_conv = Convolution(384, 384, 1, 3)
        self.tower_mixed_conv_1 = Convolution(384, 384, 3, 1)
        self.tower_1_conv = Convolution(inputs, 448)
        self.tower_1_conv_1 = Convolution(448, 384, 3, 3)
        self.tower_1_mixed_conv = Convolution(384, 384, 1, 3)
        self.tower_1_mixed_conv_1 = Convolution(384, 384, 3, 1)
        self.tower_2_pool = pool
        self.tower_2_conv = Convolution(inputs, 192)

    def forward(self, x):
        a = self.tower_conv(x)
        b = self.tower_1_conv_1(self.tower_1_conv(x))
        c = self.tower_2_conv(self.tower_2_pool(x))
        mixed = [self.tower_mixed_conv(a), self.tower_mixed_conv_1(a)]
        mixed += [self.tower_1_mixed_conv(b), self.tower_1_mixed_conv_1(b)]
        return torch.cat([self.conv(x), *mixed, c], 1)


class Inception(nn.Sequential):
    """Pictures (N, 3, 299, 299) in -1..1 to features (N, 2048, 8, 8), none below 0."""

    def __init__(self):
        super().__init__(
            OrderedDict(
                conv=Convolution(3, 32, 3, 3, stride=2, pad=False),
                conv_1=Convolution(32, 32, 3, 3, pad=False),
                conv_2=Convolution(32, 64, 3, 3),  # (N, 64, 147, 147)
                pool0=halving(),
                conv_3=Convolution(64, 80),
                conv_4=Convolution(80, 192, 3, 3, pad=False),
                pool1=halving(),  # (N, 192, 35, 35)
                mixed=block_a(192, 32),
                mixed_1=block_a(256, 64),
                mixed_2=block_a(288, 64),
                mixed_3=block_b(),  # (N, 768, 17, 17)
                mixed_4=block_c(128),
                mixed_5=block_c(160),
                mixed_6=block_c(160),
                mixed_7=block_c(192),
                mixed_8=block_d(),  # (N, 1280, 8, 8)
                mixed_9=BlockE(1280, mean_around()),
                # The release takes the maximum here, where the paper takes the mean.
                mixed_10=BlockE(2048, nn.MaxPool2d(3, 1, 1)),  # (N, 2048, 8, 8)
            )
        )
