"""Outlines in centimetres and the stage that puts them on the canvas.

A garment is laid out in centimetres: x to the viewer's right from the centre front, y down from the
highest point of the shoulder (or the waist). The stage fits it into the picture and bends it a little,
because no real garment lies perfectly even; masks, seams and landmarks all go through the same bend.
"""

import itertools

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

WIDTH, HEIGHT = 900, 1200
SUPERSAMPLE = 2
SUBPIXEL_BITS = 4


class Pen:
    """Collects a polyline from straight and Bezier strokes."""

    def __init__(self, x, y):
        self.points = [(x, y)]

    def line(self, x, y):
        return self._stroke([(x, y)], 12)

    def quad(self, cx, cy, x, y):
        return self._stroke([(cx, cy), (x, y)], 32)

    def cubic(self, ax, ay, bx, by, x, y):
        return self._stroke([(ax, ay), (bx, by), (x, y)], 40)

    def through(self, points):
        """A smooth curve through the points (Catmull-Rom, ends doubled)."""
        knots = np.array([self.points[-1], *points], float)
        padded = np.vstack([knots[0], knots, knots[-1]])
        for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
            a, b = start + (end - before) / 6, end - (after - start) / 6
            self.cubic(*a, *b, *end)
        return self

    def down(self, points):
        """A line that leads down through the points without swinging past any of them."""
        knots = np.array([self.points[-1], *points], float)
        y = np.linspace(knots[0, 1], knots[-1, 1], 24 * len(points) + 1)[1:]
        self.points += list(zip(PchipInterpolator(knots[:, 1], knots[:, 0])(y), y, strict=True))
        return self

    def _stroke(self, controls, steps):
        t = np.linspace(0, 1, steps + 1)[1:, None]
        curve = np.array([self.points[-1], *controls], float)[:, None, :]
        while len(curve) > 1:  # de Casteljau
            curve = [a + (b - a) * t for a, b in itertools.pairwise(curve)]
        self.points += [tuple(p) for p in curve[0]]
        return self


def mirror(points):
    """The same points on the other side of the centre front."""
    return [(-x, y) for x, y in points]


def both_sides(points):
    """{name: right-hand point} -> {name_left: ..., name_right: ...}."""
    named = {}
    for name, (x, y) in points.items():
        named[f"{name}_left"], named[f"{name}_right"] = (-x, y), (x, y)
    return named


def band(line, width):
    """The strip of the given width (cm) to the right of a line as one walks along it."""
    line = np.asarray(line, float)
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-6)[:, None]
    return [*map(tuple, line), *map(tuple, (line + normal * width)[::-1])]


def offset(line, distance):
    """The line moved sideways, to the right as one walks along it (cm)."""
    count = len(line)
    return band(line, distance)[count:][::-1]


class Stage:
    """Maps centimetres to the canvas, with a seeded bend, and draws masks at twice the final size."""

    def __init__(self, extent, rng, px_per_cm=11.5, looseness=1.0):
        """extent: (left, top, right, bottom) in cm; looseness: how unevenly the garment lies."""
        left, top, right, bottom = extent
        self.scale = min(800 / (right - left), 1060 / (bottom - top), px_per_cm)
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        self.origin = np.array([WIDTH / 2, HEIGHT / 2 - 4]) - middle * self.scale
        size = max(right - left, bottom - top)
        broad = [(rng.uniform(0.5, 1.2) / size, rng.uniform(0.3, 0.5) * size / 90) for _ in range(3)]
        fine = [(rng.uniform(3.0, 6.0) / size, rng.uniform(0.06, 0.13) * size / 90) for _ in range(3)]
        self._waves = [
            (*self._direction(rng, frequency), rng.uniform(0, 6.28), *rng.normal(0, amount * looseness, 2))
            for frequency, amount in broad + fine
        ]
        self._turn = np.radians(rng.normal(0, 0.5) * looseness)
        # Either side is laid down a little differently: (starts at this half width, sinks, swings out).
        self._sides = [(size * 0.2, *rng.normal(0, (0.035, 0.03)) * looseness) for _ in range(2)]

    @staticmethod
    def _direction(rng, frequency):
        angle = rng.uniform(0, 2 * np.pi)
        return 2 * np.pi * frequency * np.cos(angle), 2 * np.pi * frequency * np.sin(angle)

    def _bend(self, x, y):
        dx, dy = -self._turn * y, self._turn * x
        for kx, ky, phase, ax, ay in self._waves:
            wave = np.sin(kx * x + ky * y + phase)
            dx, dy = dx + ax * wave, dy + ay * wave
        for sign, (start, sink, swing) in zip((-1, 1), self._sides, strict=True):
            beyond = np.maximum(sign * x - start, 0)
            beyond = beyond**2 / (beyond + 4)
            dx, dy = dx + sign * swing * beyond, dy + sink * beyond
        return dx, dy

    def pixels(self, points):
        """cm -> (N, 2) float x, y in pixels of the final picture."""
        points = np.asarray(points, float).reshape(-1, 2)
        dx, dy = self._bend(points[:, 0], points[:, 1])
        return (points + np.stack([dx, dy], 1)) * self.scale + self.origin

    def centimetres(self, rows, columns):
        """Pixel rows and columns of the final picture -> x, y in cm (the bend undone to first order)."""
        x = ((columns - self.origin[0]) / self.scale).astype(np.float32)
        y = ((rows - self.origin[1]) / self.scale).astype(np.float32)
        dx, dy = self._bend(x, y)
        return (x - dx).astype(np.float32), (y - dy).astype(np.float32)

    def _integer(self, points):
        # OpenCV puts pixel centres on whole numbers.
        fine = self.pixels(points) * SUPERSAMPLE - 0.5
        return np.round(fine * 2**SUBPIXEL_BITS).astype(np.int32).reshape(-1, 1, 2)

    def fill(self, outline):
        """A closed outline (cm) -> float32 mask (2 * HEIGHT, 2 * WIDTH) of 0..1."""
        mask = np.zeros((HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE), np.uint8)
        cv2.fillPoly(mask, [self._integer(outline)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255

    def stroke(self, line, thickness=1):
        """An open line (cm) -> float32 mask; thickness in half pixels of the final picture."""
        mask = np.zeros((HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE), np.uint8)
        cv2.polylines(mask, [self._integer(line)], False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255

    def dashes(self, line, length, gap, thickness=2):
        """A stitched line: dashes and gaps in cm along it."""
        mask = np.zeros((HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE), np.uint8)
        line = np.asarray(line, float)
        walked = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        starts = np.arange(0, max(walked[-1] - length, 0), length + gap)
        ends = np.stack([starts, starts + length], 1).ravel()
        points = np.stack([np.interp(ends, walked, line[:, 0]), np.interp(ends, walked, line[:, 1])], 1)
        if len(points):
            pairs = self._integer(points).reshape(-1, 2, 1, 2)
            cv2.polylines(mask, list(pairs), False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255
