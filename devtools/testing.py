"""./dev test: everything a change must pass, against real servers of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devtools import processes
from devtools.layout import VENV, State, local, locked
from devtools.servers import python, services
from devtools.setup import prepare, say
from devtools.weights import defaults, fetch_all
from preprocessing.weights import missing

# Without caches: which imports are our own is kept too long in ruff's, and a fresh checkout then disagrees.
CHECKS = {
    "ruff format --check": ["-m", "ruff", "format", "--check", "--no-cache", "."],
    "ruff check": ["-m", "ruff", "check", "--no-cache", "."],
    "imports point one way": [str(VENV / "bin" / "lint-imports"), "--no-logo", "--no-cache"],
    "migrations are complete": ["manage.py", "makemigrations", "--check", "--dry-run"],
}


@contextlib.contextmanager
def throwaway_state() -> Iterator[State]:
    """A state folder for one run; several runs do not meet."""
    with contextlib.ExitStack() as owning:
        # Nobody may find the new folder before it has its owner.
        with locked(local() / "tests.lock"):
            for old in local().glob("test-*"):
                remove_abandoned(old)
            root = Path(tempfile.mkdtemp(prefix="test-", dir=local()))
            owning.callback(shutil.rmtree, root, ignore_errors=True)
            owning.enter_context(locked(root / "owner.lock"))
        yield State(root, throwaway=True)


def remove_abandoned(root: Path) -> None:
    """Stop and remove what a killed run left; its lock is free once its owner is dead."""
    with locked(root / "owner.lock", wait=False) as abandoned:
        if abandoned:
            processes.stop_all(State(root))
            shutil.rmtree(root, ignore_errors=True)


def test(arguments: list[str]) -> int:
    """All checks, or with arguments pytest alone on what they name. The exit code is pytest's."""
    prepare("dev")
    fetch_all(missing(defaults()))
    with throwaway_state() as state, services(state, with_s3=True) as env:
        # The servers are on this machine; a proxy would look for them on its own.
        env["no_proxy"] = env["NO_PROXY"] = ",".join(filter(None, [env.get("NO_PROXY"), "127.0.0.1,localhost"]))
        failed = []
        if not arguments:
            for name, command in CHECKS.items():
                say(name)
                failed += [name] * bool(python(*command, env=env))
        code = python("-m", "pytest", *arguments, env=env)
    if failed:
        say(f"Failed besides pytest: {', '.join(failed)}")
    return code or bool(failed)
