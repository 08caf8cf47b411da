"""Which garments a shopper asks for: words, choices, price, order; and how many each further choice would leave."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from shop.matching import Match, matching
from shop.models import Garment, Variant

# What a shopper may choose, by the name it has in an address, and the columns one of which must hold it.
FACETS = {
    "category": ["category"],
    "type": ["product_type"],
    "gender": ["gender"],
    "age": ["age_group"],
    "size": [],  # of the variants, and only where there is stock
    "colour_family": ["colour_family", "second_colour_family"],
    "colour": ["colour"],  # as the merchant calls it
    "brand": ["brand"],
}
PRICE_NOW = Coalesce("sale_price", "price")
ORDERS = {
    "new": ["-created", "-id"],
    "low": [PRICE_NOW.asc(), "-id"],
    "high": [PRICE_NOW.desc(), "-id"],
}
# Counting so many takes a tenth of a second; the figures may then be as old as this.
MANY, MANY_SECONDS = 5000, 60


@dataclass(frozen=True)
class Search:
    """One search, as an address holds it. `chosen` has values by facet; any one of them will do.

    `first` are ids of garments that belong to the words whether or not they have them (they look like them), and
    come before the others. `newest` leaves out what was added later (ids above it).
    """

    words: str = ""
    chosen: Mapping[str, list[str]] = field(default_factory=dict)
    low: Decimal | None = None
    high: Decimal | None = None
    on_sale: bool = False
    order: str = ""
    first: tuple[int, ...] = ()
    newest: int | None = None

    @cached_property
    def match(self) -> Match:
        """What the words mean; found out once, however many facets ask."""
        return matching(Garment.objects.published(), self.words)

    def garments(self, *, without: str = "") -> QuerySet[Garment]:
        """The published garments that fit, in order; `without` leaves one facet out of account."""
        garments = Garment.objects.published()
        for name, values in self.chosen.items():
            if not values or name == without:
                continue
            fits = _in_stock(values) if name == "size" else _any_of(FACETS[name], values)
            garments = garments.filter(fits)
        if self.low is not None or self.high is not None:
            garments = garments.alias(now=PRICE_NOW)
            garments = garments.filter(now__gte=self.low) if self.low is not None else garments
            garments = garments.filter(now__lte=self.high) if self.high is not None else garments
        if self.on_sale:
            garments = garments.filter(sale_price__isnull=False)
        if self.newest is not None:
            garments = garments.filter(pk__lte=self.newest)
        if self.words:
            garments = self.match.within(garments, self.first)
        return garments.order_by(*ORDERS[self.order]) if self.order in ORDERS else garments

    @property
    def total(self) -> int:
        return self._counted["total"]

    def counts(self, name: str) -> dict[str, int]:
        """Value to number of garments that it would show, most first; sizes and families in their own order.

        The merchant's colours, which may be dozens, are counted only where a colour is chosen.
        """
        return self._counted.get(name, {})

    @cached_property
    def _counted(self) -> dict:
        asked = sorted((name, sorted(values)) for name, values in self.chosen.items() if values)
        asked = repr((self.words, asked, self.low, self.high, self.on_sale, self.first, self.newest))
        key = f"shop.counts.{hashlib.sha256(asked.encode()).hexdigest()}"
        counted = cache.get(key)
        if counted is None:
            counted = self._count()
            if counted["total"] >= MANY:
                cache.set(key, counted, MANY_SECONDS)
        return counted

    def _count(self) -> dict:
        """All facets; those in which nothing is chosen look at the same garments, so one query counts them."""
        alone = {name for name, values in self.chosen.items() if values}
        together = [name for name in FACETS if name not in alone | {"size"}]
        if not alone & {"colour_family", "colour"}:
            together.remove("colour")
        totals = _grouped(self.garments(), ["category", *(column for name in together for column in FACETS[name])])
        counted = {name: _added(totals, name) for name in together} | {"total": sum(totals["category"].values())}
        for name in alone - {"size"}:
            counted[name] = _added(_grouped(self.garments(without=name), FACETS[name]), name)
        return counted | {"size": _sizes(self.garments(without="size"))}


def _any_of(columns: list[str], values: list[str]) -> Q:
    fits = Q()
    for column in columns:
        fits |= Q(**{f"{column}__in": values})
    return fits


def _grouped(garments: QuerySet[Garment], columns: list[str]) -> dict[str, dict[str, int]]:
    """By column, each value but the empty one with the number of garments that have it there."""
    columns = list(dict.fromkeys(columns))
    quoted = [connection.ops.quote_name(column) for column in columns]
    try:
        inner, parameters = garments.order_by().values(*columns).query.sql_with_params()
    except EmptyResultSet:  # Django sees that nothing can be found
        return {column: {} for column in columns}
    sets = ", ".join(f"({column})" for column in quoted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(quoted)}, count(*) FROM ({inner}) found GROUP BY GROUPING SETS ({sets})", parameters
        )
        rows = cursor.fetchall()
    return {column: {row[at]: row[-1] for row in rows if row[at]} for at, column in enumerate(columns)}


def _added(counts: dict[str, dict[str, int]], name: str) -> dict[str, int]:
    """Of a facet, from the counts of its columns; no garment has a value in two of them."""
    added = Counter()
    for column in FACETS[name]:
        added.update(counts[column])
    if name == "colour_family":
        return {family: added[family] for family in Garment.ColourFamily.values if family in added}
    return dict(sorted(added.items(), key=lambda pair: (-pair[1], pair[0])))


def _sizes(garments: QuerySet[Garment]) -> dict[str, int]:
    in_stock = Variant.objects.filter(garment__in=garments.order_by().values("pk"), stock__gt=0)
    # A garment has a size once.
    rows = in_stock.order_by().values_list("size").annotate(n=Count("pk"))
    return dict(sorted(rows, key=lambda pair: _size_order(pair[0])))


def _in_stock(sizes: list[str]) -> Exists:
    return Exists(Variant.objects.filter(garment=OuterRef("pk"), size__in=sizes, stock__gt=0))


LETTER_SIZES = ["XXS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "3XL", "4XL"]


def _size_order(size: str):
    """Letters from small to large, then numbers, then the rest."""
    if size.upper() in LETTER_SIZES:
        return 0, LETTER_SIZES.index(size.upper()), size
    number = re.match(r"\d+", size)
    return (1, int(number.group()), size) if number else (2, 0, size)
