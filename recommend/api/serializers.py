from django.utils.translation import gettext
from rest_framework import serializers

from recommend.api.filters import Narrowed
from recommend.ranking import Filters
from shop.models import Garment


class ListQuery(Narrowed):
    """What every list of recommendations can be asked with."""

    limit = serializers.IntegerField(min_value=1, max_value=48, default=12, help_text="how many")
    ranking = serializers.CharField(required=False, help_text="what puts the list in order; by default the first")
    cursor = serializers.CharField(required=False, help_text="of `next` or `previous`")
    gender = serializers.MultipleChoiceField(
        choices=Garment.Gender.choices, required=False, help_text="among those that may be shown beside"
    )

    def validate_ranking(self, name):
        if name not in self.context["rankings"]:
            raise serializers.ValidationError(
                gettext("There is no such ranking; it is one of %s.") % ", ".join(self.context["rankings"])
            )
        return name

    def validate(self, data):
        data.setdefault("ranking", self.context["rankings"][0])
        return super().validate(data)

    @property
    def filters(self) -> Filters:
        """Of valid data."""
        asked = self.validated_data
        return Filters(
            categories=asked.get("category", ()),
            product_types=asked.get("product_type", ()),
            genders=asked.get("gender", ()),
            colours=asked.get("colour", ()),
            colour_families=asked.get("colour_family", ()),
            brands=asked.get("brand", ()),
            sizes=asked.get("size", ()),
            low=asked.get("price_min"),
            high=asked.get("price_max"),
        )


class BriefGarmentSerializer(serializers.ModelSerializer):
    """What a card shows."""

    title = serializers.CharField(help_text="in the language of Accept-Language")
    url = serializers.URLField()
    price = serializers.DecimalField(max_digits=12, decimal_places=2)
    picture = serializers.URLField(allow_null=True)

    class Meta:
        model = Garment
        fields = ["sku", "title", "slug", "url", "brand", "colour", "price", "currency", "picture"]


class FoundSerializer(serializers.Serializer):
    garment = BriefGarmentSerializer()
    score = serializers.FloatField(
        allow_null=True,
        help_text="0..1; of similar garments 1 for the same look. null where nothing could be compared",
    )
    why = serializers.ListField(
        child=serializers.CharField(), help_text="short sentences, the weightiest first; may be empty"
    )
    encoder = serializers.CharField(help_text="what compared the looks; empty where nothing did", allow_blank=True)

    def to_representation(self, found) -> dict:
        """As the fields above say, without asking each of them: that would take a sixth of a whole call's time."""
        garment, absolute = found.garment, self.context["request"].build_absolute_uri
        return {
            "garment": {
                "sku": garment.sku,
                "title": garment.name,
                "slug": garment.slug,
                "url": absolute(garment.get_absolute_url()),
                "brand": garment.brand,
                "colour": garment.colour,
                "price": f"{garment.price_now:.2f}",
                "currency": garment.currency,
                "picture": absolute(garment.cover.image.url) if garment.cover else None,
            },
            "score": None if found.score is None else round(found.score, 4),
            "why": found.why,
            "encoder": found.encoder,
        }


class FoundPageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    ranking = serializers.CharField(help_text="what put the list in order")
    results = FoundSerializer(many=True)
