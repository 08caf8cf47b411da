"""What comes off and what stays on when a garment is put on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.labels import BOTTOMS, TOPS, Parse
from tryon.engines.pixels import box_of, grown, labelled, local_mean, shrunk
from tryon.engines.preview.figure import Figure

# The natural waist, in torso lengths: where a dress is parted when only half of it is replaced.
WAIST = 0.66
# Below this level, in torso lengths, a dress leaves nothing of the trunk bare.
BELLY = 0.4
# How wide the band about the border between top and bottom in the parse map is in which the true one is looked for, in
# shoulder widths: first widely for what surely is a hem in shadow, of which this share is the top's colour, then
# closely. And by how much the colours must differ there (Lab, 0 to 255 each) to tell.
HEMS, HEM_SHARE = 0.24, 0.65
BORDER = 0.06
# Buttons and eyelets are smaller than this, in shoulder widths; hems are not.
SPECK = 0.03
CONTRAST = 30.0


@dataclass(frozen=True)
class Wardrobe:
    """The clothes worn in the photo, by what happens to them; bool (H, W) each.

    =============  ===================  =============================  =======================================
    put on         worn now             comes off                      stays
    =============  ===================  =============================  =======================================
    top            top, coat            both                           the bottom; the top over or in it, as now
    top            dress                its part above the waist       its part below, as a skirt under the top
    bottom         trousers, skirt      both                           the top and coat, over or in it, as now
    bottom         dress                its part below the waist       its part above, as a top
    dress          anything             top, coat, dress, bottom       nothing; legs and arms are bare
    top + bottom   anything             top, coat, dress, bottom       nothing; legs and arms are bare
    =============  ===================  =============================  =======================================

    Hats, glasses, scarves, gloves, bags, socks and shoes always stay.

    Attributes:
        off: what comes off.
        top: what stays of tops and coats, or of a dress as a top.
        bottom: what stays of trousers and skirts, or of a dress as a skirt.
        belly: whether the trunk may be bare below the arms; a dress covers it.
    """

    off: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    belly: bool


def sort_out(figure: Figure, categories: set[str]) -> Wardrobe:
    """Part the clothes worn into what comes off and what stays.

    Args:
        figure: the person.
        categories: of the garments put on: "upper", "lower", "dress".
    """
    parse = figure.person.parse
    _, along = figure.maps
    above = along < WAIST
    dress = parse == Parse.DRESS
    nothing = np.zeros(parse.shape, bool)
    top_off = bool(categories & {"upper", "dress"})
    bottom_off = bool(categories & {"lower", "dress"})
    top, bottom = labelled(parse, *TOPS), labelled(parse, *BOTTOMS)
    if top_off != bottom_off:
        top, bottom = _parted(figure, top, bottom)
    top |= dress & above
    bottom |= dress & ~above
    bare = "dress" not in categories
    belly = (parse == Parse.TORSO_SKIN) & (along > BELLY)
    return Wardrobe(
        off=(top if top_off else nothing) | (bottom if bottom_off else nothing) | (nothing if bare else belly),
        top=nothing if top_off else top,
        bottom=nothing if bottom_off else bottom,
        belly=bare,
    )


def _parted(figure: Figure, top: np.ndarray, bottom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Top and bottom with the border between them where their colours change, which a parse map tells only roughly."""
    image, unit = figure.person.image, figure.frame.shoulder_width
    top, bottom = top.copy(), bottom.copy()
    box, told, share = _shares(image, top, bottom, HEMS * unit, 2 * HEMS * unit)
    if told.any():
        hems = _without_specks(told & bottom[box] & (share > HEM_SHARE), int(SPECK * unit) | 1)
        top[box] |= hems
        bottom[box] &= ~hems
    box, told, share = _shares(image, top, bottom, BORDER * unit, BORDER * unit)
    if told.any():
        above = cv2.medianBlur(np.where(told, share > 0.5, top[box]).astype(np.uint8), 7).view(bool)
        top[box] = np.where(told, above, top[box])
        bottom[box] = np.where(told, ~above, bottom[box])
    return top, bottom


def _without_specks(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)).view(bool)


def _shares(
    image: np.ndarray, top: np.ndarray, bottom: np.ndarray, border: float, sigma: float
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """The box about the border between two garments and in it where their colours tell them apart, within a band
    `border` pixels wide, bool, and the share of the top's colour, float32. Colours are means over `sigma`."""
    reach = int(border) | 1
    band = grown(top, reach) & grown(bottom, reach) & (top | bottom)
    box = box_of(band, margin=3 * reach)
    if not band.any():
        return box, band[box], np.zeros(band[box].shape, np.float32)
    lab = cv2.cvtColor(image[box], cv2.COLOR_RGB2LAB).astype(np.float32)
    (over, known_over), (under, known_under) = (
        local_mean(lab, shrunk(worn[box], reach).astype(np.float32), sigma) for worn in (top, bottom)
    )
    apart = over - under
    contrast = (apart**2).sum(-1)
    share = cv2.blur(((lab - under) * apart).sum(-1) / (contrast + 1), (3, 3))
    told = band[box] & (contrast > CONTRAST**2) & (known_over > 0.001) & (known_under > 0.001)
    return box, told, share
