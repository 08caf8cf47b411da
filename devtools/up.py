"""./dev up: the whole shop on this machine, and ./dev stop."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from devtools import processes, testing
from devtools.layout import PYTHON, REPOSITORY, State, Trouble, local, locked
from devtools.processes import Record, born
from devtools.servers import services
from devtools.setup import prepare, say
from devtools.weights import defaults, fetch_all
from preprocessing import weights

ADMIN = "admin"
COLOURS = {"web": 36, "worker": 33, "postgres": 34, "redis": 35}


def up(arguments: list[str]) -> int:
    """Start everything, print the address, stay until Ctrl-C or until something dies."""
    parser = argparse.ArgumentParser(prog="./dev up")
    parser.add_argument("--port", type=int, help="of the shop; 8000 where it is free")
    port = parser.parse_args(arguments).port
    state = State(local())
    with locked(state.root / "up.lock", wait=False) as alone:
        if not alone:
            web = processes.running(state, "web")
            raise Trouble(
                f"Fitroom is {f'running at {address(web.port)}' if web else 'starting'}; ./dev stop ends it."
            )
        with recorded(state):
            prepare()
            with services(state) as env:
                try:
                    serve(state, {"OMP_NUM_THREADS": "1"} | env, port)
                except Trouble as trouble:
                    # In full at the very end, below what the others write while they stop.
                    say(str(trouble).splitlines()[0])
                    raise
                finally:
                    with processes.undisturbed():
                        say("Stopping")
                        for name in ("web", "worker"):
                            processes.stop(state, name)
    return 0


@contextlib.contextmanager
def recorded(state: State) -> Iterator[None]:
    """Write down our own number, by which ./dev stop finds us."""
    us = Record("up", os.getpid(), born(os.getpid()))
    state.write_private("run/up.json", json.dumps(asdict(us)))
    try:
        yield
    finally:
        processes.record_path(state, "up").unlink(missing_ok=True)


def serve(state: State, env: dict[str, str], wanted_port: int | None) -> None:
    """Bring the shop up and watch it until Ctrl-C. Raises Trouble naming what failed or died."""
    for name in ("web", "worker"):
        if processes.stop(state, name):
            say(f"Stopped the {name} that an earlier ./dev up left running")
    port = choose_port(wanted_port)
    manage(env, "migrate", "--no-input", "--verbosity=0")
    fetch_all(weights.missing(defaults()))
    worker = start_worker(state, env)
    web = start_web(state, env, port)
    admin = {"ADMIN_USERNAME": ADMIN, "ADMIN_PASSWORD": state.secret("admin")}
    manage(env | admin, "ensure_admin")
    manage(env, "load_sample")
    processes.wait_until(state, web, lambda: healthy(port), 60)
    log = processes.log_path(state, "worker")
    processes.wait_until(state, worker, lambda: " ready." in log.read_text(errors="replace"), 120)
    follow(state)
    say(f"\nThe shop:   {address(port)}")
    say(f"The admin:  {address(port)}admin/   user {ADMIN}, password {admin['ADMIN_PASSWORD']}")
    say("Ctrl-C stops everything.\n")
    with contextlib.suppress(KeyboardInterrupt):
        watch(state)


def choose_port(wanted: int | None) -> int:
    if wanted and processes.answers(wanted):
        raise Trouble(f"Something else listens on port {wanted}; choose another, or leave --port out.")
    return wanted or (processes.free_port() if processes.answers(8000) else 8000)


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def manage(env: dict[str, str], *arguments: str) -> None:
    """Run a management command to its end; its output is shown only when it fails."""
    command = [str(PYTHON), "manage.py", *arguments]
    done = subprocess.run(
        command, env=env, cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise Trouble(f"manage.py {arguments[0]} failed:\n{done.stdout.strip()}")


def start_web(state: State, env: dict[str, str], port: int) -> Record:
    command = [str(PYTHON), "-m", "gunicorn", "shop.wsgi", f"--bind=127.0.0.1:{port}", "--workers=2", "--threads=4"]
    options = ["--graceful-timeout=5", "--no-control-socket"]
    return processes.spawn(state, "web", command + options, env=env, port=port)


def start_worker(state: State, env: dict[str, str]) -> Record:
    """One process for both queues: a laptop has the memory for one set of networks."""
    # Its warning against root is about messages from strangers; here they come from behind a password on loopback.
    command = [
        str(PYTHON),
        "-W",
        "ignore:You're running the worker",
        "-m",
        "celery",
        "--quiet",
        "-A",
        "shop",
        "worker",
    ]
    options = ["--loglevel=INFO", "-Q", "cpu,gpu", "--concurrency=1", "--prefetch-multiplier=1", "-O", "fair"]
    return processes.spawn(state, "worker", [*command, *options, "-n", f"dev-{os.getpid()}@%h"], env=env)


def healthy(port: int) -> bool:
    return processes.ask(f"{address(port)}healthz") == 200


def follow(state: State) -> None:
    """Print what the processes write from now on, each line under its process's name."""
    colourful = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for name in COLOURS:
        label = f"{name:>8} | "
        if colourful:
            label = f"\x1b[{COLOURS[name]}m{label}\x1b[0m"
        path = processes.log_path(state, name)
        if path.exists():
            threading.Thread(target=_print_lines, args=(path, label), daemon=True).start()


def _print_lines(path: Path, label: str) -> None:
    unfinished = ""
    with path.open(errors="replace") as log:
        log.seek(0, os.SEEK_END)
        while True:
            text = log.readline()
            unfinished += text
            if unfinished.endswith("\n"):
                sys.stdout.write(label + unfinished)
                unfinished = ""
            elif not text:
                sys.stdout.flush()
                time.sleep(0.2)


def watch(state: State) -> None:
    """Return never; raise Trouble with the name and the last lines of the first process that dies."""
    watched = [record for name in COLOURS if (record := processes.running(state, name))]
    while True:
        for record in watched:
            if born(record.pid) != record.born:
                raise Trouble(f"{record.name} died. Its last lines:\n{processes.last_lines(state, record.name)}")
        time.sleep(0.5)


def stop() -> int:
    """Stop whatever was started here, also what killed commands left behind."""
    state = State(local())
    stopped = processes.stop_all(state)
    for old in local().glob("test-*"):
        testing.remove_abandoned(old)
    say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")
    return 0
