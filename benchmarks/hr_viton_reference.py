"""HR-VITON computed as it was published, module by module: what the engine is compared with.

Same parameters, same results. The segmentation pathway enlarges before it convolves, the blur is one 15 x 15
convolution, the spectral norm is divided out at each call, and every pixel's scale and shift comes from convolutions
over the label map at full size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from preprocessing.labels import LABEL7_OF_LABEL13, Label7, Label13
from tryon.engines.hr_viton.condition_generator import ConditionGenerator, Conditions, ResBlock
from tryon.engines.hr_viton.conditions import IN_FRONT, Dressing
from tryon.engines.hr_viton.image_generator import (
    EPSILON,
    SLOPE,
    ImageGenerator,
    SPADENorm,
    SPADEResBlock,
    SpectralConv2d,
)
from tryon.engines.hr_viton.pipeline import Pipeline, Steps, Tensors, Watch, small
from tryon.engines.hr_viton.warp import sample

KERNEL, SIGMA = 15, 3.0


class Reference(Pipeline):
    """The pipeline, with every step as published; float32 in the memory format torch gives by itself."""

    def __init__(self, condition: ConditionGenerator, image: ImageGenerator, device: str = "cpu"):
        super().__init__(condition, image, device)
        for network in (condition, image):
            network.to(memory_format=torch.contiguous_format)
        for module in condition.modules():
            if isinstance(module, ResBlock):
                module.forward = as_published(module)

    @torch.inference_mode()
    def steps(self, tensors: Tensors, seeds: Sequence[int]) -> Steps:
        watch = Watch(self.device)
        with watch.step("condition"):
            conditions = self.condition(*small(tensors))
        with watch.step("dress"):
            dressing = dress(conditions, tensors.cloth, tensors.cloth_mask)
            one_hot = to_seven(F.one_hot(dressing.labels, len(Label13)).permute(0, 3, 1, 2).float())
        with watch.step("image"):
            torch.manual_seed(seeds[0])
            x = torch.cat([tensors.agnostic, tensors.densepose, dressing.cloth], 1)
            image = generate_image(self.image, x, one_hot)
        self.seconds = watch.seconds
        return Steps(conditions, dressing, image)


def as_published(block: ResBlock):
    def forward(x: Tensor) -> Tensor:
        if block.grows:
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
        x = block.scale(x)
        return F.relu(x + block.block(x))

    return forward


def dress(conditions: Conditions, cloth: Tensor, cloth_mask: Tensor) -> Dressing:
    size = cloth.shape[2:]
    segmentation = conditions.segmentation.clone()
    segmentation[:, Label13.UPPER] *= conditions.mask[:, 0]
    segmentation = enlarge_and_blur(segmentation, size)
    flow = conditions.flows[-1]
    large = F.interpolate(flow.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    warped, mask = (sample(picture, large, flow.shape[1:3]) for picture in (cloth, cloth_mask))
    mask = mask - segmentation.softmax(1)[:, IN_FRONT].sum(1, keepdim=True) * mask
    return Dressing(segmentation, segmentation.argmax(1), warped * mask + (1 - mask), mask)


def enlarge_and_blur(segmentation: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear, then a Gaussian over 15 x 15 pixels with zeros around the picture."""
    large = F.interpolate(segmentation, size=size, mode="bilinear")
    line = torch.exp(-((torch.arange(KERNEL, device=large.device) - KERNEL // 2) ** 2) / (2 * SIGMA**2))
    line /= line.sum()
    kernel = torch.outer(line, line).expand(large.shape[1], 1, KERNEL, KERNEL)
    return F.conv2d(large, kernel, padding=KERNEL // 2, groups=large.shape[1])


def to_seven(one_hot: Tensor) -> Tensor:
    """(B, 13, H, W) of Label13 to (B, 7, H, W) of Label7."""
    seven = one_hot.new_zeros(len(one_hot), len(Label7), *one_hot.shape[2:])
    for label, joined in LABEL7_OF_LABEL13.items():
        seven[:, joined] += one_hot[:, label]
    return seven


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


def residual(block: SPADEResBlock, x: Tensor, one_hot: Tensor) -> Tensor:
    shortcut = convolve(block.conv_s, normalise(block.norm_s, x, one_hot)) if block.learned else x
    h = convolve(block.conv_0, F.leaky_relu(normalise(block.norm_0, x, one_hot), SLOPE))
    h = convolve(block.conv_1, F.leaky_relu(normalise(block.norm_1, h, one_hot), SLOPE))
    return shortcut + h


def normalise(norm: SPADENorm, x: Tensor, one_hot: Tensor) -> Tensor:
    batch, _, height, width = x.shape
    # Drawn on the CPU, as the engine does: every device then gives the same picture.
    noise = (torch.randn(batch, width, height, 1).to(x.device) * norm.noise_scale).transpose(1, 3)
    normalised = F.instance_norm(x + noise, eps=EPSILON)
    shared = norm.conv_shared(F.interpolate(one_hot, size=(height, width), mode="nearest"))
    return normalised * (1 + norm.conv_gamma(shared)) + norm.conv_beta(shared)


def convolve(conv: SpectralConv2d, x: Tensor) -> Tensor:
    weight = conv.weight_orig / (conv.weight_u @ (conv.weight_orig.flatten(1) @ conv.weight_v))
    return F.conv2d(x, weight, conv.bias, padding=weight.shape[-1] // 2)
