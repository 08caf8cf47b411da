"""Large indexes in leaves: stretches of garments that look alike, so that a search can leave out most of them.

This is an inverted file (Sivic and Zisserman, Video Google, 2003; FAISS calls it IVF) whose lists are the rows
themselves, put in order: nothing is stored twice, scores stay exact, and a filter by key picks whole leaves.
"""

from itertools import pairwise

import faiss
import numpy as np

from recommend.index.base import EVERYTHING
from recommend.index.block import Block, Reach
from recommend.index.columns import Columns
from recommend.index.flat import one_thread

SIZE = 400  # rows of a leaf
ITERATIONS, TRAINED_ON = 8, 64  # of k-means, and rows a leaf
AT_ONCE = 20_000  # rows compared with the leaves' centres
SEED = 1

WANTED_RECALL = 0.99  # of the ten nearest
SAMPLE, NEAREST = 200, 10
NONE_PAYS = 0.25  # of all rows: where so many must be looked at, leaves save nothing


def split(
    vectors: np.ndarray, order: np.ndarray, key_starts: np.ndarray, *, gpus: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The leaf of each row of `order`, (n,), numbered from 0, those of a key in a row; and their centres.

    Args:
        vectors: (n, width) float16.
        order: (n,) rows sorted by key.
        key_starts: (keys + 1,) where each key begins in `order`.
        gpus: that find the leaves, by faiss-gpu; 0 for the calling thread.
    """
    one_thread()
    leaf_of, centres, leaves = np.empty(len(order), np.int64), [], 0
    for start, stop in pairwise(key_starts.tolist()):
        own = _split_key(vectors, order[start:stop], gpus)
        leaf_of[start:stop] = own + leaves
        leaves += own.max() + 1
        centres.append(_centres(vectors, order[start:stop], own))
    return leaf_of, np.concatenate(centres)


def _split_key(vectors: np.ndarray, rows: np.ndarray, gpus: int) -> np.ndarray:
    """A leaf for each of these rows; no leaf is empty."""
    count = round(len(rows) / SIZE)
    if count < 2:
        return np.zeros(len(rows), np.int64)
    sample = np.random.default_rng(SEED).permutation(rows)[: count * TRAINED_ON]
    means = faiss.Kmeans(
        vectors.shape[1], count, niter=ITERATIONS, seed=SEED, spherical=True, min_points_per_centroid=1, gpu=gpus
    )
    means.train(vectors[sample].astype(np.float32))
    parts = range(0, len(rows), AT_ONCE)
    nearest = [means.index.search(vectors[rows[at : at + AT_ONCE]].astype(np.float32), 1)[1][:, 0] for at in parts]
    return np.unique(np.concatenate(nearest), return_inverse=True)[1]


def _centres(vectors: np.ndarray, rows: np.ndarray, leaf_of: np.ndarray) -> np.ndarray:
    """(leaves, width) float16 of unit length: the mean direction of each."""
    order = np.argsort(leaf_of, kind="stable")
    starts = np.searchsorted(leaf_of[order], np.arange(leaf_of.max() + 2))
    centres = np.stack(
        [vectors[rows[order[start:stop]]].mean(axis=0, dtype=np.float32) for start, stop in pairwise(starts.tolist())]
    )
    return (centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)).astype(np.float16)


def reach_for(columns: Columns) -> Reach | None:
    """How far a search in everything must go to find WANTED_RECALL of the nearest; None where leaves do not pay.

    Measured with garments of the index itself, each looked for without itself.
    """
    one_thread()
    block = Block(columns)
    sample = np.random.default_rng(SEED).choice(len(columns), min(SAMPLE, len(columns)), replace=False)
    nearest, depths = zip(*(_depths(block, place) for place in sample.tolist()), strict=True)
    rows = int(np.quantile(np.concatenate(depths), WANTED_RECALL))
    if rows > NONE_PAYS * len(columns):
        return None
    least, usual = min(nearest), float(np.median(nearest))
    margin = (usual - least) / 2  # more than between the leaves of a look's genders, less than between types
    return Reach(rows, least - margin / 2, margin)


def _depths(block: Block, place: int) -> tuple[float, np.ndarray]:
    """Of the search for a garment: the nearest leaf's cosine, and for each of the true nearest garments how many rows
    lie in the leaves up to its own.
    """
    columns = block.columns
    query = columns.vectors[place : place + 1].astype(np.float32)
    hits = block.search(query, NEAREST, EVERYTHING, np.array([place]), exact=True)
    leaves, counts, cosines = block.leaves_by_nearness(block.to_leaves(query[0]), block.runs(EVERYTHING), None)
    reached = dict(zip(leaves.tolist(), np.cumsum(counts).tolist(), strict=True))
    places = columns.places(hit.garment_id for hit in hits)
    holding = np.searchsorted(columns.leaf_starts, places, side="right") - 1
    return float(cosines[0]), np.array([reached[leaf] for leaf in holding.tolist()])
