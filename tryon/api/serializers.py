from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shop.api.auth import link_owner
from shop.api.serializers import shown_list
from tryon.models import Rating, TryOn, TryOnRequest


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="stable, for programs")
    sentence = serializers.CharField(help_text="for the shopper, in the language of the request")


class RatingSerializer(serializers.Serializer):
    value = serializers.ChoiceField(["up", "down"], source="name")
    reasons = serializers.ListField(
        child=serializers.ChoiceField(Rating.Reason.choices),
        required=False,
        max_length=20,
        help_text="with down alone",
    )


class RateSerializer(RatingSerializer):
    row = serializers.UUIDField(required=False, help_text="whose picture is meant; by default that of `best`")


class TryOnSerializer(serializers.ModelSerializer):
    """One engine's part of a request."""

    queue_position = serializers.IntegerField(allow_null=True, read_only=True, help_text="1 for the next")
    eta_seconds = serializers.FloatField(
        allow_null=True, read_only=True, help_text="from what the latest ones took; null where not known"
    )
    result_url = serializers.SerializerMethodField(help_text="lives five minutes; null while there is no picture")
    error = serializers.SerializerMethodField(help_text="null unless failed")
    rating = RatingSerializer(default=None, allow_null=True, read_only=True, help_text="of its picture")

    class Meta:
        model = TryOn
        fields = [
            "id", "engine", "status", "stage", "queue_position", "eta_seconds", "result_url", "width", "height",
            "error", "rating", "seed", "attempts", "timings", "created", "started", "finished", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_result_url(self, row):
        if not row.result:
            return None
        request = self.context["request"]
        return request.build_absolute_uri(row.result_url(link_owner(request)))

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, row):
        return {"code": row.error_code, "sentence": row.sentence} if row.error_code else None


class TryOnRequestSerializer(serializers.Serializer):
    """All of one click: a row for each engine. `best` is the row whose picture to show."""

    id = serializers.UUIDField(read_only=True)
    created = serializers.DateTimeField(read_only=True)
    done = serializers.BooleanField(source="is_done", read_only=True, help_text="nothing more will come")
    garment = serializers.CharField(
        source="garment.sku", default=None, allow_null=True, read_only=True, help_text="SKU; null when taken out"
    )
    worn_with = serializers.CharField(
        source="worn_with.sku",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="SKU of an outfit's second garment; null without one, or when taken out",
    )
    photo = serializers.UUIDField(
        source="photo.pk", default=None, allow_null=True, read_only=True, help_text="null when expired"
    )
    best = serializers.UUIDField(source="best.pk", read_only=True)
    rows = TryOnSerializer(source="current", many=True, read_only=True)


class TryOnSubmitSerializer(serializers.Serializer):
    photo = serializers.UUIDField(help_text="of /photos, yours or a model person's")
    garment = serializers.CharField(max_length=64, help_text="SKU")
    worn_with = serializers.CharField(
        max_length=64,
        required=False,
        allow_null=True,
        help_text="SKU of a second garment, for an outfit: a bottom for a top, or a top for a bottom",
    )
    engines = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=8, help_text="all by default"
    )
    list = serializers.UUIDField(
        required=False, allow_null=True, help_text="of /lists, in which `garment` was chosen; with an API key alone"
    )

    def found(self, photos, garments, program) -> dict:
        """The rows behind the names. Raises Http404 for what is not there or not theirs.

        Args:
            program: the shopper behind an API key, who may name a list; None for a browser, whose clicks are known.
        """
        asked = self.validated_data
        garment = get_object_or_404(garments, sku=asked["garment"])
        return {
            "photo": get_object_or_404(photos, pk=asked["photo"]),
            "garment": garment,
            "shown": shown_list(asked.get("list"), garment, program) if program else None,
            "worn_with": get_object_or_404(garments, sku=asked["worn_with"]) if asked.get("worn_with") else None,
            "engines": asked.get("engines"),
        }


def represent(group: TryOnRequest, request) -> dict:
    return TryOnRequestSerializer(group, context={"request": request}).data
