"""What is dyed or printed on the cloth: repeating tiles and single placed motifs, drawn with OpenCV."""

from dataclasses import dataclass

import cv2
import numpy as np

from sample.drawing.cloth import linear

DOTS_PER_CM = 24


def _rgb(colour):
    """'#rrggbb' -> RGB tuple of 0..255 for drawing."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@dataclass
class Tile:
    """A repeating print. ink: (h, w, 4) uint8 RGBA; width, height: of one repeat in cm."""

    ink: np.ndarray
    width: float
    height: float

    def on(self, base, u, v, body):
        """The base colour (linear) with the print over it, at cloth coordinates u, v in cm; body: the main piece."""
        rows, columns = self.ink.shape[:2]
        map_x = ((u / self.width) % 1.0 * columns).astype(np.float32)
        map_y = ((v / self.height) % 1.0 * rows).astype(np.float32)
        return _blend(base, cv2.remap(self.ink, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


@dataclass
class Motif:
    """A print in one place. ink as for a tile; x, y: its centre in cm; width in cm; wear: how much has cracked off."""

    ink: np.ndarray
    x: float
    y: float
    width: float
    wear: float = 0.06

    def on(self, base, u, v, body):
        rows, columns = self.ink.shape[:2]
        dots = columns / self.width
        map_x = ((u - self.x) * dots + columns / 2).astype(np.float32)
        map_y = ((v - self.y) * dots + rows / 2).astype(np.float32)
        ink = cv2.remap(self.ink, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        grit = np.random.default_rng(3).standard_normal(u.shape, np.float32)
        grit = np.clip(cv2.GaussianBlur(grit, (0, 0), 1.2) * 3 - 1.6, 0, 1)
        return _blend(base, ink, body * (1 - self.wear * 6 * grit))


def _blend(base, ink, strength=1.0):
    alpha = (ink[..., 3].astype(np.float32) / 255 * strength)[..., None]
    return base * (1 - alpha) + linear(ink[..., :3].astype(np.float32) / 255) * alpha


def _blank(width, height):
    return np.zeros((round(height * DOTS_PER_CM), round(width * DOTS_PER_CM), 4), np.uint8)


def stripes(colours, angle_lengthwise=False):
    """colours: [(colour or None for the ground, height in cm), ...] from the top of one repeat down."""
    total = sum(height for _, height in colours)
    ink = _blank(1.0, total)
    at = 0.0
    for colour, height in colours:
        if colour:
            top, bottom = round(at * DOTS_PER_CM), round((at + height) * DOTS_PER_CM)
            ink[top:bottom] = (*_rgb(colour), 255)
        at += height
    ink[..., 3] = cv2.GaussianBlur(np.vstack([ink[..., 3]] * 3), (1, 3), 0)[len(ink) : 2 * len(ink)]
    for row in range(len(ink)):  # the soft edge must not be black
        if not ink[row, 0, :3].any():
            near = ink[row - 1, 0, :3] if ink[row - 1, 0, 3] else ink[(row + 1) % len(ink), 0, :3]
            ink[row, :, :3] = near
    if angle_lengthwise:
        return Tile(np.ascontiguousarray(ink.transpose(1, 0, 2)), total, 1.0)
    return Tile(ink, 1.0, total)


def gingham(colour, size):
    """Two-colour check; size of one square in cm."""
    ink = _blank(2 * size, 2 * size)
    half = len(ink) // 2
    across = np.zeros(len(ink))
    across[:half] = 0.5
    cover = across[:, None] + across[None, :]
    ink[..., :3], ink[..., 3] = _rgb(colour), (cover * 245).astype(np.uint8)
    return Tile(ink, 2 * size, 2 * size)


def tartan(threads, size):
    """threads: [(colour, start, width)] as shares of the repeat, woven both ways; size of the repeat in cm."""
    ink = _blank(size, size)
    count = len(ink)
    colour_sum, cover = np.zeros((count, count, 3)), np.zeros((count, count))
    for colour, start, width in threads:
        line = np.zeros(count)
        line[int(start * count) : int((start + width) * count)] = 0.5
        line = cv2.GaussianBlur(line[None], (3, 1), 0)[0]
        for weight in (np.broadcast_to(line[:, None], cover.shape), np.broadcast_to(line[None, :], cover.shape)):
            colour_sum += weight[..., None] * np.array(_rgb(colour))
            cover += weight
    ink[..., :3] = colour_sum / np.maximum(cover, 1e-3)[..., None]
    ink[..., 3] = np.clip(cover, 0, 1) * 235
    return Tile(ink, size, size)


def scattered(draw, count, size, seed, colours, spacing=0.0):
    """A tile with motifs strewn evenly at random: draw(ink, x, y, rng, colours) in dots, wrapped at the edges."""
    rng = np.random.default_rng(seed)
    ink = _blank(size, size)
    span = len(ink)
    placed = []
    for _ in range(count * 60):
        if len(placed) == count:
            break
        spot = rng.uniform(0, span, 2)
        gaps = [np.linalg.norm((spot - other + span / 2) % span - span / 2) for other in placed]
        if not gaps or min(gaps) > spacing * DOTS_PER_CM:
            placed.append(spot)
    for x, y in placed:
        state = rng.bit_generator.state
        for dx in (-span, 0, span):
            for dy in (-span, 0, span):
                rng.bit_generator.state = state
                draw(ink, x + dx, y + dy, rng, colours)
    return Tile(ink, size, size)


def _dab(ink, centre, axes, angle, colour):
    bits = 4
    cv2.ellipse(
        ink,
        tuple(round(c * 2**bits) for c in centre),
        tuple(max(round(a * 2**bits), 1) for a in axes),
        angle,
        0,
        360,
        (*_rgb(colour), 255),
        -1,
        cv2.LINE_AA,
        bits,
    )


def blossom(ink, x, y, rng, colours):
    """A small five-petalled flower with two leaves; colours: petals..., leaf, heart."""
    *petals, leaf, heart = colours
    size = rng.uniform(0.5, 1.0) * DOTS_PER_CM
    turn = rng.uniform(0, 360)
    for side in (rng.uniform(0, 360), rng.uniform(0, 360)):
        reach = np.radians(side)
        spot = (x + np.cos(reach) * size * 1.35, y + np.sin(reach) * size * 1.35)
        _dab(ink, spot, (size * 0.62, size * 0.2), side, leaf)
    petal = petals[rng.integers(len(petals))]
    for step in range(5):
        reach = np.radians(turn + 72 * step)
        spot = (x + np.cos(reach) * size * 0.52, y + np.sin(reach) * size * 0.52)
        _dab(ink, spot, (size * 0.5, size * 0.36), turn + 72 * step, petal)
    _dab(ink, (x, y), (size * 0.2, size * 0.2), 0, heart)


def polka(colour, pitch):
    """Dots in a diagonal grid; pitch in cm."""
    ink = _blank(pitch, pitch)
    span = len(ink)
    ink[..., :3] = _rgb(colour)
    for x, y in ((0, 0), (span, 0), (0, span), (span, span), (span / 2, span / 2)):
        _dab(ink, (x, y), (0.22 * DOTS_PER_CM, 0.22 * DOTS_PER_CM), 0, colour)
    return Tile(ink, pitch, pitch)


def lettering(text, colour, width, weight=600, spacing=0):
    """Words in OpenCV's built-in sans face; width in cm -> RGBA picture. spacing: extra dots between letters."""
    size = 200
    face = cv2.FontFace("sans")
    canvas = np.zeros((size * 2, size * len(text) + spacing * len(text) + size, 3), np.uint8)
    at = size // 2
    for letter in text:
        end = cv2.putText(canvas, letter, (at, int(size * 1.4)), (255, 255, 255), face, size, weight)
        at = int(end[0][0]) + spacing
    rows, columns = np.nonzero(canvas[..., 0].max(1))[0], np.nonzero(canvas[..., 0].max(0))[0]
    canvas = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, 0]
    dots = round(width * DOTS_PER_CM)
    tall = max(round(len(canvas) * dots / canvas.shape[1]), 1)
    canvas = np.pad(cv2.resize(canvas, (dots, tall), interpolation=cv2.INTER_AREA), 4)
    ink = np.zeros((*canvas.shape, 4), np.uint8)
    ink[..., :3], ink[..., 3] = _rgb(colour), canvas
    return ink


def dunes(colours, words, word_colour):
    """A round landscape of sun and hills with words below; colours: sky, sun, far, middle, near."""
    sky, sun, far, middle, near = colours
    side = 20 * DOTS_PER_CM
    disc = np.zeros((side, side, 4), np.uint8)
    disc[...] = (*_rgb(sky), 255)
    cv2.circle(disc, (int(side * 0.60), int(side * 0.40)), int(side * 0.15), (*_rgb(sun), 255), -1, cv2.LINE_AA)
    x = np.arange(side)
    for base, swing, phase, colour in ((0.56, 0.045, 0.6, far), (0.68, 0.06, 2.4, middle), (0.80, 0.05, 4.4, near)):
        ridge = side * (base + swing * np.sin(x / side * 5.2 + phase) + 0.015 * np.sin(x / side * 13 + phase))
        hill = np.stack([np.r_[x, side, 0], np.r_[ridge, side, side]], 1).astype(np.int32)
        cv2.fillPoly(disc, [hill], (*_rgb(colour), 255), cv2.LINE_AA)
    ring = np.zeros((side, side), np.uint8)
    cv2.circle(ring, (side // 2, side // 2), side // 2 - 6, 255, -1, cv2.LINE_AA)
    disc[..., 3] = ring
    text = lettering(words, word_colour, 17, 500, 40)
    ink = np.zeros((side + len(text) + 60, side, 4), np.uint8)
    ink[:side] = disc
    left = (side - text.shape[1]) // 2
    ink[side + 50 : side + 50 + len(text), left : left + text.shape[1]] = text
    return ink
