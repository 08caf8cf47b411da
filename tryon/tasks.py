"""The worker's side of a try-on: one task that takes an id, and how its message is sent."""

import contextlib
import gc
import logging
import os
import sys
import traceback
from enum import Enum, auto

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.models.functions import Now

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.weights import WeightsMissing
from shop.queue import publish
from tryon.lease import LOST, SLOW, Lease, Lost
from tryon.models import EngineState

log = logging.getLogger(__name__)

POISONED_EXIT = 70
POISON = ("CUDA error", "cuDNN error")  # what torch says when the GPU's context may be of no more use


class After(Enum):
    """What a try leaves this process to do."""

    NOTHING = auto()
    FREE_MEMORY = auto()
    END = auto()


def send(row) -> bool:
    """Publish the row's id; False when the broker does not take it, the reaper then tries again."""
    sent = publish(run, row.pk, queue=row.queue)
    if sent:
        type(row).objects.filter(pk=row.pk).update(sent_at=Now())
    return sent


@shared_task(name="tryon.run", bind=True)
def run(self, tryon_id):
    """Claim, work, record. May be delivered late, twice or never: the row decides."""
    lease = Lease.claim(tryon_id, self.request.hostname or "")
    if lease is None:
        return
    with lease.kept():
        after = attempt(lease)
    with contextlib.suppress(DatabaseFault):  # the reaper settles it soon
        EngineState.objects.settle()
    if after is After.FREE_MEMORY:
        free_memory()
    elif after is After.END:
        log.error("the GPU's context is broken; this process ends and another takes its place")
        os._exit(POISONED_EXIT)


def attempt(lease: Lease) -> After:
    """One try, every outcome of which is written to the row."""
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
        log.warning("%s, attempt %d: %s", lease.row.pk, lease.row.attempts, repr(error))  # its text: it holds memory
        # Where the database is away, nothing can be written; the lease runs out, and the reaper queues the job again.
        with contextlib.suppress(DatabaseFault):
            record(lease, error)
        return aftermath(error)
    return After.NOTHING


def record(lease: Lease, error: Exception) -> None:
    """Write an error nobody foresaw, or that passes, to the row."""
    detail = traceback.format_exc()
    if isinstance(error, DatabaseFault):
        connection.close()  # the next query opens another
    if needs_memory(error):
        sentence = gettext_noop(
            "This picture needs more memory than we have at the moment. Please try again, or choose a smaller photo."
        )
        lease.fail("engine.out_of_memory", sentence, detail)
    elif isinstance(error, OSError) or type(error).__module__.startswith(("botocore", "urllib3", "s3transfer")):
        lease.postpone("storage.unavailable", LOST, detail)
    else:
        lease.postpone("job.failed", LOST, detail)


def needs_memory(error: Exception) -> bool:
    # By name: the class is torch's, and torch need not be installed here.
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def aftermath(error: Exception) -> After:
    if needs_memory(error):
        return After.FREE_MEMORY
    return After.END if any(words in str(error) for words in POISON) else After.NOTHING


def free_memory() -> None:
    """Give back what a job that ran out of memory held. Its error must be gone: it holds the engine's variables."""
    gc.collect()
    if torch := sys.modules.get("torch"):  # where no engine has imported it, it holds nothing
        torch.cuda.empty_cache()
