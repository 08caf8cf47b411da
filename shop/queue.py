"""The one way a message is sent: after commit, within two seconds, and without an error to the visitor.

A message that cannot be sent is no loss: the row says that the work is open, and the reaper sends it again.
"""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)

FIRST, BULK = 0, 9  # priorities; Redis holds a list for each (CELERY_BROKER_TRANSPORT_OPTIONS)
GIVE_UP_SECONDS = 2.0
REST_SECONDS = 5.0  # after a failure nothing is tried for so long: a page that sends three messages waits once
_ONE_TRY = {"socket_timeout": 1.5, "socket_connect_timeout": 1.5, "retry_on_timeout": False, "max_retries": 0}

_sender: ThreadPoolExecutor
_down_until = 0.0
_lock = threading.Lock()


def _new_sender() -> None:
    global _sender
    _sender = ThreadPoolExecutor(max_workers=2, thread_name_prefix="send")


_new_sender()
# A fork copies the pool but not its threads: a worker's replaced process would wait for them for ever.
os.register_at_fork(after_in_child=_new_sender)


def send(task, row_id, *, queue: str, bulk: bool = False) -> None:
    """Ask for `task(row_id)` on "cpu" or "gpu" once the current transaction is committed.

    Bulk work (a catalogue's pictures) is done when no shopper waits.
    """
    transaction.on_commit(lambda: publish(task, row_id, queue=queue, bulk=bulk), robust=True)


def publish(task, row_id, *, queue: str, bulk: bool = False) -> bool:
    """Send now; False when the broker did not take it in GIVE_UP_SECONDS. Never raises."""
    global _down_until
    if time.monotonic() < _down_until:
        return False
    try:
        # A frozen server accepts the connection and never answers, so the wait is bounded here and not only
        # by socket timeouts, which libraries multiply by their own retries.
        _sender.submit(_publish, task, row_id, queue, BULK if bulk else FIRST).result(timeout=GIVE_UP_SECONDS)
    except Exception as error:
        with _lock:
            _down_until = time.monotonic() + REST_SECONDS
        log.warning("broker did not take %s(%s): %r; the reaper will send it", task.name, row_id, error)
        return False
    return True


def _publish(task, row_id, queue, priority):
    options = current_app.conf.broker_transport_options | _ONE_TRY
    with current_app.connection_for_write(transport_options=options) as connection:
        task.apply_async(
            (str(row_id),),
            queue=queue,
            priority=priority,
            connection=connection,
            retry=False,
            time_limit=None,  # both are the worker's to set, not the sender's
            soft_time_limit=None,
        )
