"""The process of one network: python -m preprocessing.networks.child SOCKET

Apart from its worker, so that the worker stays small, and outlives a network that crashes, hangs or takes too much.
It ends when nobody has asked for a while, and when whoever started it is gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import sys
import threading
from multiprocessing.connection import Connection

import cv2
import onnxruntime

from preprocessing.networks.declaration import Network, NetworkFailed
from preprocessing.networks.session import Session


def main(connection: Connection) -> None:
    cv2.setNumThreads(1)
    network: Network
    network, idle_seconds = connection.recv()
    _stay_within(network.megabytes)
    pictures: queue.SimpleQueue = queue.SimpleQueue()
    # Notices the end of the other side also while the network is at work.
    threading.Thread(target=_receive, args=(connection, pictures), daemon=True).start()
    session = None
    with contextlib.suppress(queue.Empty):
        while True:
            image = pictures.get(timeout=idle_seconds)
            try:
                session = session or Session(network)
                connection.send(session.look(image))
            except NetworkFailed as failure:
                connection.send(failure)
            except MemoryError as error:
                connection.send(NetworkFailed(f"{network.name} ran out of memory: {error}"))


def _receive(connection: Connection, pictures: queue.SimpleQueue) -> None:
    try:
        while True:
            pictures.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # nobody is there to hear the answer


def _stay_within(megabytes: int) -> None:
    """Bound this process's memory, and have the system end it before others when memory runs out."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")
    # A GPU's driver reserves far more than it uses.
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20,) * 2)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
