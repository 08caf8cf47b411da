"""The published garments' vectors, where they can be searched: `current()` gives what to ask.

By default each process maps a snapshot that a worker has written and lays over it what has changed since; one without
a snapshot loads the vectors itself. Only numpy and FAISS are imported: a web process needs no network.
"""

from recommend.index.base import EVERYTHING, Hit, Source, VectorIndex, VectorRefused, Where
from recommend.index.following import Index
from recommend.index.load import load

__all__ = ["EVERYTHING", "Hit", "Index", "Source", "VectorIndex", "VectorRefused", "Where", "current", "load"]

_index = Index()
current = _index.current
