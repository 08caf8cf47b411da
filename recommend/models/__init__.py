from recommend.models.bases import Basis
from recommend.models.embeddings import Change, Embedding, Serving
from recommend.models.queries import Query, QueryLook

__all__ = ["Basis", "Change", "Embedding", "Query", "QueryLook", "Serving"]
