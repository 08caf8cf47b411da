from recommend.models.embeddings import Change, Embedding, Serving

__all__ = ["Change", "Embedding", "Serving"]
