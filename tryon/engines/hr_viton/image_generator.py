"""HR-VITON's image generator: the dressed person, from the person without the garment and the warped cloth.

Lee et al., arXiv:2206.14180, section 3.2; the blocks are SPADE's (Park et al., arXiv:1903.07291, figure 3) as VITON-HD
uses them (Choi et al., arXiv:2103.16874, section 3.4), with its noise and its instance normalisation. The names of the
layers are those of the published checkpoints, of which VITON-HD's has the same ones.

What the published computation spends four fifths of its time on, scale and shift of every pixel from the label map, is
looked up here: see `label_patches`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from tryon.engines.hr_viton.label_patches import LabelPatches, label_patches

EPSILON = 1e-5
SLOPE = 0.2
HIDDEN = 128  # channels between label map and scale and shift
FEATURES = 16  # channels of the input that join at each level
# Pixels modulated at a time on a CPU: what is worked on then stays in its cache.
PIXELS = 2048


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

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight_orig, self.bias, padding=self.weight_orig.shape[-1] // 2)


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

    def forward(self, x: Tensor, patches: LabelPatches, noise: Tensor, slope: float = 1.0) -> Tensor:
        """
        Args:
            x: (B, C, h, w), channels last.
            noise: (B, h, w), float32.
            slope: of a leaky ReLU that follows; 1 for none.
        """
        batch, channels, height, width = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        noise = noise.reshape(batch, height * width)
        mean, deviation = self._statistics(pixels, noise)  # (B, C)
        gamma, beta = self._tables(patches.labels, x.dtype)  # (P, C)
        scale = (1 + gamma)[patches.rows] / deviation[patches.owners]  # (R, C)
        shift = beta[patches.rows] - mean[patches.owners] * scale

        modulated = torch.empty_like(pixels)
        modulate(
            pixels.flatten(0, 1),
            noise.flatten().to(x.dtype) if self.noise_scale.any() else None,
            self.noise_scale.to(x.dtype),
            patches.index.flatten(),
            scale.to(x.dtype),
            shift.to(x.dtype),
            slope,
            modulated.flatten(0, 1),
        )
        return modulated.view(batch, height, width, channels).permute(0, 3, 1, 2)

    def _statistics(self, pixels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of pixels (B, N, C) with their noise, each (B, C), float32."""
        variance, mean = torch.var_mean(pixels.float(), dim=1, correction=0)
        if self.noise_scale.any():
            noise_variance, noise_mean = torch.var_mean(noise, dim=1, keepdim=True, correction=0)
            common = torch.einsum("bnc,bn->bc", pixels.float(), noise - noise_mean) / noise.shape[1]
            variance = variance + 2 * self.noise_scale * common + self.noise_scale**2 * noise_variance
            mean = mean + self.noise_scale * noise_mean
        return mean, (variance + EPSILON).sqrt()

    def _tables(self, patches: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Gamma and beta in the middle of label patches (P, 5, 5), each (P, C), float32."""
        shared, weights = self.conv_shared[0], (self.conv_gamma.weight, self.conv_beta.weight)
        labels = shared.weight.shape[1]
        one_hot = F.one_hot(patches.long(), labels + 1)[..., :labels].permute(0, 3, 1, 2)  # outside: all 0
        hidden = F.relu(F.conv2d(one_hot.to(shared.weight.dtype), shared.weight, shared.bias))  # (P, 128, 3, 3)
        # Outside of the map a convolution sees 0, not what the first layer would make of what is there.
        hidden = hidden * (patches[:, None, 1:-1, 1:-1] < labels)
        both = hidden.flatten(1) @ torch.cat(weights).flatten(1).T
        both = both.float() + torch.cat([self.conv_gamma.bias, self.conv_beta.bias]).float()
        return tuple(both.chunk(2, 1))


def modulate(
    x: Tensor, noise: Tensor | None, noise_scale: Tensor, index: Tensor, scale: Tensor, shift: Tensor, slope: float,
    out: Tensor,
) -> None:  # fmt: skip
    """Write leaky_relu((x + noise_scale * noise) * scale[index] + shift[index]) to `out`.

    Args:
        x, out: (N, C); noise, index: (N,); noise_scale: (C,); scale, shift: (R, C).
    """
    step = PIXELS if x.device.type == "cpu" else len(x)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        given, here = x[part], index[part]
        if noise is not None:
            given = torch.addcmul(given, noise[part, None], noise_scale)
        result = torch.addcmul(shift.index_select(0, here), given, scale.index_select(0, here))
        out[part] = F.leaky_relu_(result, slope) if slope != 1 else result


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

    def forward(self, x: Tensor, patches: LabelPatches, noise: Noise) -> Tensor:
        shortcut = self.conv_s(self.norm_s(x, patches, noise(x))) if self.learned else x
        x = self.conv_0(self.norm_0(x, patches, noise(x), SLOPE))
        x = self.conv_1(self.norm_1(x, patches, noise(x), SLOPE))
        return x.add_(shortcut)


class Noise:
    """Normal noise, one value a pixel, drawn for each picture from a seed of its own."""

    def __init__(self, seeds: Sequence[int]):
        self._generators = [Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, x: Tensor) -> Tensor:
        """(B, h, w), float32, for x (B, C, h, w); drawn on the CPU, so that every device draws the same."""
        height, width = x.shape[2:]
        # As published: the rows of what is drawn are the picture's columns.
        drawn = [torch.randn(width, height, generator=generator) for generator in self._generators]
        return torch.stack(drawn).transpose(1, 2).to(x.device)


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

    def forward(self, x: Tensor, label_map: Tensor, seeds: Sequence[int]) -> Tensor:
        """
        Args:
            x: (B, 9, 1024, 768), -1..1; other sizes are whole multiples of 128 too.
            label_map: int (B, 1024, 768), 0 .. labels - 1.
            seeds: B numbers that the noise is drawn from.

        Returns:
            (B, 3, 1024, 768), -1..1.
        """
        blocks = (
            self.head_0, self.G_middle_0, self.G_middle_1, self.up_0, self.up_1, self.up_2, self.up_3, self.up_4,
        )  # fmt: skip
        x = x.contiguous(memory_format=torch.channels_last)
        noise = Noise(seeds)
        h = None
        for level, block in enumerate(blocks):
            step = 128 >> level
            features = getattr(self, f"conv_{level}")(x[..., ::step, ::step])
            h = features if h is None else torch.cat([F.interpolate(h, scale_factor=2.0), features], 1)
            h = block(h, label_patches(label_map[:, ::step, ::step], self.labels), noise)
        return torch.tanh(self.conv_img(F.leaky_relu(h, SLOPE)))
