"""Exact search by inner product in float16 rows, where they lie: in memory or in a mapped file, uncopied."""

import faiss
import numpy as np

STEP = 16  # FAISS computes so many numbers at a time, and is twenty times slower where some are left over
_OWNS_NOTHING = faiss.MaybeOwnedVectorUInt8()  # lends views its empty owner, so it must live as long as the process


class Flat:
    """A run of rows, (n, width) float16 without gaps, as FAISS sees it."""

    def __init__(self, rows: np.ndarray):
        self.rows = rows  # FAISS knows their address alone
        self.index = faiss.IndexScalarQuantizer(
            rows.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        address = faiss.cast_integer_to_uint8_ptr(rows.ctypes.data)
        self.index.codes = faiss.MaybeOwnedVectorUInt8.create_view(address, rows.nbytes, _OWNS_NOTHING.owner)
        self.index.ntotal = len(rows)

    def search(self, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Scores and places of the k best rows for (1, width) float32, best first; fewer where fewer are allowed.

        Args:
            allowed: (n,) bool; None for all.
        """
        k = min(k, len(self.rows))
        if allowed is None:
            scores, places = self.index.search(query, k)
            return scores[0], places[0]
        bits = np.packbits(allowed, bitorder="little")
        only = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        scores, places = self.index.search(query, k, params=only)
        found = places[0] >= 0
        return scores[0][found], places[0][found]


def inner_products(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Of (n, width) float32 with (width,), on the calling thread alone: numpy's would start one for each core."""
    products = np.empty(len(rows), np.float32)
    faiss.fvec_inner_products_ny(*map(faiss.swig_ptr, (products, query, rows)), rows.shape[1], len(rows))
    return products


def one_thread() -> None:
    """To be called in each thread that searches: FAISS keeps its number of threads by calling thread."""
    faiss.omp_set_num_threads(1)


def padded(rows: np.ndarray) -> np.ndarray:
    """Rows (n, dim) filled up with zeros to a multiple of STEP."""
    beyond = -rows.shape[1] % STEP
    return np.pad(rows, ((0, 0), (0, beyond))) if beyond else rows
