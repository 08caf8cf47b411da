"""`python -m recommend.encoders.exports.clip MODEL FILE PRECISION TARGET`: a CLIP of open_clip for ONNX Runtime.

MODEL is open_clip's name with FILE its weights, or "local-dir:FOLDER" with FILE empty. The folder holds image.onnx,
words.onnx, tokenizer.json and about.json; the last three of a model whose words can be read here.
"""

import json
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import nn

from recommend.encoders import words
from recommend.encoders.exports import noise, write
from recommend.encoders.runtime import session
from recommend.encoders.vectors import unit

LEAST_COSINE = {"float32": 0.99999, "int8": 0.999}  # of exported and torch's vectors
SAMPLE = [
    "a red summer dress with floral print",
    "Men's T-shirt, 100% cotton &amp; V-neck!!",
    "빨간 여름 원피스",
    "été — café_noir  2026 (size 42/44)",
    "",
    "jeans " * 200,
]


class CannotExport(Exception):
    """With one sentence that says why."""


class Attention(nn.Module):
    """`nn.MultiheadAttention` of a sequence to itself, in operators that are exported for sequences of any length."""

    def __init__(self, published: nn.MultiheadAttention):
        super().__init__()
        self.heads = published.num_heads
        self.project = nn.Linear(published.embed_dim, 3 * published.embed_dim)
        self.project.weight, self.project.bias = published.in_proj_weight, published.in_proj_bias
        self.out = published.out_proj

    def forward(self, x, *_, attn_mask=None, **__):
        n, length, width = x.shape
        q, k, v = (
            part.reshape(n, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.project(x).chunk(3, dim=-1)
        )
        seen = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask)  # (N, heads, length, width / heads)
        return (self.out(seen.transpose(1, 2).reshape(n, length, width)),)


def exportable(tower: nn.Module) -> nn.Module:
    """The tower itself, with its attention replaced."""
    for block in tower.modules():
        for name, inner in list(block.named_children()):
            if isinstance(inner, nn.MultiheadAttention) and inner.batch_first and inner.in_proj_weight is not None:
                setattr(block, name, Attention(inner))
    return tower


class TextTower(nn.Module):
    """Tokens (N, length) to vectors (N, dim).

    What comes after a text's last token changes nothing where each token sees only those before it: `shortens` says
    that the tower takes tokens of any length up to its context's, and gives the same vectors.
    """

    def __init__(self, text: nn.Module):
        super().__init__()
        self.text = text
        self.shortens = (
            getattr(text, "attn_mask", None) is not None
            and getattr(text, "pool_type", "") in ("argmax", "eos")
            and text.cls_emb is None
            and not text.use_pad_mask
        )
        if self.shortens:
            self.register_buffer("mask", text.attn_mask)

    def forward(self, tokens):
        if self.shortens:
            length = tokens.shape[1]
            self.text.attn_mask = self.mask[:length, :length]
        return self.text(tokens)


def export(model: str, file: str, precision: str, target: Path) -> None:
    torch.set_num_threads(1)
    target.mkdir()
    clip = load(model, file)
    config = clip.visual.preprocess_cfg
    side = config["size"] if isinstance(config["size"], int) else config["size"][0]
    cosine, dim = exported(clip.visual, noise(1, 3, side, side), target / "image.onnx", {0: "n"}, precision)
    about = {
        "side": side,
        "dim": dim,
        "mean": list(config["mean"]),
        "std": list(config["std"]),
        "image_cosine": cosine,
    }
    try:
        about |= export_words(clip.text, open_clip.get_tokenizer(model), target)
    except CannotExport as reason:
        about |= {"no_words": str(reason)}
    except Exception as error:  # whatever a tokenizer raises that open_clip cannot build here
        about |= {"no_words": f"its tokenizer cannot be read: {error!r}"[:500]}
    (target / "about.json").write_text(json.dumps(about, indent=1))


def load(model: str, file: str) -> nn.Module:
    try:
        # With the text tower a module of its own, as every family has it.
        return open_clip.create_model(
            model, pretrained=file or None, weights_only=True, require_pretrained=True, force_custom_text=True
        ).eval()
    except Exception as error:  # open_clip raises whatever its many loaders do
        raise SystemExit(f"{file or model} could not be loaded: {error!r}"[:1500]) from error


def exported(tower: nn.Module, given: torch.Tensor, file: Path, open_axes: dict, precision: str) -> tuple[float, int]:
    """Writes the tower; the least cosine between the vectors of open_clip and of the file, and their length."""
    with torch.inference_mode():
        expected = tower(given).numpy()
    write(exportable(tower), given, file, open_axes)
    if precision == "int8":
        in_integers(file)
    found = session(file).run(None, {"input": given.numpy()})[0]
    cosine = float((unit(expected) * unit(found)).sum(axis=1).min())
    if not cosine >= LEAST_COSINE[precision]:
        raise SystemExit(f"{file.name} in {precision} differs from open_clip's: cosine {cosine:.6f}")
    return cosine, found.shape[1]


def in_integers(file: Path) -> None:
    """Weights as int8, and what they are multiplied with as it comes; the rest stays float32."""
    whole = file.rename(file.with_suffix(".float32"))
    # Signed weights: unsigned ones take twice the time. Convolutions are few, and slower as integers.
    quantize_dynamic(
        whole, file, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"]
    )
    whole.unlink()


def export_words(text: nn.Module, tokenizer, target: Path) -> dict:
    written_tokenizer(tokenizer, target / "tokenizer.json")
    clean = tokenizer.clean_fn.__name__.removeprefix("_clean_")
    tokens = tokenizer(SAMPLE)
    if not np.array_equal(tokens.numpy(), words.Words(target / "tokenizer.json", clean)(SAMPLE)):
        raise CannotExport("its words cannot be read without open_clip")
    tower = TextTower(text)
    shortens = tower.shortens and isinstance(tokenizer, SimpleTokenizer)
    open_axes = {0: "n", 1: "length"} if shortens else {0: "n"}
    cosine, _ = exported(tower, tokens, target / "words.onnx", open_axes, "float32")
    return {"clean": clean, "end": tokenizer.eot_token_id if shortens else None, "words_cosine": cosine}


def written_tokenizer(tokenizer, target: Path) -> None:
    """With truncation and padding as open_clip's own does them."""
    if isinstance(tokenizer, SimpleTokenizer):
        fast, pad = from_merges(tokenizer), 0
    elif isinstance(tokenizer, HFTokenizer) and hasattr(tokenizer.tokenizer, "backend_tokenizer"):
        fast, pad = tokenizer.tokenizer.backend_tokenizer, tokenizer.tokenizer.pad_token_id
    else:
        raise CannotExport(f"its tokenizer, {type(tokenizer).__name__}, is of no kind that is known here")
    fast.enable_truncation(tokenizer.context_length)
    fast.enable_padding(length=tokenizer.context_length, pad_id=pad)
    fast.save(str(target))


def from_merges(tokenizer: SimpleTokenizer) -> Tokenizer:
    """CLIP's byte pairs in the form of the tokenizers package."""
    start, end = (tokenizer.decoder[number] for number in tokenizer.all_special_ids[:2])
    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.get)
    fast = Tokenizer(models.BPE(tokenizer.encoder, merges, end_of_word_suffix="</w>"))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"(?i)'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"), "removed", True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    fast.decoder = decoders.ByteLevel()
    fast.add_special_tokens([start, end])
    ends = [(start, tokenizer.sot_token_id), (end, tokenizer.eot_token_id)]
    fast.post_processor = processors.TemplateProcessing(single=f"{start} $A {end}", special_tokens=ends)
    return fast


if __name__ == "__main__":
    export(*sys.argv[1:4], Path(sys.argv[4]))
