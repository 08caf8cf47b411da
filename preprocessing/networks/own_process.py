"""A network in a process of its own, from the side of whoever asks it. Imports no onnxruntime."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from multiprocessing.connection import Connection

import numpy as np

from preprocessing.networks.declaration import Network, NetworkFailed
from preprocessing.weights import REPOSITORY

IDLE_SECONDS = 60


class Process:
    """Started at the first question, and anew after it has ended: from idleness, a crash or our own hand."""

    def __init__(self, network: Network, idle_seconds: float = IDLE_SECONDS):
        self.network = network
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.poll() is None else None

    def look(self, image: np.ndarray) -> np.ndarray:
        """Ask the network; see `preprocessing.networks.look`.

        Raises:
            NetworkFailed: it does not answer in time, has crashed, or says itself what is wrong.
        """
        with self._lock:
            try:
                answer = self._ask(np.ascontiguousarray(image))
            except BaseException:  # also a task's time limit: an answer that comes later is nobody's
                self.end()
                raise
        if isinstance(answer, NetworkFailed):
            raise answer
        return answer

    def _ask(self, image: np.ndarray, again: bool = True) -> np.ndarray | NetworkFailed:
        if self.pid is None:
            self._start()
        try:
            self._connection.send(image)
            if not self._connection.poll(self.network.seconds):
                raise BlockingIOError
            return self._connection.recv()
        except BlockingIOError:
            raise NetworkFailed(f"{self.network.name} has not answered within {self.network.seconds:g} s") from None
        except (EOFError, OSError):
            code = self._code()
        if code == 0 and again:  # it was idle for so long that it ended at this very moment
            return self._ask(image, again=False)
        raise NetworkFailed(f"{self.network.name} {self._how_it_ended(code)}")

    def _start(self) -> None:
        self.end()
        ours, theirs = socket.socketpair()
        # A child that is frozen reads nothing, and an answer may break off: neither may hold us for longer than a
        # silent one.
        limit = struct.pack("ll", math.ceil(self.network.seconds), 0)
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, limit)
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "preprocessing.networks.child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                cwd=REPOSITORY,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the worker, which may finish its job
            )
        self._connection = Connection(ours.detach())
        with contextlib.suppress(OSError):  # asking finds out, too
            self._connection.send((self.network, self._idle_seconds))

    def _code(self) -> int | None:
        try:
            return self._child.wait(5)
        except subprocess.TimeoutExpired:
            return None

    @staticmethod
    def _how_it_ended(code: int | None) -> str:
        if code is None:
            return "does not listen any more"
        if code == -signal.SIGKILL:
            return "was killed; the machine may be out of memory"
        return f"has crashed ({signal.Signals(-code).name})" if code < 0 else f"has ended with code {code}"

    def end(self) -> None:
        if self._connection:
            self._connection.close()
        if self._child:
            self._child.kill()
            self._child.wait()
        self._child = self._connection = None

    def forget(self) -> None:
        """In a process forked from the one that asked: the child is not ours."""
        if self._connection:
            self._connection.close()
        self._child = self._connection = None
        self._lock = threading.Lock()
