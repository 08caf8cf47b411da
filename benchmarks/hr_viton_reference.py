"""HR-VITON's image generator computed as it was published, layer by layer: what the engine is compared with.

Same parameters, same results; every pixel's scale and shift comes from convolutions over the label map at full size,
the spectral norm is divided out at each call, and the blur is one 15 x 15 convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tryon.engines.hr_viton.image_generator import EPSILON, SLOPE, ImageGenerator, SPADENorm, SPADEResBlock

KERNEL, SIGMA = 15, 3.0


def convolve(conv, x: Tensor) -> Tensor:
    weight = conv.weight_orig / (conv.weight_u @ (conv.weight_orig.flatten(1) @ conv.weight_v))
    return F.conv2d(x, weight, conv.bias, padding=weight.shape[-1] // 2)


def normalise(norm: SPADENorm, x: Tensor, one_hot: Tensor) -> Tensor:
    batch, _, height, width = x.shape
    noise = (torch.randn(batch, width, height, 1) * norm.noise_scale).transpose(1, 3)
    normalised = F.instance_norm(x + noise, eps=EPSILON)
    shared = norm.conv_shared(F.interpolate(one_hot, size=(height, width), mode="nearest"))
    return normalised * (1 + norm.conv_gamma(shared)) + norm.conv_beta(shared)


def residual(block: SPADEResBlock, x: Tensor, one_hot: Tensor) -> Tensor:
    shortcut = convolve(block.conv_s, normalise(block.norm_s, x, one_hot)) if block.learned else x
    h = convolve(block.conv_0, F.leaky_relu(normalise(block.norm_0, x, one_hot), SLOPE))
    h = convolve(block.conv_1, F.leaky_relu(normalise(block.norm_1, h, one_hot), SLOPE))
    return shortcut + h


def generate_image(network: ImageGenerator, x: Tensor, one_hot: Tensor) -> Tensor:
    """The picture, (B, 3, H, W), from (B, 9, H, W) and labels (B, 7, H, W); noise from torch's own generator."""
    height, width = x.shape[2] // 128, x.shape[3] // 128
    blocks = [network.head_0, network.G_middle_0, network.G_middle_1]
    blocks += [network.up_0, network.up_1, network.up_2, network.up_3, network.up_4]
    h = None
    for level, block in enumerate(blocks):
        small = F.interpolate(x, size=(height << level, width << level), mode="nearest")
        features = getattr(network, f"conv_{level}")(small)
        h = features if h is None else torch.cat([F.interpolate(h, scale_factor=2, mode="nearest"), features], 1)
        h = residual(block, h, one_hot)
    return torch.tanh(network.conv_img(F.leaky_relu(h, SLOPE)))


def enlarge_and_blur(segmentation: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, then a Gaussian over 15 x 15 pixels with zeros around the picture."""
    large = F.interpolate(segmentation, size=size, mode="bilinear")
    line = torch.exp(-((torch.arange(KERNEL) - KERNEL // 2) ** 2) / (2 * SIGMA**2))
    line /= line.sum()
    kernel = torch.outer(line, line).expand(large.shape[1], 1, KERNEL, KERNEL)
    return F.conv2d(large, kernel, padding=KERNEL // 2, groups=large.shape[1])
