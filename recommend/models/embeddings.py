"""What a garment looks like, as numbers; and what changed, so that every process's index can follow.

Triggers of the database fill `Change` (migration 0002): no writer can forget to, whichever way a row is written.
"""

from datetime import timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.models import Garment, GarmentAnalysis, GarmentPicture
from shop.work import RESEND_SECONDS, Work, WorkQuerySet

FAILURES_BORNE = 0.1  # a new encoder takes over although this share of its pictures could not be embedded


class EmbeddingQuerySet(WorkQuerySet):
    def of(self, encoder):
        """Those of one encoder: anything with a `name` and a `version`."""
        return self.filter(encoder=encoder.name, version=encoder.version)

    def settled(self):
        return self.exclude(state=Work.State.PENDING)

    def under_way(self):
        """Sent, and not so long ago that the message must be lost."""
        return self.filter(state=Work.State.PENDING, sent_at__gte=Now() - timedelta(seconds=RESEND_SECONDS))

    def with_vector(self):
        return self.filter(vector__isnull=False)

    def add_missing(self, encoder, limit: int) -> int:
        """Rows for pictures that have none of this encoder; those still being analysed wait for their mask.

        Returns how many pictures were found without.
        """
        waiting = GarmentAnalysis.objects.filter(picture=OuterRef("pk"), state=Work.State.PENDING)
        own = self.of(encoder).filter(picture=OuterRef("pk"))
        pictures = GarmentPicture.objects.filter(~Exists(own), ~Exists(waiting)).order_by("pk")[:limit]
        rows = [self.model.by(encoder, picture) for picture in pictures]
        self.bulk_create(rows, ignore_conflicts=True)
        return len(rows)

    def again(self) -> int:
        """Have them embedded anew; the old vectors serve until then."""
        self.update(sha256="")
        return super().again()


class Embedding(Work):
    """One picture as one encoder sees it. A re-done row keeps its old vector until the new one is there.

    `vector` holds little-endian float16 of unit length, at most 512 numbers.
    """

    picture = models.ForeignKey(GarmentPicture, models.CASCADE, related_name="embeddings")
    # The picture's own, which never changes: after a delete the picture can no longer be asked.
    garment = models.ForeignKey(Garment, models.CASCADE, related_name="embeddings")
    encoder = models.CharField(_("encoder"), max_length=120)
    version = models.CharField(_("version"), max_length=40)
    vector = models.BinaryField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)  # of what the encoder was given; equal input, equal vector
    updated = models.DateTimeField(auto_now=True)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        constraints = [
            models.UniqueConstraint(fields=["picture", "encoder", "version"], name="embedding_once"),
            models.CheckConstraint(
                name="embedding_done_has_vector", condition=~Q(state=Work.State.DONE) | Q(vector__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["encoder", "version", "state"]),
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="embedding_input"),
        ]

    @classmethod
    def by(cls, encoder, picture: GarmentPicture) -> "Embedding":
        """Not saved yet."""
        return cls(picture=picture, garment_id=picture.garment_id, encoder=encoder.name, version=encoder.version)

    def __str__(self):
        return f"{self.picture_id} {self.encoder} {self.version}: {self.state}"


class ServingManager(models.Manager):
    def current(self) -> "Serving | None":
        return self.first()

    def follow(self, wanted) -> bool:
        """Serve the wanted encoder (with `name`, `version`, `label`) once its vectors cover those served so far.

        Returns whether it is served now.
        """
        now = self.current()
        told = {name: getattr(wanted, name) for name in ("name", "version", "label")}
        told["has_words"] = getattr(wanted, "has_words", False)
        same = now and (now.name, now.version) == (wanted.name, wanted.version)
        if now and not same and not self._covered(now, wanted):
            return False
        if not same or now.has_words != told["has_words"]:
            self.update_or_create(pk=1, defaults=told)
        return True

    @staticmethod
    def _covered(old, new) -> bool:
        had = Embedding.objects.of(old).with_vector()
        settled = Embedding.objects.of(new).settled().filter(picture=OuterRef("picture"))
        failed = settled.filter(vector__isnull=True)
        if had.filter(~Exists(settled)).exists():
            return False
        return had.filter(Exists(failed)).count() <= FAILURES_BORNE * had.count()


class Serving(models.Model):
    """The encoder whose vectors are shown: one row. A new encoder takes its place when its vectors are complete."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=40)
    label = models.CharField(max_length=120)
    has_words = models.BooleanField(default=False, db_default=False)  # whether words have vectors among the pictures'
    since = models.DateTimeField(auto_now=True)

    objects = ServingManager()

    class Meta:
        constraints = [models.CheckConstraint(name="serving_is_one", condition=Q(pk=1))]

    def __str__(self):
        return self.label


class Change(models.Model):
    """When what an index knows of a garment last changed. Written by triggers alone.

    `seq` is drawn at commit under a lock that is held until the commit is seen by all. A reader that has seen n
    has thus seen everything below n: no slow transaction can slip a smaller number in behind it.
    """

    garment_id = models.BigIntegerField(primary_key=True)  # no foreign key: it outlives the garment
    seq = models.BigIntegerField(db_index=True)

    def __str__(self):
        return f"garment {self.garment_id} at {self.seq}"
