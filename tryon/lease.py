"""A worker's hold on a job: taken, kept and given up by single UPDATEs that name the token.

Whoever loses the token (the job was canceled, deleted, or given to another worker after a silence) changes nothing
any more. All times are the database's: workers' clocks may differ.
"""

import logging
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from preprocessing.errors import gettext_noop
from shop.models import Event
from shop.storage import private_storage
from tryon.models import TryOn

log = logging.getLogger(__name__)

Status, Stage = TryOn.Status, TryOn.Stage
RELEASED = {"lease": None, "lease_until": None, "stage": Stage.NONE}
FIRST_REST_SECONDS = 2
LOST = gettext_noop("Something went wrong on our side. Please try again.")
SLOW = gettext_noop("This took too long, so we stopped it. Please try again, or choose another photo.")


class Lost(Exception):
    """The job is no longer ours: stop, keep nothing."""


def until():
    return Now() + timedelta(seconds=settings.TRYON_LEASE_SECONDS)


class Lease:
    """Made by `claim` alone.

    Attributes:
        row: the job as it was when claimed, with its photo and garments.
    """

    def __init__(self, row: TryOn):
        self.row = row
        self._lost = threading.Event()
        self._timings: dict[str, float] = {}
        self._since = time.monotonic()

    @classmethod
    def claim(cls, pk, worker: str = "") -> "Lease | None":
        """Take the job and count the attempt; None when it is done, taken, resting or tried too often.

        Args:
            worker: who takes it, by its name.
        """
        free = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, lease_until__lt=Now())
        rested = Q(not_before=None) | Q(not_before__lte=Now())
        token = uuid.uuid4()
        taken = TryOn.objects.filter(free, rested, pk=pk, attempts__lt=settings.TRYON_MAX_ATTEMPTS).update(
            status=Status.RUNNING,
            stage=Stage.PREPARING,
            lease=token,
            lease_until=until(),
            worker=worker,
            attempts=F("attempts") + 1,
            started=Now(),
            not_before=None,
        )
        row = TryOn.objects.select_related("photo", "garment", "worn_with").filter(pk=pk, lease=token).first()
        return cls(row) if taken and row else None

    @property
    def _mine(self):
        return TryOn.objects.filter(pk=self.row.pk, lease=self.row.lease, status=Status.RUNNING)

    def extend(self) -> bool:
        return bool(self._mine.update(lease_until=until()))

    @contextmanager
    def kept(self):
        """Extends the lease from a thread of its own for as long as the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(5)  # it may wait for a database that does not answer

    def _beat(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(settings.TRYON_LEASE_SECONDS / 3):
                try:
                    if not self.extend():
                        self._lost.set()
                        return
                except DatabaseError as error:
                    log.warning("heartbeat of %s: %s", self.row.pk, error)
                    connection.close()  # the next beat opens another
        finally:
            connection.close()

    def enter(self, stage: str, steps: dict[str, float] | None = None) -> None:
        """Begin the next stage. Raises Lost when the job was canceled, deleted or taken over meanwhile.

        Args:
            steps: seconds of what was done in the stage that ends, by name; kept as "stage.name".
        """
        for name, seconds in (steps or {}).items():
            self._timings[f"{self.row.stage}.{name}"] = round(float(seconds), 3)
        self._measure()
        if self._lost.is_set() or not self._mine.update(stage=stage, lease_until=until(), timings=self._timings):
            raise Lost
        self.row.stage = stage

    def _measure(self) -> None:
        now = time.monotonic()
        self._timings[self.row.stage] = round(now - self._since, 3)
        self._since = now

    def succeed(self, jpeg: bytes, size: tuple[int, int], notes: dict) -> None:
        """Store the picture under the token's name, then finish the row; without the row the picture goes again.

        Args:
            size: (height, width).

        Raises:
            Lost: the job is no longer ours.
        """
        storage = private_storage()
        name = storage.save(TryOn.result_name(self.row.lease), ContentFile(jpeg))
        self._measure()
        # Should this fail midway, the picture stays: whether the commit arrived is unknown. The sweep removes it
        # when no row has it.
        with transaction.atomic():
            won = self._mine.update(
                status=Status.SUCCEEDED,
                result=name,
                height=size[0],
                width=size[1],
                notes=notes,
                timings=self._timings,
                finished=Now(),
                expires_at=TryOn.result_expiry(),
                **RELEASED,
            )
            if won:
                self._tell()
        if not won:
            storage.delete(name)
            raise Lost

    def _tell(self) -> None:
        """One event for each garment of a click, however many engines answer it."""
        # As it is now: meanwhile the shopper may have signed in, a garment may be gone.
        row = TryOn.objects.select_related("shopper").get(pk=self.row.pk)
        if TryOn.objects.filter(request=row.request, status=Status.SUCCEEDED).exclude(pk=row.pk).exists():
            return
        for garment in filter(None, (row.garment_id, row.worn_with_id)):
            Event.objects.note(row.shopper_id, garment, Event.Kind.TRYON, row.place(garment), tryon_id=row.request)

    def fail(self, code: str, sentence: str, detail: str = "") -> None:
        """End it for good; `sentence` is English and marked for translation where it was written."""
        self._measure()
        self._mine.update(
            status=Status.FAILED,
            error_code=code,
            error_sentence=sentence,
            error_detail=detail[-4000:],
            timings=self._timings,
            finished=Now(),
            **RELEASED,
        )

    def postpone(self, code: str, sentence: str, detail: str) -> None:
        """Queue it again after a rest that doubles with each attempt; after the last attempt it has failed."""
        if self.row.attempts >= settings.TRYON_MAX_ATTEMPTS:
            self.fail(code, sentence, detail)
            return
        rest = timedelta(seconds=FIRST_REST_SECONDS * 2 ** (self.row.attempts - 1))
        self._mine.update(
            status=Status.QUEUED, not_before=Now() + rest, sent_at=None, error_detail=detail[-4000:], **RELEASED
        )
