"""The pictures of a garment, and what a worker finds out about each."""

from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.models.catalogue import Garment
from shop.signals import picture_stored
from shop.storage import analysis_name, mask_name, picture_name, private_storage
from shop.work import Work, WorkQuerySet

ANALYSIS_VERSION = 2  # raised when preprocessing.garment gives another result; the rows are then made anew


@dataclass(frozen=True)
class Shape:
    """What is known exactly of a picture.

    Attributes:
        mask: a grey PNG of the picture's size, white where the garment is.
        landmarks: name to [x, y] in the picture's pixels; "neckline" holds a list of points.
    """

    mask: bytes
    landmarks: dict


class GarmentPictureManager(models.Manager):
    def store(
        self, garment: Garment, clean, *, role: str, position: int | None = None, shape: "Shape | None" = None
    ) -> "GarmentPicture":
        """Keep a cleaned picture (`shop.images.CleanImage`); the same picture twice is one row.

        Analysis and embedding follow on the cpu queue; with a shape the analysis has nothing to guess.
        """
        if position is None:
            position = garment.pictures.count()
        with transaction.atomic():
            picture = self.filter(garment=garment, sha256=clean.sha256).first()
            if picture:
                self.filter(pk=picture.pk).update(role=role, position=position)
                return picture
            picture = self.create(
                garment=garment,
                image=clean.as_file(),
                sha256=clean.sha256,
                role=role,
                position=position,
                mask=ContentFile(shape.mask, name="mask.png") if shape else "",
                landmarks=shape.landmarks if shape else None,
            )
            picture_stored.send(GarmentPicture, picture=picture)
        return picture


class GarmentPicture(models.Model):
    class Role(models.TextChoices):
        FLAT = "flat", _("the garment alone, from the front")
        ON_MODEL = "on_model", _("worn by a model")
        BACK = "back", _("from the back")
        DETAIL = "detail", _("a detail")

    garment = models.ForeignKey(Garment, models.CASCADE, related_name="pictures")
    image = models.ImageField(upload_to=picture_name, width_field="width", height_field="height")
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    role = models.CharField(_("role"), max_length=8, choices=Role, default=Role.FLAT)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    mask = models.FileField(storage=private_storage, upload_to=mask_name, blank=True, editable=False)
    landmarks = models.JSONField(null=True, blank=True, editable=False)  # see Shape
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = GarmentPictureManager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(name="picture_role", condition=Q(role__in=["flat", "on_model", "back", "detail"])),
            models.UniqueConstraint(fields=["garment", "sha256"], name="picture_once"),
        ]

    def __str__(self):
        return f"{self.garment.sku} #{self.position}"

    @property
    def is_flat(self) -> bool:
        return self.role == self.Role.FLAT

    @property
    def analysis(self) -> "GarmentAnalysis | None":
        """The newest one; it says whether the garment can be previewed."""
        return max(self.analyses.all(), key=lambda a: a.version, default=None)


class GarmentAnalysisQuerySet(WorkQuerySet):
    def current(self):
        return self.filter(version=ANALYSIS_VERSION)

    def add_missing(self, limit: int) -> None:
        """Rows for pictures that only an older version has looked at."""
        looked_at = self.current().filter(picture=OuterRef("pk"))
        pictures = GarmentPicture.objects.filter(~Exists(looked_at)).order_by("pk")[:limit]
        rows = [self.model(picture=picture, version=ANALYSIS_VERSION) for picture in pictures]
        self.bulk_create(rows, ignore_conflicts=True)


class GarmentAnalysis(Work):
    """What the cpu worker found out about a picture, once per picture and version: mask, landmarks, colours, problems.

    An older version's row serves no more, and goes when the new one is done.

    `data` is a `preprocessing.garment.PreparedGarment` in bytes; it serves try-on and recommendations alike.
    """

    picture = models.ForeignKey(GarmentPicture, models.CASCADE, related_name="analyses")
    version = models.PositiveSmallIntegerField()
    data = models.FileField(storage=private_storage, upload_to=analysis_name, blank=True)
    problems = models.JSONField(default=list, blank=True)  # [{"code", "sentence"}], empty = can be previewed
    colours = models.JSONField(default=list, blank=True)  # [{"lab": [L, a, b], "share": 0..1}], largest first
    sleeve = models.CharField(max_length=13, blank=True)  # what was found, as the garment's own fields name it
    length = models.CharField(max_length=7, blank=True)
    asked = models.CharField(max_length=100, blank=True)  # what the catalogue said of the garment: `Garment.cut`

    objects = GarmentAnalysisQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "garment analyses"
        constraints = [
            models.UniqueConstraint(fields=["picture", "version"], name="analysis_once"),
            models.CheckConstraint(name="analysis_done_has_data", condition=~Q(state=Work.State.DONE) | ~Q(data="")),
        ]

    def __str__(self):
        return f"{self.picture} v{self.version}: {self.state}"

    @property
    def previewable(self) -> bool:
        return self.state == self.State.DONE and not self.problems
