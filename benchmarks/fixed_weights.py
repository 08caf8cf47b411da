"""Weights that anyone can make again: each tensor depends only on a seed, its name and its shape.

Two implementations whose networks have the same names and shapes then hold the same weights, so that their results can
be compared without a checkpoint. The pictures that come out show nothing.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import nn

MODULATION = ("conv_gamma", "conv_beta", "conv_img")
# The condition generator's last layer sees its input once more: person (16 channels), then cloth and mask (4).
LAST, SEEN = "out_layer.scale.weight", 20
STRONG = [(label, label, 6.0) for label in range(13)] + [(3, 19, 6.0), (5, 13, 5.0), (5, 14, 5.0)]


def _random(seed: int, key: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(f"{seed}:{key}".encode()))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt((vector * vector).sum())


def _values(seed: int, key: str, shape: tuple[int, ...], noise: float) -> np.ndarray:
    random = _random(seed, key)
    fan = int(np.prod(shape[1:]))
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if key.endswith(("running_mean", ".bias")):
        return random.standard_normal(shape) * 0.1
    if key.endswith("running_var") or (key.endswith(".weight") and len(shape) == 1):
        return 0.5 + random.random_sample(shape)
    if key.endswith("noise_scale"):
        return random.standard_normal(shape) * noise
    if key.endswith(("weight_u", "weight_v")):
        return _unit(random.standard_normal(shape))
    if key.endswith("weight_orig"):  # with a largest singular value of about 2, along the stored vectors
        values = random.standard_normal(shape) / np.sqrt(fan)
        u = _unit(_random(seed, key[:-4] + "u").standard_normal(shape[0]))
        v = _unit(_random(seed, key[:-4] + "v").standard_normal(fan))
        return values + 2.0 * np.outer(u, v).reshape(shape)
    gain = 0.5 if any(name in key for name in MODULATION) else 1.0
    return random.standard_normal(shape) * (gain / np.sqrt(fan))


def fixed_state(network: nn.Module, seed: int, noise: float = 0.0) -> dict[str, torch.Tensor]:
    """A state_dict for a network, which may be on the meta device; `noise`: deviation of SPADE's noise scales."""
    state = {}
    for key, old in network.state_dict().items():
        state[key] = torch.from_numpy(np.asarray(_values(seed, key, tuple(old.shape), noise))).to(old.dtype)
    if LAST in state:  # the segmentation follows what the network sees, so that most labels occur
        first = state[LAST].shape[1] - SEEN
        for label, channel, more in STRONG:
            state[LAST][label, first + channel] += more
    return state


def with_fixed_weights(network: nn.Module, seed: int, noise: float = 0.0) -> nn.Module:
    network.load_state_dict(fixed_state(network, seed, noise))
    return network.eval()
