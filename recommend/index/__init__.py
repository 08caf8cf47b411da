"""The published garments' vectors, where they can be searched: `current()` gives what to ask.

By default each process maps a snapshot that a worker has written and lays over it what has changed since; one without
a snapshot loads the vectors itself. Only numpy and FAISS are imported: a web process needs no network.
"""

from django.conf import settings

from recommend.index.base import EVERYTHING, Hit, Source, VectorIndex, VectorRefused, Where
from recommend.index.following import Index
from recommend.index.load import load
from recommend.index.pgvector import Following

__all__ = ["EVERYTHING", "Hit", "Index", "Source", "VectorIndex", "VectorRefused", "Where", "current", "load"]

_index = Index()
_tables = Following()


def current() -> VectorIndex:
    """The index to search, as the setting RECOMMEND_INDEX chooses it; that in memory until pgvector's is complete.

    Raises:
        DatabaseError: there was none yet.
    """
    if settings.RECOMMEND_INDEX == "pgvector" and (index := _tables.current()):
        return index
    return _index.current()
