"""What try-ons do when a photo goes, when a row goes, and in each sweep of the reaper."""

import logging
from datetime import timedelta
from itertools import cycle

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver

from shop.orphans import remove_orphans
from shop.signals import photo_deleted, sweep
from shop.storage import delete_after_commit, private_storage
from tryon import checks, registry, tasks
from tryon.lease import LOST, RELEASED, SLOW
from tryon.models import EngineState, Rating, TryOn
from tryon.models.engine_state import OFFERED
from tryon.models.rating import tell

log = logging.getLogger(__name__)

Status = TryOn.Status
FAILED = {"status": Status.FAILED, "finished": Now(), **RELEASED}
PER_SWEEP = 50
FORGOTTEN = timedelta(days=1)
_folders = cycle(f"results/{number:02x}" for number in range(256))


@receiver(photo_deleted)
def delete_pictures_of(sender, photo, **kwargs):
    TryOn.objects.filter(photo=photo).delete()


@receiver(post_delete, sender=TryOn)
def delete_file(sender, instance, **kwargs):
    delete_after_commit(instance.result)


@receiver(post_delete, sender=Rating)
def untell(sender, instance, **kwargs):
    tell(instance.tryon)


@receiver(sweep)
def take_back(sender, **kwargs):
    """Jobs whose worker has gone silent: end those that hung or were tried too often, queue the others again."""
    silent = TryOn.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    slow = timedelta(seconds=settings.CELERY_TASK_SOFT_TIME_LIMIT)
    hung = silent.filter(started__lt=Now() - slow)
    hung.update(**FAILED, error_code="engine.timeout", error_sentence=SLOW)
    waiting = Q(status=Status.QUEUED) | Q(pk__in=silent.values("pk"))
    worn = TryOn.objects.filter(waiting, attempts__gte=settings.TRYON_MAX_ATTEMPTS)  # nobody can claim these
    worn.update(**FAILED, error_code="job.worker_lost", error_sentence=LOST)
    again = silent.update(status=Status.QUEUED, sent_at=None, **RELEASED)
    if again:
        log.warning("reaper: %d jobs were taken back from silent workers", again)


@receiver(sweep)
def give_up(sender, **kwargs):
    """Jobs that wait for an engine no worker has any more: for ever open, they would keep the shopper from asking."""
    left = TryOn.objects.queued().filter(created__lt=Now() - OFFERED).exclude(engine__in=EngineState.objects.served())
    left.update(**FAILED, error_code="tryon.engine_unavailable", error_sentence=checks.NO_ENGINE)


@receiver(sweep)
def settle(sender, **kwargs):
    """After the jobs of silent workers were taken back: their engines are busy no longer."""
    EngineState.objects.settle()


@receiver(sweep)
def send_again(sender, **kwargs):
    """Send what was never sent, and what was sent long ago and still waits at the head of its queue.

    Only the head: a message that waits its turn is not lost, and doubles of a long queue would make it longer.
    """
    lost = Q(sent_at=None) | Q(sent_at__lt=Now() - timedelta(seconds=settings.TRYON_LEASE_SECONDS))
    rested = Q(not_before=None) | Q(not_before__lte=Now())
    for queue in ("cpu", "gpu"):
        queued = TryOn.objects.filter(status=Status.QUEUED, engine__in=registry.of_queue(queue))
        head = queued.filter(rested).order_by("created", "pk").values("pk")[:PER_SWEEP]
        for row in TryOn.objects.filter(lost, pk__in=head).order_by("created", "pk"):
            if not tasks.send(row):
                return


@receiver(sweep)
def expire(sender, **kwargs):
    for row in TryOn.objects.filter(status=Status.SUCCEEDED, expires_at__lte=Now())[:PER_SWEEP]:
        name = row.result.name
        if TryOn.objects.filter(pk=row.pk, result=name).update(status=Status.EXPIRED, result=""):
            private_storage().delete(name)


@receiver(sweep)
def tidy(sender, **kwargs):
    """Pictures without a row, a folder of 256 at a time; workers that were not heard of for long."""
    remove_orphans(TryOn, "result", next(_folders))
    EngineState.objects.filter(seen_at__lt=Now() - FORGOTTEN).delete()
