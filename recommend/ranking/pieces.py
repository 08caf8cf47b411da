"""What is worn with what besides colours: which kinds of garment, in which weather, and how patterned.

FAMILIAR stays within one degree of dress: what is made for work with what is made for work, what for sport with what
for sport, and jeans with nearly all of it. It knows the shop's own words for product types (`shop.words`); of others
nothing is said. The marks are chosen, not measured.
"""

from enum import StrEnum
from itertools import product

from recommend.ranking.filters import known_of
from shop.models import Garment

TEES = ("t-shirt", "long-sleeve tee", "top", "tank", "tank top")
KNITS = ("sweater", "jumper", "knit", "cardigan", "turtleneck")
SWEATS = ("sweatshirt", "hoodie")
JACKETS = ("jacket", "denim jacket", "bomber jacket")
SKIRTS = ("skirt", "midi skirt", "a-line skirt", "pleated skirt")
DRESSES = ("dress", "shirt dress", "slip dress", "wrap dress", "knit dress", "maxi dress", "jumpsuit")
FAMILIAR = frozenset(
    pair
    for over, under in (
        (("blazer",), ("trousers", "wide-leg trousers", "chinos", "jeans", "pencil skirt", *DRESSES)),
        (("shirt", "blouse"), ("trousers", "wide-leg trousers", "chinos", "jeans", "pencil skirt", *SKIRTS)),
        (("polo", "polo shirt"), ("trousers", "chinos", "jeans", "shorts")),
        (TEES, ("jeans", "chinos", "shorts", "joggers", "leggings", "mini skirt", *SKIRTS)),
        (("camisole", "crop top"), ("jeans", "wide-leg trousers", "shorts", "mini skirt", *SKIRTS)),
        (KNITS, ("jeans", "trousers", "wide-leg trousers", "chinos", "pencil skirt", *SKIRTS)),
        (SWEATS, ("joggers", "leggings", "jeans", "shorts")),
        (JACKETS, ("jeans", "chinos", *SKIRTS, *DRESSES)),
        (("coat", "cardigan"), DRESSES),
        (("coat",), ("trousers", "wide-leg trousers", "jeans")),
    )
    for pair in product(over, under)
)
KNOWN = frozenset(name for pair in FAMILIAR for name in pair)
WARM = frozenset((*KNITS, *SWEATS, *JACKETS, "coat"))  # not for the weather that shorts are for
Sleeve, Length = Garment.Sleeve, Garment.Length


class Fit(StrEnum):
    """What another piece has to do with one."""

    FAMILIAR = "familiar"  # their kinds are worn together
    SUMMER = "summer"  # both are short
    CALM = "calm"  # it is plain, the one has several colours
    LIVELY = "lively"  # it has several colours, the one is plain
    SLEEVES = "sleeves"  # it has long ones, the dress has none
    NONE = ""


PATTERNS = {  # of the one and the other
    (True, True): (0.0, Fit.NONE),  # they rival each other
    (True, False): (1.0, Fit.CALM),
    (False, True): (0.9, Fit.LIVELY),
    (False, False): (0.6, Fit.NONE),
}


def fit(one: Garment, other: Garment, patterns: tuple[bool, bool]) -> tuple[float, list[Fit]]:
    """How well `other` is worn with `one`, both of `Filters.rows`, 0..1; and by what, the weightiest first.

    Args:
        patterns: whether the one, and the other, have several colours (`colours.patterned`).
    """
    over, under = (one, other) if one.category == Garment.Category.UPPER else (other, one)
    marks = PATTERNS[patterns], _sleeves(over, under), _kinds(over, under)
    return sum(mark for mark, _ in marks) / len(marks), [rule for _, rule in marks if rule]


def _sleeves(over: Garment, under: Garment) -> tuple[float, Fit]:
    sleeve = known_of(over, "sleeve")
    if under.category == Garment.Category.DRESS:
        covers = sleeve == Sleeve.LONG and known_of(under, "sleeve") == Sleeve.SLEEVELESS
        return (1.0, Fit.SLEEVES) if covers else (0.5, Fit.NONE)
    if known_of(under, "length") != Length.SHORT:
        return 0.5, Fit.NONE
    if sleeve in (Sleeve.SLEEVELESS, Sleeve.SHORT):
        return 1.0, Fit.SUMMER
    return (0.0 if over.product_type.lower() in WARM else 0.5), Fit.NONE


def _kinds(over: Garment, under: Garment) -> tuple[float, Fit]:
    pair = over.product_type.lower(), under.product_type.lower()
    if pair in FAMILIAR:
        return 1.0, Fit.FAMILIAR
    return (0.2 if KNOWN.issuperset(pair) else 0.5), Fit.NONE
