"""Processes that outlive the command that started them, known by a record in the state folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from devtools.layout import State, Trouble

# Those that end first come first: nobody loses what it still writes to.
STOP_ORDER = ("up", "web", "worker", "s3", "redis", "postgres")
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SIGNAL = {"postgres": signal.SIGINT, "s3": signal.SIGKILL}
STOP_SECONDS = {"up": 60, "web": 10, "worker": 20, "redis": 5, "postgres": 20, "s3": 5}


Started = TypeVar("Started")


@dataclass(frozen=True)
class Record:
    """A started process. `born` tells it from another that was given the same number later."""

    name: str
    pid: int
    born: str
    port: int = 0


class StoppedStarting(Trouble):
    """A process died before it answered."""


def born(pid: int) -> str:
    """When a process was started, in the system's own words; empty when there is none, or only a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        # The command's name, in brackets, may hold spaces; fields are counted from behind it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout.strip()


def record_path(state: State, name: str) -> Path:
    return state.run / f"{name}.json"


def running(state: State, name: str) -> Record | None:
    """The live process of that name, or None; a record left by a dead one is removed."""
    path = record_path(state, name)
    try:
        record = Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        path.unlink(missing_ok=True)
        return None
    if born(record.pid) == record.born:
        return record
    path.unlink(missing_ok=True)
    return None


def log_path(state: State, name: str) -> Path:
    return state.log / f"{name}.log"


def last_lines(state: State, name: str, count: int = 15) -> str:
    try:
        lines = log_path(state, name).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-count:])


def spawn(state: State, name: str, command: list[str], *, env: dict[str, str], port: int = 0) -> Record:
    """Start a process in a session of its own, so that a Ctrl-C meant for us does not reach it."""
    log = log_path(state, name)
    log.unlink(missing_ok=True)
    log.touch(mode=0o600)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=True,
        )
    record = Record(name, process.pid, born(process.pid), port)
    state.write_private(f"run/{name}.json", json.dumps(asdict(record)))
    # From here on the record speaks for the process; the object would only warn that it still runs.
    process.returncode = 0
    return record


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let an orderly end be finished: an impatient second Ctrl-C would leave processes behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until(state: State, record: Record, ready: Callable[[], bool], seconds: float) -> None:
    """Wait for a process to answer.

    Raises:
        StoppedStarting: it died first; with its last lines, as
        Trouble: it did not answer in time.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if born(record.pid) != record.born:
            raise StoppedStarting(f"{record.name} stopped while starting:\n{last_lines(state, record.name)}")
        if time.monotonic() > deadline:
            lines = last_lines(state, record.name)
            raise Trouble(f"{record.name} did not answer within {seconds:.0f} s:\n{lines}")
        time.sleep(0.05)


def stop(state: State, name: str) -> bool:
    """End a process: asked first, killed with all its children when it does not listen. True when it ran."""
    record = running(state, name)
    if record is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(record.pid, STOP_SIGNAL.get(name, signal.SIGTERM))
        deadline = time.monotonic() + STOP_SECONDS.get(name, 10)
        while born(record.pid) == record.born and time.monotonic() < deadline:
            time.sleep(0.05)
        # The group holds children that did not end with their parent.
        os.killpg(record.pid, signal.SIGKILL)
    while born(record.pid) == record.born:
        time.sleep(0.05)
    record_path(state, name).unlink(missing_ok=True)
    return True


def stop_all(state: State) -> list[str]:
    """Stop whatever has a record, in order; the names of those that ran."""
    known = [path.stem for path in state.run.glob("*.json")]
    order = [name for name in STOP_ORDER if name in known] + [name for name in known if name not in STOP_ORDER]
    return [name for name in order if stop(state, name)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_free_port(start: Callable[[], Started]) -> Started:
    """Start something that chooses a free port, again when it dies: somebody may have taken the port in between."""
    for _ in range(2):
        try:
            return start()
        except StoppedStarting:
            continue
    return start()


def ask(url: str, data: bytes | None = None) -> int:
    """The status a server on this machine answers a GET with, or a PUT of `data`; 0 when it does not answer.

    Past any proxy the environment names, which would look for the address on its own machine.
    """
    request = urllib.request.Request(url, data, method="GET" if data is None else "PUT")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
