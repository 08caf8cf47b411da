"""How far the vectors of each encoder are: for the merchant's page and the command."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from recommend import encoders
from recommend.encoders.vectors import MOST
from recommend.models import Basis, Embedding, Serving
from shop.models import GarmentPicture
from shop.work import Work


@dataclass(frozen=True)
class Progress:
    """Of one encoder, in pictures.

    Attributes:
        label: as the shop calls it; its name where the settings no longer know it.
        total: pictures of the shop.
        done, failed: those with a vector, and those that cannot have one.
        serves: whether these vectors are shown now.
        wanted: whether new pictures get them.
        directions: on which of its directions its vectors lie, one phrase; empty where on all.
    """

    label: str
    version: str
    total: int
    done: int
    failed: int
    serves: bool
    wanted: bool
    directions: str

    @property
    def settled(self) -> int:
        return min(self.done + self.failed, self.total)

    @property
    def percent(self) -> int:
        """Rounded down: 100 means that nothing is left."""
        return 100 * self.settled // self.total if self.total else 100


def progress() -> list[Progress]:
    """The encoder that serves, the one that is wanted, then those whose vectors are merely kept."""
    wanted, serving = encoders.wanted(), Serving.objects.current()
    labels = {(wanted.name, wanted.version): wanted.label}
    if serving:
        labels[serving.name, serving.version] = serving.label
    failed = Count("pk", filter=Q(state=Work.State.FAILED, vector__isnull=True))
    counts = {
        (name, version): (done, failed)
        for name, version, done, failed in Embedding.objects.values_list("encoder", "version")
        .annotate(done=Count("vector"), failed=failed)
        .order_by("encoder", "version")
    }
    total = GarmentPicture.objects.count()
    directions = {(basis.encoder, basis.version): basis.story() for basis in Basis.objects.defer("matrix")}
    if getattr(wanted, "wide", False):
        directions[wanted.name, wanted.version] = _("%(most)s fixed directions, not fitted to the pictures yet") % {
            "most": MOST
        }
    found = [
        Progress(
            label=labels.get(key) or encoders.label(key[0]),
            version=key[1],
            total=total,
            done=counts.get(key, (0, 0))[0],
            failed=counts.get(key, (0, 0))[1],
            serves=bool(serving) and key == (serving.name, serving.version),
            wanted=key == (wanted.name, wanted.version),
            directions=directions.get(key, ""),
        )
        for key in labels | counts
    ]
    return sorted(found, key=lambda one: (not one.serves, not one.wanted))
