"""Why a garment is shown: short sentences from what the rows say of both."""

from collections.abc import Iterable

import numpy as np
from django.utils.translation import gettext

from recommend.ranking.colours import CLOSE, SAME, distance, palette
from recommend.ranking.filters import Filters
from recommend.ranking.harmony import Relation
from shop.models import Garment

MOST = 4
BELOW = 0.98  # of the price: less is no reason


def compared(asked: Garment, other: Garment, filters: Filters, colours: np.ndarray | None = None) -> list[str]:
    """What `other` has in common with `asked`, or better; `colours` are those of `asked`. Both of `Filters.rows`."""
    colours = palette(asked) if colours is None else colours
    said = [_cut(asked, other), _colour(distance(colours, palette(other)))]
    said += [_brand(asked, other), _price(asked, other), _size(filters)]
    return [sentence for sentence in said if sentence][:MOST]


def _cut(asked: Garment, other: Garment) -> str:
    if asked.category != other.category:
        return ""
    sleeve, length = (same_known(asked, other, name) for name in ("sleeve", "length"))
    bottoms = asked.category == Garment.Category.LOWER
    if length and (sleeve or bottoms) and asked.product_type == other.product_type:
        return gettext("Same cut")
    if sleeve:
        return gettext("Same sleeves")
    return gettext("Same length") if length else ""


def same_known(asked: Garment, other: Garment, name: str) -> bool:
    """Whether a field is known of both and the same; where the merchant left it out, as the analysis found it."""
    one, two = (getattr(garment, name) or (garment.front or {}).get(name) for garment in (asked, other))
    return bool(one) and one == two


def _colour(apart: float) -> str:
    if apart <= SAME:
        return gettext("Same colour")
    return gettext("Close colour") if apart <= CLOSE else ""


def _brand(asked: Garment, other: Garment) -> str:
    return gettext("Same brand") if asked.brand and asked.brand == other.brand else ""


def _price(asked: Garment, other: Garment) -> str:
    cheaper = asked.currency == other.currency and float(other.price_now) < BELOW * float(asked.price_now)
    return gettext("Lower price") if cheaper else ""


def _size(filters: Filters) -> str:
    """The garments of the list have one of the sizes that were asked for; of several, none can be named."""
    if not filters.sizes:
        return ""
    return gettext("In your size") if len(filters.sizes) == 1 else gettext("In one of your sizes")


def matched(relation: Relation, worn_together: bool, chosen_together: bool) -> list[str]:
    """Why two garments go together."""
    said = []
    if worn_together:
        said.append(gettext("Often worn together"))
    elif chosen_together:
        said.append(gettext("Often liked by the same shoppers"))
    return said + list(_colours(relation))


def _colours(relation: Relation) -> Iterable[str]:
    match relation:
        case Relation.NEUTRAL:
            yield gettext("A neutral goes with any colour")
        case Relation.SHADES:
            yield gettext("Shades of one colour")
        case Relation.NEIGHBOURS:
            yield gettext("Neighbouring colours go together")
        case Relation.OPPOSITES:
            yield gettext("Colours that set each other off")
