"""Bending a picture by an appearance flow, as HR-VITON's checkpoints were trained to see it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def twice(x: Tensor) -> Tensor:
    """(B, C, h, w) at twice the size."""
    return F.interpolate(x, scale_factor=2, mode="bilinear")


def sample(x: Tensor, flow: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """A picture (B, C, H, W), each place of which shows what lies a flow (B, H, W, 2) away.

    The grid's ends are the centres of the outermost pixels while the sampling takes them for their outer edges. That
    is not consistent, but it is what the checkpoints have learned.

    Args:
        flow: x and y, in pixels of a picture of the size
        size: (h, w), by default that of half the flow's own: a flow that was enlarged is still in the pixels of the
            level it was made at.
    """
    height, width = flow.shape[1:3]
    h, w = size or (height / 2, width / 2)
    x_to, y_to = (torch.linspace(-1, 1, count, dtype=x.dtype, device=x.device) for count in (width, height))
    grid = torch.stack([x_to.expand(height, width), y_to[:, None].expand(height, width)], 2)
    unit = torch.tensor([(w - 1) / 2, (h - 1) / 2], dtype=x.dtype, device=x.device)
    return F.grid_sample(x, flow / unit + grid, padding_mode="border", align_corners=False)
