"""Operations on triangle meshes held as arrays: split, clip, smooth, edges."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix


def split(fields: list[np.ndarray], faces) -> tuple[list[np.ndarray], np.ndarray]:
    """Cut every polygon into quads at its centre and edge middles; each field (N, ...) is interpolated."""
    middles, faces_out, groups = {}, [], []
    count = len(fields[0])

    def middle(corners):
        key = tuple(sorted(corners))
        if key not in middles:
            middles[key] = count + len(groups)
            groups.append(list(key))
        return middles[key]

    for face in faces:
        centre = middle(face)
        edges = [middle((face[i], face[(i + 1) % len(face)])) for i in range(len(face))]
        faces_out += [[face[i], edges[i], centre, edges[i - 1]] for i in range(len(face))]
    return [np.concatenate([f, np.array([f[g].mean(0) for g in groups])]) for f in fields], np.array(faces_out)


def clip(fields: list[np.ndarray], triangles: np.ndarray, level: np.ndarray):
    """Keep the part of the mesh where level >= 0, cutting triangles exactly along level = 0."""
    inside, count = level >= 0, len(level)
    cuts, pairs, out = {}, [], []

    def cut(i, j):
        key = (min(i, j), max(i, j))
        if key not in cuts:
            cuts[key] = count + len(pairs)
            pairs.append(key)
        return cuts[key]

    for triangle in triangles.tolist():
        kept = [inside[i] for i in triangle]
        if all(kept):
            out.append(triangle)
        elif any(kept):
            lone = kept.index(sum(kept) == 1)
            a, b, c = (triangle[(lone + k) % 3] for k in range(3))
            p, q = cut(a, b), cut(a, c)
            out += [[a, p, q]] if sum(kept) == 1 else [[p, b, c], [p, c, q]]
    first, second = np.array(pairs, int).reshape(-1, 2).T
    share = level[first] / (level[first] - level[second])
    fields = [
        np.concatenate([f, f[first] + (f[second] - f[first]) * share.reshape(-1, *[1] * (f.ndim - 1))]) for f in fields
    ]
    used, triangles = np.unique(np.array(out), return_inverse=True)
    return [f[used] for f in fields], triangles.reshape(-1, 3)


def neighbours(count: int, faces: np.ndarray) -> csr_matrix:
    """Row-normalised adjacency: multiplying by it averages each vertex's neighbours."""
    start, end = faces.ravel(), np.roll(faces, 1, axis=1).ravel()
    ones = np.ones(2 * len(start))
    matrix = coo_matrix((ones, (np.r_[start, end], np.r_[end, start])), shape=(count, count)).tocsr()
    matrix.data[:] = 1
    degree = np.asarray(matrix.sum(1)).ravel().clip(1)
    return csr_matrix(matrix.multiply(1 / degree[:, None]))


def smooth(values: np.ndarray, average: csr_matrix, rounds: int, weight=0.5, fixed=None) -> np.ndarray:
    for _ in range(rounds):
        moved = values + weight * (average @ values - values)
        if fixed is not None:
            moved[fixed] = values[fixed]
        values = moved
    return values


def normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit vertex normals."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], face)
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)


def border(triangles: np.ndarray) -> np.ndarray:
    """The vertices on open edges."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    edges, times = np.unique(edges, axis=0, return_counts=True)
    return np.unique(edges[times == 1])
