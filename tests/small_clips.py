"""CLIPs of open_clip that are built in no time, with random weights."""

import json
from pathlib import Path

from recommend.encoders.clip import WEIGHTS_FILE

SMALL_CLIP = {
    "embed_dim": 640,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}
SMALL_SIGLIP = {
    "embed_dim": 64,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 160,
        "timm_model_name": "test_vit",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {
        "context_length": 16,
        "vocab_size": 80,
        "hf_tokenizer_name": "anyone/anything",
        "tokenizer_kwargs": {"clean": "canonicalize"},
        "width": 64,
        "heads": 2,
        "layers": 2,
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
    },
}


def saved(folder: Path, config: dict) -> Path:
    """A folder as open_clip saves a model, with random weights."""
    import torch
    from open_clip.model import CLIP, CustomTextCLIP
    from safetensors.torch import save_file

    folder.mkdir()
    torch.manual_seed(0)
    config = json.loads(json.dumps(config))
    parts = {key: value for key, value in config.items() if key != "custom_text"}
    model = (CustomTextCLIP if "custom_text" in config else CLIP)(**parts)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / WEIGHTS_FILE)
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    if "hf_tokenizer_name" in config["text_cfg"]:
        save_tokenizer(folder)
    return folder


def brought(name: str, config: dict, weights_folder: Path) -> Path:
    """A folder with random weights under a registered name, as ./dev weights leaves it."""
    folder = saved(weights_folder / name, config)
    for file in list(folder.iterdir()):
        told = {"size": file.stat().st_size, "sha256": "ab" * 32}
        file.with_name(f"{file.name}.provenance.json").write_text(json.dumps(told))
    return folder


def save_tokenizer(folder: Path) -> None:
    """As SigLIP's: pieces with their likelihoods, all in small letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import T5TokenizerFast

    letters = [(letter, -8.0) for letter in "▁abcdefghijklmnopqrstuvwxyz0123456789"]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters, ("▁red", -3.0), ("▁dress", -3.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    T5TokenizerFast(tokenizer_object=tokenizer, pad_token="</s>", eos_token="</s>", extra_ids=0).save_pretrained(
        folder
    )
