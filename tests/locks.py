"""Locks as another process sees and holds them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from recommend.locks import Lock


@contextmanager
def held_elsewhere(lock: Lock) -> Iterator[bool]:
    """Whether another connection got it; free again when that is closed, as when a process dies."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.value])
            yield cursor.fetchone()[0]
    finally:
        other.close()


def is_free(lock: Lock) -> bool:
    with held_elsewhere(lock) as got:
        return got
