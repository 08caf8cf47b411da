from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shop.api.auth import ensure_shopper, link_owner
from shop.models import Event, Garment, GarmentPicture, Photo, ShownList, Variant
from shop.private import private_url

NAME = r"^[a-z0-9_-]{1,40}$"  # of a surface or ranking


class ChecksRules(serializers.ModelSerializer):
    """Checks the model's constraints before the database does, so that a broken rule is a 400 and not a crash."""

    def validate(self, data):
        model = self.Meta.model
        row = model.objects.get(pk=self.instance.pk) if self.instance else model()
        for name, value in data.items():
            if not model._meta.get_field(name).auto_created:  # the other side of a relation
                setattr(row, name, value)
        try:
            row.validate_constraints()
        except DjangoValidationError as error:
            raise serializers.ValidationError(serializers.as_serializer_error(error)) from error
        return data


class VariantSerializer(serializers.ModelSerializer):
    class Meta:
        model = Variant
        fields = ["size", "stock"]


class PictureSerializer(serializers.ModelSerializer):
    state = serializers.SerializerMethodField(help_text="of the analysis: pending, done or failed")
    previewable = serializers.SerializerMethodField()
    problems = serializers.SerializerMethodField(help_text="why the picture cannot be tried on: code and sentence")

    class Meta:
        model = GarmentPicture
        fields = ["id", "role", "position", "image", "width", "height", "state", "previewable", "problems"]

    def get_state(self, picture) -> str:
        return picture.analysis.state if picture.analysis else "pending"

    def get_previewable(self, picture) -> bool:
        return bool(picture.analysis and picture.analysis.previewable)

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_problems(self, picture):
        return picture.analysis.problems if picture.analysis else []


class GarmentSerializer(ChecksRules):
    """A garment with its sizes and pictures. Sizes are replaced as a whole when given."""

    variants = VariantSerializer(many=True, required=False)
    pictures = PictureSerializer(many=True, read_only=True)
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Garment
        fields = [
            "sku", "slug", "url", "title", "title_ko", "description", "description_ko", "category", "product_type",
            "sleeve", "length", "colour", "brand", "gender", "age_group", "design", "price", "sale_price", "currency",
            "published", "variants", "pictures",
        ]  # fmt: skip
        read_only_fields = ["slug"]

    def validate(self, data):
        sizes = [v["size"] for v in data.get("variants", [])]
        if len(set(sizes)) != len(sizes):
            raise serializers.ValidationError({"variants": "A size is given twice."})
        return super().validate(data)

    @transaction.atomic
    def create(self, data):
        sizes = data.pop("variants", [])
        garment = super().create(data)
        return self._with_sizes(garment, sizes)

    @transaction.atomic
    def update(self, garment, data):
        sizes = data.pop("variants", None)
        garment = super().update(garment, data)
        return garment if sizes is None else self._with_sizes(garment, sizes)

    def _with_sizes(self, garment, sizes):
        garment.variants.exclude(size__in=[v["size"] for v in sizes]).delete()
        for position, size in enumerate(sizes):
            garment.variants.update_or_create(
                size=size["size"], defaults={"stock": size.get("stock", 0), "position": position}
            )
        return garment


class PictureUploadSerializer(serializers.Serializer):
    image = serializers.FileField()
    role = serializers.ChoiceField(GarmentPicture.Role.choices, default=GarmentPicture.Role.FLAT)


class FindingSerializer(serializers.Serializer):
    code = serializers.CharField()
    severity = serializers.ChoiceField(["warn", "refuse"])
    sentence = serializers.CharField()


class PhotoSerializer(serializers.ModelSerializer):
    findings = FindingSerializer(source="worst_first", many=True, read_only=True)
    refused = serializers.BooleanField(read_only=True)
    url = serializers.SerializerMethodField(help_text="lives five minutes; a browser's opens for its own cookie alone")

    class Meta:
        model = Photo
        fields = [
            "id", "name", "width", "height", "state", "findings", "refused", "difficulty", "url", "created",
            "expires_at",
        ]  # fmt: skip

    def get_url(self, photo) -> str:
        return private_url(photo.image.name, None if photo.is_model else link_owner(self.context["request"]))


class PhotoUploadSerializer(serializers.Serializer):
    image = serializers.FileField()


class ShownListSerializer(serializers.Serializer):
    """A list that a program shows to its visitors."""

    id = serializers.UUIDField(read_only=True, help_text="send it as `list` with what comes of it")
    surface = serializers.RegexField(NAME, help_text="where it is shown, as similar, goes_with, for_you, newsletter")
    ranking = serializers.RegexField(NAME, required=False, default="", allow_blank=True, help_text="what ordered it")
    garments = serializers.ListField(
        child=serializers.CharField(max_length=64),
        min_length=1,
        max_length=100,
        write_only=True,
        help_text="SKUs in their order",
    )

    def validate_garments(self, skus):
        ids = dict(Garment.objects.published().filter(sku__in=skus).values_list("sku", "pk"))
        if unknown := [sku for sku in skus if sku not in ids]:
            raise serializers.ValidationError(gettext("The shop has no garment %s.") % ", ".join(unknown[:5]))
        return [ids[sku] for sku in skus]

    def create(self, data):
        return ShownList.objects.create(shopper=ensure_shopper(self.context["request"]), **data)


def shown_list(list_id, garment: Garment, program) -> ShownList | None:
    """The list that a program says a garment stood in; None for no id. Raises ValidationError for a wrong one."""
    if not list_id:
        return None
    shown = ShownList.objects.told_by(program).filter(pk=list_id).first()
    if shown is None:
        raise serializers.ValidationError({"list": gettext("There is no such list, or it has expired.")})
    if shown.place(garment.pk) is None:
        raise serializers.ValidationError({"list": gettext("This garment is not in the list.")})
    return shown


class EventSerializer(ChecksRules):
    """What comes of a list names it; surface, ranking and position are then the list's."""

    garment = serializers.SlugRelatedField(slug_field="sku", queryset=Garment.objects.published())
    surface = serializers.RegexField(NAME, required=False, allow_blank=True)
    list = serializers.UUIDField(required=False, allow_null=True, source="list_id")

    class Meta:
        model = Event
        fields = ["garment", "kind", "value", "list", "surface", "ranking", "position"]
        read_only_fields = ["ranking", "position"]
        validators = []  # a click that was told before is no fault, and is not written again

    def validate(self, data):
        """Adds `shown`: the list, or None."""
        list_id = data.pop("list_id", None)
        data = super().validate(data)
        program = ensure_shopper(self.context["request"])
        return data | {"shown": shown_list(list_id, data["garment"], program)}

    def create(self, data):
        """With a list, the event is of the shopper who was shown it."""
        shown, garment = data.pop("shown"), data.pop("garment")
        if shown is None:
            return Event.objects.note(ensure_shopper(self.context["request"]).pk, garment.pk, **data)
        data.pop("surface", None)
        return Event.objects.note(shown.shopper_id, garment.pk, place=shown.place(garment.pk), **data)
