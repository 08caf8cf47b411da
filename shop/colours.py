"""The family of a garment's colour, as shoppers choose by: red, blue, beige …

The eleven basic colour terms of Berlin and Kay (Basic Color Terms, 1969), and beige, which clothes are sold by. A
colour is put in a family by its lightness, chroma and hue in CIELAB. The lines between the families are ours, drawn so
that the words of `shop.words.COLOURS` fall where a shopper looks for them.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from django.db.models import Q

from shop.models import Garment, GarmentPicture
from shop.words import COLOURS

Family = Garment.ColourFamily
# What stands for a family in a list of choices.
SWATCHES = {
    Family.BLACK: "#1b1a1a",
    Family.GREY: "#8d8d8d",
    Family.WHITE: "#ffffff",
    Family.BEIGE: "#d6c3a3",
    Family.BROWN: "#6b4630",
    Family.RED: "#b8242a",
    Family.ORANGE: "#de7a2e",
    Family.YELLOW: "#ecc93b",
    Family.GREEN: "#2f7a46",
    Family.BLUE: "#2f5fae",
    Family.PURPLE: "#69407d",
    Family.PINK: "#e7a3b4",
}
# A second family counts from this share of the garment on: stripes, checks, halves. Nine of 101 flat pictures taken
# at home have one, none has a third; what lies between 0.25 and 0.3 there is mostly floor that a cut-out kept.
SECOND = 0.3
D65 = 0.95047, 1.0, 1.08883
TO_XYZ = (0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041)


def family(lightness: float, a: float, b: float) -> Family:
    """Of one colour in CIELAB (D65)."""
    chroma, hue = math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360
    if lightness < 14 or (lightness < 25 and chroma < 7):
        return Family.BLACK
    if lightness > 90 and chroma < 12:
        return Family.WHITE
    if chroma < 6 or (chroma < 9 and not 50 < hue < 110):
        return Family.WHITE if lightness > 85 else Family.GREY
    if 200 <= hue < 300:
        return Family.BLUE
    if 300 <= hue < 342:
        return Family.PURPLE
    if hue >= 342 or hue < 30 or (hue < 45 and lightness > 75):
        return Family.PINK if lightness > 55 else Family.RED
    if hue >= 105 or (hue >= 90 and lightness < 60):
        return Family.GREEN
    if chroma > 40 and hue >= 75 and lightness > 55:
        return Family.YELLOW
    if chroma > 40 and (lightness > 48 or hue > 45):
        return Family.ORANGE
    if chroma > 40:
        return Family.RED
    return Family.BEIGE if lightness > 65 else Family.BROWN


def families_of(colours: Iterable[dict]) -> tuple[str, str]:
    """Of dominant colours ({"lab", "share"}, as `GarmentAnalysis.colours` has them): the largest family, and the next
    where it makes up SECOND of the garment; "" for what there is not.
    """
    shares = defaultdict(float)
    for colour in colours:
        shares[family(*colour["lab"])] += colour["share"]
    main, second, *_ = [*sorted(shares, key=shares.get, reverse=True), "", ""]
    return main, second if shares[second] >= SECOND else ""


def family_of_word(word: str) -> str:
    """Of a colour as the merchant wrote it; "" where the word is not known."""
    known = COLOURS.get(word.strip().lower())
    return family(*lab(known)) if known else ""


def of_families(families: Iterable[str]) -> Q:
    """The garments that are of one of these families, mainly or secondly."""
    return Q(colour_family__in=families) | Q(second_colour_family__in=families)


@cache
def shades(family: str) -> frozenset[str]:
    """The words of `COLOURS` that are of the family."""
    return frozenset(word for word in COLOURS if family_of_word(word) == family)


def lab(swatch: str) -> tuple[float, float, float]:
    """CIELAB of "#rrggbb"."""
    channels = [int(swatch[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    xyz = [sum(map(float.__mul__, row, linear)) / white for row, white in zip(TO_XYZ, D65, strict=True)]
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def note_families(garment: Garment) -> None:
    """Put down the families of what its first flat picture shows; of the merchant's word where none was analysed."""
    flat = garment.pictures.filter(role=GarmentPicture.Role.FLAT, analyses__state="done").exclude(analyses__colours=[])
    colours = flat.order_by("position", "id", "-analyses__version").values_list("analyses__colours", flat=True).first()
    main, second = families_of(colours or [])
    found = {"colour_family": main or family_of_word(garment.colour), "second_colour_family": second}
    Garment.objects.filter(pk=garment.pk).exclude(**found).update(**found)
