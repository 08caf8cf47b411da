"""Arithmetic that encoders share."""

import numpy as np

MOST = 512  # numbers a vector may have
SEED = 20_260


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (N, dim) as float32 of length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)


def amid(vectors: np.ndarray) -> np.ndarray:
    """The unit vector (dim,) amid unit rows (N, dim)."""
    return unit(vectors.mean(axis=0, keepdims=True))[0]


def joined(parts: list[tuple[float, np.ndarray]]) -> np.ndarray:
    """Unit rows side by side, so that the cosine of two is the weighted mean of the parts' cosines.

    Args:
        parts: (weight, (N, dim) unit rows); the weights sum to 1.
    """
    return np.concatenate([np.sqrt(weight) * rows for weight, rows in parts], axis=1).astype(np.float32)


def reduced(vectors: np.ndarray) -> np.ndarray:
    """Rows of at most MOST numbers, unit: longer ones on a fixed random subspace, which keeps angles nearly."""
    if vectors.shape[1] > MOST:
        vectors = vectors @ subspace(vectors.shape[1], MOST)
    return unit(vectors)


def subspace(dim: int, numbers: int) -> np.ndarray:
    """(dim, numbers) orthonormal columns, random and the same on every machine.

    numpy freezes RandomState's stream, and with a positive diagonal of R the decomposition is unique.
    """
    q, r = np.linalg.qr(np.random.RandomState(SEED).standard_normal((dim, numbers)))
    return q * np.sign(np.diag(r))
