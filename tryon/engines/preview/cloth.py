"""A garment's own pixels made ready for drawing, no larger than they will be shown."""

from __future__ import annotations

import cv2
import numpy as np

from preprocessing.garment.neckline import back_inside
from preprocessing.garment.prepare import BODY
from tryon.engines.preview.laid import Laid, Piece
from tryon.engines.preview.pixels import box_of, grown, shrunk, soft
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
        self._colour = _carried(fitted(garment.image), shrunk(mask > 127, 2 * RIM + 1))
        self._alpha = mask.astype(np.float32) / 255
        if garment.neckline is not None:
            inside = fitted(back_inside(garment.mask > 0, garment.neckline).astype(np.float32))
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
        others = (self._parts != 0) & ~here & ~(grown(here, 9) & self._joined)
        alpha = self._alpha * (1 - soft(others, 1.0))
        return alpha if label == BODY else alpha * soft(grown(here, 11), 1.5)

    def draw(self, piece: Piece, shape: tuple[int, int]) -> tuple[tuple[slice, slice], np.ndarray, int]:
        """One piece in the photo: its box, uint8 RGBA (h, w, 4) there, and how many cells with cloth are folded."""
        patch, alpha = self._here(piece.patch), self._part(piece.label)
        flow = draw(patch, shape)
        rgba = np.dstack([self._colour, (alpha * 255 + 0.5).astype(np.uint8)])
        # A border of one pixel: sampling beyond it finds nothing.
        drawn = cv2.remap(rgba, flow.places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return flow.box, drawn, int(folded(patch, alpha).sum())


def _carried(image: np.ndarray, core: np.ndarray) -> np.ndarray:
    """A picture whose pixels outside `core` have the colour of the nearest one inside."""
    if not core.any():
        return image
    _, nearest = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((nearest.max() + 1, 3), np.uint8)
    colours[nearest[core]] = image[core]
    out = image.copy()
    out[~core] = colours[nearest[~core]]
    return out
