"""The directions on which an encoder's longer vectors are put, fitted to the shop's own pictures."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from recommend.encoders.vectors import MOST


class BasisQuerySet(models.QuerySet):
    def newest(self, encoder) -> "Basis | None":
        """The last one made for an encoder (anything with a `name` and a `version`), without its matrix."""
        return self.filter(encoder=encoder.name, base=encoder.version).defer("matrix").order_by("-made").first()


class Basis(models.Model):
    """One fit: a version of its encoder, for all workers. It stays while vectors of that version may be asked for.

    `matrix` holds (dim, 512) little-endian float32, orthonormal columns, in rows; `sha256` is of these bytes.
    """

    encoder = models.CharField(max_length=120)
    base = models.CharField(max_length=40)  # the encoder's version without a fit
    version = models.CharField(max_length=40)  # and with this one, as embeddings name it
    dim = models.PositiveIntegerField()
    matrix = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    pictures = models.PositiveIntegerField()  # that it was fitted to
    kept = models.FloatField(null=True)  # of the squared length of pictures it was not fitted to; null: too few
    made = models.DateTimeField(auto_now=True)

    objects = BasisQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "version"], name="basis_once"),
            models.CheckConstraint(name="basis_is_whole", condition=Exact(Length("matrix"), F("dim") * MOST * 4)),
        ]

    def __str__(self):
        return f"{self.encoder} {self.version}"

    def story(self) -> str:
        """One phrase for the merchant."""
        fit = {"most": MOST, "dim": self.dim, "pictures": self.pictures}
        told = _("%(most)s of %(dim)s directions, fitted to %(pictures)s pictures") % fit
        if self.kept is None:
            return told
        return f"{told}; " + _("%(share)s %% of other garments' squared length is kept") % {
            "share": f"{100 * self.kept:.1f}"
        }
