from rest_framework import serializers

from shop.models import Garment


class BriefGarmentSerializer(serializers.ModelSerializer):
    """What a card shows."""

    title = serializers.CharField(source="name", help_text="in the language of Accept-Language")
    url = serializers.SerializerMethodField()
    price = serializers.DecimalField(source="price_now", max_digits=12, decimal_places=2)
    picture = serializers.SerializerMethodField()

    class Meta:
        model = Garment
        fields = ["sku", "title", "slug", "url", "price", "currency", "picture"]

    def get_url(self, garment) -> str:
        return self.context["request"].build_absolute_uri(garment.get_absolute_url())

    def get_picture(self, garment) -> str | None:
        return self.context["request"].build_absolute_uri(garment.cover.image.url) if garment.cover else None


class SimilarSerializer(serializers.Serializer):
    garment = BriefGarmentSerializer()
    score = serializers.FloatField(
        allow_null=True, help_text="0..1, 1 for the same look; null where looks could not be compared: then the newest"
    )
    encoder = serializers.CharField(help_text="what compared them; empty where nothing did", allow_blank=True)
