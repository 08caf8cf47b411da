"""A garment's own pixels made ready for drawing, no larger than they will be shown."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.neckline import back_inside
from preprocessing.garment.parts import BODY
from tryon.engines.pixels import box_of, carried, grown, shrunk, soft
from tryon.engines.preview.laid import Laid, Piece
from tryon.engines.preview.warp import Patch, draw, folded

# Pixels of the cloth kept for one of the photo's: a little more than one, since it is sampled between them.
FINENESS = 1.25
# Colours nearer than this to the outline hold some background, in the photo's pixels.
RIM = 2


class Cloth:
    """Colours carried over the edge, and one alpha for each part."""

    def __init__(self, laid: Laid):
        garment = laid.garment
        rows, columns = box_of(garment.mask > 0, margin=4)
        self._scale = min(1.0, FINENESS * laid.scale)
        self._origin = np.array([columns.start, rows.start], float)
        shape = tuple(max(8, round((part.stop - part.start) * self._scale)) for part in (rows, columns))

        def fitted(array, how=cv2.INTER_AREA):
            return cv2.resize(array[rows, columns], shape[::-1], interpolation=how)

        mask = fitted(garment.mask)
        self._colour = carried(fitted(garment.image), shrunk(mask > 127, 2 * RIM + 1), 3 * RIM)
        self._alpha = mask.astype(np.float32) / 255
        if garment.neckline is not None:
            inside = fitted(back_inside(garment.mask > 0, garment.neckline).view(np.uint8)).view(bool)
            self._alpha *= 1 - soft(inside, 1.0)
        self._parts = fitted(garment.parts, cv2.INTER_NEAREST)
        joined = (laid.joined_above - rows.start) * self._scale
        self._joined = np.arange(shape[0])[:, None] < joined

    def _here(self, patch: Patch) -> Patch:
        """A patch with its source in the pixels kept here."""
        return Patch((patch.source - self._origin + 0.5) * self._scale - 0.5, patch.target)

    def _part(self, label: int) -> np.ndarray:
        """Alpha of one part, a few pixels beyond its seam so that neighbours overlap."""
        here = self._parts == label
        others = grown((self._parts != 0) & ~here, 7) & ~here  # with their soft edge
        others &= ~(grown(here, 9) & self._joined)
        alpha = self._alpha * (1 - soft(others, 1.0))
        return alpha if label == BODY else alpha * soft(grown(here, 11), 1.5)

    def draw(
        self, piece: Piece, shape: tuple[int, int]
    ) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray, int] | None:
        """One piece in the photo: its box, its colours uint8 RGB (h, w, 3) and alpha float32 (h, w) there, and how
        many cells that show cloth are folded; None when it lies outside the photo."""
        patch, alpha = self._here(piece.patch), self._part(piece.label)
        flow = draw(patch, shape)
        if flow.places.size == 0:
            return None
        red_green_blue_alpha = cv2.merge([*cv2.split(self._colour), (alpha * 255 + 0.5).astype(np.uint8)])
        drawn = cv2.remap(red_green_blue_alpha, flow.places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        rgb, shown = cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB), drawn[..., 3] * np.float32(1 / 255)
        return flow.box, rgb, shown, int(folded(patch, alpha).sum())
