"""`python -m recommend.encoders.exports.efficientnet WEIGHTS TARGET`: EfficientNet-Lite2 as ONNX."""

import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

from recommend.encoders.exports import noise, write
from recommend.encoders.runtime import session

DIM = 380
SIDE = 260
MOST_DIFFERENCE = 1e-3  # of features that are about 0 to 6


class Projected(torch.nn.Module):
    """Pictures (N, 3, 260, 260) to the strongest directions of the classifier (N, 380)."""

    def __init__(self, network: EfficientNet):
        super().__init__()
        self.network = network
        self.projection = torch.nn.Parameter(classifier_directions(network._fc.weight))  # (1280, 380)

    def forward(self, image):
        features = self.network.extract_features(image)  # (N, 1280, 9, 9)
        return features.mean((2, 3)) @ self.projection


def classifier_directions(weight: torch.Tensor) -> torch.Tensor:
    """(1280, 380) orthonormal: the right singular vectors of the centred classifier (1000, 1280), strongest first.

    In double precision and with the largest entry of each made positive, so that every machine gets the same.
    """
    weight = weight.detach().double().numpy()
    _, _, rows = np.linalg.svd(weight - weight.mean(axis=0), full_matrices=False)
    rows = rows[:DIM]
    rows *= np.sign(rows[np.arange(DIM), np.abs(rows).argmax(axis=1)])[:, None]
    return torch.from_numpy(rows.T.astype(np.float32).copy())


def build(state: dict) -> Projected:
    network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(state, strict=True)
    return Projected(network).eval()


def export(source: str, target: Path) -> float:
    """The largest difference between torch and the written file, on noise."""
    torch.set_num_threads(1)
    model = build(torch.load(source, map_location="cpu", weights_only=True))
    given = noise(2, 3, SIDE, SIDE)
    write(model, given, target, {0: "n"})
    with torch.inference_mode():
        expected = model(given).numpy()
    found = session(target).run(None, {"input": given.numpy()})[0]
    return float(np.abs(expected - found).max())


if __name__ == "__main__":
    difference = export(sys.argv[1], Path(sys.argv[2]))
    if difference > MOST_DIFFERENCE:
        sys.exit(f"the exported network differs from torch's by {difference}")
