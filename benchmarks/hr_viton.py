"""HR-VITON's speed, memory and exactness at 1024 x 768 against the published computation, in one run.

    ./dev bench hr_viton [--rounds 3] [--batches 1 2] [--device cuda]

The same full-size networks with fixed weights in each form: as published (hr_viton_reference.py), exact (float32) and
bfloat16. Each form runs in a process of its own, one thread, and they take turns. Seconds are CPU seconds of one
picture on a CPU and seconds on a GPU; the peak is of the whole process, loading included, on a GPU of its own memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

FORMS = ("published", "float32", "bfloat16")
SEED = 3
NOISE = 0.1  # deviation of the noise scales: the published ones are not 0 either
PICTURES = Path(__file__).parent.parent / "tests" / "data" / "hr_viton"
NETWORKS = ("condition", "image")


def networks() -> dict:
    import torch

    from tryon.engines.hr_viton.condition_generator import ConditionGenerator
    from tryon.engines.hr_viton.image_generator import ImageGenerator

    with torch.device("meta"):
        return dict(zip(NETWORKS, (ConditionGenerator(), ImageGenerator()), strict=True))


def write_weights(folder: str) -> None:
    from safetensors.torch import save_file

    from benchmarks.fixed_weights import fixed_state

    for seed, (name, network) in enumerate(networks().items(), 1):
        save_file(fixed_state(network, seed, NOISE), f"{folder}/{name}.safetensors")


def sample():
    """The drawn person and garment of the tests."""
    from PIL import Image

    from preprocessing.labels import Parse
    from tryon.engines.hr_viton.inputs import Sample

    def picture(name: str) -> np.ndarray:
        return np.asarray(Image.open(PICTURES / name))

    image, parse = picture("image.webp"), picture("parse.png")
    agnostic = np.where((parse == Parse.UPPER)[..., None], np.uint8(128), image)
    mask = picture("cloth_mask.png") >= 128
    return Sample(
        picture("cloth.webp"), mask, picture("parse_agnostic.png"), picture("densepose.webp"), agnostic, SEED
    )


def serve(form: str, device: str, folder: str, connection) -> None:
    """In a process of its own: one picture, or a batch, each time one is asked for."""
    import torch

    from benchmarks.hr_viton_reference import Reference
    from tryon.engines.checkpoints import load_network
    from tryon.engines.hr_viton.pipeline import Pipeline, Tensors

    torch.set_num_threads(1)
    given = [load_network(network, Path(folder, f"{name}.safetensors")) for name, network in networks().items()]
    if form == "published":
        pipeline = Reference(*given, device)
    else:
        pipeline = Pipeline(*given, device, getattr(torch, form))
    clock = time.perf_counter if device == "cuda" else time.process_time
    one = sample()
    while batch := connection.recv():
        tensors = Tensors.of([one] * batch, pipeline.device)
        began = clock()
        image = pipeline.steps(tensors, [SEED] * batch).image
        if device == "cuda":
            torch.cuda.synchronize()
        seconds = clock() - began
        peak = torch.cuda.max_memory_allocated() if device == "cuda" else 1024 * resource.getrusage(0).ru_maxrss
        connection.send((seconds, dict(pipeline.seconds), peak, image[0].float().cpu().numpy()))


def measure(rounds: int, batches: list[int], device: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        writer = spawn.Process(target=write_weights, args=(folder,))
        writer.start()
        writer.join()
        forms = {}
        for form in FORMS:
            ours, theirs = spawn.Pipe()
            spawn.Process(target=serve, args=(form, device, folder, theirs), daemon=True).start()
            forms[form] = ours
        for batch in batches:
            found = {form: [] for form in FORMS}
            for turn in range(rounds + 1):
                for form, connection in forms.items():
                    connection.send(batch)
                    answer = connection.recv()
                    if turn or rounds == 0:  # the first one finds out how to convolve
                        found[form].append(answer)
            report(batch, found)
        for connection in forms.values():
            connection.send(0)


def report(batch: int, found: dict[str, list]) -> None:
    print(f"\nbatch of {batch}: seconds a picture, median and range; times faster; peak; largest and mean difference")
    published = median(seconds for seconds, *_ in found["published"])
    exact = found["published"][-1][3]
    for form, answers in found.items():
        seconds = [answer[0] / batch for answer in answers]
        _, steps, peak, image = answers[-1]
        levels = np.abs(image - exact) * 127.5
        print(
            f"{form:10}{median(seconds):8.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"
            f"{published / batch / median(seconds):7.2f} x{peak / 1e9:7.2f} GB"
            f"  {np.abs(image - exact).max():.1e} ({levels.max():.2f} of 255, mean {levels.mean():.3f})   "
            + " ".join(f"{name} {took / batch:.2f}" for name, took in steps.items()),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    given = parser.parse_args()
    measure(given.rounds, given.batches, given.device)


if __name__ == "__main__":
    main()
