"""The tables in which pgvector searches: made by `manage.py copy_to_pgvector`, then kept up by change numbers.

A generation is one table of one encoder's vectors with what a search filters by. It is apart from the garments', so
that changing a price writes nothing into a graph. Another encoder gets another generation, which is served when it is
complete. No migration makes them: a Postgres without the extension is never asked for it.
"""

import io
import logging
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db import ProgrammingError, connection, transaction

from recommend.index.base import Source
from recommend.index.columns import Item
from recommend.index.load import Truth, load
from recommend.models import Change
from shop.models import Garment

log = logging.getLogger(__name__)

EXTENSION = "vector"
OLDEST = (0, 8, 4)  # before it, vacuuming could damage HNSW indexes
STATE = "recommend_pgvector"
COLUMNS = ("garment_id", "age_group", "category", "product_type", "gender", "brand", "colour", "design", "embedding")
MAINTENANCE_MEMORY = "1GB"  # for building graphs; one that does not fit is built several times slower
COPY_BEGINS, COPY_ENDS = b"PGCOPY\n\xff\r\n\0" + bytes(8), struct.pack(">h", -1)
AT_ONCE = 2000  # rows
KEPT_SECONDS = 60  # an old generation is kept so long for processes that have not looked since


class NoPgvector(Exception):
    """This Postgres has no pgvector, or too old a one; the text says what to do."""


@dataclass(frozen=True)
class Generation:
    """One table, as of change number `seq`. `tables` is the database's (`load.Truth`)."""

    number: int
    source: Source
    dim: int
    seq: int
    tables: str

    @property
    def table(self) -> str:
        return f"{STATE}_{self.number}"

    def fits(self, truth: Truth) -> bool:
        """Whether it holds what this database serves, or did at an earlier change number."""
        return (self.source, self.tables) == (truth.source, truth.tables) and self.seq <= truth.seq


def current() -> Generation | None:
    """The newest complete one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [STATE])
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(
            f"SELECT number, name, version, label, dim, seq, tables FROM {STATE} WHERE ready IS NOT NULL "
            "ORDER BY number DESC LIMIT 1"
        )
        row = cursor.fetchone()
    return row and Generation(row[0], Source(*row[1:4]), *row[4:])


def problem() -> str:
    """Why pgvector cannot be used here; empty where it can."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = %s",
            [EXTENSION],
        )
        row = cursor.fetchone()
    if row is None:
        return "This Postgres has no pgvector: install it there, or use an image that carries it."
    if tuple(map(int, row[0].split("."))) < OLDEST:
        return f"This Postgres has pgvector {row[0]}; {'.'.join(map(str, OLDEST))} or newer is needed."
    return ""


def create(truth: Truth, dim: int) -> Generation:
    """An empty generation, not served yet, that is to hold what is true at `truth.seq`.

    Raises:
        NoPgvector
    """
    if reason := problem():
        raise NoPgvector(reason)
    _install()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {STATE} (number serial PRIMARY KEY, name text NOT NULL, "
            "version text NOT NULL, label text NOT NULL, dim int NOT NULL, seq bigint NOT NULL, "
            "tables text NOT NULL, ready timestamptz)"
        )
        cursor.execute(
            f"INSERT INTO {STATE} (name, version, label, dim, seq, tables) VALUES (%s, %s, %s, %s, %s, %s) "
            "RETURNING number",
            [truth.source.name, truth.source.version, truth.source.label, dim, truth.seq, truth.tables],
        )
        made = Generation(cursor.fetchone()[0], truth.source, dim, truth.seq, truth.tables)
        texts = ", ".join(f"{name} text NOT NULL" for name in COLUMNS[1:-1])
        cursor.execute(
            # Plain: 512 numbers fit a page, and are read without a look into another table.
            f"CREATE TABLE {made.table} (garment_id bigint NOT NULL, {texts}, "
            f"embedding halfvec({dim}) STORAGE PLAIN NOT NULL)"
        )
    return made


def _install() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
    except ProgrammingError as error:
        raise NoPgvector(f"{error}Have a superuser of this Postgres run: CREATE EXTENSION {EXTENSION}") from error


def fill(generation: Generation, items: Iterable[Item]) -> int:
    """Copy garments into an empty table. Returns how many."""
    rows = (_binary(item) for item in items if holds(item, generation.dim))
    copy, count = f"COPY {generation.table} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)", 0
    # Piece by piece: the items may come from this very connection, which is not asked anything while it copies.
    while piece := list(islice(rows, AT_ONCE)):
        with connection.cursor() as cursor:
            cursor.copy_expert(copy, io.BytesIO(COPY_BEGINS + b"".join(piece) + COPY_ENDS))
        count += len(piece)
    return count


def add_indexes(generation: Generation) -> None:
    """A graph for each category: one graph of all is lost where the nearest are sought in another category."""
    table = generation.table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL maintenance_work_mem = '{MAINTENANCE_MEMORY}'")
        # In the order in which narrow filters read.
        cursor.execute(f"CREATE INDEX {table}_key ON {table} (product_type, gender, category, age_group)")
        cursor.execute(f"CLUSTER {table} USING {table}_key")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (garment_id)")
        cursor.execute(f"CREATE INDEX {table}_brand ON {table} (brand)")
        cursor.execute(f"CREATE INDEX {table}_colour ON {table} (colour)")
        for category in Garment.Category.values:
            cursor.execute(
                f"CREATE INDEX {table}_{category} ON {table} USING hnsw (embedding halfvec_ip_ops) "
                f"WHERE category = '{category}'"
            )
        cursor.execute(f"ANALYZE {table}")


def serve(generation: Generation) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {STATE} SET ready = now() WHERE number = %s", [generation.number])


def catch_up(generation: Generation, limit: int) -> int:
    """Bring the table up by the next `limit` changes at most; returns by how many.

    Does nothing where another process does it now. What is equal is not written again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT seq FROM {STATE} WHERE number = %s FOR UPDATE SKIP LOCKED", [generation.number])
        row = cursor.fetchone()
        if row is None:
            return 0
        rows = Change.objects.filter(seq__gt=row[0]).order_by("seq").values_list("seq", "garment_id")[:limit]
        changes = dict(rows)
        if not changes:
            return 0
        items = [item for item in load(generation.source, changes.values()) if holds(item, generation.dim)]
        gone = set(changes.values()) - {item.garment_id for item in items}
        cursor.execute(f"DELETE FROM {generation.table} WHERE garment_id = ANY(%s)", [sorted(gone)])
        facts = COLUMNS[1:]
        new, old = (", ".join(f"{row}.{name}" for name in facts) for row in ("excluded", "own"))
        cursor.executemany(
            f"INSERT INTO {generation.table} AS own ({', '.join(COLUMNS)}) "
            f"VALUES ({', '.join(['%s'] * len(COLUMNS))}) ON CONFLICT (garment_id) "
            f"DO UPDATE SET ({', '.join(facts)}) = ({new}) WHERE ({new}) IS DISTINCT FROM ({old})",
            [(item.garment_id, *_texts(item), text(item.vector)) for item in items],
        )
        cursor.execute(f"UPDATE {STATE} SET seq = %s WHERE number = %s", [max(changes), generation.number])
        return len(changes)


def tidy() -> None:
    """Drop what is older than the generation served, once no process can still search it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT old.number FROM {STATE} old WHERE EXISTS (SELECT FROM {STATE} newer WHERE "
            "newer.number > old.number AND newer.ready < now() - %s * interval '1 second')",
            [KEPT_SECONDS],
        )
        _drop(cursor.fetchall())


def drop_unfinished() -> None:
    """What a copy left that was interrupted. To be called where no other copies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [STATE])
        if cursor.fetchone()[0] is not None:
            cursor.execute(f"SELECT number FROM {STATE} WHERE ready IS NULL")
            _drop(cursor.fetchall())


def _drop(numbers: list[tuple[int]]) -> None:
    for (number,) in numbers:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {STATE}_{number}")
            cursor.execute(f"DELETE FROM {STATE} WHERE number = %s", [number])


def text(vector: np.ndarray) -> str:
    """A vector as pgvector reads it; five digits say which float16 is meant."""
    return "[" + ",".join([f"{number:.5g}" for number in vector.tolist()]) + "]"


def holds(item: Item, dim: int) -> bool:
    """Whether a table of `dim` numbers can hold it."""
    if len(item.vector) == dim and np.isfinite(item.vector).all():
        return True
    log.error(
        "garment %s: a vector of %s numbers instead of %s, or not of numbers", item.garment_id, len(item.vector), dim
    )
    return False


def _texts(item: Item) -> tuple[str, ...]:
    return (*item.key, item.brand, item.colour, item.design)


def _binary(item: Item) -> bytes:
    """A row in Postgres's binary format of COPY; a halfvec is its length, two bytes unused, and its numbers."""
    vector = struct.pack(">hh", len(item.vector), 0) + item.vector.astype(">f2").tobytes()
    values = [struct.pack(">q", item.garment_id), *(value.encode() for value in _texts(item)), vector]
    return struct.pack(">h", len(values)) + b"".join(struct.pack(">i", len(value)) + value for value in values)
