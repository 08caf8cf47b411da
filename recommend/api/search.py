"""Search by words and by picture, for programs."""

import base64
import binascii
import json
from dataclasses import dataclass, replace

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from preprocessing.errors import Refusal
from recommend.api.serializers import FoundSerializer
from recommend.models import Query, QueryLook, Serving
from recommend.search import PictureSearch, search
from shop.api.auth import ensure_shopper, link_owner, shopper_of
from shop.api.problems import problem
from shop.images import clean_image
from shop.matching import tokens_of
from shop.models import ApiKey, Garment
from shop.private import private_url
from shop.search import ORDERS, Search

POLL_SECONDS = 1
MOST_VALUES = 20
DEEPEST = 2000  # garments that pages go through
ROOM_SECONDS = {"search.too_many": (status.HTTP_429_TOO_MANY_REQUESTS, 10), "search.busy": (503, 60)}
# A parameter's name, and that of the facet it chooses.
CHOICES = {
    "category": "category",
    "product_type": "type",
    "gender": "gender",
    "age_group": "age",
    "size": "size",
    "colour_family": "colour_family",
    "colour": "colour",
    "brand": "brand",
}


def one_of(longest: int, **more) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=longest), required=False, max_length=MOST_VALUES, **more
    )


class FilterQuery(serializers.Serializer):
    """What both searches can be narrowed by. A filter may be given several times: one of its values will do."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=24, help_text="how many")
    cursor = serializers.CharField(required=False, max_length=200, help_text="of `next` or `previous`")
    category = serializers.MultipleChoiceField(choices=Garment.Category.choices, required=False)
    product_type = one_of(60)
    gender = serializers.MultipleChoiceField(choices=Garment.Gender.choices, required=False)
    age_group = serializers.MultipleChoiceField(choices=Garment.AgeGroup.choices, required=False)
    colour_family = serializers.MultipleChoiceField(
        choices=Garment.ColourFamily.choices,
        required=False,
        help_text="what its picture shows most of, or nearly as much of",
    )
    colour = one_of(60, help_text="as the shop calls it")
    brand = one_of(80)
    size = one_of(20, help_text="in stock")
    price_min = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0, required=False)
    price_max = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0, required=False)
    on_sale = serializers.BooleanField(default=False)

    def validate(self, data):
        low, high = data.get("price_min"), data.get("price_max")
        if low is not None and high is not None and low > high:
            raise serializers.ValidationError({"price_max": gettext("The highest price is below the lowest.")})
        return data

    @property
    def search(self) -> Search:
        """Of valid data."""
        asked = self.validated_data
        return Search(
            words=asked.get("q", ""),
            chosen={facet: sorted(asked[name]) for name, facet in CHOICES.items() if asked.get(name)},
            low=asked.get("price_min"),
            high=asked.get("price_max"),
            on_sale=asked["on_sale"],
            order=asked.get("sort", ""),
        )


class WordsQuery(FilterQuery):
    q = serializers.CharField(max_length=100, help_text="up to 100 characters, in any language the catalogue has")
    sort = serializers.ChoiceField(choices=list(ORDERS), required=False, help_text="best match first without it")

    def validate_q(self, words):
        if not tokens_of(words):
            raise serializers.ValidationError(gettext("Type a word: there is no letter or digit in this."))
        return words


class PictureQuery(FilterQuery):
    part = serializers.ChoiceField(
        choices=[part for part in QueryLook.Part.values if part != QueryLook.Part.WORDS],
        required=False,
        help_text="of `parts`; the first by default",
    )


@dataclass(frozen=True)
class Place:
    """Where a page begins, as a cursor says it. Garments added after the first page was asked for are left out of the
    next ones, and the order stays the one it was begun with: nothing comes twice, nothing is left out."""

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


class PageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = FoundSerializer(many=True)


class WordsPageSerializer(PageSerializer):
    total = serializers.IntegerField(help_text="how many there are; of many thousands up to a minute old")
    alike = serializers.BooleanField(help_text="no garment has the words; these have titles that look like them")
    ranked_by = serializers.ListField(child=serializers.CharField(), help_text="words, or words and looks")


class PartSerializer(serializers.ModelSerializer):
    picture_url = serializers.SerializerMethodField(help_text="what was cut out; lives five minutes")

    class Meta:
        model = QueryLook
        fields = ["part", "picture_url", "width", "height"]
        read_only_fields = fields

    def get_picture_url(self, look) -> str:
        request = self.context["request"]
        return request.build_absolute_uri(private_url(look.cutout.name, link_owner(request)))


class SearchErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="stable, for programs")
    sentence = serializers.CharField(help_text="for the shopper, in the language of the request")


class PicturePageSerializer(PageSerializer):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Query.State.choices, help_text="results come when it is done")
    error = SearchErrorSerializer(allow_null=True, help_text="null unless failed")
    expires_at = serializers.DateTimeField()
    parts = PartSerializer(many=True, help_text="what can be searched for in the picture, the largest first")
    part = serializers.CharField(allow_null=True, help_text="what the results look like")


class SearchedPictureSerializer(serializers.Serializer):
    image = serializers.FileField(help_text="JPEG, PNG or WebP: a garment, or a person who wears it")


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
        page = _page(request, place, found, limit) | {
            "total": order.search.total,
            "alike": order.search.match.alike,
            "ranked_by": ["words", *([order.encoder] if order.encoder else [])],
        }
        return _vary(Response(WordsPageSerializer(page, context={"request": request}).data))

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


@method_decorator([conditional_page, cache_control(private=True, no_cache=True)], name="dispatch")
class PictureSearchView(APIView):
    scope = ApiKey.Scope.TRYON

    def query(self, request, query_id) -> Query:
        return get_object_or_404(Query.objects.pictures_of(shopper_of(request)).prefetch_related("looks"), pk=query_id)

    @extend_schema(operation_id="search_picture_retrieve", parameters=[PictureQuery], responses=PicturePageSerializer)
    def get(self, request, query_id):
        """What looks like the picture, or like one part of it, the most alike first; in pages, with an ETag."""
        return picture_page(request, self.query(request, query_id), PictureQuery(data=request.query_params))

    @extend_schema(operation_id="search_picture_destroy", responses={204: None})
    def delete(self, request, query_id):
        """Delete the picture and what was cut out of it."""
        self.query(request, query_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def picture_page(request, query: Query, asked: PictureQuery) -> Response:
    asked.is_valid(raise_exception=True)
    if serving := Serving.objects.current():
        query.follow(serving)
    looks = list(query.looks.all())
    wanted = asked.validated_data.get("part")
    look = next((look for look in looks if wanted in (None, look.part)), None)
    if wanted and looks and look is None:
        raise serializers.ValidationError({"part": gettext("This was not found in the picture.")})
    limit, place = asked.validated_data["limit"], Place.read(asked.validated_data.get("cursor", ""))
    chosen = replace(asked.search, newest=place.newest)
    found = PictureSearch(look, chosen).found(limit + 1, place.start) if look else []
    page = _page(request, place, found, limit) | {
        "id": query.pk,
        "state": query.state,
        "error": {"code": query.error, "sentence": query.sentence} if query.state == Query.State.FAILED else None,
        "expires_at": query.expires_at,
        "parts": looks,
        "part": look and look.part,
    }
    response = Response(PicturePageSerializer(page, context={"request": request}).data)
    if not query.is_done:
        response["Retry-After"] = str(POLL_SECONDS)
    return _vary(response)


def _page(request, place: Place, found: list, limit: int) -> dict:
    """`found` holds one more than the page where there is a next one."""
    after = place.start + limit
    return {
        "next": place.at(request, after) if len(found) > limit and after <= DEEPEST else None,
        "previous": place.at(request, place.start - limit) if place.start else None,
        "results": found[:limit],
    }


def _vary(response: Response) -> Response:
    patch_vary_headers(response, ["Authorization", "Cookie", "Accept-Language"])
    return response
