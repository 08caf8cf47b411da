"""./dev bench encode [--models NAME ...]: pictures and words through CLIP, by open_clip and by us, on one thread.

Networks of full size with random weights, as speed and exactness need no others. The forms take turns within one
process; medians of CPU seconds. The last line says how fast this machine multiplies matrices in float32 at all:
no exact float32 form can be much quicker than that.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

import open_clip
import torch
from open_clip.push_to_hf_hub import save_config_for_hf
from safetensors.torch import save_file

from recommend.encoders.clip import PRECISIONS, WEIGHTS_FILE, Clip
from recommend.encoders.pictures import squared
from recommend.encoders.vectors import reduced

ROUNDS = 9
BATCHES = 1, 8
TEXTS = ["a red summer dress with floral print", "blue jeans", "warm wool coat for men", "white cotton T-shirt"] * 2
GEMM = 400, 768, 3072  # ViT-B/32's own, eight pictures at once


def measure(name: str, folder: Path) -> dict:
    torch.manual_seed(0)
    model = open_clip.create_model(name).eval()
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / WEIGHTS_FILE)
    save_config_for_hf(model, folder / "open_clip_config.json", open_clip.get_model_config(name))
    ours = {precision: Clip(str(folder), precision) for precision in PRECISIONS}
    config = model.visual.preprocess_cfg
    pictures = list(np.random.default_rng(0).integers(0, 256, (max(BATCHES), 300, 225, 3), np.uint8))

    def plain(given: list[np.ndarray]) -> np.ndarray:
        squares = np.stack([squared(picture, config["size"][0]) for picture in given]).astype(np.float32) / 255
        batch = (squares - np.float32(config["mean"])) / np.float32(config["std"])
        with torch.inference_mode():
            return model.encode_image(torch.from_numpy(batch).permute(0, 3, 1, 2)).numpy()

    figures = {}
    for batch in BATCHES:
        forms = {"open_clip": plain} | {precision: clip.encode for precision, clip in ours.items()}
        figures[f"pictures, {batch}"] = compare(forms, pictures[:batch])
    if ours["float32"].has_words:
        tokenizer = open_clip.get_tokenizer(name)

        def plain_words(texts: list[str]) -> np.ndarray:
            with torch.inference_mode():
                return model.encode_text(tokenizer(texts)).numpy()

        for batch in BATCHES:
            forms = {"open_clip": plain_words, "float32": ours["float32"].encode_words}
            figures[f"words, {batch}"] = compare(forms, TEXTS[:batch])
    return figures


def compare(forms: dict, given: list) -> dict[str, dict[str, float]]:
    """Milliseconds of one, how many times quicker than the first form, and the least cosine to it."""
    answers = {name: reduced(form(given)) for name, form in forms.items()}
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
            "cosine": float((answers[name] * answers[first]).sum(axis=1).min()),
        }
        for name in forms
    }


def multiplied() -> dict[str, float]:
    """Thousand million operations a second, of a product alone."""
    rows, inner, columns = GEMM
    one, other = torch.randn(rows, inner), torch.randn(inner, columns)
    found = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = one.to(kind), other.to(kind)
        seconds = []
        for _ in range(30):
            start = time.process_time()
            a @ b
            seconds.append(time.process_time() - start)
        found[name] = 2 * rows * inner * columns / float(np.median(seconds)) / 1e9
    return found


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
                told = f"{row['ms']:7.1f} ms  {row['times']:5.2f} times  cosine {row['cosine']:.6f}"
                print(f"{name:16} {what:12} {form:10} {told}")
    found["GFLOPS"] = multiplied()
    print(", ".join(f"{name} {value:.0f} GFLOPS" for name, value in found["GFLOPS"].items()))
    print(f"load {os.getloadavg()[0]:.1f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
