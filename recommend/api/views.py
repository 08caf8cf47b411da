"""Recommendations for programs. Asking leaves no trace: what is shown is told by POST lists."""

from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from recommend.api.paging import Page
from recommend.api.serializers import FoundPageSerializer, ListQuery
from recommend.ranking import Filters, Found, for_you, goes_with, similar
from shop import surfaces
from shop.api.auth import shopper_of
from shop.models import ApiKey, Garment, Shopper, Surface


@method_decorator([conditional_page, cache_control(private=True, no_cache=True)], name="dispatch")
class FoundList(APIView):
    """A list in pages, with an ETag: the same again is a 304 without a body."""

    surface: Surface

    def ranked(self, about, k: int, filters: Filters, ranking: str) -> list[Found]:
        raise NotImplementedError

    def answer(self, request, about: Garment | Shopper | None) -> Response:
        query = ListQuery(data=request.query_params, context={"rankings": list(surfaces.offered()[self.surface])})
        query.is_valid(raise_exception=True)
        filters, ranking = query.filters, query.validated_data["ranking"]
        page = Page(request, lambda count: self.ranked(about, count, filters, ranking), query.validated_data["limit"])
        page.ranking = ranking
        response = Response(FoundPageSerializer(page, context={"request": request}).data)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


class BesideList(FoundList):
    """Of one garment."""

    scope = ApiKey.Scope.CATALOGUE_READ

    @extend_schema(parameters=[ListQuery], responses=FoundPageSerializer)
    def get(self, request, sku):
        garment = get_object_or_404(Filters().rows(), sku=sku)
        return self.answer(request, garment)


class SimilarList(BesideList):
    """The garments that look most like one: of its product type, then of its category, then others."""

    surface = Surface.SIMILAR

    def ranked(self, about, k, filters, ranking):
        return similar(about, k, filters, ranking)


class GoesWithList(BesideList):
    """What can be worn with a garment: other categories, in colours that go with it, or as shoppers wear it."""

    surface = Surface.GOES_WITH

    def ranked(self, about, k, filters, ranking):
        return goes_with(about, k, filters, ranking)


class ForYouList(FoundList):
    """For the shopper who asks, by what they looked at, tried on, rated and ordered; popular garments for a stranger.

    A program's own events are those of its key's user.
    """

    scope = ApiKey.Scope.TRYON
    surface = Surface.FOR_YOU

    @extend_schema(parameters=[ListQuery], responses=FoundPageSerializer)
    def get(self, request):
        return self.answer(request, shopper_of(request))

    def ranked(self, about, k, filters, ranking):
        return for_you(about, k, filters, ranking)
