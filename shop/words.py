"""The catalogue's own words in every language: colours, product types and the choices of Garment.

Product types and colours are free text in English; those listed here are shown and found in other languages too,
the rest are shown as they were entered.
"""

from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext, gettext_noop, override, pgettext_lazy

from shop.models import Garment

# With the colour that stands for the word in a list of choices.
COLOURS = {
    gettext_noop("black"): "#1b1a1a",
    gettext_noop("charcoal"): "#3d3f43",
    gettext_noop("slate"): "#5f6b76",
    gettext_noop("grey"): "#8d8d8d",
    gettext_noop("light grey"): "#c4c3c0",
    gettext_noop("silver"): "#bfc1c4",
    gettext_noop("stone"): "#b8b0a4",
    gettext_noop("white"): "#ffffff",
    gettext_noop("ivory"): "#f5efdf",
    gettext_noop("cream"): "#f1e6c9",
    gettext_noop("oat"): "#e3d6bf",
    gettext_noop("champagne"): "#ead9bd",
    gettext_noop("ecru"): "#e6dcc3",
    gettext_noop("beige"): "#d6c3a3",
    gettext_noop("sand"): "#cdb591",
    gettext_noop("camel"): "#b98a56",
    gettext_noop("tan"): "#b38b62",
    gettext_noop("brown"): "#6b4630",
    gettext_noop("rust"): "#a3492a",
    gettext_noop("terracotta"): "#b85c42",
    gettext_noop("orange"): "#de7a2e",
    gettext_noop("coral"): "#e8765f",
    gettext_noop("red"): "#b8242a",
    gettext_noop("burgundy"): "#6b1d2c",
    gettext_noop("wine"): "#5e1f30",
    gettext_noop("pink"): "#e7a3b4",
    gettext_noop("blush"): "#ecc8c2",
    gettext_noop("rose"): "#c9707f",
    gettext_noop("purple"): "#69407d",
    gettext_noop("plum"): "#5b2f4f",
    gettext_noop("lavender"): "#b7a7d4",
    gettext_noop("lilac"): "#c4aed0",
    gettext_noop("navy"): "#1f2a4a",
    gettext_noop("indigo"): "#2e3a6b",
    gettext_noop("denim"): "#4a6284",
    gettext_noop("blue"): "#2f5fae",
    gettext_noop("light blue"): "#a9c6e3",
    gettext_noop("sky"): "#a3cbe8",
    gettext_noop("sky blue"): "#8fbfe6",
    gettext_noop("teal"): "#22706f",
    gettext_noop("turquoise"): "#35a6a3",
    gettext_noop("mint"): "#aedcc5",
    gettext_noop("green"): "#2f7a46",
    gettext_noop("forest"): "#22492f",
    gettext_noop("forest green"): "#22492f",
    gettext_noop("sage"): "#9caf8b",
    gettext_noop("olive"): "#65672f",
    gettext_noop("khaki"): "#8a8157",
    gettext_noop("yellow"): "#ecc93b",
    gettext_noop("mustard"): "#c5932a",
    gettext_noop("ochre"): "#c08a2d",
    gettext_noop("gold"): "#c2a04a",
}
# What shoppers type for a colour beside its name, with spaces between; in Korean the adjective and the loanword.
TYPED = {
    "black": pgettext_lazy("typed for the colour", "black"),
    "grey": pgettext_lazy("typed for the colour", "gray"),
    "white": pgettext_lazy("typed for the colour", "white"),
    "beige": pgettext_lazy("typed for the colour", "beige"),
    "brown": pgettext_lazy("typed for the colour", "brown"),
    "red": pgettext_lazy("typed for the colour", "red"),
    "orange": pgettext_lazy("typed for the colour", "orange"),
    "yellow": pgettext_lazy("typed for the colour", "yellow"),
    "green": pgettext_lazy("typed for the colour", "green"),
    "blue": pgettext_lazy("typed for the colour", "blue"),
    "purple": pgettext_lazy("typed for the colour", "violet"),
    "pink": pgettext_lazy("typed for the colour", "pink"),
    "navy": pgettext_lazy("typed for the colour", "navy"),
}
PRODUCT_TYPES = (
    gettext_noop("t-shirt"),
    gettext_noop("long-sleeve tee"),
    gettext_noop("polo"),
    gettext_noop("polo shirt"),
    gettext_noop("shirt"),
    gettext_noop("blouse"),
    gettext_noop("top"),
    gettext_noop("crop top"),
    gettext_noop("tank top"),
    gettext_noop("tank"),
    gettext_noop("camisole"),
    gettext_noop("sweater"),
    gettext_noop("jumper"),
    gettext_noop("knit"),
    gettext_noop("cardigan"),
    gettext_noop("turtleneck"),
    gettext_noop("sweatshirt"),
    gettext_noop("hoodie"),
    gettext_noop("vest"),
    gettext_noop("jacket"),
    gettext_noop("denim jacket"),
    gettext_noop("bomber jacket"),
    gettext_noop("blazer"),
    gettext_noop("coat"),
    gettext_noop("jeans"),
    gettext_noop("trousers"),
    gettext_noop("wide-leg trousers"),
    gettext_noop("chinos"),
    gettext_noop("joggers"),
    gettext_noop("leggings"),
    gettext_noop("shorts"),
    gettext_noop("skirt"),
    gettext_noop("mini skirt"),
    gettext_noop("midi skirt"),
    gettext_noop("pencil skirt"),
    gettext_noop("a-line skirt"),
    gettext_noop("pleated skirt"),
    gettext_noop("dress"),
    gettext_noop("shirt dress"),
    gettext_noop("slip dress"),
    gettext_noop("wrap dress"),
    gettext_noop("knit dress"),
    gettext_noop("maxi dress"),
    gettext_noop("jumpsuit"),
)
WORDS = frozenset(COLOURS) | frozenset(PRODUCT_TYPES)
CHOICES = (Garment.Category, Garment.Gender, Garment.AgeGroup)


def word(value: str) -> str:
    """A product type or colour in the visitor's language."""
    known = value.strip().lower()
    return gettext(known) if known in WORDS else value


@lru_cache
def _translations(language: str) -> dict[str, str]:
    """English value, as it stands in a garment's row, to its word in the language."""
    with override(language):
        words = {value: gettext(value) for value in WORDS}
        return words | {value: str(label) for choice in CHOICES for value, label in choice.choices}


@lru_cache
def _typed(language: str) -> dict[str, str]:
    """What is typed for a colour in the language, beside its name, to the catalogue's English."""
    with override(language):
        return {word: value for value, words in TYPED.items() for word in str(words).split()}


@lru_cache
def genders() -> frozenset[str]:
    """What genders are called, in every language and in small letters."""
    return frozenset(_called(Garment.Gender))


@lru_cache
def families() -> dict[str, str]:
    """What families of colours are called, in every language and in small letters, to the family: "파란" to "blue"."""
    typed = {word: value for language, _ in settings.LANGUAGES for word, value in _typed(language).items()}
    called = _called(Garment.ColourFamily) | typed
    return {word: value for word, value in called.items() if value in Garment.ColourFamily.values}


def _called(choices) -> dict[str, str]:
    called = {value: value for value in choices.values}
    for language, _ in settings.LANGUAGES:
        with override(language):
            called |= {str(label).lower(): value for value, label in choices.choices}
    return called


def english_for(token: str) -> set[str]:
    """The catalogue's English values that a word of another language means: "남색" finds "navy"."""
    found = set()
    for language, _ in settings.LANGUAGES:
        if language == "en":
            continue
        if token in _typed(language):
            found.add(_typed(language)[token])
        for value, translated in _translations(language).items():
            if token in translated or (len(translated) > 1 and translated in token):
                found.add(value)
    return found
