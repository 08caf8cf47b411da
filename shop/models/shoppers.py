"""Who comes to the shop, and the photos they bring."""

import hashlib
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal, gettext_noop
from shop.models.access import ApiKey
from shop.signals import photo_deleted, photo_stored
from shop.storage import frame_name, photo_name, prepared_name, private_storage
from shop.work import Work, WorkQuerySet


def photo_expiry():
    return Now() + timedelta(hours=settings.PHOTO_HOURS)


class ShopperManager(models.Manager):
    def by_key(self, key: str) -> "Shopper | None":
        return self.filter(key_hash=Shopper.hash_key(key)).first() if key else None

    def of_user(self, user) -> "Shopper":
        return self.get_or_create(user=user)[0]


class Shopper(models.Model):
    """Owns photos, try-ons and events: a signed-in user, or whoever holds the random key of a cookie."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = ShopperManager()

    class Meta:
        verbose_name = _("shopper")
        constraints = [
            models.CheckConstraint(name="shopper_is_someone", condition=Q(user__isnull=False) | ~Q(key_hash="")),
            models.UniqueConstraint(fields=["key_hash"], name="shopper_key", condition=~Q(key_hash="")),
        ]

    def __str__(self):
        return str(self.user) if self.user_id else f"anonymous {self.pk}"

    @staticmethod
    def hash_key(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @property
    def acts_for_many(self) -> bool:
        """Whether a program tries on under this name: then it is a whole shop's visitors, and has their room."""
        keys = ApiKey.objects.filter(user_id=self.user_id, revoked=None, scopes__contains=[ApiKey.Scope.TRYON])
        return self.user_id is not None and keys.exists()

    @transaction.atomic
    def move_to(self, other: "Shopper") -> None:
        """Give everything this shopper owns to another, then end this one; the cookie's key opens nothing more."""
        for relation in self._meta.related_objects:
            relation.related_model._base_manager.filter(**{relation.field.name: self}).update(
                **{relation.field.name: other}
            )
        self.delete()


class PhotoQuerySet(WorkQuerySet):
    def alive(self):
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))

    def usable_by(self, shopper: Shopper | None):
        """The shopper's own, and the shop's model people."""
        own = Q(shopper=shopper) if shopper else Q(pk=None)
        return self.alive().filter(own | Q(shopper__isnull=True))

    def models(self):
        return self.filter(shopper__isnull=True)

    def store(self, shopper: Shopper, clean) -> "Photo":
        """Keep a cleaned upload (`shop.images.CleanImage`) for PHOTO_HOURS and have it checked.

        Raises:
            Refusal: photo.too_many, when the shopper has as many as they may.
        """
        with transaction.atomic():
            Shopper.objects.select_for_update().get(pk=shopper.pk)  # two uploads at once are counted one by one
            most = settings.PHOTOS_PER_KEY if shopper.acts_for_many else settings.PHOTOS_PER_SHOPPER
            if self.alive().filter(shopper=shopper).count() >= most:
                raise Refusal(
                    "photo.too_many", gettext_noop("You have as many photos as fit here. Delete one, then try again.")
                )
            return self._create(clean, shopper=shopper, expires_at=photo_expiry())

    def store_model(self, clean, name: str) -> "Photo":
        """Keep a model person of the shop; the same picture twice is one row."""
        with transaction.atomic():
            return self.models().filter(sha256=clean.sha256).first() or self._create(clean, name=name)

    def _create(self, clean, **fields) -> "Photo":
        photo = self.create(image=clean.as_file(), sha256=clean.sha256, **fields)
        photo.refresh_from_db(fields=["expires_at"])  # it was written as an expression of the database's clock
        photo_stored.send(Photo, photo=photo)
        return photo


class Photo(Work):
    """A shopper's upload, private and short-lived; or a model person of the shop, who belongs to nobody.

    The worker's check fills `findings`, `difficulty` (of the pose) and `prepared` (a
    `preprocessing.person.PreparedPerson` in bytes).
    """

    class Difficulty(models.TextChoices):
        EASY = "easy", _("easy")
        MEDIUM = "medium", _("medium")
        HARD = "hard", _("hard")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shopper = models.ForeignKey(Shopper, models.CASCADE, null=True, blank=True, related_name="photos")
    image = models.ImageField(
        storage=private_storage, upload_to=photo_name, width_field="width", height_field="height"
    )
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    name = models.CharField(_("name"), max_length=60, blank=True, help_text=_("of a model person"))
    findings = models.JSONField(default=list, blank=True)  # [{"code", "severity": "warn"|"refuse", "sentence"}]
    difficulty = models.CharField(
        _("pose"), max_length=6, choices=Difficulty, blank=True, help_text=_("how hard it is to put a garment on it")
    )
    prepared = models.FileField(storage=private_storage, upload_to=prepared_name, blank=True)
    prepared_version = models.CharField(max_length=16, blank=True)
    created = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        verbose_name = _("photo")
        constraints = [
            models.CheckConstraint(
                name="photo_expires_unless_model",
                condition=Q(shopper__isnull=True, expires_at__isnull=True)
                | Q(shopper__isnull=False, expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="photo_difficulty", condition=Q(difficulty__in=["", "easy", "medium", "hard"])
            ),
            models.UniqueConstraint(fields=["sha256"], name="photo_model_once", condition=Q(shopper__isnull=True)),
        ]
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self):
        return self.name or str(self.pk)

    @property
    def is_model(self) -> bool:
        return self.shopper_id is None

    @property
    def refused(self) -> bool:
        return any(f["severity"] == "refuse" for f in self.findings)

    @property
    def worst_first(self) -> list[dict]:
        """The findings, those that refuse the photo before those that would make a better picture."""
        return sorted(self.findings, key=lambda finding: finding["severity"] != "refuse")

    def erase(self, *, with_results: bool = True) -> None:
        """Delete the photo and what was worked out from it; by signal also every picture made from it.

        `with_results=False` is for expiry: a photo lives a day, the pictures made from it longer.
        The files follow the commit (receivers.py).
        """
        with transaction.atomic():
            # As it is now: a worker may have stored what it found since this object was read.
            photo = Photo.objects.select_for_update().filter(pk=self.pk).first()
            if photo is None:
                return
            if with_results:
                photo_deleted.send(Photo, photo=photo)
            photo.delete()


class PhotoFrameQuerySet(models.QuerySet):
    def keep(self, photo: Photo, part: str, version: str, data: bytes) -> None:
        """Store what was made of a photo, and drop what other versions made of it.

        Where the photo has gone, or another job has stored the same meanwhile, nothing is kept.
        """
        made = PhotoFrame(photo=photo, part=part, version=version)
        made.data.save("frame.npz", ContentFile(data), save=False)
        with transaction.atomic():
            there = Photo.objects.select_for_update(no_key=True).filter(pk=photo.pk).first()
            same = self.filter(photo=photo, part=part)
            if there and not same.filter(version=version).exists():
                same.delete()
                made.save()
                return
        made.data.storage.delete(made.data.name)


class PhotoFrame(models.Model):
    """A photo as HD engines see it (a `preprocessing.networks.person.Frame` in bytes): made once, and gone with it."""

    class Part(models.TextChoices):
        UPPER = "upper"
        WHOLE = "whole"

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="frames")
    part = models.CharField(max_length=5, choices=Part)
    version = models.TextField()  # of preprocessing and of the networks that made it
    data = models.FileField(storage=private_storage, upload_to=frame_name)
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = PhotoFrameQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photo", "part"], name="photo_frame_once"),
            models.CheckConstraint(name="photo_frame_part", condition=Q(part__in=["upper", "whole"])),
            models.CheckConstraint(name="photo_frame_stored", condition=~Q(data="")),
        ]

    def __str__(self):
        return f"{self.part} of {self.photo_id}"
