"""Similar garments for programs."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from recommend.api.serializers import SimilarSerializer
from recommend.services import similar
from shop.models import ApiKey, Garment


class SimilarQuery(serializers.Serializer):
    k = serializers.IntegerField(min_value=1, max_value=48, default=12, help_text="how many")


class SimilarList(APIView):
    """The published garments that look most like one, those of its category first."""

    scope = ApiKey.Scope.CATALOGUE_READ

    @extend_schema(parameters=[SimilarQuery], responses=SimilarSerializer(many=True))
    def get(self, request, sku):
        query = SimilarQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        garment = get_object_or_404(Garment.objects.published(), sku=sku)
        found = similar(garment, query.validated_data["k"])
        return Response(SimilarSerializer(found, many=True, context={"request": request}).data)
