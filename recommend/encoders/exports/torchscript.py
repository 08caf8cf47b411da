"""The tensors of a TorchScript file, read without running any of the code in it."""

import pickle
import zipfile
from pathlib import Path

import torch


class Node:
    """Stands for a module of the file, whichever it is; unpickling gives it the attributes it was saved with."""


def numbers(values: list[int]) -> list[int]:
    """What a file's `torch.jit._pickle.build_intlist` makes."""
    return values


class Reader(pickle.Unpickler):
    """Knows tensors, the plainest containers and `Node`; refuses whatever else a pickle may name."""

    KNOWN = {
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch", "FloatStorage"): torch.float32,
        ("collections", "OrderedDict"): dict,
        ("torch.jit._pickle", "build_intlist"): numbers,
    }

    def __init__(self, archive: zipfile.ZipFile, root: str):
        super().__init__(archive.open(f"{root}/data.pkl"))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str):
        if module.startswith("__torch__."):
            return Node
        if (module, name) in self.KNOWN:
            return self.KNOWN[module, name]
        raise pickle.UnpicklingError(f"{module}.{name} is no tensor; it is not read")

    def persistent_load(self, told: tuple) -> torch.TypedStorage:
        _, dtype, key, _, _ = told
        values = torch.frombuffer(bytearray(self._archive.read(f"{self._root}/data/{key}")), dtype=dtype)
        return torch.TypedStorage(wrap_storage=values.untyped_storage(), dtype=dtype, _internal=True)


def tensors(file: Path) -> dict[str, torch.Tensor]:
    """float32 tensors by the names `torch.jit.load(file).state_dict()` would give them.

    Raises:
        pickle.UnpicklingError: the file holds something else than modules with tensors.
    """
    with zipfile.ZipFile(file) as archive:
        root = archive.namelist()[0].partition("/")[0]
        return dict(_named(Reader(archive, root).load(), ""))


def _named(node: Node, prefix: str):
    for name, value in vars(node).items():
        if isinstance(value, torch.Tensor):
            yield prefix + name, value
        elif isinstance(value, Node):
            yield from _named(value, f"{prefix}{name}.")
