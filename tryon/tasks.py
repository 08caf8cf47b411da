"""The worker's side of a try-on: one task that takes an id, and how its message is sent."""

import contextlib
import logging
import os
import traceback

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.models.functions import Now

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.weights import WeightsMissing
from shop.queue import publish
from tryon.lease import LOST, SLOW, Lease, Lost

log = logging.getLogger(__name__)

POISONED_EXIT = 70


def send(row) -> bool:
    """Publish the row's id; False when the broker does not take it, the reaper then tries again."""
    sent = publish(run, row.pk, queue=row.queue)
    if sent:
        type(row).objects.filter(pk=row.pk).update(sent_at=Now())
    return sent


@shared_task(name="tryon.run")
def run(tryon_id):
    """Claim, work, record. May be delivered late, twice or never: the row decides."""
    lease = Lease.claim(tryon_id)
    if lease is None:
        return
    with lease.kept():
        poisoned = attempt(lease)
    if poisoned:
        log.error("the GPU's context is broken; this process ends and another takes its place")
        os._exit(POISONED_EXIT)


def attempt(lease: Lease) -> bool:
    """One try, every outcome of which is written to the row; True when this process is of no use afterwards."""
    from tryon.work import work  # numpy, OpenCV and the engines: workers only

    try:
        work(lease)
    except Lost:
        log.info("%s was canceled or taken over", lease.row.pk)
    except WeightsMissing as missing:
        lease.fail("engine.weights_missing", missing.sentence, missing.detail)
    except Refusal as refusal:
        lease.fail(refusal.code, refusal.sentence, refusal.detail)
    except SoftTimeLimitExceeded:
        lease.fail("engine.timeout", SLOW, traceback.format_exc())
    except Exception as error:
        log.warning("%s, attempt %d: %r", lease.row.pk, lease.row.attempts, error)
        # Where the database is away, nothing can be written; the lease runs out, and the reaper queues the job again.
        with contextlib.suppress(DatabaseFault):
            return record(lease, error)
    return False


def record(lease: Lease, error: Exception) -> bool:
    """Write an error nobody foresaw, or that passes, to the row."""
    detail = traceback.format_exc()
    if isinstance(error, DatabaseFault):
        connection.close()  # the next query opens another
    # By name: the class is torch's, and torch need not be installed here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        sentence = gettext_noop("This picture needs more memory than we have. Please try a smaller photo.")
        lease.fail("engine.out_of_memory", sentence, detail)
    elif isinstance(error, OSError) or type(error).__module__.startswith(("botocore", "urllib3", "s3transfer")):
        lease.postpone("storage.unavailable", LOST, detail)
    else:
        lease.postpone("job.failed", LOST, detail)
    return "CUDA error" in str(error)
