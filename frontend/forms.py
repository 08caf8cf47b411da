"""What visitors send."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal
from shop.images import clean_image
from shop.matching import tokens_of
from shop.models import Garment, Photo
from shop.search import FACETS, Search
from tryon.models import Rating

MOST_CHOICES = 20


class SearchForm(forms.Form):
    """The address of the list. What cannot be understood is left out of the search and named on the page."""

    q = forms.CharField(required=False, max_length=100)
    min = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)
    max = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)
    sale = forms.BooleanField(required=False)
    sort = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("Best match")),
            ("new", _("Newest")),
            ("low", _("Price, low to high")),
            ("high", _("Price, high to low")),
        ],
    )

    def clean_q(self):
        words = self.cleaned_data["q"]
        if words and not tokens_of(words):
            raise forms.ValidationError(_("Type a word: there is no letter or digit in this."))
        return words

    def search(self) -> Search:
        self.is_valid()
        given = self.cleaned_data
        chosen = {name: [value for value in self.data.getlist(name) if value][:MOST_CHOICES] for name in FACETS}
        return Search(
            words=given.get("q", ""),
            chosen=chosen,
            low=given.get("min"),
            high=given.get("max"),
            on_sale=given.get("sale", False),
            order=given.get("sort", ""),
        )


class PhotoForm(forms.Form):
    photo = forms.FileField(
        label=_("Your photo"),
        error_messages={
            "required": _("Choose a photo first."),
            "empty": _("The file is empty. Choose another photo."),
        },
    )

    def clean_photo(self):
        return _clean(self.cleaned_data["photo"])


class PictureForm(forms.Form):
    """What to search by."""

    picture = forms.FileField(
        error_messages={
            "required": _("Choose a picture first."),
            "empty": _("The file is empty. Choose another picture."),
        },
    )

    def clean_picture(self):
        return _clean(self.cleaned_data["picture"], min_side=settings.UPLOAD_MIN_SIDE)


class TryOnForm(forms.Form):
    """Who shall wear it: a photo the shopper may use, or a new one, which then wins; and with what, if anything."""

    person = forms.ModelChoiceField(
        Photo.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("This photo has expired or was deleted. Choose another one.")},
    )
    upload = forms.FileField(required=False)
    worn_with = forms.CharField(required=False, max_length=64)  # a SKU
    key = forms.CharField(required=False, max_length=64)

    def __init__(self, *args, shopper, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = Photo.objects.usable_by(shopper)

    def clean_upload(self):
        upload = self.cleaned_data["upload"]
        return _clean(upload) if upload else None

    def clean_worn_with(self):
        if not (sku := self.cleaned_data["worn_with"]):
            return None
        garment = Garment.objects.published().with_pictures().filter(sku=sku).first()
        if garment is None:
            raise forms.ValidationError(_("The shop no longer has the second garment. Choose another one."))
        return garment

    def clean(self):
        given = super().clean()
        if not self.errors and not given["person"] and not given["upload"]:
            raise forms.ValidationError(_("Choose a photo of yourself or one of our models first."))
        return given


class RatingForm(forms.Form):
    """What a shopper thinks of one row's picture; without a value it is taken back."""

    row = forms.UUIDField()
    value = forms.ChoiceField(required=False, choices=[("up", ""), ("down", "")])
    reasons = forms.MultipleChoiceField(required=False, choices=Rating.Reason.choices)


def _clean(upload, min_side=None):
    try:
        return clean_image(upload, min_side=min_side or settings.PHOTO_MIN_SIDE, max_side=settings.PICTURE_MAX_SIDE)
    except Refusal as refusal:
        raise forms.ValidationError(gettext(refusal.sentence), code=refusal.code) from refusal
