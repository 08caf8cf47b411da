"""HR-VITON's image generator: the dressed person, from the person without the garment and the warped cloth.

Lee et al., arXiv:2206.14180, section 3.2; the blocks are SPADE's (Park et al., arXiv:1903.07291, figure 3) as VITON-HD
uses them (Choi et al., arXiv:2103.16874, section 3.4), with its noise and its instance normalisation. The names of the
layers are those of the published checkpoints, of which VITON-HD's has the same ones.

What the published computation spends four fifths of its time on, scale and shift of every pixel from the label map, is
looked up here: see `label_patches`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from tryon.engines.hr_viton.label_patches import LabelPatches, label_patches

EPSILON = 1e-5
SLOPE = 0.2
HIDDEN = 128  # channels between label map and scale and shift
FEATURES = 16  # channels of the input that join at each level
# Numbers that a CPU works on at a time, so that they stay in its cache.
CACHE = 1 << 18
SPARSE = 61  # every so many pixels give a rough mean


class SpectralConv2d(nn.Module):
    """A convolution whose weight is divided by its largest singular value, u^T W v (Miyato et al., arXiv:1802.05957).

    The stored u and v are final at test time, so that loading a checkpoint divides once and for good: of what is then
    in `weight_orig`, u^T W v is 1.
    """

    def __init__(self, channels_in: int, channels: int, size: int, bias: bool = True):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None
        self.weight_orig = nn.Parameter(torch.zeros(channels, channels_in, size, size))
        self.register_buffer("weight_u", torch.zeros(channels))
        self.register_buffer("weight_v", torch.zeros(channels_in * size * size))
        self.register_load_state_dict_post_hook(lambda conv, _: conv._divide())

    @torch.no_grad()
    def _divide(self) -> None:
        if not self.weight_orig.is_meta:
            self.weight_orig /= self.weight_u @ (self.weight_orig.flatten(1) @ self.weight_v)

    def room(self, x: Tensor) -> Tensor:
        """An empty tensor for what the convolution makes of x, channels last."""
        batch, _, height, width = x.shape
        return x.new_empty(batch, height, width, len(self.weight_orig)).permute(0, 3, 1, 2)

    def point(self, pixels: Tensor) -> Tensor:
        """A convolution of 1 x 1, for a list of pixels (N, C)."""
        return pixels @ self.weight_orig[..., 0, 0].T

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight_orig, self.bias, padding=self.weight_orig.shape[-1] // 2)


@dataclass(frozen=True)
class Level:
    """What the blocks are given besides their input, at one size.

    Attributes:
        patches: of the label map at this size.
        generators: of noise, one for each picture.
        at_a_time: numbers that are worked on at a time.
    """

    patches: LabelPatches
    generators: Sequence[Generator]
    at_a_time: int

    def noise(self) -> Tensor:
        """(B, h, w), float32, normal; the next each time. Drawn on the CPU: every device then has the same."""
        height, width = self.patches.index.shape[1:]
        # As published: the rows of what is drawn are the picture's columns.
        drawn = [torch.randn(width, height, generator=generator) for generator in self.generators]
        return torch.stack(drawn).transpose(1, 2).contiguous().to(self.patches.index.device)


class SPADENorm(nn.Module):
    """Noise, instance normalisation, then a scale and a shift for each pixel that depend on the labels around it.

    SPADE's equation 1, with VITON-HD's noise: gamma * (x + noise - mean) / deviation + beta.
    """

    def __init__(self, channels: int, labels: int):
        super().__init__()
        self.noise_scale = nn.Parameter(torch.zeros(channels))
        self.conv_shared = nn.Sequential(nn.Conv2d(labels, HIDDEN, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(HIDDEN, channels, 3, padding=1)
        self.conv_beta = nn.Conv2d(HIDDEN, channels, 3, padding=1)

    def forward(self, x: Pixels, level: Level, then: Callable[[Tensor], Tensor], out: Tensor) -> None:
        """
        Args:
            then: what follows pixel by pixel, (N, C) to (N, C').
            out: (B, C', h, w), channels last; may be what `x` was made of, which is then written over.
        """
        noise, patches = level.noise(), level.patches
        noise = noise if self.noise_scale.any() else None
        mean, deviation = x.statistics(noise, self.noise_scale)  # (B, C)
        gamma, beta = self._tables(patches)  # (P, C)
        scale = (1 + gamma)[patches.rows] / deviation[patches.owners]  # (R, C)
        shift = beta[patches.rows] - mean[patches.owners] * scale
        scale, shift, noise_scale = (table.to(x.values.dtype) for table in (scale, shift, self.noise_scale))

        rows, made = patches.index.flatten(), Pixels(out, level).values
        for part, values in x.parts():
            if noise is not None:
                values = torch.addcmul(values, noise.view(-1, 1)[part].to(values.dtype), noise_scale)
            row = rows[part]
            made[part] = then(torch.addcmul(shift.index_select(0, row), values, scale.index_select(0, row)))

    def _tables(self, patches: LabelPatches) -> tuple[Tensor, Tensor]:
        """Gamma and beta in the middle of each label patch, (P, C), float32.

        The first convolution sees a square of labels. The second one sees what nine squares gave: it is worked out
        for each square in each of the nine places, and summed for each patch.
        """
        shared = self.conv_shared[0]
        labels = shared.weight.shape[1]
        one_hot = F.one_hot(patches.squares.long(), labels + 1)[..., :labels].permute(0, 3, 1, 2)  # outside: all 0
        hidden = F.relu(one_hot.flatten(1).to(shared.weight.dtype) @ shared.weight.flatten(1).T + shared.bias)
        # Outside of the map a convolution sees 0, not what the first one would make of what is there.
        hidden = hidden * (patches.squares[:, 1, 1] < labels)[:, None]  # (S, 128)
        places = patches.patches * 9 + torch.arange(9, device=hidden.device)

        def summed(conv: nn.Conv2d) -> Tensor:
            weight = conv.weight.permute(0, 2, 3, 1).reshape(-1, HIDDEN)  # (C * 9, 128); a view when channels last
            parts = (hidden @ weight.T).float().view(len(hidden), -1, 9).transpose(1, 2)  # (S, 9, C)
            return F.embedding_bag(places, parts.reshape(-1, parts.shape[2]), mode="sum") + conv.bias

        return summed(self.conv_gamma), summed(self.conv_beta)


class Pixels:
    """A picture of features, as a list of pixels that shares its memory.

    Attributes:
        values: (B * h * w, C).
    """

    def __init__(self, x: Tensor, level: Level):
        """x: (B, C, h, w), channels last."""
        self._batch = len(x)
        self._at_a_time = level.at_a_time
        self.values = x.permute(0, 2, 3, 1).view(-1, x.shape[1])

    def parts(self, among: slice = slice(None)) -> Iterator[tuple[slice, Tensor]]:
        """The pixels, some at a time."""
        count, channels = self.values.shape
        start, stop, _ = among.indices(count)
        step = max(1, self._at_a_time // channels)
        for first in range(start, stop, step):
            part = slice(first, min(first + step, stop))
            yield part, self.values[part]

    @property
    def _pictures(self) -> list[slice]:
        size = len(self.values) // self._batch
        return [slice(number * size, (number + 1) * size) for number in range(self._batch)]

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of each picture's channels, (B, C), float64.

        Of what the pixels differ from a rough mean: the squares of large numbers would hide a small variance.
        """
        rough = torch.stack([self.values[picture][::SPARSE].float().mean(0) for picture in self._pictures])
        sums = rough.new_zeros(2, *rough.shape, dtype=torch.float64)
        for number, picture in enumerate(self._pictures):
            for _, values in self.parts(picture):
                values = values.float() - rough[number]
                sums[0, number] += values.sum(0)
                sums[1, number] += values.square_().sum(0)
        off, square = sums * self._batch / len(self.values)
        return rough + off, (square - off * off).clamp(min=0)

    def _covariance(self, noise: Tensor) -> Tensor:
        """Of each picture's channels with what is added to them, noise (B * h * w,) of mean 0; (B, C), float64."""
        sums = self.values.new_zeros(self._batch, self.values.shape[1], dtype=torch.float64)
        for number, picture in enumerate(self._pictures):
            for part, values in self.parts(picture):
                sums[number] += noise[part] @ values.float()
        return sums * self._batch / len(self.values)

    def statistics(self, noise: Tensor | None, noise_scale: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each picture's channels, each (B, C), float32.

        Args:
            noise: (B, h, w), added to every channel, noise_scale (C,) times; None for none.
        """
        mean, variance = self._moments
        if noise is not None:
            noise_variance, noise_mean = torch.var_mean(noise.flatten(1).double(), 1, keepdim=True, correction=0)
            common = self._covariance((noise.flatten(1) - noise_mean.float()).flatten())
            variance = variance + 2 * noise_scale * common + noise_scale**2 * noise_variance
            mean = mean + noise_scale * noise_mean
        return mean.float(), (variance + EPSILON).sqrt().float()


class SPADEResBlock(nn.Module):
    """SPADE's residual block (arXiv:1903.07291, figure 4)."""

    def __init__(self, channels_in: int, channels: int, labels: int):
        super().__init__()
        middle = min(channels_in, channels)
        self.norm_0 = SPADENorm(channels_in, labels)
        self.norm_1 = SPADENorm(middle, labels)
        self.conv_0 = SpectralConv2d(channels_in, middle, 3)
        self.conv_1 = SpectralConv2d(middle, channels, 3)
        self.learned = channels_in != channels
        if self.learned:
            self.norm_s = SPADENorm(channels_in, labels)
            self.conv_s = SpectralConv2d(channels_in, channels, 1, bias=False)

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """x is written over."""
        pixels = Pixels(x, level)
        shortcut, inside = (self.conv_s.room(x), x) if self.learned else (x, torch.empty_like(x))
        if self.learned:
            self.norm_s(pixels, level, self.conv_s.point, shortcut)
        self.norm_0(pixels, level, leaky, inside)
        x = self.conv_0(inside)
        self.norm_1(Pixels(x, level), level, leaky, x)
        return self.conv_1(x).add_(shortcut)


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu_(x, SLOPE)


def twice_with(x: Tensor, features: Tensor) -> Tensor:
    """x (B, C, h, w) at twice its size, nearest, and features (B, C', 2h, 2w) in one, channels last."""
    batch, channels, height, width = x.shape
    joined = x.new_empty(batch, height, 2, width, 2, channels + features.shape[1])
    joined[..., :channels] = x.permute(0, 2, 3, 1)[:, :, None, :, None]
    joined = joined.view(batch, 2 * height, 2 * width, -1)
    joined[..., channels:] = features.permute(0, 2, 3, 1)
    return joined.permute(0, 3, 1, 2)


class ImageGenerator(nn.Module):
    """Eight SPADE blocks from 8 x 6 to 1024 x 768; each sees the input and the label map at its own size.

    Args:
        labels: of the label map that modulates; 7 for HR-VITON.
        input_channels: of agnostic, DensePose map and warped cloth; 9.
        width: channels of the finest level are half of it; 64 in the published checkpoint.
    """

    def __init__(self, labels: int = 7, input_channels: int = 9, width: int = 64):
        super().__init__()
        n = width
        self.labels = labels
        self.conv_0 = nn.Conv2d(input_channels, 16 * n, 3, padding=1)
        for level in range(1, 8):
            setattr(self, f"conv_{level}", nn.Conv2d(input_channels, FEATURES, 3, padding=1))
        self.head_0 = SPADEResBlock(16 * n, 16 * n, labels)
        self.G_middle_0 = SPADEResBlock(16 * n + FEATURES, 16 * n, labels)
        self.G_middle_1 = SPADEResBlock(16 * n + FEATURES, 16 * n, labels)
        self.up_0 = SPADEResBlock(16 * n + FEATURES, 8 * n, labels)
        self.up_1 = SPADEResBlock(8 * n + FEATURES, 4 * n, labels)
        self.up_2 = SPADEResBlock(4 * n + FEATURES, 2 * n, labels)
        self.up_3 = SPADEResBlock(2 * n + FEATURES, n, labels)
        self.up_4 = SPADEResBlock(n + FEATURES, n // 2, labels)
        self.conv_img = nn.Conv2d(n // 2, 3, 3, padding=1)

    def forward(self, x: Tensor, label_map: Tensor, seeds: Sequence[int], at_a_time: int | None = None) -> Tensor:
        """
        Args:
            x: (B, 9, 1024, 768), -1..1; other sizes are whole multiples of 128 too.
            label_map: int (B, 1024, 768), 0 .. labels - 1.
            seeds: B numbers that each picture's noise is drawn from.
            at_a_time: numbers that SPADE works on at a time; by default as many as a CPU's cache holds, or all. Fewer
                need less memory and give the same picture.

        Returns:
            (B, 3, 1024, 768), -1..1.
        """
        blocks = (
            self.head_0, self.G_middle_0, self.G_middle_1, self.up_0, self.up_1, self.up_2, self.up_3, self.up_4,
        )  # fmt: skip
        x = x.contiguous(memory_format=torch.channels_last)
        generators = [Generator().manual_seed(seed) for seed in seeds]
        at_a_time = at_a_time or (CACHE if x.device.type == "cpu" else sys.maxsize)
        h = None
        for level, block in enumerate(blocks):
            step = 128 >> level
            features = getattr(self, f"conv_{level}")(x[..., ::step, ::step])
            h = features if h is None else twice_with(h, features)
            h = block(h, Level(label_patches(label_map[:, ::step, ::step], self.labels), generators, at_a_time))
        return torch.tanh(self.conv_img(F.leaky_relu(h, SLOPE)))
