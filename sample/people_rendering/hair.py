"""Hair of the head, grown strand by strand on the scalp: where it grows, and five ways to wear it.

A strand is a row of points in metres; a style returns an array (strands, points per strand, 3).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .body import Body, Part
from .surface import normals

# The hairline: how far behind the eyes (metres) -> how far up from the eyes to the crown (share) hair begins.
# It runs over the forehead, down the temple, around the ear and along the nape.
LINE_DEPTH = (-0.05, 0.0, 0.02, 0.042, 0.056, 0.066, 0.076, 0.09, 0.105, 0.13, 0.2)
LINE_HEIGHT = (0.565, 0.555, 0.50, 0.37, 0.12, -0.10, -0.04, 0.14, -0.28, -0.52, -0.62)


class Head:
    """The skull's surface: where hair roots, and how far a point is from it."""

    def __init__(self, body: Body, part: Part, recession: float = 0.0):
        self.points = body.posed[part.ids]
        self.triangles = part.triangles
        self.eye = body.eyes
        self.top = self.points[:, 2].max() - self.eye[2]
        self.recession = recession
        self.normals = normals(self.points, self.triangles)
        self.ear, self.lips = part.mask("ears"), part.mask("lips")
        near = self.points[:, 2] > self.eye[2] - 0.25
        self._tree, self._near, self._near_normals = cKDTree(self.points[near]), self.points[near], self.normals[near]

    def above_hairline(self, points: np.ndarray) -> np.ndarray:
        """Metres above the hairline, ragged by a few millimetres; negative on the face and the neck."""
        x, depth, height = (points - self.eye).T
        line = np.interp(depth, LINE_DEPTH, LINE_HEIGHT) * self.top
        # Receding corners at the temples, a soft peak between them.
        line += self.recession * np.exp(-(((np.abs(x) - 0.045) / 0.018) ** 2)) * (depth < 0.04)
        ragged = np.sin(x * 410) + np.sin(x * 937 + 2) + np.sin(depth * 530 + 1)
        return height - line + 0.0011 * ragged

    def scalp(self) -> np.ndarray:
        """For each vertex of the skin: 1 where hair grows, 0 elsewhere, soft at the edge."""
        inside = np.clip((self.above_hairline(self.points) + 0.004) / 0.012, 0, 1)
        inside[self.points[:, 2] < self.eye[2] - 0.11] = 0
        return inside * (1 - self.ear.clip(0, 1))

    def roots(self, count: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Up to count root points and how deep in the hair each lies (0 at the hairline, 1 from 15 mm on)."""
        corners = self.points[self.triangles]
        centre = corners.mean(1)
        grows = (self.above_hairline(centre) > -0.003) & (centre[:, 2] > self.eye[2] - 0.12)
        grows &= self.ear[self.triangles].max(1) < 0.2
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        area = np.where(grows, area, 0)
        chosen = rng.choice(len(area), count, p=area / area.sum())
        roots = (corners[chosen] * rng.dirichlet([1, 1, 1], count)[..., None]).sum(1)
        depth = np.clip(self.above_hairline(roots) / 0.015, 0, 1)
        keep = rng.random(count) < 0.2 + 0.8 * depth
        return roots[keep], depth[keep]

    def below(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The surface's normal under each point, and the point's height over the surface."""
        distance, nearest = self._tree.query(points, k=5)
        weight = 1 / (distance + 1e-4)
        weight /= weight.sum(1, keepdims=True)
        foot = (self._near[nearest] * weight[..., None]).sum(1)
        normal = _unit((self._near_normals[nearest] * weight[..., None]).sum(1))
        return normal, ((points - foot) * normal).sum(1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


def _along(normal: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The direction, laid flat onto the surface."""
    return _unit(direction - normal * (direction * normal).sum(1, keepdims=True))


def _locks(roots: np.ndarray, rng, size: float) -> np.ndarray:
    """One random vector a lock: neighbours within about `size` metres share it."""
    seeds = roots[rng.choice(len(roots), max(8, int(len(roots) * (0.004 / size) ** 2 / 3)))]
    return rng.normal(size=seeds.shape)[cKDTree(seeds).query(roots)[1]]


def grow(head: Head, spec: dict, rng) -> np.ndarray:
    """The strands of one head of hair; spec holds "style", "strands", "length" (metres)."""
    roots, depth = head.roots(spec.get("strands", 24000), rng)
    strands = STYLES[spec["style"]](head, roots, depth, spec, rng)
    # A few strands fly off where the surface bends sharply; leave those out.
    reach = np.linalg.norm(strands[..., :2] - head.eye[:2] - (0, 0.08), axis=2).max(1)
    return strands[reach <= np.quantile(reach, 0.985)]


def _coils(head, roots, depth, spec, rng):
    """Tight coils that stand off the head, rounded to one outline."""
    n = len(roots)
    normal, _ = head.below(roots)
    centre = head.eye + np.array([0, 0.085, 0.035])
    outward = _unit(0.55 * normal + 0.45 * _unit(roots - centre))
    length = spec["length"] * (0.8 + 0.4 * rng.random(n)) * (0.45 + 0.55 * depth)
    side = _unit(np.cross(outward, rng.normal(size=(n, 3))))
    other = np.cross(outward, side)
    start, radius, turns = rng.random(n) * 6.28, 0.0018 + 0.0012 * rng.random(n), 4 + 3 * rng.random(n)
    lock = _locks(roots, rng, 0.006)
    strands = []
    for t in np.linspace(0, 1, 18):
        angle, r = start + t * turns * 6.28, radius * min(1, 3 * t)
        coil = (r * np.cos(angle))[:, None] * side + (r * np.sin(angle))[:, None] * other
        strands.append(roots - 0.001 * normal + outward * (length * t)[:, None] + coil + 0.004 * t * lock)
    return np.stack(strands, 1)


def _buzz(head, roots, depth, spec, rng):
    """A few millimetres all over, leaning forward."""
    normal, _ = head.below(roots)
    lean = _unit(normal + 0.5 * _along(normal, np.array([[0, -0.6, -0.5]])) + 0.35 * rng.normal(size=roots.shape))
    height = np.clip((roots[:, 2] - head.eye[2] - 0.02) / 0.07, 0.35, 1)
    length = spec["length"] * height * (0.6 + 0.4 * depth) * (0.7 + 0.6 * rng.random(len(roots)))
    return np.stack([roots - 0.0005 * normal + lean * (length * t)[:, None] for t in np.linspace(0, 1, 4)], 1)


def _crop(head, roots, depth, spec, rng):
    """Short sides, longer on top; "comb" is the way the top falls (x, y), "lift" how far it stands up."""
    n = len(roots)
    normal, _ = head.below(roots)
    topness = np.clip((roots[:, 2] - head.eye[2] - 0.068) / 0.040, 0, 1)
    topness = topness * topness * (3 - 2 * topness)
    length = (0.013 + (spec["length"] - 0.013) * topness) * (0.7 + 0.3 * depth) * (0.75 + 0.5 * rng.random(n))
    comb = np.array([[*spec.get("comb", (0.5, -0.5)), 0.0]])
    down = np.array([[0, 0.45, -0.9]])
    lock = _locks(roots, rng, 0.011)
    way = _along(normal, comb * topness[:, None] + down * (1 - topness)[:, None] + 0.45 * lock * topness[:, None])
    lift = (0.30 + (spec.get("lift", 0.8) - 0.30) * topness)[:, None]
    first = _unit(lift * normal + way + 0.10 * rng.normal(size=(n, 3)))
    last = _unit(0.10 * lift * normal + way + 0.25 * topness[:, None] * lock + 0.12 * rng.normal(size=(n, 3)))
    strands = [roots - 0.0005 * normal]
    steps = 9
    for k in range(steps):
        t = k / (steps - 1)
        point = strands[-1] + _unit(first * (1 - t) + last * t) * (length / steps)[:, None]
        under, height = head.below(point)
        strands.append(point + under * np.clip(0.0015 * (1 + 2 * t) - height, 0, None)[:, None])
    return np.stack(strands, 1)


def _march(head, roots, steps, step, direction, height):
    """Strands that run over the head: direction(points, normal) -> way, height(share) -> metres off the skull."""
    normal, _ = head.below(roots)
    point = roots - 0.0005 * normal
    strands = [point]
    for k in range(1, steps):
        normal, _ = head.below(point)
        point = point + _unit(direction(point, normal)) * step(point)[:, None]
        normal, above = head.below(point)
        near = np.clip(height(k / (steps - 1)) - above, 0, 0.010) * 0.8
        point = point + normal * (near * (point[:, 2] > head.eye[2] - 0.085))[:, None]
        strands.append(point)
    strands = np.stack(strands, 1)
    for _ in range(8):
        strands[:, 2:-1] = 0.5 * strands[:, 2:-1] + 0.25 * (strands[:, 1:-2] + strands[:, 3:])
    return strands


def _bob(head, roots, depth, spec, rng):
    """Parted on one side, falling straight to the jaw; length = how far below the eyes it ends."""
    n = len(roots)
    part = spec.get("part", 0.018)
    side = np.sign(roots[:, 0] - part + 0.002 * rng.normal(size=n))
    layer, lock = rng.random(n), _locks(roots, rng, 0.012)
    end = head.eye[2] - spec["length"] + 0.007 * rng.normal(size=n) + 0.006 * lock[:, 0]

    def direction(point, normal):
        behind = np.clip((point[:, 1] - head.eye[1] - 0.05) / 0.08, 0, 1)
        over = _along(normal, np.stack([side * (1 - behind), 0.35 + 0.3 * behind, -0.55 - 0.5 * behind], 1))
        hang = np.clip((0.25 - normal[:, 2]) * 2.5, 0, 1)
        hang = np.maximum(hang, point[:, 2] < head.eye[2] + 0.01)[:, None]
        way = over * (1 - hang) + np.array([0, 0, -1.0]) * hang + 0.05 * lock
        way[:, 0] -= spec.get("curl", 0.16) * np.sign(point[:, 0]) * (point[:, 2] < head.eye[2] - 0.06)
        return way

    return _march(
        head,
        roots,
        28,
        lambda point: np.where(point[:, 2] > end, 0.0125, 0.0004),
        direction,
        lambda t: 0.004 + 0.013 * min(1, 3 * t) * (0.35 + 0.65 * layer),
    )


def _tied(head, roots, depth, spec, rng):
    """Combed back and up into a knot on top of the head; length = the knot's radius."""
    n = len(roots)
    knot = head.eye + np.array([0, 0.105, head.top + 0.022])
    lock, layer = _locks(roots, rng, 0.010), rng.random(n)

    def direction(point, normal):
        return _along(normal, knot - point) + 0.07 * lock

    def step(point):
        return np.minimum(0.011, 0.25 * np.linalg.norm(knot - point, axis=1))

    combed = _march(head, roots, 26, step, direction, lambda t: 0.002 + 0.007 * min(1, 3 * t) * (0.3 + 0.7 * layer))
    # The knot: arcs wound about two axes around a ball.
    count = 3500
    axis = _unit(rng.normal(size=(count, 3)) * (0.35, 0.35, 1.0))
    start = _unit(np.cross(axis, rng.normal(size=(count, 3))))
    other = np.cross(axis, start)
    radius = spec["length"] * (0.55 + 0.45 * rng.random(count) ** 0.4)[:, None]
    reach = rng.uniform(2.2, 3.4, count)
    tilt = axis * rng.normal(0, 0.35, count)[:, None]
    arcs = []
    for t in np.linspace(0, 1, combed.shape[1]):
        angle = (reach * t)[:, None]
        arcs.append(knot + radius * _unit(start * np.cos(angle) + other * np.sin(angle) + tilt) * (1, 1, 0.8))
    return np.concatenate([combed, np.stack(arcs, 1)])


STYLES = {"coils": _coils, "buzz": _buzz, "crop": _crop, "bob": _bob, "tied": _tied}
