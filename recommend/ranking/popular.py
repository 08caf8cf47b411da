"""What many shoppers look at, try on and order: where nothing is known of looks or taste, and at the end of lists."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from itertools import zip_longest

from django.core.cache import cache
from django.db.models import Case, F, FloatField, Sum, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

from recommend.ranking.diversity import Folded
from recommend.ranking.filters import Filters
from recommend.ranking.found import Found
from shop.models import Event, Garment

WINDOW = timedelta(days=30)
NEW = timedelta(days=30)
# What an event says of how much a garment is liked. Pages note a click as a view too, so clicks count nothing here.
WEIGHTS = {Event.Kind.VIEW: 1.0, Event.Kind.TRYON: 3.0, Event.Kind.ORDER: 10.0}
RATING = 4.0  # times -1 or 1
KEPT = 400  # garments of a category
SECONDS = 600  # that an answer is kept: it reads a month's events


def popular(category: str) -> list[int]:
    """Ids of a category's published garments that most is done with in WINDOW, the most popular first."""
    return cache.get_or_set(f"recommend.popular.{category}", lambda: _read(category), SECONDS)


def anything_popular() -> bool:
    """Whether shoppers have done anything in WINDOW."""
    return any(popular(category) for category in Garment.Category.values)


def _read(category: str) -> list[int]:
    weight = Case(
        *(When(kind=kind, then=Value(weight)) for kind, weight in WEIGHTS.items()),
        When(kind=Event.Kind.RATING, then=RATING * F("value")),
        default=Value(0.0),
        output_field=FloatField(),
    )
    events = Event.objects.filter(created__gt=Now() - WINDOW, garment__category=category, garment__published=True)
    liked = events.values("garment").annotate(liked=Sum(weight)).filter(liked__gt=0).order_by("-liked", "-garment")
    return list(liked.values_list("garment", flat=True)[:KEPT])


def fill(filters: Filters, exclude: Collection[int], k: int, folded: Folded) -> list[Found]:
    """k garments that fit, one of a kind: the popular, then the newest; fewer only where fewer are there."""
    found: list[Found] = []
    for row, sentences in _rows(filters, exclude, k):
        if folded.take(row):
            found.append(Found(row, None, sentences))
            if len(found) == k:
                break
    return found


def _rows(filters: Filters, exclude: Collection[int], k: int) -> Iterator[tuple[Garment, list[str]]]:
    exclude, step = set(exclude), 3 * k
    ids = [pk for pk in _liked(filters.categories or Garment.Category.values) if pk not in exclude]
    for start in range(0, len(ids), step):
        rows = filters.rows().in_bulk(ids[start : start + step])
        for pk in filter(rows.get, ids[start : start + step]):
            exclude.add(pk)
            yield rows[pk], [gettext("Popular now")]
    new = timezone.now() - NEW
    while rows := list(filters.rows().exclude(pk__in=exclude)[:step]):
        for row in rows:
            yield row, [gettext("New")] if row.created > new else []
        exclude |= {row.pk for row in rows}


def _liked(categories: Iterable[str]) -> Iterator[int]:
    """The most popular of each category in turn."""
    for places in zip_longest(*(popular(category) for category in sorted(categories))):
        yield from (pk for pk in places if pk is not None)
