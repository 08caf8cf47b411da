"""Small work that a worker does once for a row: check a photo, analyse a picture, embed it.

The row is the job here too, but since the work is short and gives the same answer when done twice, it needs no
lease: a claim counts the attempt, the reaper sends again what was not done within RESEND_SECONDS.
"""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

RESEND_SECONDS = 90
MAX_ATTEMPTS = 3


class WorkQuerySet(models.QuerySet):
    def due(self):
        """Rows whose message was never sent, or sent so long ago that it must be lost."""
        lost = Q(sent_at__isnull=True) | Q(sent_at__lt=Now() - timedelta(seconds=RESEND_SECONDS))
        return self.filter(lost, state=Work.State.PENDING)

    def again(self) -> int:
        """Have the work done anew."""
        return self.update(state=Work.State.PENDING, attempts=0, sent_at=None, error="")

    def claim(self, pk):
        """Count an attempt and return the row; None when it is done, failed or has been tried too often."""
        row = self.filter(pk=pk, state=Work.State.PENDING)
        if row.filter(attempts__lt=MAX_ATTEMPTS).update(attempts=F("attempts") + 1, sent_at=Now()):
            return self.get(pk=pk)
        row.update(state=Work.State.FAILED, error="work.too_many_attempts")
        return None


class Work(models.Model):
    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    error = models.CharField(max_length=80, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        abstract = True
