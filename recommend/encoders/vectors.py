"""Arithmetic that encoders share."""

import functools

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


def reduced(vectors: np.ndarray, basis: np.ndarray | None = None) -> np.ndarray:
    """Rows of at most MOST numbers, unit: longer ones on the columns of `basis` (dim, MOST), orthonormal.

    Without one, on a fixed random subspace, which keeps angles nearly.
    """
    if vectors.shape[1] > MOST:
        vectors = vectors @ (subspace(vectors.shape[1], MOST) if basis is None else basis)
    return unit(vectors)


def fitted(rows: np.ndarray) -> np.ndarray:
    """(dim, MOST) orthonormal columns on which unit rows (N, dim) keep most of their squared length.

    The principal directions of their second moments; about zero and not the mean, since inner products are compared.
    Rows of fewer directions than MOST are kept whole, and fixed directions make up the number.
    """
    _, strengths, axes = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    return _completed(axes[strengths > 1e-5 * strengths.max(initial=0)][:MOST].T, MOST)


def kept(rows: np.ndarray, basis: np.ndarray) -> float:
    """The share of their squared length that unit rows (N, dim) have on a basis, 0 to 1."""
    return float(((rows @ basis) ** 2).sum(axis=1).mean())


@functools.cache
def subspace(dim: int, numbers: int) -> np.ndarray:
    """(dim, numbers) orthonormal columns, random and the same on every machine."""
    return _completed(np.empty((dim, 0)), numbers)


def _completed(columns: np.ndarray, numbers: int) -> np.ndarray:
    """Orthonormal columns (dim, n) and, after them, random others up to `numbers`: the same on every machine.

    numpy freezes RandomState's stream, and with a positive diagonal of R the decomposition is unique.
    """
    dim, count = columns.shape
    more = np.random.RandomState(SEED).standard_normal((dim, numbers - count))
    q, r = np.linalg.qr(np.hstack([columns, more]))
    return q * np.sign(np.diag(r))
