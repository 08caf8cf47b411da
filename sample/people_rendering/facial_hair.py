"""Brows, lashes and short beards as strands."""

from __future__ import annotations

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from .body import Body
from .hair import Head
from .skin import beard_area


def brows(body: Body, head: Head, spec: dict, rng) -> np.ndarray:
    """Both brows (strands, 5, 3). spec: "brow_width" (metres at the widest), "brow_hairs" a side."""
    surface = BVHTree.FromPolygons(head.points.tolist(), head.triangles.tolist())
    count, width = spec.get("brow_hairs", 260), spec.get("brow_width", 0.0056)
    strands = []
    for side, bone in ((1, "eye.L"), (-1, "eye.R")):
        eye = body.joints[bone]
        u = rng.beta(1.25, 1.4, count)  # 0 at the nose, 1 at the temple
        v = rng.normal(0, 0.38, count) * width * np.interp(u, [0, 0.12, 0.5, 1], [0.7, 1, 0.75, 0.25])
        # Hairs stand up near the nose and lie outwards towards the temple.
        angle = np.interp(u, [0, 0.15, 0.4, 1], [62, 40, 18, -4]) + rng.normal(0, 9, count) - 700 * v
        length = 0.0068 * rng.uniform(0.7, 1.15, count) * np.interp(u, [0, 0.2, 1], [0.75, 1, 0.7])
        for k in range(count):
            x, z = _brow_line(u[k])
            strands.append(
                [
                    _on_face(
                        surface,
                        eye[0] + side * (x + t * length[k] * np.cos(np.radians(angle[k]))),
                        eye[2] + z + v[k] + spec.get("brow_lift", 0.0) + t * length[k] * np.sin(np.radians(angle[k])),
                        0.0003 + 0.0010 * t,
                    )
                    for t in np.linspace(0, 1, 5)
                ]
            )
    return np.array(strands)


def _brow_line(u: float) -> tuple[float, float]:
    """A brow's middle line outwards and up from the eye's centre, metres: rising to an arch, then falling."""
    return -0.019 + 0.045 * u, float(np.interp(u, [0, 0.3, 0.65, 0.85, 1], [0.0165, 0.0185, 0.0203, 0.0188, 0.0155]))


def _on_face(surface: BVHTree, x: float, z: float, off: float) -> tuple[float, float, float]:
    hit, _, _, _ = surface.ray_cast(Vector((x, -1.0, z)), Vector((0, 1, 0)))
    return (x, (hit.y if hit else 0.0) - off, z)


def lashes(body: Body, rng) -> np.ndarray:
    """Lashes (strands, 4, 3) spread along MakeHuman's lash strips, the upper ones denser."""
    strands = []
    for side, bone in (("l", "eye.L"), ("r", "eye.R")):
        eye = body.joints[bone]
        for strip in "12":
            points = body.posed[body.base.part(f"helper-{side}-eyelashes-{strip}").ids]
            reach = np.linalg.norm(points - eye, axis=1)
            root, tip = (_ordered(points[far]) for far in (reach < np.median(reach), reach >= np.median(reach)))
            place = rng.random(80 if points[:, 2].mean() > eye[2] else 40)
            start, end = _at(root, place), _at(tip, place)
            strands.append(np.stack([start + (end - start) * 0.8 * t for t in np.linspace(0, 1, 4)], 1))
    return np.concatenate(strands)


def _ordered(points: np.ndarray) -> np.ndarray:
    return points[np.argsort(points[:, 0])]


def _at(line: np.ndarray, place: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, len(line))
    return np.stack([np.interp(place, share, line[:, k]) for k in range(3)], 1)


def beard(body: Body, head: Head, spec: dict, rng) -> np.ndarray:
    """A short beard (strands, 4, 3); spec: "beard_length" (metres), "beard_hairs"."""
    corners = head.points[head.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    skin = (1 - head.lips).clip(0, 1)[head.triangles].min(1)
    weight = area * skin * beard_area(body, corners.mean(1)) ** 1.5
    chosen = rng.choice(len(weight), spec.get("beard_hairs", 9000), p=weight / weight.sum())
    roots = (corners[chosen] * rng.dirichlet([1, 1, 1], len(chosen))[..., None]).sum(1)
    normal, _ = head.below(roots)
    way = normal * 0.7 + np.array([0, -0.1, -0.8]) + 0.35 * rng.normal(size=roots.shape)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = spec["beard_length"] * (0.6 + 0.8 * rng.random(len(roots)))
    return np.stack([roots + way * (length * t)[:, None] for t in np.linspace(0, 1, 4)], 1)
