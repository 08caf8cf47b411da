"""Where things lie, and what is private to this machine."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"


class Trouble(Exception):
    """Something the person at the terminal can mend: shown as it is, without a traceback."""


class Terminated(KeyboardInterrupt):
    """A polite end from outside (SIGTERM): goes the way of Ctrl-C, but nobody else at the terminal heard it."""


def local() -> Path:
    """The folder for everything that belongs to this machine: FITROOM_LOCAL, or .local in the checkout."""
    return Path(os.environ.get("FITROOM_LOCAL") or REPOSITORY / ".local").resolve()


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a file lock; the system frees it when the process dies, however it dies.

    Yields:
        Whether the lock is held; False only with `wait=False` while somebody else holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


class State:
    """One set of servers and their data: a folder only its owner can open.

    `./dev up` keeps one in .local; each `./dev test` has its own, thrown away at the end.
    """

    def __init__(self, root: Path, *, throwaway: bool = False):
        self.root = root
        self.throwaway = throwaway
        for folder in (root, self.run, self.log):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def run(self) -> Path:
        """Records of running processes, NAME.json."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def write_private(self, name: str, text: str) -> Path:
        """Write a file only the owner can read, all of it or nothing."""
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(path)
        return path

    def secret(self, name: str) -> str:
        """A password made once for this folder and kept in secrets.json."""
        with locked(self.root / "secrets.lock"):
            path = self.root / "secrets.json"
            known = json.loads(path.read_text()) if path.exists() else {}
            if name not in known:
                known[name] = secrets.token_urlsafe(24)
                self.write_private("secrets.json", json.dumps(known, indent=1))
            return known[name]
