"""What the reader of a list may ask for, and the rows that may then be in it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Exists, JSONField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from recommend.index import Where
from shop.colours import of_families
from shop.models import Garment, Variant

NOW = Coalesce("sale_price", "price")
# What is known of a garment's first flat picture, or of its first; one row each, read with the garment's own. As text,
# since Django took a fifth of a whole call to write it anew each time.
FRONT = RawSQL(
    """
    SELECT jsonb_build_object(
        'role', p.role, 'sha256', p.sha256, 'colours', a.colours, 'sleeve', a.sleeve, 'length', a.length
    )
    FROM shop_garmentpicture p LEFT JOIN shop_garmentanalysis a ON a.picture_id = p.id
    WHERE p.garment_id = shop_garment.id
    ORDER BY p.role <> 'flat', p.position, p.id, a.version DESC
    LIMIT 1
    """,
    (),
    output_field=JSONField(),
)
CHOICES = ("categories", "product_types", "genders", "colours", "colour_families", "brands", "sizes")
UNSEEN = ("description", "description_ko", "updated")  # in lists


@dataclass(frozen=True)
class Filters:
    """A garment must be one of each that is given; what is left empty may be anything.

    `sizes` must be in stock; `low` and `high` bound the price that is asked now. The age group is never the reader's
    choice: it follows from what the list is made for.
    """

    categories: Collection[str] = frozenset()
    product_types: Collection[str] = frozenset()
    genders: Collection[str] = frozenset()
    colours: Collection[str] = frozenset()
    colour_families: Collection[str] = frozenset()
    brands: Collection[str] = frozenset()
    sizes: Collection[str] = frozenset()
    low: Decimal | None = None
    high: Decimal | None = None
    age_group: str = ""
    ids: frozenset[int] | None = None  # of what is known to fit besides, where that is little

    def __post_init__(self):
        for name in CHOICES:
            object.__setattr__(self, name, frozenset(getattr(self, name)))

    def within(self, *, age_group: str = "", **limits: Iterable[str]) -> "Filters | None":
        """Both these and the limits; None where nothing can be both."""
        narrowed = {}
        for name, allowed in limits.items():
            chosen = getattr(self, name)
            narrowed[name] = chosen & frozenset(allowed) if chosen else frozenset(allowed)
            if not narrowed[name]:
                return None
        return replace(self, age_group=age_group or self.age_group, **narrowed)

    def where(self) -> Where:
        """As far as an index knows of it; the rest is asked of the rows."""
        return Where(
            categories=self.categories,
            product_types=self.product_types,
            genders=self.genders,
            age_group=self.age_group,
            brands=self.brands,
            colours=self.colours,
        )

    def garments(self) -> QuerySet[Garment]:
        """The published garments that are so at this moment, newest first."""
        columns = {"category": self.categories, "product_type": self.product_types, "gender": self.genders}
        columns |= {"colour": self.colours, "brand": self.brands, "age_group": {self.age_group} - {""}}
        asked = {f"{column}__in": values for column, values in columns.items() if values}
        if self.ids is not None:
            asked["pk__in"] = self.ids
        garments = Garment.objects.published().filter(**asked)
        if self.colour_families:
            garments = garments.filter(of_families(self.colour_families))
        if self.low is not None:
            garments = garments.alias(now=NOW).filter(now__gte=self.low)
        if self.high is not None:
            garments = garments.alias(now=NOW).filter(now__lte=self.high)
        if self.sizes:
            stocked = Variant.objects.filter(garment=OuterRef("pk"), size__in=self.sizes, stock__gt=0)
            garments = garments.filter(Exists(stocked))
        return garments

    def rows(self) -> QuerySet[Garment]:
        """The same as lists read them."""
        return as_lists_read(self.garments())

    def by_id(self, garment_ids: Iterable[int]) -> dict[int, Garment]:
        """Those of these garments that fit, as `rows` has them."""
        return self.rows().order_by().in_bulk(list(garment_ids))


def as_lists_read(garments: QuerySet[Garment]) -> QuerySet[Garment]:
    """With `front`, what is known of a garment's picture, a dict or None; without what lists do not show."""
    return garments.annotate(front=FRONT).defer(*UNSEEN)


def known_of(garment: Garment, name: str) -> str:
    """Sleeve or length of a garment of `Filters.rows`; as its picture was analysed where the merchant left it out."""
    return getattr(garment, name) or (garment.front or {}).get(name) or ""


EVERYTHING = Filters()
