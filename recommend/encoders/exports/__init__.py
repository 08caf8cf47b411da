"""Programs that make ONNX files of torch networks, `python -m recommend.encoders.exports.NAME ... TARGET`.

The one place that needs torch. What is exported is compared with torch's own results before it is accepted.
"""

import warnings
from pathlib import Path

import torch


def write(model: torch.nn.Module, example: torch.Tensor, target: Path, open_axes: dict[int, str]) -> None:
    """`model` of one input "input" and one output "output", of any length along `open_axes`."""
    with warnings.catch_warnings():
        # The exporter that warns of its age is the one that writes plain operators; the new one needs onnxscript.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (example,), str(target), dynamo=False, opset_version=17,
            input_names=["input"], output_names=["output"],
            dynamic_axes={"input": open_axes, "output": {0: "n"}},
        )  # fmt: skip


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))
