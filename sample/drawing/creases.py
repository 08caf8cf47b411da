"""Where a top or dress creases when it is laid flat."""

import numpy as np

from sample.drawing.cut import half_width
from sample.drawing.drapes import gathers


def crease(top, folds, rng):
    """The folds a top keeps: from the armpits, across the sleeves, and down the body."""
    ax, ay = top.armpit
    low = top.hem[1] if top.waist is None else top.waist * 1.15
    folds.hang(0.75 if top.waist is None else 0.5)
    folds.crumple(top.extent())
    for side in (1, -1):
        strength = rng.uniform(0.7, 1.15)
        pit = (side * (ax - 0.8), ay - 0.5)
        towards = 180 if side > 0 else 0
        folds.fan(pit, towards + side * 35, 22, rng.uniform(13, 18), rng.integers(2, 4), 0.9 * strength)
        folds.fan(pit, towards - side * 48, 16, rng.uniform(18, 28), rng.integers(1, 4), 0.7 * strength, 1.3)
        if top.sleeve:
            reach = np.array(top.shoulder) + top.axis * min(top.sleeve, 24) * 0.6 - [ax, ay]
            aim = np.degrees(np.arctan2(reach[1], reach[0]))
            folds.fan(
                (ax + 0.5, ay - 0.5) if side > 0 else (-ax - 0.5, ay - 0.5),
                aim if side > 0 else 180 - aim,
                20,
                min(top.sleeve * 0.75, 15),
                rng.integers(2, 4),
                0.85 * strength,
                0.8,
            )
            if top.sleeve > 35:
                _long_sleeve_creases(top, folds, rng, side)
    for y in (*([top.waist] if top.waist else []), *top.tiers):
        gathers(folds, rng, y, half_width(top, y), 10)
    if top.waist:
        for _ in range(9):
            x = rng.uniform(-0.9, 0.9) * half_width(top, top.waist)
            folds.crease(
                (x, top.waist - 0.2),
                (x + rng.normal(0, 1), top.waist - rng.uniform(5, 12)),
                rng.uniform(0.3, 0.6),
                rng.uniform(0.4, 0.8),
                0.0,
                rng.uniform(-1, 1),
            )
        return
    for _ in range(rng.integers(3, 6)):
        x = rng.uniform(-0.75, 0.75) * top.hem[0]
        start, end = rng.uniform(0.42, 0.66) * low, rng.uniform(0.86, 1.02) * low
        folds.crease(
            (x * 0.8, start),
            (x + rng.normal(0, 2.5), end),
            rng.uniform(0.45, 0.9),
            rng.uniform(1.2, 2.0),
            rng.normal(0, 1.2),
            rng.uniform(-1, 1),
        )
    for _ in range(rng.integers(1, 4)):
        side = rng.choice([-1, 1])
        y = rng.uniform(0.5, 0.85) * low
        folds.crease(
            (side * (ax - 1.5), y),
            (side * rng.uniform(2, 12), y + rng.uniform(-9, 4)),
            rng.uniform(0.35, 0.65),
            rng.uniform(0.9, 1.5),
            rng.normal(0, 1.0),
            rng.uniform(-1, 1),
        )


def _long_sleeve_creases(top, folds, rng, side):
    outer, inner = top.cuff_ends
    pit = np.array(top.armpit)
    for share in (0.28, 0.40, 0.50, 0.60, 0.74, 0.86):
        share += rng.normal(0, 0.03)
        a = pit + (inner - pit) * share
        b = np.array(top.shoulder) + (outer - np.array(top.shoulder)) * (share + rng.normal(0.02, 0.07))
        if rng.random() < 0.5:
            a, b = b, a
        b = a + (b - a) * rng.uniform(0.6, 0.95)
        folds.crease(
            (side * a[0], a[1]),
            (side * b[0], b[1]),
            rng.uniform(0.45, 1.0),
            rng.uniform(0.6, 1.0),
            rng.normal(0, 0.7),
            rng.uniform(-1, 1),
        )
