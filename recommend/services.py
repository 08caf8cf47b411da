"""What the shop's pages and API ask."""

import logging
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from recommend import index
from recommend.models import Serving
from shop.models import Garment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Similar:
    """A garment to show beside another.

    `score` is 0..1, 1 for the same look; None where looks could not be compared and the newest are shown.
    `encoder` is the label of what compared them, empty then.
    """

    garment: Garment
    score: float | None
    encoder: str


def encoder_name() -> str:
    """The label of the encoder that serves, as "EfficientNet-Lite2 with colour"; empty before the first is made."""
    serving = Serving.objects.current()
    return serving.label if serving else ""


def similar(garment: Garment, k: int = 12) -> list[Similar]:
    """The k published garments that look most like `garment`, those of its category first.

    Gender and age group are never crossed (unisex goes with both). The colours of one design take one place, and
    those of its own none: the product page shows them. The list is short only where the shop has fewer. Garments
    without a vector come after the others of their category, newest first. Never raises: where nothing works, the
    list is empty.
    """
    try:
        return _Search(garment, k).run()
    except Exception:
        log.exception("similar items of garment %s", garment.pk)
        return []


def genders_beside(gender: str) -> list[str]:
    if gender == Garment.Gender.UNISEX:
        return list(Garment.Gender)
    return [gender, Garment.Gender.UNISEX]


class _Search:
    def __init__(self, garment: Garment, k: int):
        self.garment = garment
        self.k = k
        self.genders = genders_beside(garment.gender)
        self.found: list[Similar] = []
        self.designs: set[str] = {garment.design} - {""}  # taken; the product page shows its own colours itself

    def run(self) -> list[Similar]:
        own = self.garment.category
        others = [category for category in Garment.Category if category != own]
        snapshot, vector = self._look()
        for categories in ([own], others):
            if vector is not None:
                self._add_nearest(snapshot, vector, categories)
            self._add_newest(categories)
        return self.found

    def _look(self) -> tuple[index.VectorIndex | None, np.ndarray | None]:
        """The index and the garment's own vector; nothing where either is missing."""
        try:
            snapshot = index.current()
            vector = snapshot.vector(self.garment.pk)
            if vector is None and snapshot.source:  # not published: the merchant looks at it
                items = index.load(snapshot.source, [self.garment.pk], published=False)
                vector = items[0].vector.astype(np.float32) if items else None
            if vector is None or len(vector) != snapshot.dim:
                return None, None
            return snapshot, vector
        except Exception:
            log.exception("no index; the newest are shown instead")
            return None, None

    @property
    def _missing(self) -> int:
        return self.k - len(self.found)

    def _candidates(self, categories: list[str]) -> QuerySet[Garment]:
        """Asked every time, so that no index, however old, shows what may not be shown."""
        known = [entry.garment.pk for entry in self.found]
        return (
            Garment.objects.published()
            .filter(category__in=categories, gender__in=self.genders, age_group=self.garment.age_group)
            .exclude(pk__in=[self.garment.pk, *known])
            .with_pictures()
        )

    def _add_nearest(self, snapshot: index.VectorIndex, vector: np.ndarray, categories: list[str]) -> None:
        where = index.Where(categories=categories, genders=self.genders, age_group=self.garment.age_group)
        take = 4 * self.k  # room for itself and for further colours of a design
        asked = {self.garment.pk}
        while self._missing > 0:
            hits = snapshot.search(vector, take, where)
            picked = self._one_a_design(hits, asked)
            if picked:
                asked.update(hit.garment_id for hit in picked)
                rows = self._candidates(categories).in_bulk([hit.garment_id for hit in picked])
                for hit in picked:
                    if hit.garment_id in rows:
                        self._add(rows[hit.garment_id], min(max(hit.score, 0.0), 1.0), snapshot.source.label)
            elif len(hits) == take:
                take *= 8
            else:
                return

    def _one_a_design(self, hits: list[index.Hit], asked: set[int]) -> list[index.Hit]:
        """The next ones worth a look in the database, nearest first."""
        seen, picked = set(self.designs), []
        for hit in hits:
            if hit.garment_id not in asked and hit.design not in seen:
                picked.append(hit)
                seen.update({hit.design} - {""})
        return picked[: self.k]

    def _add_newest(self, categories: list[str]) -> None:
        while self._missing > 0:
            rows = list(self._candidates(categories).exclude(design__in=self.designs)[: 2 * self.k])
            if not rows:
                return
            for row in rows:
                self._add(row, None, "")

    def _add(self, garment: Garment, score: float | None, label: str) -> None:
        if self._missing <= 0 or (garment.design and garment.design in self.designs):
            return
        if garment.design:
            self.designs.add(garment.design)
        self.found.append(Similar(garment, score, label))
