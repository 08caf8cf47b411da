"""The few label patterns that a label map is made of.

SPADE scales and shifts each pixel by two layers of 3 x 3 convolutions over a map of a few labels: what a pixel gets
depends on the 5 x 5 labels around it and on nothing else. A map of 1024 x 768 has some thousand such patches, so that
the convolutions run once for each of them instead of once for each pixel, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE, REACH = 5, 2
# Numbering by a table of everything that could occur is quick while the table is small; beyond, by sorting.
LARGEST_TABLE = 1 << 24


@dataclass(frozen=True)
class LabelPatches:
    """The distinct 5 x 5 patches of a batch of label maps.

    Attributes:
        labels: uint8 (P, 5, 5), a label or, outside of the map, the number of labels.
        index: int64 (B, h, w), which row of `rows` belongs to each pixel's surroundings.
        rows: int64 (R,), the patch, and
        owners: int64 (R,), the map of each patch that occurs in a map: a patch of two maps has two rows.
    """

    labels: Tensor
    index: Tensor
    rows: Tensor
    owners: Tensor


def label_patches(maps: Tensor, count: int) -> LabelPatches:
    """Find and number the patches of label maps, int (B, h, w), of labels 0 .. count - 1."""
    batch, height, width = maps.shape
    padded = F.pad(maps.to(torch.int64), (REACH,) * 4, value=count)  # (B, h + 4, w + 4)
    # Neighbours are joined two or three at a time, and numbered anew each time: 3 x 1, 3 x 3, 3 x 5, 5 x 5.
    across, kinds = _renumber(_joined([padded[..., i : i + width + 2] for i in range(3)], count + 1), (count + 1) ** 3)
    square, kinds = _renumber(_joined([across[:, i : i + height + 2] for i in range(3)], kinds), kinds**3)
    wide, kinds = _renumber(_joined([square[..., :width], square[..., 2:]], kinds), kinds**2)
    patch, kinds = _renumber(_joined([wide[:, :height], wide[:, 2:]], kinds), kinds**2)
    owner = torch.arange(batch, device=maps.device)[:, None, None]
    index, rows = _renumber(owner * kinds + patch, batch * kinds)

    # Any pixel of a row tells what the row stands for: all of them are alike.
    one = torch.empty(rows, dtype=torch.int64, device=maps.device)
    one[index.flatten()] = torch.arange(index.numel(), device=maps.device)
    row_patch = patch.flatten()[one]
    one_of_patch = torch.empty(kinds, dtype=torch.int64, device=maps.device)
    one_of_patch[row_patch] = one
    b, y, x = one_of_patch // (height * width), one_of_patch // width % height, one_of_patch % width
    near = torch.arange(SIDE, device=maps.device)
    labels = padded[b[:, None, None], y[:, None, None] + near[:, None], x[:, None, None] + near]
    return LabelPatches(labels.to(torch.uint8), index, row_patch, one // (height * width))


def _joined(parts: list[Tensor], kinds: int) -> Tensor:
    """One number for several, each of them below `kinds`."""
    joined = parts[0]
    for part in parts[1:]:
        joined = joined * kinds + part
    return joined


def _renumber(numbers: Tensor, below: int) -> tuple[Tensor, int]:
    """The same map with its distinct numbers, all below a bound, replaced by 0, 1, 2 …; and how many there are."""
    if below > LARGEST_TABLE:
        distinct, renumbered = torch.unique(numbers, return_inverse=True)
        return renumbered, len(distinct)
    occurs = torch.zeros(below, dtype=torch.int64, device=numbers.device)
    occurs[numbers.flatten()] = 1
    new = occurs.cumsum(0)
    return new[numbers] - 1, int(new[-1])
