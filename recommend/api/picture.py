"""What a search by a picture found, for programs."""

from dataclasses import replace

from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from recommend.api.filters import FilterQuery
from recommend.api.paging import PageSerializer, Place, answer
from recommend.models import Query, QueryLook, Serving
from recommend.search import PictureSearch
from shop.api.auth import link_owner, shopper_of
from shop.models import ApiKey
from shop.private import private_url

POLL_SECONDS = 1


class PictureQuery(FilterQuery):
    part = serializers.ChoiceField(
        choices=[part for part in QueryLook.Part.values if part != QueryLook.Part.WORDS],
        required=False,
        help_text="of `parts`; the first by default",
    )


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
    page = place.page(request, found, limit) | {
        "id": query.pk,
        "state": query.state,
        "error": {"code": query.error, "sentence": query.sentence} if query.state == Query.State.FAILED else None,
        "expires_at": query.expires_at,
        "parts": looks,
        "part": look and look.part,
    }
    response = answer(PicturePageSerializer(page, context={"request": request}))
    if not query.is_done:
        response["Retry-After"] = str(POLL_SECONDS)
    return response
