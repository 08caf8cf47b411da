"""Pages of lists that are put in order anew each time they are asked for: recommendations, and what a search found."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.cache import patch_vary_headers
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from recommend.api.serializers import FoundSerializer
from recommend.ranking import Found
from shop.models import Garment

MOST = 120  # garments of one list, however often the next page is asked for
DEEPEST = 2000  # garments that the pages of a search go through
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


@dataclass(frozen=True)
class Place:
    """Where a page of a search begins, as a cursor says it. Garments added after the first page was asked for are left
    out of the next ones, and the order stays the one it was begun with: nothing comes twice, nothing is left out."""

    start: int
    newest: int
    looks: bool

    @classmethod
    def read(cls, cursor: str) -> "Place":
        if not cursor:
            newest = Garment.objects.order_by("-pk").values_list("pk", flat=True).first()
            return cls(0, newest or 0, looks=True)
        try:
            start, newest, looks = json.loads(base64.urlsafe_b64decode(cursor))
        except (ValueError, TypeError, binascii.Error):
            raise NotFound("Invalid cursor") from None
        if not (type(start) is type(newest) is int and 0 <= start <= DEEPEST and 0 <= newest < 1 << 62):
            raise NotFound("Invalid cursor")
        return cls(start, newest, bool(looks))

    def at(self, request, start: int) -> str:
        """The address of the page that begins at `start`."""
        url = request.build_absolute_uri()
        if start <= 0:
            return remove_query_param(url, "cursor")
        cursor = json.dumps([start, self.newest, int(self.looks)], separators=(",", ":"))
        return replace_query_param(url, "cursor", base64.urlsafe_b64encode(cursor.encode()).decode())

    def page(self, request, found: list[Found], limit: int) -> dict:
        """The fields of `PageSerializer`; `found` holds one more than the page where there is a next one."""
        after = self.start + limit
        return {
            "next": self.at(request, after) if len(found) > limit and after <= DEEPEST else None,
            "previous": self.at(request, self.start - limit) if self.start else None,
            "results": found[:limit],
        }


class PageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = FoundSerializer(many=True)


def answer(page: serializers.Serializer) -> Response:
    """A page of a search, which is another one for another shopper and in another language."""
    response = Response(page.data)
    patch_vary_headers(response, ["Authorization", "Cookie", "Accept-Language"])
    return response
