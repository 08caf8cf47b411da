"""The lists that pages show: which ranking a shopper gets, what was shown, and what was opened from it.

Counted are shoppers with a cookie alone, so that crawlers leave nothing behind; not HEAD, and not what a browser
fetches before anybody asked for it. A list counts when its page is made, whether or not it was scrolled to: that
needs no script, and two rankings of one surface are still compared fairly.
"""

import logging
import uuid
from collections.abc import Iterable

from django.db import IntegrityError

from shop import shoppers
from shop.models import Event, Experiment, Garment, Shopper, ShownList

log = logging.getLogger(__name__)

_offered: dict[str, dict[str, str]] = {}


def offer(surface: str, rankings: dict[str, str]) -> None:
    """Make rankings known, by name and label; the first is what shoppers get. For an app's `ready`."""
    _offered[surface] = dict(rankings)


def offered() -> dict[str, dict[str, str]]:
    """By surface the rankings that there are, by name and label."""
    return _offered


def ranking(shopper: Shopper | None, surface: str) -> str:
    """The name of the ranking that this shopper gets; empty where the surface offers none."""
    names = list(_offered.get(surface, ()))
    experiment = Experiment.objects.on(surface)
    if experiment and {experiment.first, experiment.second} <= set(names):
        return experiment.ranking_of(shopper)
    return names[0] if names else ""


def shown(request, surface: str, garments: Iterable[Garment], ranked_by: str | None = None) -> str:
    """Note that a page shows these garments in this order.

    Args:
        request: Django's.
        ranked_by: the ranking's name; by default the one that `ranking` says for this shopper.

    Returns:
        What the links of the list carry as `?list=`; empty where nothing is counted.
    """
    ids = [garment.pk for garment in garments]
    shopper = shoppers.current(request)
    if not ids or shopper is None or not _counts(request):
        return ""
    name = ranking(shopper, surface) if ranked_by is None else ranked_by
    try:
        row = ShownList.objects.show(shopper, surface, name, ids)
    except IntegrityError as error:
        return _uncounted(error)
    return row.pk.hex if row else ""


def opened(request, garment: Garment) -> None:
    """Note that a garment's page was opened; a click too, the first time, where its address names a list.

    An address with a list that is not there, not this shopper's, or without the garment, is as good as one without.
    """
    shopper = shoppers.current(request)
    if shopper is None or not _counts(request):
        return
    found = ShownList.objects.filter(pk=_id(request.GET.get("list", "")), shopper=shopper).first()
    place = found.place(garment.pk) if found else None
    try:
        if place:
            Event.objects.note(shopper.pk, garment.pk, Event.Kind.CLICK, place)
        Event.objects.note(shopper.pk, garment.pk, Event.Kind.VIEW, place)
    except IntegrityError as error:
        _uncounted(error)


def _uncounted(error: IntegrityError) -> str:
    """The shopper signed in elsewhere at this moment, or the garment was deleted: the page is made all the same."""
    log.info("not counted: %s", error)
    return ""


def _counts(request) -> bool:
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
    return request.method == "GET" and "prefetch" not in purpose


def _id(token: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(token)
    except ValueError:
        return None
