from recommend.models.embeddings import Change, Embedding, Serving
from recommend.models.queries import Query, QueryLook

__all__ = ["Change", "Embedding", "Query", "QueryLook", "Serving"]
