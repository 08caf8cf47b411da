"""Ask for a try-on, watch it, stop it, do it again, delete it. What is not yours is 404."""

from django.http import Http404
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from preprocessing.errors import Refusal, gettext_noop
from shop.api.auth import ensure_shopper, shopper_of
from shop.api.paging import ByAge
from shop.api.problems import problem
from shop.models import ApiKey, Garment, Photo
from tryon.api.serializers import RateSerializer, TryOnRequestSerializer, TryOnSubmitSerializer, represent
from tryon.models import Rating, TryOn, TryOnRequest

POLL_SECONDS = 1
ROOM_SECONDS = {"tryon.too_many": (status.HTTP_429_TOO_MANY_REQUESTS, 10), "tryon.busy": (503, 60)}
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 200 characters of your choice, needed with an API key. The same key asks for nothing twice.",
)
NO_KEY = gettext_noop("Send an Idempotency-Key header, up to 200 characters: the same key asks for nothing twice.")


class TryOnView(APIView):
    scope = ApiKey.Scope.TRYON
    serializer_class = TryOnRequestSerializer

    def group(self, request_id) -> TryOnRequest:
        group = TryOn.objects.request_of(shopper_of(self.request), request_id)
        if group is None:
            raise Http404
        return group

    def answer(self, request_id, http_status=status.HTTP_200_OK) -> Response:
        """The request as it stands, with when to ask again."""
        group = self.group(request_id)
        headers = {} if group.is_done else {"Retry-After": str(POLL_SECONDS)}
        if http_status == status.HTTP_202_ACCEPTED:
            headers["Location"] = reverse("tryon", args=[group.id], request=self.request)
        return Response(represent(group, self.request), status=http_status, headers=headers)

    def handle_exception(self, error):
        if isinstance(error, Refusal) and error.code in ROOM_SECONDS:
            http_status, seconds = ROOM_SECONDS[error.code]
            headers = {"Retry-After": str(seconds)}
            return problem(error.code, gettext(error.sentence), http_status, headers=headers)
        return super().handle_exception(error)


class TryOnList(TryOnView):
    pagination_class = ByAge

    @extend_schema(
        operation_id="tryons_list",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: TryOnRequestSerializer(many=True)},
    )
    def get(self, request):
        """Your try-ons, newest first."""
        pages = self.pagination_class()
        clicks = pages.paginate_queryset(TryOn.objects.of(shopper_of(request)).clicks(), request, view=self)
        groups = TryOn.objects.groups([click.request for click in clicks])
        return pages.get_paginated_response([represent(group, request) for group in groups])

    @extend_schema(
        request=TryOnSubmitSerializer,
        parameters=[KEY_HEADER],
        responses={
            202: TryOnRequestSerializer,
            400: OpenApiResponse(description="fields or Idempotency-Key are missing"),
            404: OpenApiResponse(description="no such photo or garment"),
            422: OpenApiResponse(description="cannot be tried on; the sentence tells what to do"),
            429: OpenApiResponse(description="you have too many under way"),
            503: OpenApiResponse(description="too many are queued"),
        },
    )
    def post(self, request):
        """Try a garment, or an outfit of two, on a photo. 202: ask the Location for the picture."""
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 200 or (isinstance(request.auth, ApiKey) and not key):
            return problem("request.no_idempotency_key", gettext(NO_KEY), status.HTTP_400_BAD_REQUEST)
        form = TryOnSubmitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        program = ensure_shopper(request) if isinstance(request.auth, ApiKey) else None
        asked = form.found(Photo.objects.usable_by(shopper_of(request)), Garment.objects.published(), program)
        rows = TryOn.objects.submit(ensure_shopper(request), **asked, idempotency_key=key)
        return self.answer(rows[0].request, status.HTTP_202_ACCEPTED)


class TryOnDetail(TryOnView):
    @extend_schema(operation_id="tryons_retrieve")
    def get(self, request, request_id):
        return self.answer(request_id)

    @extend_schema(responses={204: None})
    def delete(self, request, request_id):
        """Delete the pictures and what is known of them; work under way keeps nothing."""
        self.group(request_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class TryOnCancel(TryOnView):
    @extend_schema(request=None)
    def post(self, request, request_id):
        """Stop what is not done yet; harmless when all is."""
        self.group(request_id).cancel()
        return self.answer(request_id)


class TryOnRetry(TryOnView):
    @extend_schema(request=None, responses={202: TryOnRequestSerializer})
    def post(self, request, request_id):
        """Do again what failed or was canceled."""
        self.group(request_id).retry()
        return self.answer(request_id, status.HTTP_202_ACCEPTED)


class TryOnRating(TryOnView):
    @extend_schema(request=RateSerializer)
    def put(self, request, request_id):
        """Say, or say differently, whether a picture is good; each row's has a rating of its own."""
        group = self.group(request_id)
        form = RateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        wanted = given.get("row", group.best.pk)
        row = next((row for row in group.rows if row.pk == wanted), None)
        if row is None:
            raise Http404
        Rating.objects.rate(row, Rating.Value[given["name"].upper()], given.get("reasons", []))
        return self.answer(request_id)

    @extend_schema(responses={204: None})
    def delete(self, request, request_id):
        """Take back what was said of all its pictures; harmless when nothing was."""
        Rating.objects.filter(tryon__in=[row.pk for row in self.group(request_id).rows]).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
