"""The choices beside the list, with what each would show, and those made, with the address that takes them back."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.colours import SWATCHES, family_of_word
from shop.models import Garment
from shop.search import FACETS, Search
from shop.words import COLOURS, word

LABELS = {
    "category": _("Category"),
    "type": _("Product type"),
    "gender": _("For"),
    "age": _("Age"),
    "size": _("Size in stock"),
    "colour_family": _("Colour"),
    "colour": _("Shade"),
    "brand": _("Brand"),
}
CHOICES = {
    "category": dict(Garment.Category.choices),
    "gender": dict(Garment.Gender.choices),
    "age": dict(Garment.AgeGroup.choices),
    "colour_family": dict(Garment.ColourFamily.choices),
}
IN_FULL = ("size", "colour_family")  # small enough for that
AT_ONCE = 8


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int
    chosen: bool
    swatch: str  # "#rrggbb" of a colour we know


@dataclass(frozen=True)
class Facet:
    name: str
    label: str
    options: list[Option]

    @property
    def first(self) -> list[Option]:
        """What is shown at once: all, where the rest would not be worth a click."""
        return self.options if self.name in IN_FULL or len(self.options) <= AT_ONCE + 2 else self.options[:AT_ONCE]

    @property
    def rest(self) -> list[Option]:
        return self.options[len(self.first) :]

    @property
    def rest_chosen(self) -> bool:
        return any(option.chosen for option in self.rest)


@dataclass(frozen=True)
class Choice:
    """One that was made; `without` is the rest of the address."""

    label: str
    without: str


def label_of(name: str, value: str) -> str:
    if name in CHOICES:
        return CHOICES[name].get(value, value)
    return word(value) if name in ("type", "colour") else value


def swatch_of(name: str, value: str) -> str:
    if name == "colour_family":
        return SWATCHES.get(value, "")
    return COLOURS.get(value.lower(), "") if name == "colour" else ""


def facets(search: Search) -> list[Facet]:
    """Only those that leave a choice."""
    found = (_facet(name, search) for name in FACETS)
    return [facet for facet in found if len(facet.options) > 1 or any(option.chosen for option in facet.options)]


def _facet(name: str, search: Search) -> Facet:
    chosen = search.chosen.get(name, [])
    counts = search.counts(name)
    if name == "colour" and (families := search.chosen.get("colour_family")):
        # A white shirt with green stripes may be called “green”; that is no shade of white.
        counts = {value: count for value, count in counts.items() if family_of_word(value) in ("", *families)}
    counts |= {value: 0 for value in chosen if value not in counts}  # stays there to be taken back
    options = [
        Option(
            value=value,
            label=label_of(name, value),
            count=count,
            chosen=value in chosen,
            swatch=swatch_of(name, value),
        )
        for value, count in counts.items()
    ]
    return Facet(name, LABELS[name], options)


def active(address: QueryDict, search: Search) -> list[Choice]:
    """Everything chosen, each with the way back."""
    made = [("q", search.words, f"“{search.words}”")] if search.words else []
    made += [(name, value, label_of(name, value)) for name, values in search.chosen.items() for value in values]
    if search.low is not None:
        made.append(("min", None, gettext("from %(price)s") % {"price": search.low}))
    if search.high is not None:
        made.append(("max", None, gettext("up to %(price)s") % {"price": search.high}))
    if search.on_sale:
        made.append(("sale", None, gettext("On sale")))
    return [Choice(label, _without(address, name, value)) for name, value, label in made]


def _without(address: QueryDict, name: str, value: str | None) -> str:
    rest = address.copy()
    rest.pop("page", None)
    left = [other for other in rest.getlist(name) if value is not None and other != value and name != "q"]
    rest.setlist(name, left)
    return f"?{rest.urlencode()}"
