"""Search by words, for programs; and where a search by a picture begins."""

from dataclasses import replace

from django.conf import settings
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from preprocessing.errors import Refusal
from recommend.api.filters import FilterQuery
from recommend.api.paging import PageSerializer, Place, answer
from recommend.api.picture import (
    POLL_SECONDS,
    PicturePageSerializer,
    PictureQuery,
    SearchedPictureSerializer,
    picture_page,
)
from recommend.models import Query
from recommend.search import search
from shop.api.auth import ensure_shopper
from shop.api.problems import problem
from shop.images import clean_image
from shop.matching import tokens_of
from shop.models import ApiKey
from shop.search import ORDERS

ROOM_SECONDS = {"search.too_many": (status.HTTP_429_TOO_MANY_REQUESTS, 10), "search.busy": (503, 60)}


class WordsQuery(FilterQuery):
    q = serializers.CharField(max_length=100, help_text="up to 100 characters, in any language the catalogue has")
    sort = serializers.ChoiceField(choices=list(ORDERS), required=False, help_text="best match first without it")

    def validate_q(self, words):
        if not tokens_of(words):
            raise serializers.ValidationError(gettext("Type a word: there is no letter or digit in this."))
        return words


class WordsPageSerializer(PageSerializer):
    total = serializers.IntegerField(help_text="how many there are; of many thousands up to a minute old")
    alike = serializers.BooleanField(help_text="no garment has the words; these have titles that look like them")
    ranked_by = serializers.ListField(child=serializers.CharField(), help_text="words, or words and looks")


@method_decorator([conditional_page, cache_control(private=True, no_cache=True)], name="dispatch")
class SearchView(APIView):
    """A search by words, in pages, with an ETag; POST begins one by a picture."""

    parser_classes = [MultiPartParser]

    @property
    def scope(self):
        return ApiKey.Scope.TRYON if self.request.method == "POST" else ApiKey.Scope.CATALOGUE_READ

    @extend_schema(operation_id="search_words", parameters=[WordsQuery], responses=WordsPageSerializer)
    def get(self, request):
        """Garments by words, the best first."""
        query = WordsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        limit, place = query.validated_data["limit"], Place.read(query.validated_data.get("cursor", ""))
        asked = replace(query.search, newest=place.newest)
        found, order = search(asked, limit + 1, place.start, looks=place.looks)
        place = replace(place, looks=bool(order.encoder))
        page = place.page(request, found, limit) | {
            "total": order.search.total,
            "alike": order.search.match.alike,
            "ranked_by": ["words", *([order.encoder] if order.encoder else [])],
        }
        return answer(WordsPageSerializer(page, context={"request": request}))

    @extend_schema(
        operation_id="search_picture",
        request=SearchedPictureSerializer,
        responses={
            202: PicturePageSerializer,
            422: OpenApiResponse(description="the picture cannot be used; the sentence tells what to do"),
            429: OpenApiResponse(description="you have too many searches under way"),
            503: OpenApiResponse(description="too many are under way"),
        },
    )
    def post(self, request):
        """Search by a picture of a garment, or of a person who wears one. 202: ask the Location what was found."""
        form = SearchedPictureSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clean = clean_image(form.validated_data["image"], max_side=settings.PICTURE_MAX_SIDE)
        query = Query.objects.store(ensure_shopper(request), clean)
        location = reverse("search-picture", args=[query.pk], request=request)
        response = picture_page(request, query, PictureQuery(data={}))
        response.status_code = status.HTTP_202_ACCEPTED
        response["Location"], response["Retry-After"] = location, str(POLL_SECONDS)
        return response

    def handle_exception(self, error):
        if isinstance(error, Refusal) and error.code in ROOM_SECONDS:
            http_status, seconds = ROOM_SECONDS[error.code]
            return problem(error.code, gettext(error.sentence), http_status, headers={"Retry-After": str(seconds)})
        return super().handle_exception(error)
