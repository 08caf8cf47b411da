"""Why a garment is shown: short sentences from what the rows say of both."""

import numpy as np
from django.utils.translation import gettext

from recommend.ranking.colours import CLOSE, SAME, distance, main_family, palette
from recommend.ranking.filters import Filters, known_of
from shop.models import Garment

MOST = 4
BELOW = 0.98  # of the price: less is no reason


def compared(asked: Garment, other: Garment, filters: Filters, colours: np.ndarray | None = None) -> list[str]:
    """What `other` has in common with `asked`, or better; `colours` are those of `asked`. Both of `Filters.rows`."""
    colours = palette(asked) if colours is None else colours
    said = [_cut(asked, other), _colour(colours, palette(other))]
    said += [_brand(asked, other), _price(asked, other), _size(filters)]
    return [sentence for sentence in said if sentence][:MOST]


def _cut(asked: Garment, other: Garment) -> str:
    if asked.category != other.category:
        return ""
    sleeve, length = (_same(asked, other, name) for name in ("sleeve", "length"))
    bottoms = asked.category == Garment.Category.LOWER
    if length and (sleeve or bottoms) and asked.product_type == other.product_type:
        return gettext("Same cut")
    if sleeve:
        return gettext("Same sleeves")
    return gettext("Same length") if length else ""


def _same(asked: Garment, other: Garment, name: str) -> bool:
    """Whether a field is known of both and the same."""
    return bool(known_of(asked, name)) and known_of(asked, name) == known_of(other, name)


def _colour(colours: np.ndarray, others: np.ndarray) -> str:
    apart = distance(colours, others)
    if apart <= SAME:
        return gettext("Same colour")
    return gettext("Close colour") if apart <= CLOSE and main_family(colours) == main_family(others) else ""


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
