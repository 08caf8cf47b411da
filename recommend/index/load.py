"""Garments' vectors out of the database."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Length

from recommend.index.base import Source
from recommend.index.columns import Item, Key
from recommend.models import Change, Embedding
from shop.models import GarmentPicture

FROM_BEHIND = {GarmentPicture.Role.BACK, GarmentPicture.Role.DETAIL}
AT_ONCE = 2000  # rows


class Truth(NamedTuple):
    """Where the database stands.

    Attributes:
        source: the encoder served, None before the first.
        seq: the number of the newest change.
        tables: another text after the tables were emptied or put back from a copy.
    """

    source: Source | None
    seq: int
    tables: str


def look() -> Truth:
    """One look-up by index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT database.oid || ' ' || pg_relation_filenode('recommend_change'), "
            "coalesce((SELECT max(seq) FROM recommend_change), 0), name, version, label "
            "FROM pg_database AS database LEFT JOIN recommend_serving ON true "
            "WHERE database.datname = current_database()"
        )
        tables, seq, name, version, label = cursor.fetchone()
    return Truth(None if name is None else Source(name, version, label), seq, tables)


def changed_since(seq: int) -> list[int]:
    """Garments that changed after that number, gone ones too."""
    return list(Change.objects.filter(seq__gt=seq).values_list("garment_id", flat=True))


def usual_length(source) -> int:
    """How many numbers most vectors of an encoder have; 0 where it has none."""
    rows = Embedding.objects.of(source).with_vector().annotate(bytes=Length("vector")).values("bytes")
    most = rows.annotate(count=Count("pk")).order_by("-count").first()
    return most["bytes"] // 2 if most else 0


def load(source, garment_ids: Iterable[int] | None = None, *, published: bool = True) -> list[Item]:
    """The garments' vectors by an encoder, all or some, in one query."""
    return list(items(source, garment_ids, published=published))


def items(source, garment_ids: Iterable[int] | None = None, *, published: bool = True) -> Iterator[Item]:
    """The same one by one, as the database sends them."""
    rows = Embedding.objects.of(source).with_vector()
    if published:
        rows = rows.filter(garment__published=True)
    if garment_ids is not None:
        rows = rows.filter(garment__in=garment_ids)
    rows = rows.order_by("garment_id", "picture_id").values_list(
        "garment_id", "garment__age_group", "garment__category", "garment__product_type", "garment__gender",
        "garment__brand", "garment__colour", "garment__design", "picture__role", "vector",
    )  # fmt: skip
    for garment_id, pictures in groupby(rows.iterator(chunk_size=AT_ONCE), key=itemgetter(0)):
        pictures = list(pictures)
        _, *key, brand, colour, design, _, _ = pictures[0]
        yield Item(garment_id, Key(*key), brand, colour, design, pooled([picture[-2:] for picture in pictures]))


def pooled(pictures: list[tuple[str, bytes]]) -> np.ndarray:
    """One vector for a garment, (dim,) float16: the mean direction of its pictures' (role, vector bytes).

    Backs and details are left out where another picture shows the garment.
    """
    fronts = [vector for role, vector in pictures if role not in FROM_BEHIND]
    vectors = [np.frombuffer(vector, "<f2") for vector in fronts or [vector for _, vector in pictures]]
    if len(vectors) == 1:
        return vectors[0]
    length = max(map(len, vectors))
    total = np.sum([vector for vector in vectors if len(vector) == length], axis=0, dtype=np.float32)
    return (total / max(np.linalg.norm(total), 1e-6)).astype(np.float16)
