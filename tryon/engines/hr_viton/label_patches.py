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

REACH = 2
NEAR = range(3)
# Numbering by a table of everything that could occur is quick while the table is small; beyond, by sorting.
LARGEST_TABLE = 1 << 24


@dataclass(frozen=True)
class LabelPatches:
    """The distinct 5 x 5 patches of a batch of label maps, each told by the nine 3 x 3 squares it is made of.

    Attributes:
        squares: uint8 (S, 3, 3), a label or, outside of the map, the number of labels.
        patches: int64 (P, 9), the squares around the nine places in the middle of a patch, row by row.
        rows: int64 (R,), the patch, and
        owners: int64 (R,), the map of each patch that occurs in a map: a patch of two maps has two rows.
        index: int64 (B, h, w), which row belongs to each pixel's surroundings.
    """

    squares: Tensor
    patches: Tensor
    rows: Tensor
    owners: Tensor
    index: Tensor


def label_patches(maps: Tensor, count: int) -> LabelPatches:
    """Find and number the patches of label maps, int (B, h, w), of labels 0 .. count - 1."""
    batch, height, width = maps.shape
    padded = F.pad(maps.to(torch.int64), (REACH,) * 4, value=count)  # (B, h + 4, w + 4)
    # Neighbours are joined two or three at a time, and numbered anew each time: 1 x 3, 3 x 3, 3 x 5, 5 x 5.
    across, kinds = _renumber(_joined([padded[..., i : i + width + 2] for i in NEAR], count + 1), (count + 1) ** 3)
    square, squares = _renumber(_joined([across[:, i : i + height + 2] for i in NEAR], kinds), kinds**3)
    wide, kinds = _renumber(_joined([square[..., :width], square[..., 2:]], squares), squares**2)
    patch, patches = _renumber(_joined([wide[:, :height], wide[:, 2:]], kinds), kinds**2)
    owner = torch.arange(batch, device=maps.device)[:, None, None]
    index, rows = _renumber(owner * patches + patch, batch * patches)

    of_square, of_patch, of_row = (
        _one_of_each(*pair) for pair in ((square, squares), (patch, patches), (index, rows))
    )
    return LabelPatches(
        _around(padded, of_square, square.shape).to(torch.uint8),
        _around(square, of_patch, patch.shape).flatten(1),
        patch.flatten()[of_row],
        of_row // (height * width),
        index,
    )


def _one_of_each(numbers: Tensor, count: int) -> Tensor:
    """For each of 0 .. count - 1 a place in the flattened map where it is; any will do, all stand for the same."""
    place = torch.empty(count, dtype=torch.int64, device=numbers.device)
    place[numbers.flatten()] = torch.arange(numbers.numel(), device=numbers.device)
    return place


def _around(values: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
    """The 3 x 3 values (N, 3, 3) around N places of a map of a shape, which has a border of one more place."""
    _, height, width = shape
    b, y, x = places // (height * width), places // width % height, places % width
    near = torch.arange(3, device=values.device)
    return values[b[:, None, None], y[:, None, None] + near[:, None], x[:, None, None] + near]


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
    occurs = torch.zeros(below, dtype=torch.bool, device=numbers.device)
    occurs[numbers.flatten()] = True
    distinct = occurs.nonzero()[:, 0]
    new = torch.empty(below, dtype=torch.int64, device=numbers.device)
    new[distinct] = torch.arange(len(distinct), device=numbers.device)
    return new[numbers], len(distinct)
