"""HR-VITON's networks and pipeline: each shortcut against the plain computation, batches, noise, precision, memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from benchmarks import hr_viton_reference as published
from benchmarks.fixed_weights import fixed_state, with_fixed_weights
from preprocessing.errors import Refusal
from preprocessing.labels import LABEL7_OF_LABEL13, LABEL13_OF_PARSE, Label7, Label13, Parse
from tryon.engines.hr_viton.condition_generator import ConditionGenerator
from tryon.engines.hr_viton.conditions import align, enlarge_and_blur, handle_occlusion
from tryon.engines.hr_viton.image_generator import ImageGenerator, Level, Pixels, SpectralConv2d
from tryon.engines.hr_viton.inputs import Sample
from tryon.engines.hr_viton.label_patches import label_patches
from tryon.engines.hr_viton.pipeline import Pipeline, Tensors
from tryon.engines.hr_viton.warp import sample

SIZE = (384, 256)  # of the pictures here: any multiple of 128 will do


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def blobs(seed: int, size: tuple[int, int] = SIZE, labels: int = 7) -> torch.Tensor:
    """A label map of a few smooth regions, int64 (1, h, w)."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, labels, 9, 7, generator=random)
    return F.interpolate(coarse, size=size, mode="bicubic").argmax(1)


def picture(seed: int, channels: int, size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def network() -> ImageGenerator:
    return with_fixed_weights(ImageGenerator(width=8), 5, noise=0.2)


def one_hot(labels: torch.Tensor, count: int = 7) -> torch.Tensor:
    return F.one_hot(labels, count).permute(0, 3, 1, 2).float()


# --- label patches ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noisy", [False, True])
def test_patches_are_all_that_occur_and_each_pixel_finds_its_own(seed, noisy):
    maps = torch.cat([blobs(seed, (40, 30)), blobs(seed + 10, (40, 30)), blobs(seed, (40, 30))])
    if noisy:
        maps = torch.randint(0, 7, maps.shape, generator=torch.Generator().manual_seed(seed))
    found = label_patches(maps, 7)
    padded = F.pad(maps, (2,) * 4, value=7)
    around = padded.unfold(1, 5, 1).unfold(2, 5, 1)  # (B, h, w, 5, 5)
    squares = found.squares[found.patches].view(-1, 3, 3, 3, 3)  # of each patch, row by row
    inner = around.unfold(3, 3, 1).unfold(4, 3, 1)  # (B, h, w, 3, 3, 3, 3)
    assert torch.equal(squares[found.rows[found.index]].long(), inner)
    owners = torch.arange(3)[:, None, None].expand(maps.shape)
    assert torch.equal(found.owners[found.index], owners)
    assert len(found.patches) == len(torch.unique(around.flatten(3).flatten(0, 2), dim=0))
    both = torch.cat([owners.flatten()[:, None], around.flatten(3).flatten(0, 2)], 1)
    assert len(found.rows) == len(torch.unique(both, dim=0))


def test_a_map_smaller_than_a_patch_has_patches_too():
    found = label_patches(torch.tensor([[[3]]]), 7)
    assert found.squares[found.patches[0, 4]].tolist() == [[7, 7, 7], [7, 3, 7], [7, 7, 7]]


def test_numbering_by_sorting_is_numbering_by_table(monkeypatch):
    maps = torch.cat([blobs(1, (40, 30)), blobs(2, (40, 30))])
    by_table = label_patches(maps, 7)
    monkeypatch.setattr("tryon.engines.hr_viton.label_patches.LARGEST_TABLE", 0)
    by_sorting = label_patches(maps, 7)
    for name in ("squares", "patches", "rows", "owners", "index"):
        assert torch.equal(getattr(by_table, name), getattr(by_sorting, name)), name


# --- image generator --------------------------------------------------------------------------------------


@torch.inference_mode()
def plain(network: ImageGenerator, x: torch.Tensor, labels: torch.Tensor, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return published.generate_image(network, x, one_hot(labels))


@torch.inference_mode()
@pytest.mark.parametrize("seed", range(3))
def test_the_picture_is_that_of_the_plain_computation(network, seed):
    x, labels = picture(seed, 9), blobs(seed)
    ours = network(x, labels, [seed])
    assert ours.shape == (1, 3, *SIZE)
    assert ours.std() > 0.1
    assert (ours - plain(network, x, labels, seed)).abs().max() < 1e-5


@torch.inference_mode()
def test_without_noise_the_seed_says_nothing():
    network = with_fixed_weights(ImageGenerator(width=8), 5)
    x, labels = picture(1, 9), blobs(1)
    assert torch.equal(network(x, labels, [1]), network(x, labels, [2]))


@torch.inference_mode()
def test_with_noise_the_seed_decides(network):
    x, labels = picture(1, 9), blobs(1)
    assert torch.equal(network(x, labels, [1]), network(x, labels, [1]))
    assert (network(x, labels, [1]) - network(x, labels, [2])).abs().max() > 0.05


@torch.inference_mode()
def test_a_batch_gives_each_picture_as_alone(network):
    xs, maps = [picture(seed, 9) for seed in range(3)], [blobs(seed) for seed in (4, 5, 4)]
    together = network(torch.cat(xs), torch.cat(maps), [7, 8, 7])
    for alone, x, labels, seed in zip(together, xs, maps, (7, 8, 7), strict=True):
        assert (alone - network(x, labels, [seed])[0]).abs().max() < 1e-5


@torch.inference_mode()
def test_a_few_numbers_at_a_time_give_the_same_picture(network):
    x, labels = picture(1, 9), blobs(1)
    assert (network(x, labels, [1], at_a_time=3000) - network(x, labels, [1])).abs().max() < 1e-5


@torch.inference_mode()
def test_what_it_is_given_is_left_alone(network):
    x, labels = picture(1, 9), blobs(1)
    before = x.clone(), labels.clone()
    network(x, labels, [1])
    assert torch.equal(x, before[0])
    assert torch.equal(labels, before[1])


@torch.inference_mode()
def test_bfloat16_is_near(network):
    x, labels = picture(1, 9), blobs(1)
    half = with_fixed_weights(ImageGenerator(width=8), 5, noise=0.2).bfloat16()
    far = (half(x.bfloat16(), labels, [1]).float() - network(x, labels, [1])).abs()
    assert 0 < far.max() < 0.15
    assert far.mean() < 0.01


@torch.inference_mode()
@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_mean_and_variance_are_exact_far_from_zero_too(offset):
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, 90, 70, generator=random) * torch.tensor([1, 0.3, 0.1, 0.03, 0.01]).view(5, 1, 1) + offset
    level = Level(label_patches(torch.zeros(2, 90, 70, dtype=torch.int64), 7), [], 1 << 10)
    pixels = Pixels(x.contiguous(memory_format=torch.channels_last), level)
    mean, deviation = pixels.statistics(None, torch.zeros(5))
    assert torch.allclose(mean.double(), x.double().mean((2, 3)), rtol=1e-6)
    assert torch.allclose(deviation.double() ** 2, x.double().var((2, 3), correction=0) + 1e-5, rtol=1e-4)
    noise = torch.randn(2, 90, 70, generator=random)
    scales = torch.tensor([0.0, 0.1, -0.2, 0.05, 1.0])
    mean, deviation = pixels.statistics(noise, scales)
    noisy = x.double() + noise.double()[:, None] * scales.view(5, 1, 1)
    assert torch.allclose(mean.double(), noisy.mean((2, 3)), rtol=1e-5, atol=1e-6)
    assert torch.allclose(deviation.double() ** 2, noisy.var((2, 3), correction=0) + 1e-5, rtol=1e-3)


def test_eight_labels_make_vitonhds_network():
    network = ImageGenerator(labels=8, width=8)
    shapes = {tuple(value.shape) for key, value in network.state_dict().items() if "conv_shared.0.weight" in key}
    assert shapes == {(128, 8, 3, 3)}


def test_loading_divides_by_the_spectral_norm_once():
    conv = SpectralConv2d(5, 6, 3)
    state = fixed_state(conv, 1)
    conv.load_state_dict(state)
    weight = state["weight_orig"]
    sigma = state["weight_u"] @ weight.flatten(1) @ state["weight_v"]
    assert sigma > 1.5
    assert torch.allclose(conv.weight_orig, weight / sigma, rtol=1e-5)
    again = SpectralConv2d(5, 6, 3)
    again.load_state_dict(conv.state_dict())
    assert torch.allclose(again.weight_orig, conv.weight_orig, rtol=1e-5)


# --- condition generator, and between the networks --------------------------------------------------------


@torch.inference_mode()
def test_convolving_before_enlarging_changes_nothing():
    cloth, person = picture(1, 4, (64, 64)), picture(2, 16, (64, 64))
    network = with_fixed_weights(ConditionGenerator(width=8), 3)
    ours = network(cloth, person)
    for module in network.modules():
        if hasattr(module, "grows"):
            module.forward = published.as_published(module)
    theirs = network(cloth, person)
    assert all((a - b).abs().max() < 1e-4 for a, b in zip(ours.flows, theirs.flows, strict=True))
    assert (ours.segmentation - theirs.segmentation).abs().max() < 1e-4 * ours.segmentation.max()
    assert (ours.cloth - theirs.cloth).abs().max() < 1e-3


@pytest.mark.parametrize("size", [(64, 48), (61, 50)])
def test_enlarging_and_blurring_by_matrices_is_the_plain_one(size):
    maps = picture(1, 13, (16, 12))
    assert (enlarge_and_blur(maps, size) - published.enlarge_and_blur(maps, size)).abs().max() < 1e-5


def test_the_garment_is_only_where_its_warped_mask_is():
    segmentation, mask = torch.ones(1, 13, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 0.5
    aligned = align(segmentation, mask)
    assert torch.equal(aligned[0, Label13.UPPER], 0.5 * (torch.arange(4) < 2).float().expand(4, 4))
    assert (aligned[0, [label for label in Label13 if label != Label13.UPPER]] == 1).all()
    assert (segmentation == 1).all()


@pytest.mark.parametrize("label", Label13)
def test_what_is_in_front_takes_the_garment_away(label):
    segmentation = torch.zeros(1, 13, 2, 2)
    segmentation[0, label] = 30.0
    behind = label in (Label13.BACKGROUND, Label13.UPPER, Label13.BOTTOM)
    assert handle_occlusion(torch.ones(1, 1, 2, 2), segmentation).mean() == pytest.approx(float(behind), abs=1e-4)


def test_a_flow_moves_by_its_levels_pixels():
    x = torch.zeros(1, 1, 64, 48)
    x[..., 30:34, 20:24] = 1
    flow = torch.zeros(1, 64, 48, 2)
    still = sample(x, flow)
    flow[..., 0] = 4  # of a level of half the size: 8 pixels
    moved = sample(x, flow)
    columns = torch.arange(48.0)
    centre = [float((m[0, 0].sum(0) * columns).sum() / m.sum()) for m in (still, moved)]
    assert centre[0] - centre[1] == pytest.approx(8 * 48 / 47, abs=0.3)


def test_every_label_has_its_place():
    assert set(LABEL13_OF_PARSE) == set(Parse)
    assert set(LABEL7_OF_LABEL13) == set(Label13)
    assert set(LABEL13_OF_PARSE.values()) == set(Label13)
    assert set(LABEL7_OF_LABEL13.values()) == set(Label7)


# --- pipeline ---------------------------------------------------------------------------------------------


def drawn(seed: int) -> Sample:
    """Noise in the shape of a sample, smaller."""
    random = np.random.default_rng(seed)

    def rgb() -> np.ndarray:
        return random.integers(0, 256, (*SIZE, 3), np.uint8)

    parse = blobs(seed, SIZE, len(Parse))[0].numpy().astype(np.uint8)
    return Sample(rgb(), blobs(seed, SIZE, 2)[0].numpy() > 0, parse, rgb(), rgb(), seed)


def made(device: str = "cpu") -> Pipeline:
    image = with_fixed_weights(ImageGenerator(width=8), 2, noise=0.2)
    return Pipeline(with_fixed_weights(ConditionGenerator(width=8), 1), image, device)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return made()


def test_pictures_come_as_bytes_with_their_labels(pipeline):
    (output,) = pipeline.draw([drawn(1)])
    assert output.image.shape == (*SIZE, 3)
    assert output.image.dtype == output.labels.dtype == np.uint8
    assert output.image.std() > 10
    assert output.labels.max() < 13
    assert set(pipeline.seconds) == {"condition", "dress", "image"}


def test_a_batch_of_garments_and_people_gives_each_as_alone(pipeline):
    samples = [drawn(1), replace(drawn(1), cloth=drawn(2).cloth), drawn(3)]
    for together, one in zip(pipeline.draw(samples), samples, strict=True):
        (alone,) = pipeline.draw([one])
        assert np.abs(together.image.astype(int) - alone.image).max() <= 1
        assert np.array_equal(together.labels, alone.labels)


def test_pictures_are_minus_one_to_one():
    tensors = Tensors.of([replace(drawn(1), cloth=np.full((*SIZE, 3), 255, np.uint8))], torch.device("cpu"))
    assert (tensors.cloth == 1).all()
    assert (tensors.parse_agnostic.sum(1) == 1).all()
    assert set(tensors.cloth_mask.unique().tolist()) == {0, 1}


def with_room_for(pipeline: Pipeline, monkeypatch, pictures: float) -> list[tuple[int, int | None]]:
    """Let the image generator run out of memory beyond so many pictures; what it was asked for."""
    asked, forward = [], ImageGenerator.forward

    def limited(self, x, label_map, seeds, at_a_time=None):
        asked.append((len(x), at_a_time))
        if len(x) * (0.5 if at_a_time else 1) > pictures:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x, label_map, seeds, at_a_time)

    monkeypatch.setattr(ImageGenerator, "forward", limited)
    return asked


def test_out_of_memory_a_batch_is_halved(pipeline, monkeypatch):
    samples = [drawn(seed) for seed in range(3)]
    whole = pipeline.draw(samples)
    asked = with_room_for(pipeline, monkeypatch, 1)
    for a, b in zip(pipeline.draw(samples), whole, strict=True):
        assert np.abs(a.image.astype(int) - b.image).max() <= 1
    assert [count for count, _ in asked] == [3, 1, 2, 1, 1]


def test_out_of_memory_one_picture_is_made_in_smaller_parts(pipeline, monkeypatch):
    (whole,) = pipeline.draw([drawn(1)])
    asked = with_room_for(pipeline, monkeypatch, 0.6)
    (sparing,) = pipeline.draw([drawn(1)])
    assert np.abs(sparing.image.astype(int) - whole.image).max() <= 1
    assert asked[0] == (1, None)
    assert asked[1][1]


def test_without_room_for_one_picture_it_says_so_and_works_again_later(pipeline, monkeypatch):
    with monkeypatch.context() as patch:
        with_room_for(pipeline, patch, 0.1)
        with pytest.raises(torch.OutOfMemoryError):
            pipeline.draw([drawn(1), drawn(2)])
    assert len(pipeline.draw([drawn(1)])) == 1


def test_what_is_no_sample_never_comes_to_a_network(pipeline, monkeypatch):
    monkeypatch.setattr(ConditionGenerator, "forward", None)
    with pytest.raises(Refusal) as refusal:
        pipeline.generate([drawn(1)])
    assert refusal.value.code == "inputs.size"


def test_a_picture_that_is_no_number_is_never_given(pipeline, monkeypatch):
    monkeypatch.setattr(ImageGenerator, "forward", lambda self, x, *_: x[:, :3] * torch.nan)
    with pytest.raises(Refusal) as refusal:
        pipeline.draw([drawn(1)])
    assert refusal.value.code == "engine.not_finite"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_picture(pipeline):
    (theirs,), (ours,) = made("cuda").draw([drawn(1)]), pipeline.draw([drawn(1)])
    assert np.abs(theirs.image.astype(int) - ours.image).max() <= 2
    assert (theirs.labels == ours.labels).mean() > 0.999
