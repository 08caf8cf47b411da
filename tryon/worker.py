"""What a worker does besides its tasks: load the engines before the first click, and say which ones it has.

The signals arrive in workers alone; the web process imports this file and never gets further.
"""

import contextlib
import logging
import os
import threading
from dataclasses import dataclass

from celery.signals import celeryd_after_setup, worker_process_init, worker_ready, worker_shutting_down
from django.db import Error, connection
from django.db.models.functions import Now

from preprocessing import weights
from preprocessing.weights import WeightsMissing
from tryon import registry
from tryon.engines.base import EngineInfo
from tryon.models import EngineState

log = logging.getLogger(__name__)

State = EngineState.State
REFRESH_SECONDS = 15
_stop = threading.Event()


@dataclass(frozen=True)
class Me:
    name: str
    queues: frozenset[str]
    slots: int

    @property
    def engines(self) -> list[EngineInfo]:
        return [info for info in registry.engines().values() if info.queue in self.queues and registry.allowed(info)]


_me: Me | None = None  # set before the pool forks, so that its processes know it too


@celeryd_after_setup.connect
def introduce(sender, instance, **kwargs):
    global _me
    _me = Me(sender, frozenset(instance.app.amqp.queues.consume_from), instance.concurrency)
    try:
        announce(_me)
    except Error as error:
        log.warning("the engines could not be announced yet: %s", error)
    finally:
        connection.close()  # must not be shared with the processes that are forked next


def announce(me: Me) -> None:
    """Say which engines are being loaded; and of those it had before a setting was changed, nothing more."""
    EngineState.objects.filter(worker=me.name).exclude(engine__in=[info.name for info in me.engines]).delete()
    for info in me.engines:
        EngineState.objects.report(info.name, me.name, State.STARTING, slots=me.slots)
    look_for_weights(me)


def look_for_weights(me: Me) -> None:
    """Say which engines lack weights; one whose weights were brought in is on offer again."""
    for info in me.engines:
        mine = EngineState.objects.filter(engine=info.name, worker=me.name)
        if missing := weights.missing(info.weights):
            mine.update(state=State.FAILED, detail=WeightsMissing(missing).detail)
        else:
            mine.filter(state=State.FAILED, detail__startswith="weights are missing").update(
                state=State.STARTING, detail=""
            )


@worker_process_init.connect
def warm_up(**kwargs):
    """Load what this process will need, so that no shopper waits for it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by numerical libraries when they are imported
    from tryon import work

    work.one_thread_each()
    with contextlib.suppress(WeightsMissing):  # each photo will say so, too
        work.warm_up()
    for info in _me.engines if _me else []:
        if weights.missing(info.weights):
            continue
        if _me.slots == 1:  # the process before this one ended; where there are others, they go on
            say(info, State.STARTING)
        try:
            work.load(info.name)
            say(info, State.READY)
        except Exception as error:  # whatever it is, the other tasks of this worker can go on
            log.exception("engine %s cannot be loaded", info.name)
            say(info, State.FAILED, repr(error))
    connection.close()


def say(info: EngineInfo, state: str, detail: str = "") -> None:
    try:
        EngineState.objects.report(info.name, _me.name, state, slots=_me.slots, detail=detail)
    except Error as error:
        log.warning("engine %s is %s, but the database was not told: %s", info.name, state, error)


@worker_ready.connect
def stay_present(**kwargs):
    _stop.clear()
    threading.Thread(target=_refresh, args=(_me, _stop), name="presence", daemon=True).start()


@worker_shutting_down.connect
def leave(**kwargs):
    _stop.set()


def _refresh(me: Me, stop: threading.Event) -> None:
    while not stop.wait(REFRESH_SECONDS):
        try:
            EngineState.objects.filter(worker=me.name).update(seen_at=Now())
            look_for_weights(me)
        except Error as error:
            log.warning("presence: %s", error)
        finally:
            connection.close()
