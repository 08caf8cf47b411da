"""What shoppers search by looks: words, and pictures. A worker gives each its vectors."""

import hashlib
import uuid
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal, gettext_noop
from recommend.models.embeddings import Serving
from shop.models import Shopper
from shop.storage import cutout_name, private_storage, query_name
from shop.work import Work, WorkQuerySet

WORDS_DAYS = 30  # a vector of words is made anew after so long
LONGEST_WORDS = 100
CHANGED = gettext_noop("Search by picture is being set up anew. Please try again in a few minutes.")


class QueryQuerySet(WorkQuerySet):
    def alive(self):
        return self.filter(expires_at__gt=Now())

    def pictures_of(self, shopper: Shopper | None):
        """The shopper's own, newest first."""
        own = self.alive().filter(kind=Query.Kind.PICTURE, shopper=shopper) if shopper else self.none()
        return own.order_by("-created", "pk")

    def of_words(self, words: str, serving: Serving) -> "Query | None":
        """The row that has, or will have, what the serving encoder makes of words; None while too many wait.

        The same words are one row, whoever searched for them. A worker is asked for what is not there yet.
        """
        text = " ".join(words.lower().split())[:LONGEST_WORDS]
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        same = {"kind": Query.Kind.WORDS, "sha256": sha256, "encoder": serving.name, "version": serving.version}
        row = self.alive().filter(**same).first()
        if row is not None or self.busy():
            return row
        expires = Now() + timedelta(days=WORDS_DAYS)
        self.filter(**same, expires_at__lte=Now()).delete()
        row = Query(**same, words=text, expires_at=expires)
        self.bulk_create([row], ignore_conflicts=True)
        row.send()  # where another request was quicker, to no effect
        return row

    def store(self, shopper: Shopper, clean) -> "Query":
        """Keep a cleaned picture (`shop.images.CleanImage`) for SEARCH_MINUTES and have it looked at.

        The same picture again is the same search.

        Raises:
            Refusal: search.too_many, search.busy, search.no_vectors.
        """
        with transaction.atomic():
            Shopper.objects.select_for_update(no_key=True).get(pk=shopper.pk)  # two at once are counted one by one
            own = self.pictures_of(shopper)
            if same := own.filter(sha256=clean.sha256).exclude(state=Work.State.FAILED).first():
                return same
            serving = Serving.objects.current()
            if serving is None:
                raise Refusal("search.no_vectors", CHANGED)
            most = settings.SEARCHES_PER_KEY if shopper.acts_for_many else settings.SEARCHES_PER_SHOPPER
            if own.filter(state=Work.State.PENDING).count() >= most:
                raise Refusal(
                    "search.too_many",
                    gettext_noop("You have several searches under way. Please wait for one of them."),
                )
            if self.busy():
                raise Refusal(
                    "search.busy",
                    gettext_noop("Many people are searching at the moment. Please try again in a minute."),
                )
            for old in own[4 * most :]:
                old.delete()
            row = self.create(
                kind=Query.Kind.PICTURE,
                shopper=shopper,
                image=clean.as_file(),
                sha256=clean.sha256,
                encoder=serving.name,
                version=serving.version,
                expires_at=Now() + timedelta(minutes=settings.SEARCH_MINUTES),
            )
            row.refresh_from_db(fields=["expires_at"])
            row.send()
        return row

    def busy(self) -> bool:
        return self.filter(state=Work.State.PENDING).count() >= settings.SEARCHES_TOTAL


class Query(Work):
    """One search. Words are nobody's, one row for all who search for them; a picture is private and short-lived."""

    class Kind(models.TextChoices):
        WORDS = "words"
        PICTURE = "picture"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=7, choices=Kind)
    shopper = models.ForeignKey(Shopper, models.CASCADE, null=True, blank=True, related_name="searches")
    words = models.CharField(max_length=LONGEST_WORDS, blank=True)
    image = models.ImageField(
        storage=private_storage, upload_to=query_name, width_field="width", height_field="height", blank=True
    )
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)  # of the words or the picture
    encoder = models.CharField(max_length=120)
    version = models.CharField(max_length=40)
    error_sentence = models.CharField(max_length=300, blank=True)  # English; translated where it is shown
    created = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    objects = QueryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search")
        verbose_name_plural = _("searches")
        constraints = [
            models.CheckConstraint(
                name="query_is_words_or_picture",
                condition=Q(kind="words", shopper__isnull=True, image="") & ~Q(words="")
                | Q(kind="picture", shopper__isnull=False, words="") & ~Q(image=""),
            ),
            models.UniqueConstraint(
                fields=["sha256", "encoder", "version"], name="query_words_once", condition=Q(kind="words")
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"]),
            models.Index(fields=["shopper", "-created"]),
            models.Index(fields=["sent_at"], condition=Q(state="pending"), name="query_open"),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}: {self.state}"

    @property
    def is_done(self) -> bool:
        return self.state != self.State.PENDING

    @property
    def sentence(self) -> str:
        """What went wrong and what to do next, in the reader's language; empty when nothing did."""
        return gettext(self.error_sentence) if self.error_sentence else ""

    def send(self) -> None:
        from recommend.tasks import embed_query
        from shop.queue import send

        send(embed_query, self.pk, queue="cpu")

    def follow(self, serving: Serving) -> None:
        """Have it looked at anew where another encoder serves now."""
        if self.is_done and (self.encoder, self.version) != (serving.name, serving.version):
            with transaction.atomic():
                self.looks.all().delete()
                Query.objects.filter(pk=self.pk).update(encoder=serving.name, version=serving.version)
                Query.objects.filter(pk=self.pk).again()
                self.refresh_from_db()
                self.send()


class QueryLook(models.Model):
    """What a search is compared by: the words, the garment of a picture, or a part of what a person in it wears.

    `vector` is as an Embedding's. Deleting the row deletes the cut-out (receivers.py).
    """

    class Part(models.TextChoices):
        WORDS = "words", _("words")
        GARMENT = "garment", _("garment")
        UPPER = "upper", pgettext_lazy("worn", "top")
        LOWER = "lower", pgettext_lazy("worn", "bottom")
        DRESS = "dress", pgettext_lazy("worn", "dress")

    query = models.ForeignKey(Query, models.CASCADE, related_name="looks")
    part = models.CharField(max_length=7, choices=Part)
    vector = models.BinaryField()
    cutout = models.ImageField(
        storage=private_storage, upload_to=cutout_name, width_field="width", height_field="height", blank=True
    )
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["pk"]  # the largest part first
        constraints = [
            models.UniqueConstraint(fields=["query", "part"], name="query_look_once"),
            models.CheckConstraint(
                name="query_look_part", condition=Q(part__in=["words", "garment", "upper", "lower", "dress"])
            ),
        ]

    def __str__(self):
        return f"{self.part} of {self.query_id}"

    @property
    def category(self) -> str:
        """Of the garments that it is compared with; empty for any."""
        return self.part if self.part in (self.Part.UPPER, self.Part.LOWER, self.Part.DRESS) else ""

    @property
    def as_vector(self) -> np.ndarray:
        """(dim,) float32."""
        return np.frombuffer(bytes(self.vector), "<f2").astype(np.float32)
