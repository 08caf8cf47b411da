"""Two rankings side by side: a share of the shoppers gets the second, and the figures tell which does better."""

import hashlib

from django.core.cache import cache
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.models.shoppers import Shopper

CACHE_KEY = "shop.experiments"
CACHE_SECONDS = 30  # so long another web process may go on with what was


class ExperimentQuerySet(models.QuerySet):
    def running(self):
        return self.filter(ended=None)

    def on(self, surface: str) -> "Experiment | None":
        """The one that runs on this surface, from the cache: every list asks."""
        running = cache.get_or_set(CACHE_KEY, lambda: list(self.running()), CACHE_SECONDS)
        return next((experiment for experiment in running if experiment.surface == surface), None)


class Experiment(models.Model):
    """Not changed once it runs: shoppers that moved from one ranking to the other would blur both."""

    name = models.SlugField(_("name"), max_length=60, unique=True, help_text=_("decides who gets which ranking"))
    surface = models.CharField(_("where"), max_length=40)
    first = models.CharField(_("first ranking"), max_length=40)
    second = models.CharField(_("second ranking"), max_length=40)
    share = models.PositiveSmallIntegerField(
        _("percent"), default=50, help_text=_("of the shoppers get the second ranking, from 1 to 99")
    )
    started = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    ended = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comparison of rankings")
        verbose_name_plural = _("comparisons of rankings")
        ordering = ["-started"]
        constraints = [
            models.UniqueConstraint(
                fields=["surface"],
                name="experiment_one_at_a_time",
                condition=Q(ended=None),
            ),
            models.CheckConstraint(
                name="experiment_of_two",
                condition=~Q(first=F("second")),
                violation_error_message=_("Choose two different rankings."),
            ),
            models.CheckConstraint(
                name="experiment_share",
                condition=Q(share__gte=1, share__lte=99),
                violation_error_message=_("Choose from 1 to 99 percent."),
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        cache.delete(CACHE_KEY)

    def ranking_of(self, shopper: Shopper | None) -> str:
        """The same for a shopper every time; independent of other experiments. Who is not known yet gets the first."""
        if shopper is None:
            return self.first
        digest = hashlib.sha256(f"{self.name}:{shopper.pk}".encode()).digest()
        return self.second if int.from_bytes(digest[:8]) < self.share * 2**64 // 100 else self.first
