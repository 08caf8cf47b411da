"""Networks in place of the maps that preprocessing makes itself; docs/networks.md. Cheap to import: no onnxruntime.

Each runs in a process of its own (own_process.py). Where none is chosen, its file is missing, or it fails, the
caller's own map stands.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from preprocessing.networks.choice import choices, declared
from preprocessing.networks.declaration import Network, NetworkFailed
from preprocessing.networks.file import DeclarationsWrong

if TYPE_CHECKING:
    import numpy as np

    from preprocessing.networks.own_process import Process

__all__ = ["DeclarationsWrong", "Network", "NetworkFailed", "choices", "declared", "look", "process"]

log = logging.getLogger(__name__)
_processes: dict[Network, Process] = {}


def process(network: Network) -> Process:
    """The process of a network, one for each process of ours."""
    from preprocessing.networks.own_process import Process  # numpy

    return _processes.setdefault(network, Process(network))


def look(role: str, image: np.ndarray) -> np.ndarray | None:
    """What the network chosen for a role sees in a picture.

    Args:
        role: "keypoints", "parse", "densepose" or "cloth_mask".
        image: uint8 RGB (H, W, 3).

    Returns:
        None where none is chosen or it failed, which is logged. Otherwise, at the picture's size:
        "keypoints": float32 (25, 3), x, y (pixel 0 reaches from 0 to 1) and confidence 0..1, indexed by `Body25`; a
        joint that was not found is 0, 0, 0.
        "parse": uint8 (H, W) of `Parse`. "densepose": uint8 (H, W) of `DensePose`.
        "cloth_mask": float32 (H, W), 0..1.
    """
    network = choices().get(role)
    if network is None:
        return None
    try:
        return process(network).look(image)
    except NetworkFailed as failure:
        log.warning("the %s is made without a network: %s", role, failure)
        return None


def _forget_processes() -> None:
    for asked in _processes.values():
        asked.forget()
    _processes.clear()


os.register_at_fork(after_in_child=_forget_processes)
