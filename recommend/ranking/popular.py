"""What many shoppers look at, try on and order: where nothing is known of looks or taste, and at the end of lists."""

import random
from collections.abc import Collection, Iterator
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
STEPS = 6  # times as many rows are read in each further step


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
    for entry in _in_order(filters, exclude, 3 * k):
        if folded.take(entry.garment):
            found.append(entry)
            if len(found) == k:
                break
    return found


def drawn(filters: Filters, exclude: Collection[int], among: int, draw: random.Random) -> Iterator[Found]:
    """Those that fit of the `among` most popular, or where there are not so many the newest, in an order drawn."""
    liked = [pk for pk in _liked(filters) if pk not in exclude][:among]
    new = filters.garments().exclude(pk__in=[*exclude, *liked]).values_list("pk", flat=True)
    ids = [*liked, *new[: among - len(liked)]] if len(liked) < among else liked
    yield from _found(filters, draw.sample(ids, len(ids)), among // STEPS, frozenset(liked))


def _in_order(filters: Filters, exclude: Collection[int], step: int) -> Iterator[Found]:
    """The popular, then the newest; read `step` at a time, and more later."""
    liked = [pk for pk in _liked(filters) if pk not in exclude]
    yield from _found(filters, liked, step, frozenset(liked))
    exclude = {*exclude, *liked}
    while rows := list(filters.rows().exclude(pk__in=exclude)[:step]):
        yield from (Found(row, None, _said(row, liked=False)) for row in rows)
        exclude |= {row.pk for row in rows}
        step *= STEPS


def _found(filters: Filters, garment_ids: list[int], step: int, liked: Collection[int]) -> Iterator[Found]:
    """Of these garments those that fit, in their order."""
    while garment_ids:
        rows = filters.by_id(garment_ids[:step])
        for pk in filter(rows.get, garment_ids[:step]):
            yield Found(rows[pk], None, _said(rows[pk], liked=pk in liked))
        garment_ids, step = garment_ids[step:], step * STEPS


def _said(row: Garment, *, liked: bool) -> list[str]:
    if liked:
        return [gettext("Popular now")]
    return [gettext("New")] if row.created > timezone.now() - NEW else []


def _liked(filters: Filters) -> Iterator[int]:
    """The most popular of each category that is asked for in turn, whether or not they fit."""
    categories = sorted(filters.categories or Garment.Category.values)
    for places in zip_longest(*map(popular, categories)):
        yield from (pk for pk in places if pk is not None)
