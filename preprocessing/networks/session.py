"""One network, loaded: picture in, map out. Imports onnxruntime; only the process of its own does (child.py)."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import onnxruntime

from preprocessing.networks.declaration import Network, NetworkFailed
from preprocessing.networks.decoding import decode
from preprocessing.networks.fitting import fit

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Session:
    """Loads a network's file and compares it with its declaration.

    Raises:
        NetworkFailed: the file is not there, not the right one, no ONNX, or other than declared.
    """

    def __init__(self, network: Network):
        self.network = network
        _check_file(network)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, len(os.sched_getaffinity(0)) // 2)
        options.log_severity_level = 4  # what fails is raised
        # An arena keeps what a run needed, and doubles it: u2net_cloth_seg then holds 3.5 GB instead of 0.6.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        available = onnxruntime.get_available_providers()
        providers = [provider for provider in PROVIDERS if provider in available]
        try:
            self.session = onnxruntime.InferenceSession(network.path, options, providers=providers)
        except Exception as error:  # onnxruntime's own have no common ancestor
            raise NetworkFailed(f"{network.name} cannot be loaded: {_first_line(error)}") from error
        self.input, self.dtype = self._input()
        self.output = self._output()

    def _input(self) -> tuple[str, type]:
        network, inputs = self.network, self.session.get_inputs()
        if len(inputs) != 1:
            raise NetworkFailed(f"{network.name} has {len(inputs)} inputs instead of one picture")
        if inputs[0].type not in INPUT_TYPES:
            raise NetworkFailed(f"{network.name} takes {inputs[0].type}, not floating point numbers")
        shape, wanted = inputs[0].shape, (1, 3, *network.size)
        if len(shape) != 4 or any(isinstance(a, int) and a != b for a, b in zip(shape, wanted, strict=True)):
            raise NetworkFailed(f"{network.name} takes {shape}; declared is {list(wanted)}")
        return inputs[0].name, INPUT_TYPES[inputs[0].type]

    def _output(self) -> str:
        names = [output.name for output in self.session.get_outputs()]
        wanted = self.network.output
        if isinstance(wanted, int) and wanted < len(names):
            return names[wanted]
        if wanted in names:
            return wanted
        raise NetworkFailed(f"{self.network.name} has no output {wanted!r}; it has {', '.join(names)}")

    def look(self, image: np.ndarray) -> np.ndarray:
        """The map of a picture, uint8 RGB (H, W, 3); see `preprocessing.networks.look`."""
        tensor, where = fit(image, self.network)
        try:
            raw = self.session.run([self.output], {self.input: tensor.astype(self.dtype, copy=False)})[0]
        except Exception as error:
            if "alloc" in str(error):
                limit = f"the {self.network.megabytes} MB its process may use"
                raise NetworkFailed(f"{self.network.name} needs more memory than {limit}") from error
            raise NetworkFailed(f"{self.network.name} stopped: {_first_line(error)}") from error
        return decode(self.network, raw, where, image)


def _check_file(network: Network) -> None:
    if network.problem:
        raise NetworkFailed(f"{network.name}: {network.problem}")
    with network.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != network.digest:
        raise NetworkFailed(f"{network.name}: {network.path} has the sha256 {found} instead of {network.digest}")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
