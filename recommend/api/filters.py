"""What lists and searches can be narrowed by."""

from django.utils.translation import gettext
from rest_framework import serializers

from shop.models import Garment
from shop.search import Search

MOST_VALUES = 20
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


class Narrowed(serializers.Serializer):
    """What any list can be narrowed by. A filter may be given several times: one of its values will do."""

    category = serializers.MultipleChoiceField(choices=Garment.Category.choices, required=False)
    product_type = one_of(60)
    gender = serializers.MultipleChoiceField(choices=Garment.Gender.choices, required=False)
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

    def validate(self, data):
        low, high = data.get("price_min"), data.get("price_max")
        if low is not None and high is not None and low > high:
            raise serializers.ValidationError({"price_max": gettext("The highest price is below the lowest.")})
        return data


class FilterQuery(Narrowed):
    """Of both searches, by words and by a picture."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=24, help_text="how many")
    cursor = serializers.CharField(required=False, max_length=200, help_text="of `next` or `previous`")
    age_group = serializers.MultipleChoiceField(choices=Garment.AgeGroup.choices, required=False)
    on_sale = serializers.BooleanField(default=False)

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
