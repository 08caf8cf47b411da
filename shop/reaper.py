"""The reaper: a thread in each worker's main process that sends again what was lost.

One of them works at a time, under an advisory lock of the database; the others wait. What there is to do each app
says by receiving `shop.signals.sweep`.
"""

import logging
import threading

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.db import connection

from shop.signals import sweep

log = logging.getLogger(__name__)

ADVISORY_LOCK = 7_203_118  # any number, the same in every process
_stop = threading.Event()


def run_once() -> bool:
    """One round, if no other process is at it. Returns whether it was ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
        if not cursor.fetchone()[0]:
            return False
        try:
            for receiver, result in sweep.send_robust(sender=None):
                if isinstance(result, Exception):
                    log.error("reaper: %s failed", receiver.__qualname__, exc_info=result)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
    return True


def run(stop: threading.Event) -> None:
    while not stop.wait(settings.REAPER_SECONDS):
        try:
            run_once()
        except Exception:
            log.exception("reaper: the database did not answer; trying again")
        finally:
            connection.close()


@worker_ready.connect
def start(**kwargs):
    _stop.clear()
    threading.Thread(target=run, args=(_stop,), name="reaper", daemon=True).start()


@worker_shutting_down.connect
def stop(**kwargs):
    _stop.set()
