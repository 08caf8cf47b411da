"""Engines' checkpoints: read without running what is in them, compared in full, kept as safetensors, loaded strictly.

`load` gives a worker the networks of a weight; there is no way from here to a network without its trained values.
`./dev weights import` runs this file as a program: `python -m tryon.engines.checkpoints`, a request on standard input.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import itertools
import json
import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from preprocessing import weights
from preprocessing.errors import Refusal
from preprocessing.pretrained import WEIGHTS


class CheckpointWrong(Refusal):
    """A file that is not the checkpoint it should be; `detail` says all that is wrong with it."""

    def __init__(self, detail: str):
        super().__init__("weights.wrong", weights.NOT_SET_UP, detail)


def load(name: str) -> list[nn.Module]:
    """The networks of a weight, in the registry's order: on the CPU, ready to run.

    Raises:
        WeightsMissing: a file is not there, or not whole.
        CheckpointWrong: a file's sha256 is not the one it came in with, or it does not fit its network.
    """
    weights.path(name)
    weight = WEIGHTS[name]
    networks = []
    for file in weight.files:
        path, (_, sha256) = weights.file_path(weight, file), weights.expected(weight, file)
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != sha256:
            raise CheckpointWrong(f"{path} has the sha256 {found} instead of {sha256} ({weight.command})")
        networks.append(load_network(build(file.made_from.network), path))
    return networks


def build(network: str) -> nn.Module:
    """A network named as "module:callable", without any values: on the meta device, where nothing can run."""
    module, _, name = network.partition(":")
    with torch.device("meta"):
        return getattr(importlib.import_module(module), name)()


def load_network(network: nn.Module, path: Path) -> nn.Module:
    """Give a network the values in a safetensors file; the network itself, for inference, on the CPU.

    Raises:
        CheckpointWrong: a key, a shape or a type differs (all of them are listed), or something would stay empty.
    """
    # Copied: one tensor that still shows the file keeps all of it in memory, beside what the others were turned into.
    state = {key: tensor.clone() for key, tensor in load_file(path).items()}
    if found := differences(state, network.state_dict()):
        raise CheckpointWrong(listed(path, type(network).__name__, found))
    network.load_state_dict(state, strict=True, assign=True)
    tensors = itertools.chain(network.named_parameters(), network.named_buffers())
    if empty := {name: "has no value in it" for name, tensor in tensors if tensor.is_meta}:
        raise CheckpointWrong(listed(path, type(network).__name__, empty))
    return network.eval().requires_grad_(False)


def differences(state: Mapping[str, Any], expected: Mapping[str, Tensor]) -> dict[str, str]:
    """All that keeps a state from being that of a network, a phrase by key; values are not looked at."""
    found = {}
    for key, wanted in expected.items():
        tensor = state.get(key)
        if key not in state:
            found[key] = f"{shape(wanted)} is missing"
        elif not plain(tensor):
            found[key] = "is not a plain tensor"
        elif tensor.shape != wanted.shape:
            found[key] = f"is {shape(tensor)} instead of {shape(wanted)}"
        elif tensor.is_complex() or tensor.is_floating_point() != wanted.is_floating_point():
            found[key] = f"holds {tensor.dtype} instead of {wanted.dtype}"
    return found | {key: "is not part of the network" for key in state if key not in expected}


def plain(value: Any) -> bool:
    """Whether it is a tensor with a value for each place, in memory or mapped into it."""
    return type(value) in (Tensor, nn.Parameter) and value.layout is torch.strided and value.device.type == "cpu"


def shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def not_finite(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, str]:
    """As `differences`: values that are not numbers in the type the network has them in; for tensors that fit."""
    return {
        key: "has values that are infinite or not a number"
        for key, wanted in expected.items()
        if wanted.is_floating_point() and not state[key].to(wanted.dtype).isfinite().all()
    }


def unfit(state: Mapping[str, Any], expected: Mapping[str, Tensor]) -> dict[str, str]:
    """Everything that keeps a state from being the network's, values included."""
    found = differences(state, expected)
    return found | not_finite(state, {key: wanted for key, wanted in expected.items() if key not in found})


def listed(path: Path, network: str, found: Mapping[str, str]) -> str:
    lines = (f"  {printable(key)} {phrase}" for key, phrase in found.items())
    return "\n".join([f"{path} does not fit {network}, {len(found)} differ:", *lines])


def printable(key: str) -> str:
    """A strange file's keys go to a terminal."""
    return key if key.isprintable() else repr(key)


def read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds by name; nothing in it is run.

    Raises:
        CheckpointWrong: it is none, is damaged, or holds more than tensors.
    """
    size = path.stat().st_size
    try:
        if damaged := damaged_member(path):
            raise CheckpointWrong(f"{path} ({size} bytes) is damaged: the checksum of {damaged} differs")
        # Not mapped: what is mapped is not held against the sizes in the file, and may show whatever lies behind it.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except CheckpointWrong:
        raise
    except Exception as error:  # a pickle of other makes can end the reader in any way
        raise CheckpointWrong(f"{path} ({size} bytes) {reason(error)}") from error
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise CheckpointWrong(f"{path} holds a {type(state).__name__}, not tensors by name")
    return state


def damaged_member(path: Path) -> str | None:
    """The first part of a checkpoint in zip form whose checksum differs; torch does not look at them."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return archive.testzip()


def reason(error: Exception) -> str:
    """torch's error in words of ours: its own advise opening the file with all its code."""
    text = str(error)
    if found := re.search(r"GLOBAL (\S+)", text):
        return f"could run code ({found[1]}): only files that hold nothing but tensors are taken in"
    if isinstance(error, MemoryError) or "Cannot allocate memory" in text:
        return "needs more memory than there is"
    if isinstance(error, OSError) and error.errno != errno.EINVAL:  # that one a zip gives whose offsets are wrong
        return f"cannot be read: {error.strerror or error}"
    if isinstance(error, pickle.UnpicklingError):
        return "is not a checkpoint (a page in its place, perhaps, or another kind of file)"
    return "is cut short, damaged or not a checkpoint"


def convert(files: list[Path], networks: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Write each network's checkpoint as safetensors; which is which is told by what is in them.

    Args:
        files: one for each network, in any order.
        networks: "module:callable" by the name of the file to write.
        folder: to write into; after an error, what is there is of no use.

    Returns:
        Which of `files` each name was made from.

    Raises:
        CheckpointWrong: listing all that is wrong with any of the files.
    """
    expected = {name: build(network).state_dict() for name, network in networks.items()}
    sources, wrong = {}, []
    for path in files:
        try:
            state = read(path)
            name = nearest(path, state, expected)
            if found := unfit(state, expected[name]):
                raise CheckpointWrong(listed(path, Path(name).stem, found))
            if name in sources:
                raise CheckpointWrong(f"{path} and {sources[name]} are both {Path(name).stem}")
            save(state, expected[name], folder / name)
            sources[name] = path
        except CheckpointWrong as error:
            wrong.append(error.detail)
        state = None  # so that two never lie in memory
    if wrong:
        raise CheckpointWrong("\n".join(wrong))
    return sources


def nearest(path: Path, state: Mapping[str, Any], expected: Mapping[str, Mapping[str, Tensor]]) -> str:
    """The network that differs least."""
    if not any(state.keys() & tensors.keys() for tensors in expected.values()):
        first = ", ".join(map(printable, list(state)[:3]))
        raise CheckpointWrong(f"{path} is of another network: it shares none of its {len(state)} keys ({first}, …)")
    return min(expected, key=lambda name: len(differences(state, expected[name])))


def save(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], target: Path) -> None:
    """Write a state that fits, in the network's own types; the same state always gives the same bytes."""
    tensors, seen = {}, set()
    for key, wanted in expected.items():
        tensor = state[key].detach().to(wanted.dtype).contiguous()
        storage = tensor.untyped_storage().data_ptr()
        tensors[key] = tensor.clone() if storage in seen else tensor  # safetensors takes no shared memory
        seen.add(storage)
    save_file(tensors, target, {"format": "pt"})


def main() -> None:
    """Read {"files": [...], "networks": {name: network}, "folder": ...}; print the source of each name, or the error.

    The error is one text on standard error; the exit code is 1 when it is about the files, else 2.
    """
    warnings.simplefilter("ignore")  # torch's, about old forms of checkpoints
    torch.set_num_threads(1)
    request = json.load(sys.stdin)
    try:
        sources = convert([Path(path) for path in request["files"]], request["networks"], Path(request["folder"]))
    except CheckpointWrong as wrong:
        sys.exit(wrong.detail)
    except (OSError, SafetensorError) as error:
        print(f"What was read could not be written to {request['folder']}: {error}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps({name: str(path) for name, path in sources.items()}))


if __name__ == "__main__":
    main()
