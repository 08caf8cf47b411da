"""How far HR-VITON as we run it is from the published computation, on recorded inputs and results.

    ./dev parity FILE.npz [--device cuda] [--precision bfloat16]

The file holds pictures, the sizes of the networks, the seeds of their weights (`fixed_weights`), and what came out on
the way. Prints the largest difference of every array; ends with 1 when one is above the bar: 1e-3 for what the
networks give, nothing for labels and drawn pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.fixed_weights import with_fixed_weights
from preprocessing.person.agnostic import agnostic, parse_agnostic
from tryon.engines.hr_viton.condition_generator import ConditionGenerator
from tryon.engines.hr_viton.image_generator import ImageGenerator
from tryon.engines.hr_viton.inputs import Sample
from tryon.engines.hr_viton.pipeline import Pipeline, Steps, Tensors

TOLERANCE = 1e-3
NOISE_SEED = 1234
NOISE = "noise_scale:"
STRIDE = 4
Recorded = dict[str, np.ndarray]


def drawn(recorded: Recorded) -> Iterator[tuple[str, np.ndarray]]:
    """Our agnostic and parse agnostic of the recorded person."""
    image, parse, points = (recorded[f"in_{name}"] for name in ("image_u8", "parse20_u8", "keypoints25x3"))
    yield "in_agnostic_u8", agnostic("upper", image, parse, points, np.zeros_like(parse))
    yield "in_parse_agnostic20_u8", parse_agnostic("upper", parse, points)


def sample(recorded: Recorded) -> Sample:
    return Sample(
        cloth=recorded["in_cloth_u8"],
        cloth_mask=recorded["in_cloth_mask_u8"] >= 128,
        parse_agnostic=recorded["in_parse_agnostic20_u8"],
        densepose=recorded["in_densepose_u8"],
        agnostic=recorded["in_agnostic_u8"],
        seed=NOISE_SEED,
    )


def pipeline(recorded: Recorded, device: str = "cpu", precision: torch.dtype = torch.float32) -> Pipeline:
    condition = ConditionGenerator(width=int(recorded["meta_condition_ngf"]))
    image = ImageGenerator(width=int(recorded["meta_image_ngf"]))
    return Pipeline(
        with_fixed_weights(condition, int(recorded["meta_condition_seed"])),
        with_fixed_weights(image, int(recorded["meta_image_seed"])),
        device,
        precision,
    )


def results(steps: Steps) -> Iterator[tuple[str, np.ndarray]]:
    """What came out, under the names of the recorded arrays."""

    def array(tensor: torch.Tensor) -> np.ndarray:
        return tensor.float().cpu().numpy()

    conditions, dressing, image = steps
    for level, flow in enumerate(conditions.flows):
        yield f"flow_{level}", array(flow)
    yield "segmap", array(conditions.segmentation)
    yield "warped_cloth_low", array(conditions.cloth)
    yield "warped_mask_low", array(conditions.mask)
    yield "label13", dressing.labels[0].to(torch.uint8).cpu().numpy()
    yield "blurred_segmap_stride4", array(dressing.segmentation[..., ::STRIDE, ::STRIDE])
    yield "warped_cloth_stride4", array(dressing.cloth[..., ::STRIDE, ::STRIDE])
    yield "warped_mask_stride4", array(dressing.mask[..., ::STRIDE, ::STRIDE])
    yield "output_stride4", array(image[..., ::STRIDE, ::STRIDE])
    yield "output_crop_384_640_256_512", array(image[..., 384:640, 256:512])


def add_noise(network: ImageGenerator, recorded: Recorded) -> bool:
    """Give the network the recorded noise scales; whether there are any."""
    scales = {key.removeprefix(NOISE): value for key, value in recorded.items() if key.startswith(NOISE)}
    for key, value in scales.items():
        network.get_parameter(key).data.copy_(torch.from_numpy(value))
    return bool(scales)


def everything(recorded: Recorded, made: Pipeline) -> Iterator[tuple[str, np.ndarray]]:
    yield from drawn(recorded)
    tensors = Tensors.of([sample(recorded)], made.device)
    yield from results(made.steps(tensors, [NOISE_SEED]))
    if add_noise(made.image, recorded):
        image = made.steps(tensors, [NOISE_SEED]).image
        yield "output_with_noise_stride4", image[..., ::STRIDE, ::STRIDE].float().cpu().numpy()


def largest_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """NaN where either has one: no bar lets that pass."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max())


def compare(recorded: Recorded, made: Pipeline, tolerance: float = TOLERANCE) -> dict[str, tuple[float, bool]]:
    """The largest difference of each array, and whether it is within its bar.

    Raises ValueError for a file that holds an array nothing is compared with.
    """
    found = {}
    for name, ours in everything(recorded, made):
        if name in recorded:
            bar = 0.0 if ours.dtype == np.uint8 else tolerance
            difference = largest_difference(ours, recorded[name])
            found[name] = difference, difference <= bar
    given = {name for name in recorded if not name.startswith(("in_", "meta_", NOISE))}
    if unknown := given - set(found):
        raise ValueError(f"nothing is compared with {', '.join(sorted(unknown))}")
    return found


def read(path: Path) -> Recorded:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError) as error:
        sys.exit(f"{path} cannot be read as a file of arrays: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE.npz")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    recorded = read(given.file)
    try:
        made = pipeline(recorded, given.device, getattr(torch, given.precision))
        found = compare(recorded, made, given.tolerance)
    except KeyError as missing:
        sys.exit(f"{given.file} has no array {missing}")
    for name, (difference, within) in found.items():
        print(f"{name:32}{difference:12.2e}  {'' if within else 'above the bar'}")
    if not all(within for _, within in found.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
