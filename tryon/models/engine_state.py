"""Which engine stands ready where: the web process cannot look into a worker's folder of weights."""

from datetime import timedelta

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from preprocessing import weights
from tryon import registry
from tryon.engines.base import EngineInfo

# An engine is offered for so long after its last worker was heard of: a restart shall not take the button away.
OFFERED = timedelta(minutes=10)
ALIVE = timedelta(seconds=60)


class EngineStateQuerySet(models.QuerySet):
    def alive(self):
        return self.filter(seen_at__gt=Now() - ALIVE)

    def report(self, engine: str, worker: str, state: str, *, slots: int | None = None, detail: str = "") -> None:
        """A worker's word on one of its engines."""
        values = {"state": state, "detail": detail, "seen_at": Now()}
        if slots is not None:
            values["slots"] = slots
        self.update_or_create(engine=engine, worker=worker, defaults=values)

    def at_work(self, engine: str, worker: str) -> None:
        """A worker has loaded the engine, whatever it said of it before, and works with it."""
        self.filter(engine=engine, worker=worker).update(state=EngineState.State.BUSY, detail="")

    def settle(self) -> None:
        """Busy where a worker has a job of this engine in hand, ready where it has none any more.

        The jobs' rows say so, whose leases run out: what a worker said before it died does not stay for ever.
        """
        jobs = apps.get_model("tryon", "TryOn").objects.running()
        here = Exists(jobs.filter(worker=OuterRef("worker"), engine=OuterRef("engine")))
        self.filter(here, state=EngineState.State.READY).update(state=EngineState.State.BUSY)
        self.filter(~here, state=EngineState.State.BUSY).update(state=EngineState.State.READY)

    def slots(self, engine: str) -> int:
        """How many jobs of this engine run at a time; at least 1, so that it can be divided by."""
        usable = self.alive().exclude(state=EngineState.State.FAILED)
        return usable.filter(engine=engine).aggregate(all=Sum("slots"))["all"] or 1

    def lately(self):
        return self.filter(seen_at__gt=Now() - OFFERED)

    def served(self):
        """The names of the engines that work, as a worker has said lately."""
        return self.lately().exclude(state=EngineState.State.FAILED).values("engine")

    def offered(self) -> list[EngineInfo]:
        """The engines a shopper can use, quickest first.

        Allowed by licence, and said to work by a worker lately; where no worker has said anything yet (the shop has
        just started), the weights must lie on this machine.
        """
        allowed = [info for info in registry.engines().values() if registry.allowed(info)]
        if not self.lately().exists():
            return [info for info in allowed if not weights.missing(info.weights)]
        served = set(self.served().values_list("engine", flat=True))
        return [info for info in allowed if info.name in served]


class EngineState(models.Model):
    """One worker's word on one engine; written by the worker, refreshed while it lives."""

    class State(models.TextChoices):
        STARTING = "starting", _("starting")
        READY = "ready", _("ready")
        BUSY = "busy", _("busy")
        FAILED = "failed", _("failed")

    engine = models.CharField(_("engine"), max_length=40)
    worker = models.CharField(_("worker"), max_length=120)
    state = models.CharField(_("state"), max_length=8, choices=State)
    slots = models.PositiveSmallIntegerField(_("at a time"), default=1)
    detail = models.TextField(_("detail"), blank=True)
    seen_at = models.DateTimeField(_("last heard of"))

    objects = EngineStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("engine")
        verbose_name_plural = _("engines")
        constraints = [
            models.UniqueConstraint(fields=["engine", "worker"], name="engine_state_once"),
            models.CheckConstraint(
                name="engine_state", condition=Q(state__in=["starting", "ready", "busy", "failed"])
            ),
        ]

    def __str__(self):
        return f"{self.engine} on {self.worker}: {self.state}"

    @property
    def is_alive(self) -> bool:
        """Whether its worker was heard of lately."""
        return self.seen_at > timezone.now() - ALIVE
