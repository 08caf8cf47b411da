"""Engines that need no weights and each do one thing: work, dawdle, fail, die."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from preprocessing.errors import Refusal
from preprocessing.weights import WeightsMissing
from tryon.engines import ENGINES as REAL
from tryon.engines.base import EngineInfo, Generated

SLOW_SECONDS = 2.0
LOG = "TEST_ENGINE_LOG"  # a file that gets a line "engine pid" for each start, "load:engine pid" when it is loaded


def note(what: str) -> None:
    if path := os.environ.get(LOG):
        with open(path, "a") as log:
            log.write(f"{what} {os.getpid()}\n")


def paint(inputs) -> Generated:
    """A square on the photo: fit to be seen, and never equal to the photo."""
    photo = inputs.person.image
    height, width = photo.shape[:2]
    touched = np.zeros((height, width), bool)
    touched[height // 4 : height // 2, width // 4 : width // 2] = True
    image = photo.copy()
    image[touched] = 255 - image[touched]
    return Generated(image, touched, {"square": True})


def dawdle(inputs):
    time.sleep(SLOW_SECONDS)
    return paint(inputs)


def hang(inputs):
    while True:
        time.sleep(0.1)


def refuse(inputs):
    raise Refusal("photo.arms_crossed", "Please let your arms hang down.", "angle 12")


def fail(inputs):
    raise RuntimeError("nobody foresaw this")


def die(inputs):
    os._exit(1)


def out_of_memory(inputs):
    raise MemoryError


def gpu_out_of_memory(inputs):
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def poisoned(inputs):
    raise RuntimeError("CUDA error: device-side assert triggered")


def refine(inputs):
    """What an HD engine is given and tells: the photo in its frame, bleached from the seed, in so many seconds."""
    time.sleep(SLOW_SECONDS)
    frame = inputs.frame
    seen = frame.crop.to_frame(inputs.person.image)
    bleached = (seen // 2 + np.random.default_rng(inputs.seed).integers(100, 128)).astype(np.uint8)
    inside = frame.crop.labels_to_photo(np.ones(seen.shape[:2], np.uint8)) > 0
    notes = {"seed": inputs.seed, "joints": len(frame.maps.points)}
    return Generated(
        frame.crop.to_photo(bleached, inputs.person.image), inside, notes, {"condition": 0.25, "generator": 1.5}
    )


def unchanged(inputs):
    return replace(paint(inputs), image=inputs.person.image)


def blank(inputs):
    return replace(paint(inputs), image=np.zeros_like(inputs.person.image))


def lacks_weights(inputs):
    raise WeightsMissing(["u2net"])


def storage_fault(inputs):
    raise ConnectionResetError("the bucket did not answer")


@dataclass(frozen=True)
class Fake:
    name: str
    does: Callable

    def generate(self, inputs):
        note(self.name)
        made = self.does(inputs)
        return replace(made, notes=made.notes | {"worn": [garment.category for garment in inputs.garments]})


@dataclass(frozen=True)
class FakeInfo(EngineInfo):
    does: Callable = paint

    def load(self):
        note(f"load:{self.name}")
        return Fake(self.name, self.does)


def fake(
    name: str,
    does: Callable,
    *,
    queue: str = "cpu",
    commercial_use: bool = True,
    outfits: bool = False,
    frame: str = "",
) -> FakeInfo:
    """An engine for tops, or with `outfits` for tops, bottoms and both at once."""
    return FakeInfo(
        name=name,
        version="1",
        queue=queue,
        categories=frozenset({"upper", "lower"} if outfits else {"upper"}),
        weights=(),
        licence="Apache-2.0" if commercial_use else "CC-BY-NC-4.0",
        commercial_use=commercial_use,
        module="",
        outfits=outfits,
        frame=frame,
        does=does,
    )


FAKES = [
    fake("quick", paint),
    fake("slow", dawdle),
    fake("hang", hang),
    fake("refuse", refuse),
    fake("fail", fail),
    fake("die", die),
    fake("out_of_memory", out_of_memory),
    fake("poisoned", poisoned),
    fake("unchanged", unchanged),
    fake("blank", blank),
    fake("storage_fault", storage_fault),
    fake("lacks_weights", lacks_weights),
    fake("stylist", paint, outfits=True),
    fake("fine", paint, queue="gpu"),
    fake("slow_gpu", dawdle, queue="gpu"),
    fake("finest", refine, queue="gpu", frame="upper"),
    fake("gpu_out_of_memory", gpu_out_of_memory, queue="gpu"),
    fake("research", paint, queue="gpu", commercial_use=False),
]
ENGINES = REAL | {info.name: info for info in FAKES}
