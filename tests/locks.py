"""Locks as another process sees and holds them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from recommend.locks import Lock


@contextmanager
def held_elsewhere(lock: Lock) -> Iterator[bool]:
    """Whether another connection got it; free again at the end."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.value])
            yield cursor.fetchone()[0]
            cursor.execute("SELECT pg_advisory_unlock_all()")  # now: of a closed connection Postgres hears later
    finally:
        other.close()


def is_free(lock: Lock) -> bool:
    with held_elsewhere(lock) as got:
        return got
