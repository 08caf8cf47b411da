"""Which garments a shopper asks for: words, choices, price, order; and how many each further choice would leave."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, TrigramWordSimilarity
from django.db.models import BigIntegerField, Count, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from shop.models import Garment, Variant
from shop.words import english_for

# What a shopper may choose, by the name it has in an address, and the column it looks at.
FACETS = {
    "category": "category",
    "type": "product_type",
    "gender": "gender",
    "age": "age_group",
    "size": "size",  # of the variants, and only where there is stock
    "colour": "colour",
    "brand": "brand",
}
PRICE_NOW = Coalesce("sale_price", "price")
ORDERS = {
    "new": ["-created", "-id"],
    "low": [PRICE_NOW.asc(), "-id"],
    "high": [PRICE_NOW.desc(), "-id"],
}
MAX_WORDS = 8
MOST = 1000
CLOSE_ENOUGH = 0.45

VECTOR = (
    SearchVector("title", "product_type", weight="A", config="english")
    + SearchVector("colour", "brand", "sku", weight="B", config="english")
    + SearchVector("gender", "category", "description", weight="C", config="english")
)
ENGLISH_COLUMNS = ("product_type", "colour", "gender", "category", "age_group")


def _joined(*columns: str) -> Concat:
    return Concat(*(part for name in columns for part in (F(name), Value(" "))), output_field=TextField())


@dataclass(frozen=True)
class Match:
    """Garments by their numbers, best first; `alike` where no word fits and titles only look like it."""

    ids: list[int]
    alike: bool = False


def matching(garments: QuerySet[Garment], words: str) -> Match:
    """The garments in which every word occurs, MOST of them at most.

    Latin words are compared by their English stem and from the start of a word, so that "dresses" and "dre" find a
    dress and "men" does not find women; other scripts, which put endings on words, anywhere in the text, and by what
    they mean in the catalogue's English. Where nothing matches, titles that look alike.
    """
    tokens = re.findall(r"\w+", words.lower())[:MAX_WORDS]
    latin = [token for token in tokens if token.isascii()]
    found = garments.annotate(rank=Value(0.0))
    if latin:
        query = SearchQuery(" & ".join(f"{token}:*" for token in latin), search_type="raw", config="english")
        found = garments.alias(vector=VECTOR).annotate(rank=SearchRank(F("vector"), query)).filter(vector=query)
    found = found.alias(words=_joined("title", "title_ko", "description_ko", "brand"))
    for token in tokens:
        if not token.isascii():
            found = found.filter(Q(words__icontains=token) | _means(token))
    if ids := _best(found):
        return Match(ids)
    alike = garments.annotate(rank=TrigramWordSimilarity(words, _joined("title", "title_ko")))
    return Match(_best(alike.filter(rank__gte=CLOSE_ENOUGH)), alike=True)


def _best(garments: QuerySet[Garment]) -> list[int]:
    return list(garments.order_by("-rank", "-created", "-id").values_list("pk", flat=True)[:MOST])


def _means(token: str) -> Q:
    means = Q(pk=None)
    for value in english_for(token):
        for column in ENGLISH_COLUMNS:
            means |= Q(**{f"{column}__iexact": value})
    return means


@dataclass(frozen=True)
class Search:
    """One search, as an address holds it. `chosen` has values by facet; any one of them will do."""

    words: str = ""
    chosen: Mapping[str, list[str]] = field(default_factory=dict)
    low: Decimal | None = None
    high: Decimal | None = None
    on_sale: bool = False
    order: str = ""

    @cached_property
    def match(self) -> Match:
        """What the words find; read once, however many facets ask."""
        return matching(Garment.objects.published(), self.words)

    def garments(self, *, without: str = "") -> QuerySet[Garment]:
        """The published garments that fit, in order; `without` leaves one facet out of account."""
        garments = Garment.objects.published()
        for name, values in self.chosen.items():
            if not values or name == without:
                continue
            fits = _in_stock(values) if name == "size" else Q(**{f"{FACETS[name]}__in": values})
            garments = garments.filter(fits)
        if self.low is not None or self.high is not None:
            garments = garments.alias(now=PRICE_NOW)
            garments = garments.filter(now__gte=self.low) if self.low is not None else garments
            garments = garments.filter(now__lte=self.high) if self.high is not None else garments
        if self.on_sale:
            garments = garments.filter(sale_price__isnull=False)
        if self.words:
            garments = garments.filter(pk__in=self.match.ids)
        if self.order in ORDERS:
            return garments.order_by(*ORDERS[self.order])
        return garments.order_by(_place(self.match.ids)) if self.words else garments

    def counts(self, name: str) -> dict[str, int]:
        """Value to number of garments that it would show, most first; sizes in their own order."""
        garments = self.garments(without=name).order_by()
        if name == "size":
            sizes = Variant.objects.filter(garment__in=garments.values("pk"), stock__gt=0)
            rows = sizes.values("size").annotate(n=Count("garment", distinct=True)).order_by("size")
            return dict(sorted(((row["size"], row["n"]) for row in rows), key=lambda pair: _size_order(pair[0])))
        column = FACETS[name]
        rows = garments.exclude(**{column: ""}).values_list(column).annotate(n=Count("pk")).order_by("-n", column)
        return dict(rows)


def _place(ids: list[int]) -> Func:
    """A garment's place in the list, as an expression."""
    return Func(Cast(Value(ids), ArrayField(BigIntegerField())), F("pk"), function="array_position")


def _in_stock(sizes: list[str]) -> Exists:
    return Exists(Variant.objects.filter(garment=OuterRef("pk"), size__in=sizes, stock__gt=0))


LETTER_SIZES = ["XXS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "3XL", "4XL"]


def _size_order(size: str):
    """Letters from small to large, then numbers, then the rest."""
    if size.upper() in LETTER_SIZES:
        return 0, LETTER_SIZES.index(size.upper()), size
    number = re.match(r"\d+", size)
    return (1, int(number.group()), size) if number else (2, 0, size)
