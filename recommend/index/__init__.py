"""The published garments' vectors in this process's memory: a cache of Postgres that follows it by itself.

Each web process holds an immutable `Snapshot`. `current()` looks at most once a second whether the database counts
a newer change (two look-ups by index) and then loads the changed garments alone and puts a new snapshot in the old
one's place; searches that run meanwhile keep theirs. Only numpy and FAISS are imported: a web process needs no
network.
"""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import faiss
import numpy as np
from django.db import connection

from recommend.index.base import Hit, Source
from recommend.models import Change, Embedding
from shop.models import GarmentPicture

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
FIRST_WAIT_SECONDS = 2.0  # a page shows the newest rather than wait longer
STEP = 16  # FAISS computes so many numbers at a time, and is twenty times slower where some are left over
FROM_BEHIND = {GarmentPicture.Role.BACK, GarmentPicture.Role.DETAIL}


class Key(NamedTuple):
    """What a search is limited by. Each key's garments have an index of their own, so a filter costs nothing."""

    category: str
    gender: str
    age_group: str


class Item(NamedTuple):
    garment_id: int
    key: Key
    design: str
    vector: np.ndarray  # (dim,) float16, unit length


class Part:
    """The garments of one key, by ascending id, in an exact index of inner products."""

    def __init__(self, ids: np.ndarray, designs: np.ndarray, vectors: np.ndarray):
        self.ids = ids  # (n,) int64
        self.designs = designs  # (n,) str objects
        dim = vectors.shape[1]
        # float16 is what the database holds, so its bytes are this index's codes as they are.
        self.index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.index.add_sa_codes(np.ascontiguousarray(vectors).view(np.uint8))

    @property
    def vectors(self) -> np.ndarray:  # (n, dim) float16, a copy
        return faiss.vector_to_array(self.index.codes).view(np.float16).reshape(len(self.ids), -1)

    def vector(self, garment_id: int) -> np.ndarray | None:
        at = int(np.searchsorted(self.ids, garment_id))
        if at == len(self.ids) or self.ids[at] != garment_id:
            return None
        return self.index.reconstruct(at)

    def search(self, vector: np.ndarray, k: int) -> Iterable[Hit]:
        scores, places = self.index.search(vector[None], min(k, len(self.ids)))
        for score, at in zip(scores[0].tolist(), places[0].tolist(), strict=True):
            yield Hit(int(self.ids[at]), score, self.designs[at])


@dataclass(frozen=True)
class Snapshot:
    """What was true at change number `seq`. Nothing in it changes, so any number of threads may search it."""

    source: Source | None = None
    seq: int = 0
    dim: int = 0
    parts: dict[Key, Part] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(part.ids) for part in self.parts.values())

    def vector(self, garment_id: int) -> np.ndarray | None:
        """(dim,) float32 of a published garment."""
        found = (part.vector(garment_id) for part in self.parts.values())
        return next((vector for vector in found if vector is not None), None)

    def search(self, vector: np.ndarray, k: int, keys: Iterable[Key]) -> list[Hit]:
        """The k nearest within `keys`, nearest first; fewer only where fewer are there."""
        faiss.omp_set_num_threads(1)  # holds for the calling thread alone, hence here
        hits = [hit for key in keys if key in self.parts for hit in self.parts[key].search(vector, k)]
        return sorted(hits, key=lambda hit: -hit.score)[:k]

    def replaced(self, garment_ids: Iterable[int], items: Iterable[Item], seq: int) -> "Snapshot":
        """Another snapshot without `garment_ids` and with `items`; parts that stay as they are, are shared."""
        gone = np.fromiter(garment_ids, np.int64)
        items = list(items)
        dim = self.dim or _usual_length(items)
        added = defaultdict(list)
        for item in items:
            if len(item.vector) == dim:
                added[item.key].append(item)
            else:
                log.error("garment %s: a vector of %s instead of %s", item.garment_id, len(item.vector), dim)
        parts = {}
        for key in self.parts.keys() | added.keys():
            part = _merged(self.parts.get(key), gone, added.get(key, []))
            if part is not None:
                parts[key] = part
        return Snapshot(self.source, seq, dim, parts)


def _usual_length(items: list[Item]) -> int:
    lengths = Counter(len(item.vector) for item in items)
    return lengths.most_common(1)[0][0] if lengths else 0


def _merged(part: Part | None, gone: np.ndarray, added: list[Item]) -> Part | None:
    ids, designs, vectors = [], [], []
    if part is not None:
        stays = ~np.isin(part.ids, gone)
        if stays.all() and not added:
            return part
        ids, designs, vectors = [part.ids[stays]], [part.designs[stays]], [part.vectors[stays]]
    if added:
        ids.append(np.array([item.garment_id for item in added], np.int64))
        designs.append(np.array([item.design for item in added], object))
        vectors.append(np.stack([item.vector for item in added]))
    ids = np.concatenate(ids)
    if not len(ids):
        return None
    order = np.argsort(ids)
    return Part(ids[order], np.concatenate(designs)[order], np.concatenate(vectors)[order])


def pooled(pictures: list[tuple[str, bytes]]) -> np.ndarray:
    """One vector for a garment, (dim,) float16: the mean direction of its pictures' (role, vector bytes).

    Filled up with zeros to a multiple of STEP. Backs and details are left out where another picture shows the garment.
    """
    fronts = [vector for role, vector in pictures if role not in FROM_BEHIND]
    vectors = [np.frombuffer(vector, "<f2") for vector in fronts or [vector for _, vector in pictures]]
    if len(vectors) == 1:
        mean = vectors[0]
    else:
        length = max(map(len, vectors))
        total = np.sum([vector for vector in vectors if len(vector) == length], axis=0, dtype=np.float32)
        mean = (total / max(np.linalg.norm(total), 1e-6)).astype(np.float16)
    beyond = -len(mean) % STEP
    return np.pad(mean, (0, beyond)) if beyond else mean


def load(source, garment_ids: Iterable[int] | None = None, *, published: bool = True) -> list[Item]:
    """The garments' vectors by an encoder, all or some, in one query."""
    rows = Embedding.objects.of(source).with_vector()
    if published:
        rows = rows.filter(garment__published=True)
    if garment_ids is not None:
        rows = rows.filter(garment__in=garment_ids)
    rows = rows.values_list(
        "garment_id", "garment__category", "garment__gender", "garment__age_group", "garment__design",
        "picture__role", "vector",
    )  # fmt: skip
    facts, pictures = {}, defaultdict(list)
    for garment_id, category, gender, age_group, design, role, vector in rows.iterator(chunk_size=2000):
        facts[garment_id] = Key(category, gender, age_group), design
        pictures[garment_id].append((role, bytes(vector)))
    return [Item(pk, key, design, pooled(pictures[pk])) for pk, (key, design) in facts.items()]


class Index:
    """Follows the database. One a process (`current`); tests make their own."""

    def __init__(self, look_seconds: float = LOOK_SECONDS):
        self.look_seconds = look_seconds
        self._snapshot: Snapshot | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()

    def current(self) -> Snapshot:
        """The snapshot to search. The first caller builds it, the others wait a little for it and then get an empty
        one; later one looks at a time, and none waits.

        Raises:
            DatabaseError: where there is no snapshot yet. An old one is served on.
        """
        snapshot = self._snapshot
        if snapshot is not None and time.monotonic() < self._next_look:
            return snapshot
        if not self._lock.acquire(timeout=FIRST_WAIT_SECONDS if snapshot is None else 0):
            return Snapshot() if snapshot is None else snapshot
        try:
            if self._snapshot is None or time.monotonic() >= self._next_look:
                self._snapshot = self._followed(Snapshot() if self._snapshot is None else self._snapshot)
        except Exception:
            if snapshot is None:
                raise
            log.exception("the index could not follow the database; the old one is served")
        finally:
            self._next_look = time.monotonic() + self.look_seconds
            self._lock.release()
        return self._snapshot

    def _followed(self, old: Snapshot) -> Snapshot:
        source, seq = self._look()
        if source is None:
            return Snapshot()
        if source != old.source or seq < old.seq:  # another encoder, or a database put back from a copy
            return Snapshot(source).replaced([], load(source), seq)
        if seq == old.seq:
            return old
        # Read after `seq`: what changes in between is loaded now and, harmlessly, once more at the next look.
        changed = list(Change.objects.filter(seq__gt=old.seq).values_list("garment_id", flat=True))
        return old.replaced(changed, load(source, changed), seq)

    @staticmethod
    def _look() -> tuple[Source | None, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, version, label, (SELECT coalesce(max(seq), 0) FROM recommend_change) "
                "FROM recommend_serving"
            )
            row = cursor.fetchone()
        return (Source(*row[:3]), row[3]) if row else (None, 0)


_index = Index()
current = _index.current
