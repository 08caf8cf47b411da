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
LOG = "TEST_ENGINE_LOG"  # a file that gets a line "engine pid" for each start


def paint(person) -> Generated:
    """A square on the photo: fit to be seen, and never equal to the photo."""
    height, width = person.image.shape[:2]
    touched = np.zeros((height, width), bool)
    touched[height // 4 : height // 2, width // 4 : width // 2] = True
    image = person.image.copy()
    image[touched] = 255 - image[touched]
    return Generated(image, touched, {"square": True})


def dawdle(person):
    time.sleep(SLOW_SECONDS)
    return paint(person)


def hang(person):
    while True:
        time.sleep(0.1)


def refuse(person):
    raise Refusal("photo.arms_crossed", "Please let your arms hang down.", "angle 12")


def fail(person):
    raise RuntimeError("nobody foresaw this")


def die(person):
    os._exit(1)


def out_of_memory(person):
    raise MemoryError


def poisoned(person):
    raise RuntimeError("CUDA error: device-side assert triggered")


def unchanged(person):
    return replace(paint(person), image=person.image)


def blank(person):
    return replace(paint(person), image=np.zeros_like(person.image))


def lacks_weights(person):
    raise WeightsMissing(["u2net"])


def storage_fault(person):
    raise ConnectionResetError("the bucket did not answer")


@dataclass(frozen=True)
class Fake:
    name: str
    does: Callable

    def generate(self, inputs):
        if path := os.environ.get(LOG):
            with open(path, "a") as log:
                log.write(f"{self.name} {os.getpid()}\n")
        made = self.does(inputs.person)
        return replace(made, notes=made.notes | {"worn": [garment.category for garment in inputs.garments]})


@dataclass(frozen=True)
class FakeInfo(EngineInfo):
    does: Callable = paint

    def load(self):
        return Fake(self.name, self.does)


def fake(
    name: str, does: Callable, *, queue: str = "cpu", commercial_use: bool = True, outfits: bool = False
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
    fake("research", paint, queue="gpu", commercial_use=False),
]
ENGINES = REAL | {info.name: info for info in FAKES}
