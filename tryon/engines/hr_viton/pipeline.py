"""HR-VITON from pictures to picture.

Condition generator, condition aligning, warp, occlusion handling, image generator: Lee et al., arXiv:2206.14180,
figure 2.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from preprocessing.errors import Refusal
from preprocessing.labels import LABEL13_OF_PARSE, Parse
from tryon.engines.checks import NOT_WORTH_SHOWING
from tryon.engines.hr_viton.condition_generator import ConditionGenerator, Conditions
from tryon.engines.hr_viton.conditions import Dressing, dress
from tryon.engines.hr_viton.image_generator import ImageGenerator
from tryon.engines.hr_viton.inputs import Sample, check, nobody

# Numbers at a time on a GPU that is short of memory.
SPARING = 1 << 22
# The condition generator sees the pictures at a quarter of their size.
SMALLER = 4


@dataclass(frozen=True)
class Output:
    """One picture.

    Attributes:
        image: uint8 RGB (1024, 768, 3).
        labels: uint8 (1024, 768) of `Label13`, where what of the dressed person is.
    """

    image: np.ndarray
    labels: np.ndarray


class Tensors(NamedTuple):
    """Samples as the networks take them, at H x W.

    Attributes:
        cloth: (B, 3, H, W), -1..1.
        cloth_mask: (B, 1, H, W), 0 or 1.
        parse_agnostic: (B, 13, H, W), 0 or 1.
        densepose, agnostic: (B, 3, H, W), -1..1.
    """

    cloth: Tensor
    cloth_mask: Tensor
    parse_agnostic: Tensor
    densepose: Tensor
    agnostic: Tensor

    @classmethod
    def of(cls, samples: Sequence[Sample], device: torch.device) -> Tensors:
        def picture(name: str) -> Tensor:
            pixels = torch.from_numpy(np.stack([getattr(sample, name) for sample in samples])).to(device)
            return (pixels.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5

        thirteen = torch.tensor([LABEL13_OF_PARSE[label] for label in Parse], device=device)
        parse = torch.from_numpy(np.stack([sample.parse_agnostic for sample in samples])).to(device)
        mask = torch.from_numpy(np.stack([sample.cloth_mask for sample in samples])).to(device)
        one_hot = F.one_hot(thirteen[parse.long()], 13).permute(0, 3, 1, 2)
        return cls(picture("cloth"), mask[:, None].float(), one_hot.float(), picture("densepose"), picture("agnostic"))


class Steps(NamedTuple):
    """Everything on the way from `Tensors` to the picture, (B, 3, H, W), -1..1."""

    conditions: Conditions
    dressing: Dressing
    image: Tensor


class Pipeline:
    """The two networks on one device.

    Args:
        precision: of the image generator, float32 or bfloat16. The condition generator stays in float32: in bfloat16
            its flows move by a tenth of a pixel.
    """

    def __init__(
        self,
        condition: ConditionGenerator,
        image: ImageGenerator,
        device: str | torch.device = "cpu",
        precision: torch.dtype = torch.float32,
    ):
        self.device = torch.device(device)
        self.precision = precision
        self.condition = condition.eval().to(self.device, memory_format=torch.channels_last)
        self.image = image.eval().to(self.device, precision, memory_format=torch.channels_last)
        self.seconds: dict[str, float] = {}

    def generate(self, samples: Sequence[Sample]) -> list[Output]:
        """The pictures of some samples: several garments on one person, or several people.

        Where the memory of the GPU does not hold them all, they are made in halves, and one alone in smaller parts.

        Raises:
            Refusal: "inputs.…" for a sample no good picture can be made of, before any network (`inputs.check`);
                "engine.not_finite", where a network gave no numbers.
            torch.OutOfMemoryError: not even one picture has room.
        """
        for sample in samples:
            check(sample)
        return self.draw(list(samples))

    def warm_up(self) -> None:
        """Run once at the real size, so that no job waits for what the first run sets up."""
        self.draw([nobody()])

    def draw(self, samples: list[Sample]) -> list[Output]:
        """As `generate`, whatever the samples are."""
        with contextlib.suppress(torch.OutOfMemoryError):
            return self._draw(samples)
        self.release()
        if len(samples) == 1:
            return self._draw(samples, at_a_time=SPARING)
        half = len(samples) // 2
        return self.draw(samples[:half]) + self.draw(samples[half:])

    @torch.inference_mode()
    def _draw(self, samples: list[Sample], at_a_time: int | None = None) -> list[Output]:
        tensors = Tensors.of(samples, self.device)
        steps = self.steps(tensors, [sample.seed for sample in samples], at_a_time)
        if not steps.image.isfinite().all():
            raise Refusal("engine.not_finite", NOT_WORTH_SHOWING, f"{self.precision} on {self.device}")
        images = ((steps.image.float() + 1) * 127.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        labels = steps.dressing.labels.to(torch.uint8).cpu().numpy()
        return [Output(*pair) for pair in zip(images, labels, strict=True)]

    @torch.inference_mode()
    def steps(self, tensors: Tensors, seeds: Sequence[int], at_a_time: int | None = None) -> Steps:
        """Everything the networks give; `at_a_time`: see `ImageGenerator.forward`."""
        watch = Watch(self.device)
        with watch.step("condition"):
            conditions = self.condition(*small(tensors))
        with watch.step("dress"):
            dressing = dress(conditions, tensors.cloth, tensors.cloth_mask)
        with watch.step("image"):
            x = torch.cat([tensors.agnostic, tensors.densepose, dressing.cloth], 1)  # (B, 9, 1024, 768)
            image = self.image(x.to(self.precision), dressing.label_map, seeds, at_a_time)
        self.seconds = watch.seconds
        return Steps(conditions, dressing, image)

    def release(self) -> None:
        """Give back what the GPU's allocator keeps for later."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def small(tensors: Tensors) -> tuple[Tensor, Tensor]:
    """What the condition generator takes: cloth and mask (B, 4, h, w), parse agnostic and DensePose (B, 16, h, w)."""
    size = [side // SMALLER for side in tensors.cloth.shape[2:]]

    def bilinear(x: Tensor) -> Tensor:
        return F.interpolate(x, size=size, mode="bilinear")

    def nearest(x: Tensor) -> Tensor:
        return F.interpolate(x, size=size, mode="nearest")

    cloth = torch.cat([bilinear(tensors.cloth), nearest(tensors.cloth_mask)], 1)
    return cloth, torch.cat([nearest(tensors.parse_agnostic), bilinear(tensors.densepose)], 1)


class Watch:
    """Seconds of each step; on a GPU until it is done, not until it is asked for."""

    def __init__(self, device: torch.device):
        self._device = device
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.seconds[name] = round(time.perf_counter() - start, 3)
