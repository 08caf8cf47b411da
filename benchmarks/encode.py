"""./dev bench encode [--models NAME ...]: pictures and words through CLIP, by open_clip and by us, on one thread.

Networks of full size with random weights, as speed and exactness need no others. The forms take turns within one
process; medians of CPU seconds. "tower": prepared pictures to vectors. "JPEG": files of 900 x 1200 to vectors, each
form with its own decoding and scaling. "analysed": the same, but ours from the stored analysis, as the shop's workers
embed nearly all pictures. The last lines say how fast this machine multiplies matrices at all, of the size of one
picture and of eight: no form in float32 can be much quicker than the quickest product.
"""

import argparse
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

os.environ["OMP_NUM_THREADS"] = "1"

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

import onnx
import open_clip
import torch
from django.core.files.base import ContentFile
from open_clip.push_to_hf_hub import save_config_for_hf
from PIL import Image
from safetensors.torch import save_file

from preprocessing.garment.prepare import PreparedGarment
from recommend.encoders.clip import PRECISIONS, WEIGHTS_FILE, Clip
from recommend.encoders.runtime import session
from recommend.encoders.vectors import unit
from recommend.tasks import whole, with_mask

ROUNDS = 9
BATCHES = 1, 8
TEXTS = ["a red summer dress with floral print", "blue jeans", "warm wool coat for men", "white cotton T-shirt"] * 2
GEMM = (50, 400), 768, 3072  # ViT-B/32's own: rows of one picture and of eight


def measure(name: str, folder: Path) -> dict:
    torch.manual_seed(0)
    model, _, transform = open_clip.create_model_and_transforms(name)
    model.eval()
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / WEIGHTS_FILE)
    save_config_for_hf(model, folder / "open_clip_config.json", open_clip.get_model_config(name))
    clips = {precision: Clip(str(folder), precision) for precision in PRECISIONS}
    pictures = [picture(seed) for seed in range(max(BATCHES))]
    batch = clips["float32"].prepared([decoded(file) for file, _ in pictures])

    @torch.inference_mode()
    def tower(given: np.ndarray) -> np.ndarray:
        return model.encode_image(torch.from_numpy(given)).numpy()

    @torch.inference_mode()
    def whole_way(given: list[tuple[bytes, bytes]]) -> np.ndarray:
        return model.encode_image(torch.stack([transform(Image.open(io.BytesIO(file))) for file, _ in given])).numpy()

    @torch.inference_mode()
    def words(given: list[str]) -> np.ndarray:
        return model.encode_text(tokenizer(given)).numpy()

    figures = {}
    for count in BATCHES:
        ours = {form: clip.seen for form, clip in clips.items()}
        figures[f"tower, {count}"] = compare({"open_clip": tower} | ours, batch[:count])
        for what, way in (("JPEG", of_jpegs), ("analysed", of_analyses)):
            ours = {form: way(clip) for form, clip in clips.items()}
            figures[f"{what}, {count}"] = compare({"open_clip": whole_way} | ours, pictures[:count], same=False)
    if clips["float32"].has_words:
        tokenizer = open_clip.get_tokenizer(name)
        for count in BATCHES:
            forms = {"open_clip": words, "float32": clips["float32"].word_features}
            figures[f"words, {count}"] = compare(forms, TEXTS[:count])
    return figures


def picture(seed: int) -> tuple[bytes, bytes]:
    """A garment of soft shapes and some grain on a light ground: a JPEG of 900 x 1200, and its stored analysis."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(0, 256, (8, 6, 3), np.uint8)).resize((600, 900), Image.Resampling.BICUBIC)
    pixels, mask = np.full((1200, 900, 3), 245, np.uint8), np.zeros((1200, 900), np.uint8)
    pixels[150:1050, 150:750] = np.clip(np.asarray(shapes) + random.normal(0, 6, (900, 600, 1)), 0, 255)
    mask[150:1050, 150:750] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    small, small_mask = (np.asarray(Image.fromarray(one).resize((600, 800))) for one in (pixels, mask))
    return file.getvalue(), PreparedGarment(small, "upper", mask=small_mask).to_bytes()


def decoded(file: bytes) -> np.ndarray:
    return whole(SimpleNamespace(image=ContentFile(file)))


def of_jpegs(clip: Clip) -> Callable:
    return lambda pictures: clip.features([decoded(file) for file, _ in pictures])


def of_analyses(clip: Clip) -> Callable:
    return lambda pictures: clip.features([with_mask(PreparedGarment.from_bytes(stored)) for _, stored in pictures])


def compare(forms: dict, given, *, same: bool = True) -> dict[str, dict[str, float]]:
    """Milliseconds of one, how many times quicker than the first form, and where they see the `same`, the least cosine
    to it."""
    answers = {name: unit(form(given)) for name, form in forms.items()}
    seconds = {name: [] for name in forms}
    for _ in range(ROUNDS):
        for name, form in forms.items():
            start = time.process_time()
            form(given)
            seconds[name].append(time.process_time() - start)
    first, *_ = forms
    return {
        name: {
            "ms": 1000 * float(np.median(seconds[name])) / len(given),
            "times": float(np.median(seconds[first]) / np.median(seconds[name])),
        }
        | ({"cosine": float((answers[name] * answers[first]).sum(axis=1).min())} if same else {})
        for name in forms
    }


def multiplied(rows: int, inner: int, columns: int, folder: Path) -> dict[str, float]:
    """Thousand million operations a second of a product alone, by each library."""
    one, other = torch.randn(rows, inner), torch.randn(inner, columns)
    brief, brief_other = one.bfloat16(), other.bfloat16()
    product = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(name, 1, [rows, size]) for name, size in (("x", inner), ("y", columns))]
    weights = onnx.numpy_helper.from_array(other.numpy(), "w")
    graph = onnx.helper.make_graph([product], "product", ends[:1], ends[1:], [weights])
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10), folder / "p"
    )
    runtime, given = session(folder / "p"), {"x": one.numpy()}
    forms = {
        "torch float32": lambda: one @ other,
        "torch bfloat16": lambda: brief @ brief_other,
        "ONNX Runtime float32": lambda: runtime.run(None, given),
    }
    seconds = {name: [] for name in forms}
    for _ in range(30):
        for name, form in forms.items():
            start = time.process_time()
            form()
            seconds[name].append(time.process_time() - start)
    return {name: 2 * rows * inner * columns / float(np.median(spent)) / 1e9 for name, spent in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=["ViT-B-32"], help="open_clip's names")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name in options.models:
        with tempfile.TemporaryDirectory() as aside:
            os.environ["WEIGHTS_DIR"] = aside
            (folder := Path(aside) / name).mkdir()
            found[name] = measure(name, folder)
        for what, forms in found[name].items():
            for form, row in forms.items():
                cosine = f"  cosine {row['cosine']:.6f}" if "cosine" in row else ""
                print(f"{name:16} {what:12} {form:10} {row['ms']:7.1f} ms  {row['times']:5.2f} times{cosine}")
    rows, *sizes = GEMM
    with tempfile.TemporaryDirectory() as aside:
        found["GFLOPS"] = {count: multiplied(count, *sizes, Path(aside)) for count in rows}
    for count, libraries in found["GFLOPS"].items():
        print(f"{count} rows:", ", ".join(f"{name} {value:.0f} GFLOPS" for name, value in libraries.items()))
    print(f"load {os.getloadavg()[0]:.1f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
