"""What a drawn garment is made of: layers of cloth with their seams, stitches and buttons."""

from dataclasses import dataclass, field


@dataclass
class Grain:
    """A region of a part whose cloth runs another way: origin in cm, angle of its length in degrees from down."""

    outline: list
    origin: tuple = (0.0, 0.0)
    angle: float = 0.0


@dataclass
class Seam:
    """A joint in the cloth: a groove with a little puckering beside it."""

    line: list
    depth: float = 1.0
    pucker: float = 0.6


@dataclass
class Stitch:
    """Top-stitching: colour '#rrggbb' or None for the cloth's own, a shade lighter or darker."""

    line: list
    colour: str | None = None
    length: float = 0.32
    gap: float = 0.16


@dataclass
class Part:
    """One layer of the garment; outlines in cm, the last one is the main piece.

    holes are cut out, within bounds the whole; roll: height of the rounded edge in pixels, over roll_width;
    volume: how much the middle stands above the sides; folds: how much of the shared creases it takes;
    shade: 1 = in the light; inside_shadow: darkening along its edge; lift: strength of the shadow on what
    lies below; height: extra height, a function of (x, y) in cm; tint: a factor on the colour, a function
    of (x, y, mottle); grains: sections whose cloth runs another way.
    """

    outlines: list
    colour: str
    fabric: str
    holes: list = field(default_factory=list)
    prints: list = field(default_factory=list)
    grains: list = field(default_factory=list)
    angle: float = 0.0
    origin: tuple = (0.0, 0.0)
    roll: float = 3.0
    roll_width: float = 5.0
    volume: float = 10.0
    folds: float = 1.0
    shade: float = 1.0
    lift: float = 0.0
    height: object = None
    tint: object = None
    seams: list = field(default_factory=list)
    stitches: list = field(default_factory=list)
    inside_shadow: float = 0.0
    within: list | None = None


@dataclass
class Button:
    """A button or rivet at x, y; radius in cm; holes: 4 or 0."""

    x: float
    y: float
    radius: float = 0.55
    colour: str = "#f2eee4"
    holes: int = 4


@dataclass
class Garment:
    """Everything the camera needs, and what is known exactly: landmarks and the neckline, in cm."""

    parts: list
    landmarks: dict
    neckline: list = field(default_factory=list)
    buttons: list = field(default_factory=list)
    over: list = field(default_factory=list)  # parts that lie over the buttons
