"""A person drawn from capsules, with all that is known of a photo: 1024 x 768 as the networks see one, from head to
feet in a photo of 1100 x 900."""

import cv2
import numpy as np

from preprocessing.labels import Joint, Parse
from preprocessing.person.prepare import PreparedPerson

SHAPE = (1100, 900)
SKIN, TOP, TROUSERS, SHOE, HAIR = (224, 172, 140), (200, 30, 40), (40, 60, 120), (20, 20, 20), (70, 40, 20)

# The left half; the right one is its mirror image about x = 450.
MIDDLE = 450
LEFT = {
    "EYE": (470, 100), "EAR": (495, 108), "MOUTH": (462, 150), "SHOULDER": (530, 240), "ELBOW": (570, 380),
    "WRIST": (590, 500), "INDEX_FINGER": (580, 545), "LITTLE_FINGER": (606, 545), "HIP": (496, 490),
    "KNEE": (500, 730), "ANKLE": (502, 950), "HEEL": (500, 985), "TOES": (512, 1000),
}  # fmt: skip


def keypoints() -> np.ndarray:
    points = np.zeros((33, 4), np.float32)
    points[Joint.NOSE] = MIDDLE, 122, -40, 1
    for name, (x, y) in LEFT.items():
        points[Joint[f"L_{name}"]] = x, y, 0, 1
        points[Joint[f"R_{name}"]] = 2 * MIDDLE - x, y, 0, 1
    return points


def _limb(parse: np.ndarray, start: str, end: str, width: int, left: Parse, right: Parse) -> None:
    (x0, y0), (x1, y1) = LEFT[start], LEFT[end]
    cv2.line(parse, (x0, y0), (x1, y1), int(left), width)
    cv2.line(parse, (2 * MIDDLE - x0, y0), (2 * MIDDLE - x1, y1), int(right), width)


def person() -> PreparedPerson:
    """In a tee and trousers, arms at the sides."""
    parse = np.zeros(SHAPE, np.uint8)
    _limb(parse, "HIP", "KNEE", 80, Parse.PANTS, Parse.PANTS)
    _limb(parse, "KNEE", "ANKLE", 60, Parse.PANTS, Parse.PANTS)
    _limb(parse, "HEEL", "TOES", 50, Parse.LEFT_SHOE, Parse.RIGHT_SHOE)
    cv2.rectangle(parse, (408, 480), (492, 560), int(Parse.PANTS), -1)
    cv2.ellipse(parse, (MIDDLE, 100), (62, 80), 0, 0, 360, int(Parse.HAIR), -1)
    cv2.rectangle(parse, (425, 150), (475, 240), int(Parse.TORSO_SKIN), -1)
    cv2.ellipse(parse, (MIDDLE, 115), (48, 60), 0, 0, 360, int(Parse.FACE), -1)
    _limb(parse, "ELBOW", "WRIST", 38, Parse.LEFT_ARM, Parse.RIGHT_ARM)
    _limb(parse, "WRIST", "INDEX_FINGER", 38, Parse.LEFT_ARM, Parse.RIGHT_ARM)
    _limb(parse, "SHOULDER", "ELBOW", 52, Parse.UPPER, Parse.UPPER)
    torso = [(370, 222), (425, 215), (475, 215), (530, 222), (535, 500), (365, 500)]
    cv2.fillPoly(parse, [np.array(torso)], int(Parse.UPPER))
    colours = {
        Parse.UPPER: TOP, Parse.PANTS: TROUSERS, Parse.HAIR: HAIR, Parse.LEFT_SHOE: SHOE, Parse.RIGHT_SHOE: SHOE,
    }  # fmt: skip
    image = np.random.default_rng(0).integers(180, 240, (*SHAPE, 3), np.uint8)
    for label in np.unique(parse[parse > 0]):
        image[parse == label] = colours.get(Parse(label), SKIN)
    mask = np.where(parse > 0, 255, 0).astype(np.uint8)
    return PreparedPerson(image, keypoints(), mask, parse, np.zeros(SHAPE, bool))
