"""Garments drawn on the spot: a tee, a jumper and a tank on a grey studio background with a drop shadow."""

import cv2
import numpy as np

BACKGROUND = (228, 228, 226)
# Half of each outline in a box of 300 x 360, right side, from the neck down; mirrored about x = 0.
TEE = [(32, 40), (92, 58), (142, 118), (104, 146), (90, 128), (92, 320)]
JUMPER = [(30, 40), (88, 56), (120, 110), (140, 300), (108, 304), (92, 150), (92, 320)]
HANGING = [(30, 40), (88, 56), (118, 110), (122, 345), (98, 346), (88, 130), (88, 320)]
TANK = [(34, 30), (58, 34), (62, 90), (88, 130), (90, 320)]
NECK_DEPTH = 42


def outline(half: list[tuple[int, int]], scale: float = 2.0) -> np.ndarray:
    """The closed outline in a picture of 600 x 720 times `scale` / 2, as (N, 2) points."""
    neck = half[0]
    angles = np.linspace(0, np.pi, 40)
    scoop = [(neck[0] * np.cos(a), neck[1] + NECK_DEPTH * np.sin(a)) for a in angles]
    right, left = half[1:], [(-x, y) for x, y in half[:0:-1]]
    return np.float32([*scoop[::-1], *right, *left]) * scale + np.float32([150 * scale, 20])


def draw(half, colour=(170, 40, 50), background=BACKGROUND, shadow=True, folds=0.05):
    """A picture and the exact mask: uint8 RGB (H, W, 3) and bool (H, W)."""
    shape = (760, 600)
    points = np.int32(np.round(outline(half)))
    mask = cv2.fillPoly(np.zeros(shape, np.uint8), [points], 1)
    picture = np.full((*shape, 3), background, np.float32)
    if shadow:
        fallen = cv2.GaussianBlur(np.roll(mask, (12, 8), (0, 1)).astype(np.float32), (0, 0), 9)
        picture *= 1 - 0.22 * fallen[..., None]
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 1 + folds * np.sin(x / 37 + y / 90)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None]
    picture = picture * (1 - soft) + np.float32(colour) * light[..., None] * soft
    noise = np.random.default_rng(1).normal(0, 1.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), mask > 0


def tee(**options):
    return draw(TEE, **options)


def jumper(**options):
    return draw(JUMPER, **options)


def tank(**options):
    return draw(TANK, **options)


def hanging_jumper(**options):
    """A jumper whose sleeves hang straight down beside its body: picture, mask, and its exact landmarks."""
    names = {"collar": 0, "shoulder": 1, "cuff_outer": 3, "cuff_inner": 4, "armpit": 5, "hem": 6}
    points = {
        f"{name}_{side}": [float(300 + sign * 2 * HANGING[at][0]), float(20 + 2 * HANGING[at][1])]
        for name, at in names.items()
        for side, sign in (("left", -1), ("right", 1))
    }
    return *draw(HANGING, **options), points
