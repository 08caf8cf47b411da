"""`python -m recommend.encoders.exports.check FOLDER`: is it a whole CLIP, as open_clip saves one?

Each thing that is wrong makes one line on standard error.
"""

import json
import logging
import sys
from pathlib import Path

import open_clip
from safetensors import SafetensorError, safe_open

from recommend.encoders.clip import WEIGHTS_FILE

CONFIG_FILE = "open_clip_config.json"
NAMED = 4  # tensors, where many are wrong


def problems(folder: Path) -> list[str]:
    found = config_problems(folder)
    shapes, wrong = weights_shapes(folder)
    found += wrong
    if found:
        return found
    config = json.loads((folder / CONFIG_FILE).read_text())["model_cfg"]
    try:
        model = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    except Exception as error:  # open_clip raises whatever its many towers do
        return [f"{CONFIG_FILE} describes no model that open_clip can build: {error!r}"[:400]]
    found += tensor_problems(shapes, {key: list(value.shape) for key, value in model.state_dict().items()})
    if config["text_cfg"].get("hf_tokenizer_name"):
        found += tokenizer_problems(folder, config["text_cfg"])
    return found


def config_problems(folder: Path) -> list[str]:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text())
    except (OSError, ValueError) as error:
        return [f"{CONFIG_FILE} cannot be read: {error}"]
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict):
        return [f"{CONFIG_FILE} has no model_cfg; is it open_clip's?"]
    lacking = [key for key in ("embed_dim", "vision_cfg", "text_cfg") if key not in model]
    return [f"{CONFIG_FILE}: its model_cfg lacks {', '.join(lacking)}"] if lacking else []


def weights_shapes(folder: Path) -> tuple[dict[str, list[int]], list[str]]:
    """The shape of each tensor, or what is wrong with the file."""
    try:
        with safe_open(folder / WEIGHTS_FILE, framework="numpy") as file:
            return {key: file.get_slice(key).get_shape() for key in file.keys()}, []  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        return {}, [f"{WEIGHTS_FILE} cannot be read, or is not whole: {error}"]


def tensor_problems(found: dict[str, list[int]], expected: dict[str, list[int]]) -> list[str]:
    lacking = [key for key in expected if key not in found]
    other = [f"{key} {found[key]} instead of {expected[key]}" for key in expected.keys() & found.keys()
             if found[key] != expected[key]]  # fmt: skip
    told = []
    if lacking:
        told.append(f"{WEIGHTS_FILE} lacks {_some(lacking)}; it is not the model of {CONFIG_FILE}")
    if other:
        told.append(f"{WEIGHTS_FILE} has {_some(sorted(other))}; it is not the model of {CONFIG_FILE}")
    return told


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def tokenizer_problems(folder: Path, text: dict) -> list[str]:
    try:
        most = int(open_clip.get_tokenizer(f"local-dir:{folder}")(["a red dress", "빨간 원피스"]).max())
    except Exception as error:  # transformers raises whatever its many tokenizers do
        return [f"tokenizer.json and tokenizer_config.json make no tokenizer: {error!r}"[:400]]
    vocabulary = text.get("vocab_size", 49408)
    if most >= vocabulary:
        return [
            f"tokenizer.json gives the number {most}; the model of {CONFIG_FILE} knows {vocabulary} pieces of words"
        ]
    return []


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    if wrong := problems(Path(sys.argv[1])):
        sys.exit("\n".join(wrong))
