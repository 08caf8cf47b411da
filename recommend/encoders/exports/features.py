"""`python -m recommend.encoders.exports.features WEIGHT TARGET`: a network's projected features as ONNX."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from preprocessing import weights
from preprocessing.pretrained import WEIGHTS
from recommend.encoders.exports import efficientnet, inception, noise, write
from recommend.encoders.runtime import session

MAKERS = {"efficientnet_lite2": efficientnet, "inception_fid": inception}
MOST_DIFFERENCE = 1e-3  # of features that are about 0 to 6


class Projected(nn.Module):
    """Pictures (N, 3, side, side) to features on fewer directions (N, numbers).

    Args:
        network: from pictures to (N, channels, height, width).
        directions: (channels, numbers) orthonormal.
    """

    def __init__(self, network: nn.Module, directions: np.ndarray):
        super().__init__()
        self.network = network
        self.directions = nn.Parameter(torch.from_numpy(directions.astype(np.float32)))

    def forward(self, image):
        return self.network(image).mean((2, 3)) @ self.directions


def build(weight: str, file: Path) -> Projected:
    """By its weight's name, from the file that `preprocessing/pretrained.py` describes."""
    return Projected(*MAKERS[weight].load(file)).eval()


def export(model: nn.Module, side: int, target: Path) -> float:
    """The largest difference between torch and the written file, on noise."""
    torch.set_num_threads(1)
    given = noise(2, 3, side, side)
    write(model, given, target, {0: "n"})
    with torch.inference_mode():
        expected = model(given).numpy()
    found = session(target).run(None, {"input": given.numpy()})[0]
    return float(np.abs(expected - found).max())


def main(weight: str, target: Path) -> None:
    file = weights.path(weight)
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != WEIGHTS[weight].files[0].sha256:
            sys.exit(f"{file} is damaged: its sha256 is another. Delete it, then: {WEIGHTS[weight].command}")
    difference = export(build(weight, file), MAKERS[weight].SIDE, target)
    if difference > MOST_DIFFERENCE:
        sys.exit(f"the exported network differs from torch's by {difference}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
