"""What a network puts out, as a map in the house's labels at the picture's size."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.networks.declaration import Network, NetworkFailed
from preprocessing.networks.fitting import Fit

# Of a guided filter, in cells of the network's output, and how far colours may differ within an edge.
REFINE_CELLS, REFINE_CONTRAST = 2.0, 0.02 * 255
LEAST_PEAK = 0.1


def decode(network: Network, raw: np.ndarray, fit: Fit, image: np.ndarray) -> np.ndarray:
    """The map of a network's role, see `preprocessing.networks.look`.

    Raises:
        NetworkFailed: the output is not what was declared.
    """
    planes = _planes(network, raw)
    if not np.isfinite(planes).all():
        raise NetworkFailed(f"{network.name} gives values that are no numbers")
    if network.decode == "argmax":
        return _argmax(network, planes, fit)
    if network.decode == "labels":
        return _labels(network, planes[0], fit)
    if network.decode == "heatmaps":
        return _peaks(network, planes, fit)
    return _soft(network, planes[0], fit, image)


def _planes(network: Network, raw: np.ndarray) -> np.ndarray:
    """(C, h, w), with as many channels as the declaration says."""
    single = network.decode not in ("argmax", "heatmaps")
    if raw.ndim == 3 and single:
        raw = raw[:, None]
    if raw.ndim != 4 or raw.shape[0] != 1:
        raise NetworkFailed(f"{network.name} gives the shape {raw.shape} instead of (1, channels, height, width)")
    planes = raw[0, slice(*network.channels)] if network.channels else raw[0]
    wanted = 1 if single else len(network.labels)
    if len(planes) != wanted:
        found = f"{network.name} gives {len(planes)} channels" + (" of those declared" if network.channels else "")
        raise NetworkFailed(f"{found}; its {'mask has 1' if single else f'label table has {wanted}'}")
    return planes.astype(np.float32)


def _argmax(network: Network, planes: np.ndarray, fit: Fit) -> np.ndarray:
    """The greatest channel of each pixel of the picture: interpolated first, so that borders are smooth."""
    best = np.full(fit.picture, -np.inf, np.float32)
    found = np.zeros(fit.picture, np.uint8)
    for plane, (_, label) in zip(planes, network.labels, strict=True):
        large = fit.enlarge(plane)
        closer = large > best
        found[closer] = label
        best[closer] = large[closer]
    return found


def _labels(network: Network, plane: np.ndarray, fit: Fit) -> np.ndarray:
    strange = [int(number) for number in np.unique(plane) if number not in range(len(network.labels))]
    if strange:
        raise NetworkFailed(
            f"{network.name} gives labels that its table of {len(network.labels)} does not have: "
            + ", ".join(map(str, strange[:5]))
        )
    return _argmax(network, np.stack([plane == number for number in range(len(network.labels))]) * np.float32(1), fit)


def _soft(network: Network, plane: np.ndarray, fit: Fit, image: np.ndarray) -> np.ndarray:
    if network.decode == "sigmoid":
        plane = 1 / (1 + np.exp(-np.clip(plane, -60, 60)))
    if network.decode == "minmax":
        plane = (plane - plane.min()) / max(float(np.ptp(plane)), 1e-6)
    soft = np.clip(fit.enlarge(plane), 0, 1)
    if network.refine:
        radius = max(1, round(REFINE_CELLS * max(fit.cells(plane.shape))))
        soft = cv2.ximgproc.guidedFilter(image, soft, radius, REFINE_CONTRAST**2)
        soft = np.clip(2 * soft - 0.5, 0, 1)  # the filter leaves an edge half as steep as the picture's
    return soft if network.threshold is None else (soft > network.threshold).astype(np.float32)


def _peaks(network: Network, planes: np.ndarray, fit: Fit) -> np.ndarray:
    """A joint where its heatmap peaks; between cells where a Gaussian through it and its neighbours peaks."""
    least = LEAST_PEAK if network.threshold is None else network.threshold
    joints = type(next(label for _, label in network.labels if label is not None))
    found = np.zeros((len(joints), 3), np.float32)
    for plane, (_, joint) in zip(planes, network.labels, strict=True):
        row, column = np.unravel_index(plane.argmax(), plane.shape)
        if joint is None or plane[row, column] < least:
            continue
        place = np.array([[column + _between(plane[row], column), row + _between(plane[:, column], row)]])
        found[joint] = *(fit.to_picture(place, plane.shape)[0] + 0.5), min(1.0, plane[row, column])
    return found


def _between(line: np.ndarray, at: int) -> float:
    """How far from cell `at` the peak of a line lies, -0.5..0.5."""
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = np.log(np.maximum(line[at - 1 : at + 2], 1e-6))
    bend = 2 * here - before - after
    return float(np.clip((after - before) / (2 * bend), -0.5, 0.5)) if bend > 1e-6 else 0.0
