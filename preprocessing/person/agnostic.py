"""The person without the garment that is replaced: picture and parse map, as the try-on networks take them.

Upper is HR-VITON's drawing (arXiv:2206.14180, section 3.1 and appendix), to the byte. Lower and dress follow Dress
Code (arXiv:2204.08532, section 4): the area of the clothes by the parse map and of the limbs by the joints and the
DensePose map, joined, widened so that the outline does not tell the old garment's shape, less what never changes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, get_args

import cv2
import numpy as np
from PIL import Image, ImageDraw

from preprocessing.labels import ARMS, HEAD, LEG_SURFACE, LEGS, SHOES, Body25, Parse
from preprocessing.person.body25 import check_body25, seen

Category = Literal["upper", "lower", "dress"]
GREY = 128
INK = 255

FACE = (Parse.SUNGLASSES, Parse.FACE)  # HR-VITON does not keep the hair that falls over the torso
LOWER_AND_SHOES = (Parse.PANTS, Parse.SKIRT, *LEGS, *SHOES)
TORSO_CLOTHES = (Parse.UPPER, Parse.DRESS, Parse.COAT)
LOWER_CLOTHES = (Parse.PANTS, Parse.SKIRT, Parse.SOCKS)

ARM = {
    Parse.LEFT_ARM: (Body25.L_SHOULDER, Body25.L_ELBOW, Body25.L_WRIST),
    Parse.RIGHT_ARM: (Body25.R_SHOULDER, Body25.R_ELBOW, Body25.R_WRIST),
}
LEG = ((Body25.R_HIP, Body25.R_KNEE, Body25.R_ANKLE), (Body25.L_HIP, Body25.L_KNEE, Body25.L_ANKLE))

# Parse-agnostic's brush was made for pictures of this height; it grows and shrinks with other ones.
BRUSH, BRUSH_HEIGHT = 10, 1024
# Distance of the hips over that of the shoulders when legs are drawn: with the brush's own width, that of the body.
HIPS_APART = 0.75
# How much the area of lower garments and dresses is widened, in heights of the picture.
WIDENED = 0.012


class _Pen:
    """Pillow's lines and ellipses between joints, with lengths in units of a brush.

    Pillow raises nothing over NaN or a missing joint, so only joints that passed `check_body25` come here.
    """

    def __init__(self, shape: tuple[int, int], points: np.ndarray, brush: float):
        self.canvas = Image.new("L", (shape[1], shape[0]))
        self.draw = ImageDraw.Draw(self.canvas)
        self.points = points
        self.brush = brush

    def place(self, joint: Body25) -> tuple[float, float]:
        return float(self.points[joint, 0]), float(self.points[joint, 1])

    def line(self, joints: tuple[Body25, ...], width: float) -> None:
        self.draw.line([self.place(joint) for joint in joints], INK, width=round(width * self.brush))

    def ellipse(self, joint: Body25, across: float, along: float | None = None) -> None:
        x, y = self.place(joint)
        a, b = across * self.brush, (across if along is None else along) * self.brush
        self.draw.ellipse((x - a, y - b, x + a, y + b), INK)

    def polygon(self, joints: tuple[Body25, ...]) -> None:
        self.draw.polygon([self.place(joint) for joint in joints], INK)

    def inked(self) -> np.ndarray:
        return np.asarray(self.canvas) == INK


def agnostic(
    category: Category, image: np.ndarray, parse: np.ndarray, points: np.ndarray, densepose: np.ndarray
) -> np.ndarray:
    """The picture with a garment's place painted grey.

    Args:
        category: the garment that is replaced.
        image: uint8 RGB (H, W, 3).
        parse: uint8 (H, W) of `Parse`.
        points: (25, 3) in BODY_25 order, pixels.
        densepose: uint8 (H, W) of `DensePose`; not looked at for upper.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        Refusal: "keypoints.…", when these joints cannot be drawn from.
    """
    _check(category, points, image.shape[:2], parse, densepose)
    hidden = {"upper": _hidden_upper, "lower": _hidden_lower, "dress": _hidden_dress}[category]
    picture = image.copy()
    picture[hidden(parse, points, densepose)] = GREY
    return picture


def parse_agnostic(category: Category, parse: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The parse map without the labels that a garment decides: its own, and the skin it may cover or bare.

    The upper one is HR-VITON's, whose brush of 10 pixels is for pictures 1024 high; at other heights the brush is
    that share of the height.

    Args:
        parse: uint8 (H, W) of `Parse`.
        points: (25, 3) in BODY_25 order, pixels.

    Returns:
        uint8 (H, W) of `Parse`. Raises Refusal "keypoints.…".
    """
    _check(category, points, parse.shape, parse)
    cleared = parse.copy()
    if category != "lower":
        cleared[np.isin(parse, (*TORSO_CLOTHES, Parse.TORSO_SKIN)) | _arms_to_the_wrist(parse, points)] = 0
    if category != "upper":
        cleared[np.isin(parse, (*LOWER_CLOTHES, *LEGS)) | _skirt_of_a_dress(parse, points)] = 0
    return cleared


def _check(category: str, points: np.ndarray, shape: tuple[int, int], *maps: np.ndarray) -> None:
    if category not in get_args(Category):
        raise ValueError(f"{category!r} is none of {get_args(Category)}")
    for labels in maps:
        if labels.shape != shape or labels.dtype != np.uint8:
            raise ValueError(f"a label map of {labels.shape} {labels.dtype} for a picture of {shape}; uint8 is needed")
    check_body25(points, shape)


def _with_hips_apart(points: np.ndarray, share: float = 1.0) -> tuple[np.ndarray, int]:
    """Joints whose hips stand as far apart as the shoulders, or a share of it, and the brush for such shoulders."""
    points = np.array(points[:, :2], np.float64)
    wide = float(np.linalg.norm(points[Body25.L_SHOULDER] - points[Body25.R_SHOULDER]))
    hips = points[[Body25.R_HIP, Body25.L_HIP]]
    middle, apart = hips.mean(0), float(np.linalg.norm(hips[1] - hips[0]))
    points[[Body25.R_HIP, Body25.L_HIP]] = middle + (hips - middle) / apart * (share * wide)
    return points, int(wide / 16) + 1


def _upper_drawing(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    """Torso, neck and arms as HR-VITON paints them, the widths in sixteenths of the shoulders'; bool (H, W)."""
    points, brush = _with_hips_apart(points)
    pen = _Pen(shape, points, brush)
    for hip in (Body25.R_HIP, Body25.L_HIP):
        pen.ellipse(hip, 3, 6)
    pen.line((Body25.R_SHOULDER, Body25.R_HIP), 6)
    pen.line((Body25.L_SHOULDER, Body25.L_HIP), 6)
    pen.line((Body25.R_HIP, Body25.L_HIP), 12)
    pen.polygon((Body25.R_SHOULDER, Body25.L_SHOULDER, Body25.L_HIP, Body25.R_HIP))
    x, y = pen.place(Body25.NECK)
    pen.draw.rectangle((x - 5 * brush, y - 9 * brush, x + 5 * brush, y), INK)
    pen.line((Body25.R_SHOULDER, Body25.L_SHOULDER), 12)
    there = seen(points)
    for arm in ARM.values():
        pen.ellipse(arm[0], 5, 6)
        for start, end in pairwise(arm):
            if there[start] and there[end]:
                pen.line((start, end), 10)
                pen.ellipse(end, 5)
    return pen.inked()


def _hands(parse: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What of the arms' labels lies beyond the arms as HR-VITON draws them: the hands; bool (H, W)."""
    points, brush = _with_hips_apart(points)
    there = seen(points)
    hands = np.zeros(parse.shape, bool)
    for label, arm in ARM.items():
        pen = _Pen(parse.shape, points, brush)
        pen.ellipse(arm[0], 5, 6)
        for start, end in pairwise(arm):
            if there[start] and there[end]:
                pen.line((start, end), 10)
                pen.ellipse(end, 4 if end == arm[-1] else 5)
        hands |= (parse == label) & ~pen.inked()
    return hands


def _hidden_upper(parse: np.ndarray, points: np.ndarray, _: np.ndarray) -> np.ndarray:
    kept = np.isin(parse, (*FACE, *LOWER_AND_SHOES)) | _hands(parse, points)
    return _upper_drawing(parse.shape, points) & ~kept


def _hidden_lower(parse: np.ndarray, points: np.ndarray, densepose: np.ndarray) -> np.ndarray:
    kept = np.isin(parse, (*HEAD, *ARMS, *SHOES, Parse.GLOVE, Parse.UPPER, Parse.COAT, Parse.TORSO_SKIN))
    return _legs_area(parse, points, densepose) & ~kept & ~((parse == Parse.DRESS) & ~_skirt_of_a_dress(parse, points))


def _hidden_dress(parse: np.ndarray, points: np.ndarray, densepose: np.ndarray) -> np.ndarray:
    clothes = _widened(np.isin(parse, (*TORSO_CLOTHES, Parse.SCARF)))
    area = _upper_drawing(parse.shape, points) | clothes | _legs_area(parse, points, densepose)
    kept = np.isin(parse, (*HEAD, *SHOES, Parse.GLOVE)) | _hands(parse, points)
    return area & ~kept


def _legs_area(parse: np.ndarray, points: np.ndarray, densepose: np.ndarray) -> np.ndarray:
    """Where a lower garment may be: the old one, the legs, and between them, where a skirt would hang; bool (H, W)."""
    clothes = np.isin(parse, (*LOWER_CLOTHES, *LEGS)) | _skirt_of_a_dress(parse, points)
    legs = np.isin(densepose, LEG_SURFACE)
    return _widened(clothes | legs | _legs_drawing(parse.shape, points))


def _legs_drawing(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    """Hips and legs as far down as they are seen, drawn as the upper one's torso and arms are; bool (H, W)."""
    points, brush = _with_hips_apart(points, HIPS_APART)
    pen = _Pen(shape, points, brush)
    there = seen(points)
    pen.line((Body25.R_HIP, Body25.L_HIP), 6)
    for leg in LEG:
        pen.ellipse(leg[0], 3)
        for start, end in pairwise(leg):
            if there[start] and there[end]:
                pen.line((start, end), 5)
                pen.ellipse(end, 2.5)
    (right_hip, *right), (left_hip, *left) = LEG
    both = [pair for pair in zip(right, left, strict=True) if there[list(pair)].all()]
    pen.polygon((right_hip, *(pair[0] for pair in both), *(pair[1] for pair in reversed(both)), left_hip))
    return pen.inked()


def _skirt_of_a_dress(parse: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What of a dress hangs below the hips; bool (H, W)."""
    hips = points[[Body25.R_HIP, Body25.L_HIP], 1].mean()
    return (parse == Parse.DRESS) & (np.arange(parse.shape[0])[:, None] >= hips)


def _widened(area: np.ndarray) -> np.ndarray:
    side = 2 * round(WIDENED * area.shape[0]) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(area.astype(np.uint8), kernel) > 0


def _arms_to_the_wrist(parse: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The arms' labels less the hands, with the brush of HR-VITON's parse-agnostic; bool (H, W)."""
    there = seen(points)
    bare = np.zeros(parse.shape, bool)
    for label, (shoulder, elbow, wrist) in ARM.items():
        other = Body25.R_SHOULDER if label == Parse.LEFT_ARM else Body25.L_SHOULDER
        pen = _Pen(parse.shape, points, BRUSH * parse.shape[0] / BRUSH_HEIGHT)
        last = other
        for joint in (shoulder, elbow, wrist):
            if there[joint]:
                pen.line((last, joint), 10)
                pen.ellipse(joint, 4 if joint == wrist else 15)
                last = joint
        bare |= (parse == label) & pen.inked()
    return bare
