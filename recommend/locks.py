"""Work that one process does at a time, whichever machine it is on: advisory locks of the database."""

import contextlib
from collections.abc import Iterator
from enum import Enum, unique

from django.db import connection


@unique
class Lock(Enum):
    """Any numbers, the same in every process. 7_203_118 is the reaper's, 7_203_119 that of the numbers of changes."""

    SNAPSHOT = 7_203_120
    FIT = 7_203_121
    PGVECTOR = 7_203_122


@contextlib.contextmanager
def alone(lock: Lock) -> Iterator[bool]:
    """Whether this is the one process that does it now. Postgres frees the lock of one that dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.value])
        if not cursor.fetchone()[0]:
            yield False
            return
        try:
            yield True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock.value])
