"""The catalogue, a shopper's photos, and what shoppers did, for programs."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import CreateAPIView, ListAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from shop.api import serializers
from shop.api.auth import ensure_shopper, shopper_of
from shop.images import clean_image
from shop.models import ApiKey, Garment, GarmentPicture, Photo

Scope = ApiKey.Scope
FILTERS = ("category", "product_type", "gender", "age_group", "colour", "brand", "design")


class ReadOrWrite(APIView):
    """Reading the catalogue is one scope, changing it another."""

    @property
    def scope(self):
        reading = self.request.method in ("GET", "HEAD", "OPTIONS")
        return Scope.CATALOGUE_READ if reading else Scope.CATALOGUE_WRITE

    def visible(self):
        """Published garments; a program that may change the catalogue sees the others too."""
        garments = Garment.objects.with_pictures()
        key = self.request.auth
        return garments if isinstance(key, ApiKey) and Scope.CATALOGUE_WRITE in key.scopes else garments.published()


@extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
class GarmentList(ReadOrWrite, ListAPIView):
    serializer_class = serializers.GarmentSerializer
    queryset = Garment.objects.none()

    def get_queryset(self):
        asked = {name: self.request.query_params[name] for name in FILTERS if name in self.request.query_params}
        return self.visible().filter(**asked)


class GarmentDetail(ReadOrWrite):
    serializer_class = serializers.GarmentSerializer
    parser_classes = [JSONParser]

    def get(self, request, sku):
        garment = get_object_or_404(self.visible(), sku=sku)
        return Response(self.serializer_class(garment, context={"request": request}).data)

    def put(self, request, sku):
        """Create the garment or change the fields that are given; the same request twice is harmless."""
        garment = Garment.objects.filter(sku=sku).first()
        given = request.data
        form = self.serializer_class(
            garment,
            data={**given, "sku": sku} if isinstance(given, dict) else given,
            partial=garment is not None,
            context={"request": request},
        )
        form.is_valid(raise_exception=True)
        form.save()
        stored = Garment.objects.with_pictures().get(pk=form.instance.pk)
        return Response(
            self.serializer_class(stored, context={"request": request}).data,
            status=status.HTTP_200_OK if garment else status.HTTP_201_CREATED,
        )

    @extend_schema(responses={204: None})
    def delete(self, request, sku):
        get_object_or_404(Garment, sku=sku).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class GarmentPictures(ReadOrWrite):
    parser_classes = [MultiPartParser]

    @extend_schema(request=serializers.PictureUploadSerializer, responses={201: serializers.PictureSerializer})
    def post(self, request, sku):
        garment = get_object_or_404(Garment, sku=sku)
        form = serializers.PictureUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clean = clean_image(form.validated_data["image"], keep_alpha=True, max_side=settings.PICTURE_MAX_SIDE)
        picture = GarmentPicture.objects.store(garment, clean, role=form.validated_data["role"])
        body = serializers.PictureSerializer(picture, context={"request": request}).data
        return Response(body, status=status.HTTP_201_CREATED)


class GarmentPictureDetail(ReadOrWrite):
    serializer_class = serializers.PictureSerializer

    @extend_schema(responses={204: None})
    def delete(self, request, sku, picture_id):
        get_object_or_404(GarmentPicture, pk=picture_id, garment__sku=sku).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class PhotoList(ListAPIView):
    """The shopper's photos and the shop's model people."""

    scope = Scope.TRYON
    serializer_class = serializers.PhotoSerializer
    queryset = Photo.objects.none()
    parser_classes = [MultiPartParser]
    pagination_class = None

    def get_queryset(self):
        return Photo.objects.usable_by(shopper_of(self.request)).order_by("-created")

    @extend_schema(request=serializers.PhotoUploadSerializer, responses={202: serializers.PhotoSerializer})
    def post(self, request):
        """Upload a photo. 202: a worker looks at it next; ask the Location what it found."""
        form = serializers.PhotoUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clean = clean_image(
            form.validated_data["image"], min_side=settings.PHOTO_MIN_SIDE, max_side=settings.PICTURE_MAX_SIDE
        )
        photo = Photo.objects.store(ensure_shopper(request), clean)
        return Response(
            self.serializer_class(photo, context={"request": request}).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": reverse("photo", args=[photo.pk], request=request), "Retry-After": "1"},
        )


class PhotoDetail(APIView):
    scope = Scope.TRYON
    serializer_class = serializers.PhotoSerializer

    def get(self, request, photo_id):
        photo = get_object_or_404(Photo.objects.usable_by(shopper_of(request)), pk=photo_id)
        return Response(self.serializer_class(photo, context={"request": request}).data)

    @extend_schema(responses={204: None})
    def delete(self, request, photo_id):
        """Delete the photo and everything made from it."""
        shopper = shopper_of(request)
        get_object_or_404(Photo.objects.exclude(shopper=None), pk=photo_id, shopper=shopper).erase()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShownLists(CreateAPIView):
    """Tell that a list of garments is shown, each time it is; events then say what came of it."""

    scope = Scope.EVENTS
    serializer_class = serializers.ShownListSerializer


class EventList(CreateAPIView):
    """Report what a shopper did elsewhere: a view, a click, a rating, an order.

    A click on a garment of a list counts once, however often it is reported.
    """

    scope = Scope.EVENTS
    serializer_class = serializers.EventSerializer


class Nothing(APIView):
    """Any other address below the API's."""

    authentication_classes = permission_classes = []
    schema = None

    def initial(self, request, *args, **kwargs):
        raise NotFound
