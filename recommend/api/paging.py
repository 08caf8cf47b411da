"""Pages of a list that is put in order anew each time it is asked for."""

import re
from collections.abc import Callable

from rest_framework.exceptions import NotFound
from rest_framework.utils.urls import remove_query_param, replace_query_param

from recommend.ranking import Found

MOST = 120  # garments of one list, however often the next page is asked for
CURSOR = re.compile(r"[0-9a-z]{1,12}(\.[0-9a-z]{1,12})*")


class Page:
    """One page. The cursor names the garments of the pages before, so none comes twice and none is left out while
    the shop and its order change.
    """

    def __init__(self, request, ranked: Callable[[int], list[Found]], limit: int):
        """`ranked` gives the first n of the list."""
        self._url = request.build_absolute_uri()
        self._limit = limit
        self._shown = _read(request.query_params.get("cursor", ""))
        limit = min(limit, MOST - len(self._shown))
        left = [entry for entry in ranked(len(self._shown) + limit + 1) if entry.garment.pk not in self._shown]
        self.results = left[:limit]
        self._more = len(left) > limit and len(self._shown) + limit < MOST

    @property
    def next(self) -> str | None:
        return self._at([*self._shown, *(entry.garment.pk for entry in self.results)]) if self._more else None

    @property
    def previous(self) -> str | None:
        return self._at(self._shown[: -self._limit]) if self._shown else None

    def _at(self, shown: list[int]) -> str:
        if not shown:
            return remove_query_param(self._url, "cursor")
        return replace_query_param(self._url, "cursor", ".".join(map(_base36, shown)))


def _read(cursor: str) -> list[int]:
    if not cursor:
        return []
    if not CURSOR.fullmatch(cursor) or cursor.count(".") >= MOST:
        raise NotFound("Invalid cursor")
    return [int(part, 36) for part in cursor.split(".")]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"
