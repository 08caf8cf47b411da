"""Networks of a few nodes, made with onnx, that see colours: enough to try everything around a network."""

import hashlib
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from preprocessing.labels import Body25, Parse
from preprocessing.networks import Network

PURE = {"black": (0, 0, 0), "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
COLOURS = (("black", Parse.BACKGROUND), ("red", Parse.UPPER), ("green", Parse.PANTS), ("blue", Parse.HAIR))
JOINTS = (("red", Body25.NOSE), ("green", Body25.L_WRIST), ("rest", None))


def save(path: Path, nodes: list, constants: dict[str, np.ndarray], size: tuple[int, int]) -> str:
    """Write a network from "picture" (1, 3, *size) to "map"; its sha256."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, *size))],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def mixing(path: Path, weights: list, bias: list | None = None, size=(32, 24), **declared) -> Network:
    """A network whose channels are weighted sums of the picture's colours. `declared`: over a parser's declaration."""
    kernel = np.array(weights, np.float32)[:, :, None, None]
    offset = np.zeros(len(weights), np.float32) if bias is None else np.array(bias, np.float32)
    node = helper.make_node("Conv", ["picture", "kernel", "offset"], ["map"])
    return declare(path, save(path, [node], {"kernel": kernel, "offset": offset}, size), size, **declared)


def declare(path: Path, sha256: str, size: tuple[int, int] = (32, 24), **declared) -> Network:
    fields = {"name": path.stem, "role": "parse", "decode": "argmax", "labels": COLOURS, "size": size, "seconds": 30}
    return Network(**{**fields, "file": path, "sha256": sha256, **declared})


def parser(path: Path, **declared) -> Network:
    """Tells black, red, green and blue."""
    return mixing(path, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [0.4, 0, 0, 0], **declared)


def masker(path: Path, **declared) -> Network:
    """How red a pixel is."""
    return mixing(path, [[1, 0, 0]], **{"role": "cloth_mask", "decode": "soft", "labels": (), **declared})


def pointer(path: Path, **declared) -> Network:
    """Heatmaps of red and green."""
    weights = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    return mixing(path, weights, **{"role": "keypoints", "decode": "heatmaps", "labels": JOINTS, **declared})


def hanging(path: Path, **declared) -> Network:
    """Counts for longer than anyone waits."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["value", "value"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    node = helper.make_node("Loop", ["often", "yes", "picture"], ["map"], body=body)
    constants = {"often": np.array(2**60), "yes": np.array(True)}
    return declare(path, save(path, [node], constants, (32, 24)), **declared)


def hungry(path: Path, **declared) -> Network:
    """Wants 32 GB."""
    node = helper.make_node("Expand", ["picture", "shape"], ["map"])
    constants = {"shape": np.array([3_600_000, 3, 32, 24])}
    return declare(path, save(path, [node], constants, (32, 24)), **declared)


def flags(shape=(64, 48)) -> np.ndarray:
    """Red above, green below at the left, blue below at the right, black between."""
    image = np.zeros((*shape, 3), np.uint8)
    middle, centre = shape[0] // 2, shape[1] // 2
    image[: middle - 4] = PURE["red"]
    image[middle:, :centre] = PURE["green"]
    image[middle:, centre:] = PURE["blue"]
    return image
