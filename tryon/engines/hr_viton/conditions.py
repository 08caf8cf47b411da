"""Between HR-VITON's two networks: from what the first one says of a small picture to what the second one takes.

Lee et al., arXiv:2206.14180, section 3.1 ("condition aligning") and the last paragraph of 3.2 ("occlusion handling").
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from preprocessing.labels import LABEL7_OF_LABEL13, Label13
from tryon.engines.hr_viton.condition_generator import Conditions
from tryon.engines.hr_viton.warp import sample

WHITE = 1.0
# The blur of the enlarged segmentation.
SIGMA, RADIUS = 3.0, 7
# Where one of these is, it is in front of the garment. Background and garment are not; nor, as published, is a bottom.
IN_FRONT = [label for label in Label13 if label not in (Label13.BACKGROUND, Label13.UPPER, Label13.BOTTOM)]


class Dressing(NamedTuple):
    """At full size H x W, for a batch of B.

    Attributes:
        segmentation: (B, 13, H, W), blurred, at least 0.
        labels: int64 (B, H, W) of `Label13`: the dressed person.
        cloth: (B, 3, H, W), warped, -1..1, white where something is in front of it or it is not.
        mask: (B, 1, H, W), 0..1, of that.
    """

    segmentation: Tensor
    labels: Tensor
    cloth: Tensor
    mask: Tensor

    @property
    def label_map(self) -> Tensor:
        """int64 (B, H, W) of `Label7`, what the image generator is told."""
        seven = torch.tensor([LABEL7_OF_LABEL13[label] for label in Label13], device=self.labels.device)
        return seven[self.labels]


def dress(conditions: Conditions, cloth: Tensor, cloth_mask: Tensor) -> Dressing:
    """
    Args:
        cloth: (B, 3, H, W), -1..1, and
        cloth_mask: (B, 1, H, W), 0 or 1: the garment's picture at full size.
    """
    size = cloth.shape[2:]
    segmentation = enlarge_and_blur(align(conditions.segmentation, conditions.mask), size)
    flow = conditions.flows[-1]
    large = F.interpolate(flow.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    warped = sample(torch.cat([cloth, cloth_mask], 1), large, size=flow.shape[1:3])
    mask = handle_occlusion(warped[:, 3:], segmentation)
    cloth = warped[:, :3] * mask + WHITE * (1 - mask)
    return Dressing(segmentation, segmentation.argmax(1), cloth, mask)


def align(segmentation: Tensor, mask: Tensor) -> Tensor:
    """Condition aligning: the garment can only be where its warped mask (B, 1, h, w) is."""
    aligned = segmentation.clone()
    aligned[:, Label13.UPPER] *= mask[:, 0]
    return aligned


def handle_occlusion(mask: Tensor, segmentation: Tensor) -> Tensor:
    """Take out of the warped mask (B, 1, H, W) what lies behind the body, as likely as the segmentation says."""
    return mask * (1 - segmentation.softmax(1)[:, IN_FRONT].sum(1, keepdim=True))


def enlarge_and_blur(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (B, C, h, w) at another size, bilinear, then blurred, with zeros around the picture.

    Both are linear and separable, so that they are one matrix for each axis.
    """
    down, across = (_enlarging(*pair, maps.device) for pair in zip(maps.shape[2:], size, strict=True))
    return down @ maps @ across.T


@cache
def _enlarging(small: int, large: int, device: torch.device) -> Tensor:
    """(large, small): enlarges and blurs one axis."""
    bilinear = F.interpolate(torch.eye(small, dtype=torch.float64)[None], size=large, mode="linear")[0].T
    distance = torch.arange(large)[:, None] - torch.arange(large)
    blur = torch.exp(-(distance.double() ** 2) / (2 * SIGMA**2)) * (distance.abs() <= RADIUS)
    blur /= blur[large // 2].sum()
    return (blur @ bilinear).float().to(device)
