"""The job: one engine's work for one click. docs/jobs.md tells its whole life."""

import secrets
import uuid
from datetime import timedelta
from statistics import median

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal, gettext_noop
from shop.models import Event, Garment, Photo, Shopper, ShownList
from shop.private import private_url
from shop.storage import private_storage
from tryon import checks, registry
from tryon.models import room
from tryon.models.engine_state import EngineState
from tryon.models.requests import TryOnRequest

RECENT = 30  # jobs that tell how long the next one takes


def new_seed() -> int:
    """Of what an engine draws by chance; every generator of random numbers takes 32 bits."""
    return secrets.randbits(32)


class TryOnQuerySet(models.QuerySet):
    def of(self, shopper: Shopper | None):
        return self.filter(shopper=shopper) if shopper else self.none()

    def running(self):
        """In the hands of a worker that is still heard of."""
        return self.filter(status=TryOn.Status.RUNNING, lease_until__gt=Now())

    def queued(self):
        return self.filter(status=TryOn.Status.QUEUED)

    def open(self):
        return self.filter(status__in=[TryOn.Status.QUEUED, TryOn.Status.RUNNING])

    def clicks(self):
        """The first row of each click, which stands for it in lists."""
        return self.filter(pk=F("request"))

    def for_cards(self):
        worn = self.select_related("photo", "garment", "worn_with", "rating")
        return worn.prefetch_related("garment__pictures", "worn_with__pictures")

    def groups(self, request_ids) -> list[TryOnRequest]:
        return TryOnRequest.group(self.filter(request__in=list(request_ids)).for_cards())

    def requests_of(self, shopper: Shopper | None, *, start: int = 0, stop: int = 24) -> list[TryOnRequest]:
        """The shopper's clicks, newest first."""
        clicks = self.of(shopper).clicks().order_by("-created", "-pk")
        return self.groups(clicks.values_list("request", flat=True)[start:stop])

    def request_of(self, shopper: Shopper | None, request_id) -> TryOnRequest | None:
        """One click of this shopper; None when it is not theirs or not there."""
        return next(iter(TryOnRequest.group(self.of(shopper).filter(request=request_id).for_cards())), None)

    @transaction.atomic
    def submit(
        self, shopper, photo, garment, *, worn_with=None, engines=None, shown=None, idempotency_key=""
    ) -> list["TryOn"]:
        """Ask for a try-on: a row for each engine that can do it, and its message after commit.

        Args:
            shopper: who asks and will own the picture.
            photo: theirs, or one of the shop's model people.
            worn_with: a second garment for an outfit: a bottom for a top, or a top for a bottom.
            engines: names; None for all that are offered.
            shown: the ShownList it came from, where a program says so; otherwise the last click tells.
            idempotency_key: the same key with the same input gives the same rows again.

        Raises:
            Refusal: what the shopper can do about it stands in its sentence.
        """
        # One click of a shopper at a time: limits are exact, and a doubled request finds the rows of its twin.
        Shopper.objects.select_for_update(no_key=True).get(pk=shopper.pk)
        asked = checks.digest(photo.pk, garment.pk, worn_with and worn_with.pk, *sorted(engines or []))
        key = checks.digest(shopper.pk, idempotency_key) if idempotency_key else ""
        if key and (known := list(self.filter(idempotency=key).order_by("created", "pk"))):
            if known[0].asked != asked:
                raise Refusal("tryon.key_reused", gettext_noop("This Idempotency-Key was used for another request."))
            return known
        worn = [garment, worn_with] if worn_with else [garment]
        checks.check_photo(photo)
        # Before the garments' own pictures: that no engine knows such garments says more.
        chosen = checks.choose(EngineState.objects.offered(), worn, engines)
        checks.check_garments(worn)
        room.check_shopper(self, shopper)
        chosen = room.with_room(self, chosen, named=bool(engines))
        first = uuid.uuid4()
        rows = [
            self.create(
                pk=first if info is chosen[0] else uuid.uuid4(),
                request=first,
                shopper=shopper,
                photo=photo,
                garment=garment,
                worn_with=worn_with,
                outfit=worn_with is not None,
                engine=info.name,
                engine_version=info.version,
                idempotency=key,
                asked=asked,
                list_id=shown and shown.pk,
            )
            for info in chosen
        ]
        for row in rows:
            row.send_after_commit()
        return rows

    def seconds(self, engine: str) -> float | None:
        """What a job of this engine takes, from the latest that succeeded; None before the first."""
        latest = self.filter(engine=engine, status=TryOn.Status.SUCCEEDED).order_by("-finished")
        took = [(end - start).total_seconds() for start, end in latest.values_list("started", "finished")[:RECENT]]
        return median(took) if took else None


class TryOn(models.Model):
    """One job and its picture. Deleting the row deletes the picture (receivers.py)."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")
        EXPIRED = "expired", _("expired")

    class Stage(models.TextChoices):
        NONE = "", ""
        PREPARING = "preparing", _("preparing your photo")
        GENERATING = "generating", _("putting the garment on")
        SAVING = "saving", _("saving the picture")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.UUIDField(db_index=True, editable=False)  # the first row of a click has it as its own id
    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="tryons")
    photo = models.ForeignKey(Photo, models.SET_NULL, null=True, related_name="tryons")
    garment = models.ForeignKey(Garment, models.SET_NULL, null=True, related_name="tryons")
    worn_with = models.ForeignKey(
        Garment, models.SET_NULL, null=True, blank=True, related_name="outfits", verbose_name=_("worn with")
    )
    outfit = models.BooleanField(default=False, editable=False)  # stays when one of the two leaves the shop
    engine = models.CharField(_("engine"), max_length=40)
    engine_version = models.CharField(max_length=16)
    seed = models.BigIntegerField(_("seed"), default=new_seed, editable=False)  # the same in every attempt

    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.QUEUED)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.NONE, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    worker = models.CharField(_("worker"), max_length=120, blank=True, editable=False)  # of the latest attempt
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)  # rests after a passing fault
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_sentence = models.CharField(max_length=300, blank=True)  # English; translated where it is shown
    error_detail = models.TextField(_("error in detail"), blank=True)  # for the admin alone
    timings = models.JSONField(default=dict, blank=True)  # seconds of each stage, and of steps in it: "stage.step"
    notes = models.JSONField(default=dict, blank=True)  # what the engine says of its picture

    result = models.FileField(storage=private_storage, max_length=120, blank=True, editable=False)
    width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    height = models.PositiveIntegerField(null=True, blank=True, editable=False)

    retry_of = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="retried_by", editable=False
    )
    idempotency = models.CharField(max_length=64, blank=True, editable=False)  # of shopper and key
    asked = models.CharField(max_length=64, editable=False)  # of photo, garments and engines
    list_id = models.UUIDField(null=True, editable=False)  # the ShownList that a program says it came from

    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    started = models.DateTimeField(null=True, blank=True, editable=False)
    finished = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TryOnQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "id"]
        verbose_name = _("try-on")
        verbose_name_plural = _("try-ons")
        permissions = [("see_pictures", "Can see the pictures of shoppers")]
        constraints = [
            models.CheckConstraint(
                name="tryon_status",
                condition=Q(status__in=["queued", "running", "succeeded", "failed", "canceled", "expired"]),
            ),
            models.CheckConstraint(
                name="tryon_stage",
                condition=Q(stage="") | Q(status="running", stage__in=["preparing", "generating", "saving"]),
            ),
            models.CheckConstraint(
                name="tryon_lease_while_running",
                condition=Q(status="running", lease__isnull=False, lease_until__isnull=False, started__isnull=False)
                | ~Q(status="running") & Q(lease__isnull=True, lease_until__isnull=True),
            ),
            models.CheckConstraint(
                name="tryon_finished_when_done",
                condition=Q(status__in=["queued", "running"], finished__isnull=True)
                | ~Q(status__in=["queued", "running"]) & Q(finished__isnull=False),
            ),
            models.CheckConstraint(
                name="tryon_picture_when_succeeded",
                condition=Q(status="succeeded", width__gt=0, height__gt=0, expires_at__isnull=False) & ~Q(result="")
                | ~Q(status="succeeded") & Q(result=""),
            ),
            models.CheckConstraint(
                name="tryon_error_when_failed",
                condition=Q(status="failed") & ~Q(error_code="") & ~Q(error_sentence="")
                | ~Q(status="failed") & Q(error_code=""),
            ),
            models.CheckConstraint(
                name="tryon_outfit_of_two",
                condition=Q(worn_with=None) | Q(outfit=True) & (Q(garment=None) | ~Q(worn_with=F("garment"))),
            ),
            models.UniqueConstraint(fields=["idempotency", "engine"], name="tryon_once", condition=~Q(idempotency="")),
        ]
        indexes = [
            models.Index(fields=["shopper", "-created"]),
            models.Index(fields=["status", "created"]),
            models.Index(fields=["engine", "-finished"], name="tryon_latest", condition=Q(status="succeeded")),
            models.Index(fields=["expires_at"], condition=Q(status="succeeded"), name="tryon_expiry"),
        ]

    def __str__(self):
        return f"{self.engine} {self.pk}: {self.status}"

    @property
    def garments(self) -> list[Garment | None]:
        """What is worn, a top before a bottom, as engines take it; None for one that the shop has taken out."""
        worn = [self.garment, self.worn_with] if self.outfit else [self.garment]
        return sorted(worn, key=lambda garment: bool(garment) and garment.category == Garment.Category.LOWER)

    def place(self, garment_id: int) -> dict | None:
        """Where in which list the garment stood, as an Event's fields; None where it came from none."""
        if self.list_id:
            shown = ShownList.objects.filter(pk=self.list_id).first()
            return shown and shown.place(garment_id)
        if self.shopper.acts_for_many:  # whose last click would it be?
            return None
        return Event.objects.came_from(self.shopper_id, garment_id, self.created)

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.RUNNING

    @property
    def is_done(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def can_retry(self) -> bool:
        return self.status in (self.Status.FAILED, self.Status.CANCELED)

    @property
    def queue(self) -> str:
        info = registry.engines().get(self.engine)
        return info.queue if info else "cpu"

    @property
    def sentence(self) -> str:
        """What went wrong and what to do next, in the reader's language; empty when nothing did."""
        return gettext(self.error_sentence) if self.error_sentence else ""

    @property
    def queue_position(self) -> int | None:
        """1 for the next; None when not queued."""
        if self.status != self.Status.QUEUED:
            return None
        queued = TryOn.objects.queued().filter(engine__in=registry.of_queue(self.queue))
        return queued.filter(Q(created__lt=self.created) | Q(created=self.created, pk__lt=self.pk)).count() + 1

    @property
    def eta_seconds(self) -> float | None:
        """Until the picture is there, from what the latest ones took; None when done or not known."""
        if self.is_done or (one := TryOn.objects.seconds(self.engine)) is None:
            return None
        if self.is_running:
            return max(0.0, one - (timezone.now() - self.started).total_seconds())
        slots = EngineState.objects.slots(self.engine)
        return one * (1 + (self.queue_position - 1) / slots)

    def result_url(self, shopper: Shopper | None) -> str:
        """The picture's address for five minutes, for this shopper alone; empty while there is none."""
        return private_url(self.result.name, shopper) if self.result else ""

    def send_after_commit(self) -> None:
        from tryon.tasks import send

        transaction.on_commit(lambda: send(self), robust=True)

    def cancel(self) -> bool:
        """Stop it; a worker that is at it notices between two stages and keeps nothing. False when already done."""
        stopped = TryOn.objects.open().filter(pk=self.pk)
        return bool(
            stopped.update(
                status=self.Status.CANCELED, stage="", lease=None, lease_until=None, finished=Now(), not_before=None
            )
        )

    @transaction.atomic
    def retry(self) -> "TryOn":
        """The same once more, as a new row of the same click; the same new row however often it is asked for.

        It has a seed of its own: where chance made the picture fail, the same chance would fail again.
        """
        Shopper.objects.select_for_update(no_key=True).get(pk=self.shopper_id)
        if known := TryOn.objects.filter(retry_of=self).first():
            return known
        self.refresh_from_db()
        if not self.can_retry:
            raise Refusal(
                "tryon.not_retryable", gettext_noop("Only a try-on that failed or was canceled can be done again.")
            )
        checks.check_photo(self.photo)
        checks.check_garments(self.garments)
        (info,) = checks.choose(EngineState.objects.offered(), self.garments, [self.engine])
        room.check_shopper(TryOn.objects, self.shopper, self.request)
        room.with_room(TryOn.objects, [info], named=True)
        row = TryOn.objects.create(
            request=self.request,
            shopper_id=self.shopper_id,
            photo=self.photo,
            garment=self.garment,
            worn_with=self.worn_with,
            outfit=self.outfit,
            engine=info.name,
            engine_version=info.version,
            asked=self.asked,
            list_id=self.list_id,
            retry_of=self,
        )
        row.send_after_commit()
        return row

    @staticmethod
    def result_name(lease: uuid.UUID) -> str:
        """Where a worker stores its picture: nobody else can have this name, and the sweep goes folder by folder."""
        return f"results/{lease.hex[:2]}/{lease.hex}.jpg"

    @staticmethod
    def result_expiry():
        return Now() + timedelta(days=settings.RESULT_DAYS)
