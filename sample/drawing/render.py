"""Puts a garment's parts on the canvas one over the other, lights them, and photographs the result."""

import cv2
import numpy as np

from sample.drawing.cloth import FABRICS, encoded, fine_noise, light, linear, weave
from sample.drawing.geometry import HEIGHT, SUPERSAMPLE, WIDTH

BACKDROP = "#efedea"
SIZE = (HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE)


def _grown(box, by):
    """A pair of slices widened on every side, within the canvas."""
    return tuple(
        slice(max(side.start - by, 0), min(side.stop + by, limit)) for side, limit in zip(box, SIZE, strict=True)
    )


def _grain_frame(x, y, origin, angle):
    turn = np.radians(angle)
    dx, dy = x - origin[0], y - origin[1]
    return dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)


class Camera:
    """Renders one garment on its stage."""

    def __init__(self, stage, folds, rng):
        self.stage, self.rng = stage, rng
        self.creases = cv2.resize(folds.height, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        self.x, self.y = self._centimetres()
        self.mottle = fine_noise(rng, (500, 440), 4)
        self.grit = fine_noise(rng, (4, 3), 1)
        self.image = np.zeros((*SIZE, 3), np.float32)
        self.mask = np.zeros(SIZE, np.float32)

    def _centimetres(self):
        """x and y in cm of every pixel; the bend is smooth, so it is worked out on a coarse grid."""
        step = 6
        rows, columns = np.mgrid[0:HEIGHT:step, 0:WIDTH:step].astype(np.float32) + step / 2
        coarse = self.stage.centimetres(rows, columns)
        return (cv2.resize(values, SIZE[::-1], interpolation=cv2.INTER_LINEAR) for values in coarse)

    def shoot(self, garment):
        """-> RGB uint8 (HEIGHT, WIDTH, 3) and mask uint8 (HEIGHT, WIDTH)."""
        for part in garment.parts:
            self._lay(part)
        for button in garment.buttons:
            self._sew_on(button)
        for part in garment.over:
            self._lay(part)
        picture = self._backdrop() * (1 - self.mask[..., None]) + self.image * self.mask[..., None]
        picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        picture = encoded(picture) + self.rng.normal(0, 0.0025, picture.shape)
        mask = cv2.resize(self.mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8), np.round(mask * 255).astype(np.uint8)

    def _cover(self, part):
        mask = self.stage.fill(part.outlines[0])
        for outline in part.outlines[1:]:
            mask = np.maximum(mask, self.stage.fill(outline))
        for hole in part.holes:
            mask *= 1 - self.stage.fill(hole)
        return mask * self.stage.fill(part.within) if part.within else mask

    def _lay(self, part):
        whole = self._cover(part)
        rows, columns = np.nonzero(whole.max(1) > 0)[0], np.nonzero(whole.max(0) > 0)[0]
        if not len(rows):
            return
        box = _grown((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)), 24)
        mask, fabric = whole[box], FABRICS[part.fabric]
        if part.lift:
            self._cast_shadow(whole, box, part.lift)
        depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / SUPERSAMPLE
        depth = np.where(mask > 0.5, depth, 0).astype(np.float32)
        height = part.roll * (1 - np.exp(-depth / part.roll_width))
        if part.volume:
            height += cv2.GaussianBlur(part.volume * (1 - np.exp(-depth / 42)), (0, 0), 10)
        slopes = part.folds * self.creases[box]
        if part.height is not None:
            slopes = slopes + part.height(self.x[box], self.y[box]).astype(np.float32)
        height += slopes
        u, v, body = self._grain(part, box)
        structure = weave(fabric, u, v, self.rng)
        height += fabric.relief * structure
        height = self._join(part, box, height)
        diffuse, highlight = light(height, fabric)
        albedo = self._dye(part, box, slopes, (u, v, body), structure)
        albedo = self._stitch(part, box, albedo, diffuse)
        diffuse = diffuse * part.shade
        if part.inside_shadow:
            diffuse *= 1 - part.inside_shadow * np.exp(-depth / 9)
        shadow_side = np.clip(1 - diffuse, 0, 1)[..., None]
        lit = albedo ** (1 + 0.10 * shadow_side) * diffuse[..., None] + highlight[..., None] * part.shade
        alpha = mask[..., None]
        self.image[box] = self.image[box] * (1 - alpha) + lit * alpha
        self.mask[box] = np.maximum(self.mask[box], mask)

    def _grain(self, part, box):
        """Cloth coordinates (across, along) in cm for every pixel of the part, and where its main piece is."""
        x, y = self.x[box], self.y[box]
        u, v = _grain_frame(x, y, part.origin, part.angle)
        body = np.ones(u.shape, bool)
        main = self.stage.fill(part.outlines[-1])[box] > 0.5
        for grain in part.grains:
            inside = (self.stage.fill(grain.outline)[box] > 0.5) & ~main
            gu, gv = _grain_frame(x, y, grain.origin, grain.angle)
            u, v = np.where(inside, gu, u), np.where(inside, gv, v)
            body = body & ~inside
        return u, v, body

    def _join(self, part, box, height):
        for seam in part.seams:
            line = self.stage.stroke(seam.line)[box]
            away = cv2.distanceTransform((line < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / SUPERSAMPLE
            height = (
                height
                - 1.5 * seam.depth * np.exp(-((away / 1.1) ** 2))
                + 0.5 * seam.depth * np.exp(-(((away - 3) / 2.2) ** 2))
            )
            ripple = noise_like(self.rng, height.shape, 11)
            height = height + 0.9 * seam.pucker * ripple * np.exp(-((away / 6) ** 2))
        for stitch in part.stitches:
            line = self.stage.stroke(stitch.line)[box]
            away = cv2.distanceTransform((line < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / SUPERSAMPLE
            ripple = noise_like(self.rng, height.shape, 12)
            height = height - 0.55 * np.exp(-((away / 1.3) ** 2)) + 0.28 * ripple * np.exp(-((away / 5) ** 2))
        return height

    def _dye(self, part, box, slopes, grain, structure):
        u, v, body = grain
        fabric = FABRICS[part.fabric]
        base = np.broadcast_to(linear(part.colour), (*u.shape, 3)).astype(np.float32)
        # A print lies on the folds, so it is seen shortened where they slope.
        smooth = cv2.GaussianBlur(slopes, (0, 0), 3)
        shift = 2.2 * SUPERSAMPLE / self.stage.scale
        pu = u + shift * cv2.Scharr(smooth, cv2.CV_32F, 1, 0) / 32
        pv = v + shift * cv2.Scharr(smooth, cv2.CV_32F, 0, 1) / 32
        for pattern in part.prints:
            base = pattern.on(base, pu, pv, body)
        uneven = 1 + fabric.mottle * (0.55 * self.mottle[box] + 0.6 * self.grit[box] + 0.5 * structure)
        if part.tint is not None:
            uneven = uneven * part.tint(self.x[box], self.y[box], self.mottle[box])
        return np.clip(base * uneven[..., None], 0.002, 0.92)

    def _stitch(self, part, box, albedo, diffuse):
        for stitch in part.stitches:
            thread = self.stage.dashes(stitch.line, stitch.length, stitch.gap)[box][..., None]
            if stitch.colour:
                colour = linear(stitch.colour)
            else:
                colour = albedo * np.where(albedo.mean(-1, keepdims=True) > 0.25, 0.80, 1.4) + 0.004
            albedo = albedo * (1 - 0.85 * thread) + colour * 0.85 * thread
        return albedo

    def _cast_shadow(self, mask, box, strength):
        """Darkens what lies below and to the right of a mask; box: its corner of the canvas."""
        reach = 20 * SUPERSAMPLE
        wider = _grown(box, reach)
        small = cv2.resize(mask[wider], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        soft = 0.5 * cv2.GaussianBlur(small, (0, 0), 2.0) + 0.5 * cv2.GaussianBlur(small, (0, 0), 6.0)
        soft = cv2.warpAffine(soft, np.float32([[1, 0, 2.0], [0, 1, 2.6]]), soft.shape[::-1])
        shadow = cv2.resize(soft, mask[wider].shape[::-1], interpolation=cv2.INTER_LINEAR)
        self.image[wider] *= (1 - 0.55 * strength * shadow)[..., None]

    def _sew_on(self, button):
        angles = np.linspace(0, 2 * np.pi, 40)
        ring = np.stack([np.cos(angles), np.sin(angles)], 1)
        column, row = (self.stage.pixels((button.x, button.y))[0] * SUPERSAMPLE).astype(int)
        rim = button.radius * self.stage.scale
        box = _grown((slice(row, row + 1), slice(column, column + 1)), int(rim * SUPERSAMPLE) + 6)

        def disc(radius, dx=0.0, dy=0.0):
            return self.stage.fill(np.array([button.x + dx, button.y + dy]) + ring * radius)

        whole = disc(button.radius)
        self._cast_shadow(whole, box, 0.9)
        mask = whole[box]
        depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / SUPERSAMPLE
        height = 1.6 * np.sin(np.clip(depth / (0.32 * rim), 0, 1) * np.pi * 0.75)
        diffuse, highlight = light(height.astype(np.float32), FABRICS["satin"])
        lit = linear(button.colour) * diffuse[..., None] + 0.25 * highlight[..., None]
        self.image[box] = self.image[box] * (1 - mask[..., None]) + lit * mask[..., None]
        offsets = [(-1, -1), (1, -1), (-1, 1), (1, 1)] if button.holes == 4 else []
        for dx, dy in offsets:
            hole = disc(button.radius * 0.14, dx * button.radius * 0.26, dy * button.radius * 0.26)[box][..., None]
            self.image[box] *= 1 - 0.7 * hole

    def _backdrop(self):
        rows, columns = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j].astype(np.float32)
        glow = 1.02 - 0.05 * ((columns + 0.25) ** 2 + (rows * 1.1 + 0.2) ** 2)
        backdrop = linear(BACKDROP) * glow[..., None]
        small = cv2.resize(self.mask, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        shadow = np.zeros_like(small)
        for sigma, move, strength in ((14, (7, 10), 0.20), (5, (3, 4), 0.20), (1.6, (1, 1.3), 0.22)):
            moved = cv2.warpAffine(small, np.float32([[1, 0, move[0]], [0, 1, move[1]]]), small.shape[::-1])
            shadow += strength * cv2.GaussianBlur(moved, (0, 0), sigma)
        shadow = cv2.resize(shadow, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        return backdrop * (1 - np.minimum(shadow, 0.85))[..., None]


def noise_like(rng, shape, cell):
    """Rough noise for puckers, at mask size."""
    coarse = rng.standard_normal((max(shape[0] // cell, 2), max(shape[1] // cell, 2))).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
