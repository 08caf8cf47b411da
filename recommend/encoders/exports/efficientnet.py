"""EfficientNet-Lite2 up to its last features, and the directions they are projected on."""

from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIDE = 260
NUMBERS = 380


class Features(nn.Module):
    """Pictures (N, 3, 260, 260) to (N, 1280, 9, 9)."""

    def __init__(self, network: EfficientNet):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network.extract_features(image)


def load(file: Path) -> tuple[nn.Module, np.ndarray]:
    """The network, and directions (1280, 380)."""
    network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True), strict=True)
    return Features(network), classifier_directions(network._fc.weight)


def classifier_directions(weight: torch.Tensor) -> np.ndarray:
    """(1280, 380) orthonormal: the right singular vectors of the centred classifier (1000, 1280), strongest first.

    What the classifier reads, and little else. In double precision and with the largest entry of each made positive,
    so that every machine gets the same.
    """
    weight = weight.detach().double().numpy()
    _, _, rows = np.linalg.svd(weight - weight.mean(axis=0), full_matrices=False)
    rows = rows[:NUMBERS]
    rows *= np.sign(rows[np.arange(NUMBERS), np.abs(rows).argmax(axis=1)])[:, None]
    return rows.T
