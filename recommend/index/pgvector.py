"""Search in Postgres by its extension pgvector: for shops that outgrow what a process can map (docs/growing.md).

Where few garments are as asked, all of them are compared; where many are, the graphs of their categories are walked
(HNSW, Malkov and Yashunin, 2016) with pgvector's iterative scan, which goes on until enough garments pass the filter.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Collection

import numpy as np
from django.conf import settings
from django.db import connection

from recommend.index import pgvector_table as tables
from recommend.index.base import EVERYTHING, Hit, Source, VectorIndex, Where, checked
from recommend.index.load import look
from recommend.index.pgvector_table import Generation
from shop.models import Garment

log = logging.getLogger(__name__)

EXACT_UP_TO = 20_000  # rows compared one by one, at about a microsecond each
NEAR = 600  # garments kept in sight while graphs are walked (hnsw.ef_search, at most 1000), shared among them
COUNTS_KEPT = 4096
LOOK_SECONDS = 1.0
AT_ONCE = 200  # changes that a process which was asked something else follows; a sweep follows the rest
SWEEP_SECONDS = 2.0
PAUSE_SECONDS = 60.0  # between two attempts to copy everything

# Relaxed, and put in order afterwards: strict order throws away what is found late, and cost a tenth of the recall.
# Compiling a plan takes longer than these queries.
WALK = (
    "SET LOCAL jit = off; SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = {near}; {selects}"
)
NEAREST = (
    "(SELECT garment_id, design, embedding <#> %(query)s::halfvec AS distance FROM {table} "
    "WHERE category = '{category}' AND {fits} ORDER BY distance LIMIT %(k)s)"
)
# Adding 0 hides the order from the graphs.
COMPARE = (
    "SET LOCAL jit = off; SELECT garment_id, design, (embedding <#> %(query)s::halfvec) + 0 AS distance FROM {table} "
    "WHERE {fits} ORDER BY distance, garment_id LIMIT %(k)s"
)


class PgVector(VectorIndex):
    """One generation."""

    def __init__(self, generation: Generation):
        self.generation = generation
        self.table = generation.table
        self._counts: dict[Where, int] = {}

    @property
    def source(self) -> Source:
        return self.generation.source

    @property
    def dim(self) -> int:
        return self.generation.dim

    def __len__(self) -> int:
        return self._rows(f"SELECT count(*) FROM {self.table}")[0][0]

    def vector(self, garment_id: int) -> np.ndarray | None:
        return self.vectors([garment_id]).get(garment_id)

    def vectors(self, garment_ids: Collection[int]) -> dict[int, np.ndarray]:
        rows = self._rows(
            f"SELECT garment_id, embedding::real[] FROM {self.table} WHERE garment_id = ANY(%(ids)s)",
            ids=list(garment_ids),
        )
        return {garment_id: np.array(vector, np.float32) for garment_id, vector in rows}

    def search(
        self, vector: np.ndarray, k: int, where: Where = EVERYTHING, exclude: Collection[int] = ()
    ) -> list[Hit]:
        query = tables.text(checked(vector, self.dim, k))
        # A list that is short is looked for again: a walk ends early where few of those near it are as asked.
        hits = [] if self._few(where) else self._walk(query, k, where, exclude)
        return hits if len(hits) == k else self._compare(query, k, where, exclude)

    def _few(self, where: Where) -> bool:
        count = self._counts.get(where)
        if count is None:
            fits, values = _condition(where, ())
            sql = f"SELECT count(*) FROM (SELECT FROM {self.table} WHERE {fits} LIMIT {EXACT_UP_TO + 1}) AS few"
            count = self._rows(sql, **values)[0][0]
            if len(self._counts) >= COUNTS_KEPT:
                self._counts.clear()
            self._counts[where] = count
        return count <= EXACT_UP_TO

    def _walk(self, query: str, k: int, where: Where, exclude: Collection[int]) -> list[Hit]:
        fits, values = _condition(where, exclude)
        asked = [name for name in Garment.Category.values if not where.categories or name in where.categories]
        if not asked:
            return []
        selects = [NEAREST.format(table=self.table, category=category, fits=fits) for category in asked]
        sql = WALK.format(near=min(max(NEAR // len(asked), k), 1000), selects=" UNION ALL ".join(selects))
        return sorted(self._hits(sql, query, k, values), key=lambda hit: -hit.score)[:k]

    def _compare(self, query: str, k: int, where: Where, exclude: Collection[int]) -> list[Hit]:
        fits, values = _condition(where, exclude)
        return self._hits(COMPARE.format(table=self.table, fits=fits), query, k, values)

    def _hits(self, sql: str, query: str, k: int, values: dict) -> list[Hit]:
        rows = self._rows(sql, query=query, k=k, **values)
        return [Hit(garment_id, -distance, design) for garment_id, design, distance in rows]

    @staticmethod
    def _rows(sql: str, **values) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)  # several statements in one are one transaction: SET LOCAL ends with it
            return cursor.fetchall()


def _condition(where: Where, exclude: Collection[int]) -> tuple[str, dict]:
    """For WHERE, with its values."""
    parts, values = ["true"], {}
    for column, asked in (
        ("category", where.categories), ("product_type", where.product_types), ("gender", where.genders),
        ("age_group", {where.age_group} - {""}), ("brand", where.brands), ("colour", where.colours),
    ):  # fmt: skip
        if asked:
            parts.append(f"{column} = ANY(%({column})s)")
            values[column] = sorted(asked)
    if exclude:
        parts.append("garment_id <> ALL(%(exclude)s)")
        values["exclude"] = sorted(map(int, exclude))
    return " AND ".join(parts), values


class Following:
    """Keeps the table up to date and knows which one is served. One a process; tests make their own."""

    def __init__(self, look_seconds: float = LOOK_SECONDS):
        self.look_seconds = look_seconds
        self._index: PgVector | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()

    def current(self) -> PgVector | None:
        """What to search; None while no copy is complete. One process at a time follows what has changed.

        Raises:
            DatabaseError
        """
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=self._index is None):
            try:
                self._index = self._looked(self._index)
                self._next_look = time.monotonic() + self.look_seconds
            finally:
                self._lock.release()
        return self._index

    @staticmethod
    def _looked(index: PgVector | None) -> PgVector | None:
        generation, truth = tables.current(), look()
        if generation and generation.fits(truth) and generation.seq < truth.seq:
            tables.catch_up(generation, AT_ONCE)
            generation = tables.current()
        if generation is None or (index and index.generation == generation):
            return index if generation else None
        return PgVector(generation)


def follow() -> None:
    """In each sweep of the workers: follow everything, and have it copied where no copy holds what is served."""
    global _copying, _no_sooner
    generation, truth = tables.current(), look()
    if generation and generation.fits(truth):
        end = time.monotonic() + SWEEP_SECONDS
        while tables.catch_up(generation, AT_ONCE) == AT_ONCE and time.monotonic() < end:
            pass
        tables.tidy()
    elif truth.source and (_copying is None or _copying.poll() is not None) and time.monotonic() >= _no_sooner:
        if reason := tables.problem():
            log.error("%s The index in memory serves.", reason)
        else:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "copy_to_pgvector", "--gently"]
            _copying = subprocess.Popen(command)  # of its own, as a graph takes minutes to build
        _no_sooner = time.monotonic() + PAUSE_SECONDS


_copying: subprocess.Popen | None = None
_no_sooner = 0.0
