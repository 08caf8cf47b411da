"""Real Celery workers for tests: a subprocess on the test database, with a Redis number of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import redis
from django.conf import settings
from django.db import connection

from devtools.processes import free_port
from devtools.servers import redis_program
from shop.reaper import ADVISORY_LOCK
from tests.engines import LOG

REPOSITORY = Path(__file__).resolve().parent.parent
# Short, so that a test sees a worker given up within seconds.
QUICK = {"TRYON_LEASE_SECONDS": "2", "REAPER_SECONDS": "1"}


def wait_for(condition: Callable, seconds: float = 20, what: str = ""):
    """The first true value of `condition()`; fails the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what or condition} did not come true in {seconds} s")


def until(row, *statuses, seconds=20):
    """The row once it is in one of these states; by default once it is done."""

    def reached():
        row.refresh_from_db()
        return row.status in statuses if statuses else row.is_done

    wait_for(reached, seconds, f"{row} -> {statuses or 'done'}")
    return row


def redis_number(number: int) -> str:
    """The address of the tests' Redis with another number."""
    return f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{number}"


def process_environment(broker: str, **more: str) -> dict[str, str]:
    """What a process of ours needs to work on the test database and the tests' folders."""
    database = connection.settings_dict
    address = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    return os.environ | {
        "DATABASE_URL": address,
        "REDIS_URL": broker,
        "CELERY_BROKER_URL": broker,
        "SECRET_KEY": settings.SECRET_KEY,
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "PRIVATE_ROOT": str(settings.PRIVATE_ROOT),
        "INDEX_ROOT": str(settings.INDEX_ROOT),
        **more,
    }


class Worker:
    """A worker that can be started, ended, killed and frozen. `start` waits until it serves.

    Args:
        folder: for its log and the engines' log.
        broker: a redis:// address.
        more: environment, over QUICK.
    """

    def __init__(self, folder: Path, broker: str, *, queues: str = "cpu,gpu", concurrency: int = 1, **more: str):
        self.folder = folder
        self.broker = broker
        self.engine_log = folder / "engines.log"
        self.log = folder / "worker.log"
        self.command = [
            *(sys.executable, "-m", "celery", "-A", "shop", "worker", "-Q", queues, "-c", str(concurrency)),
            *("-n", f"{folder.name}@tests", "--without-gossip", "--without-mingle", "-l", "INFO"),
        ]
        self.more = {"DJANGO_SETTINGS_MODULE": "tests.settings", LOG: str(self.engine_log)} | QUICK | more
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                self.command,
                env=process_environment(self.broker, **self.more),
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(lambda: self._ready(offset), 60, "the worker's start")
        except AssertionError:
            self.kill()
            raise AssertionError(f"the worker did not start:\n{self.log.read_text()[-3000:]}") from None

    def _ready(self, offset: int) -> bool:
        assert self.process.poll() is None, f"the worker ended:\n{self.log.read_text()[-3000:]}"
        return " ready." in self.log.read_text()[offset:]

    def stop(self) -> None:
        """As a deploy does: what runs is finished first."""
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """As a power cut does: all its processes at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def freeze(self) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def child(self) -> psutil.Process:
        """A process of the pool."""
        return wait_for(lambda: psutil.Process(self.process.pid).children(), 30, "a pool process")[0]

    def runs(self, engine: str) -> int:
        """How often the engine was started."""
        if not self.engine_log.exists():
            return 0
        return sum(line.split()[0] == engine for line in self.engine_log.read_text().splitlines())

    @contextlib.contextmanager
    def serving(self):
        """For one test; before and after it the worker is frozen, with nothing under way.

        So the tables can be emptied, and it takes no work of tests that have workers of their own.
        """
        self.thaw()
        try:
            yield self
        finally:
            self.drain()
            self.rest()

    def rest(self) -> None:
        """Freeze it, but not in the middle of the reaper's round, which would hold locks."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            self.freeze()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])

    def drain(self, seconds: float = 20) -> None:
        """Cancel what is open and wait until no message is left or in work."""
        from tryon.models import TryOn

        for row in TryOn.objects.open():
            row.cancel()
        with redis.Redis.from_url(self.broker) as broker:
            wait_for(
                lambda: not (any(broker.llen(key) for key in broker.scan_iter("[cg]pu*")) or broker.hlen("unacked")),
                seconds,
                f"an empty queue (log: {self.log})",
            )


class RedisServer:
    """A Redis that a test may kill and freeze; it keeps nothing over its death."""

    def __init__(self):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.kill()

    def start(self) -> None:
        options = {"bind": "127.0.0.1", "port": str(self.port), "save": ""}
        command = [redis_program(), *(word for name, value in options.items() for word in (f"--{name}", value))]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.answers, 20, "Redis")

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url) as broker:
            return broker.ping()
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)
