"""What the shop sells: garments and their sizes."""

import secrets

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

FAMILY_OR_NONE = "^(|black|grey|white|beige|brown|red|orange|yellow|green|blue|purple|pink)$"


class GarmentQuerySet(models.QuerySet):
    def published(self):
        return self.filter(published=True)

    def with_pictures(self):
        """With pictures, sizes and what the worker found out about each picture."""
        return self.prefetch_related("pictures__analyses", "variants")


class Garment(models.Model):
    """One design in one colour. Its sizes are variants; the other colours share its `design`."""

    class Category(models.TextChoices):
        UPPER = "upper", _("Tops")
        LOWER = "lower", _("Bottoms")
        DRESS = "dress", _("Dresses")

    class Sleeve(models.TextChoices):
        SLEEVELESS = "sleeveless", _("Sleeveless")
        SHORT = "short", _("Short sleeves")
        THREE_QUARTER = "three_quarter", _("Three-quarter sleeves")
        LONG = "long", _("Long sleeves")

    class Length(models.TextChoices):
        CROPPED = "cropped", _("Cropped")
        REGULAR = "regular", _("Regular")
        SHORT = "short", _("Short")
        KNEE = "knee", _("Knee-length")
        MIDI = "midi", _("Midi")
        LONG = "long", _("Long")
        MAXI = "maxi", _("Maxi")
        FULL = "full", _("Full length")

    class Gender(models.TextChoices):
        WOMEN = "women", _("Women")
        MEN = "men", _("Men")
        UNISEX = "unisex", _("Unisex")

    class AgeGroup(models.TextChoices):
        ADULT = "adult", _("Adults")
        KIDS = "kids", _("Kids")

    class ColourFamily(models.TextChoices):
        BLACK = "black", _("Black")
        GREY = "grey", _("Grey")
        WHITE = "white", _("White")
        BEIGE = "beige", _("Beige")
        BROWN = "brown", _("Brown")
        RED = "red", _("Red")
        ORANGE = "orange", _("Orange")
        YELLOW = "yellow", _("Yellow")
        GREEN = "green", _("Green")
        BLUE = "blue", _("Blue")
        PURPLE = "purple", _("Purple")
        PINK = "pink", _("Pink")

    sku = models.CharField(
        _("SKU"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", _("Letters, digits, dot, dash and underscore."))],
    )
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True, blank=True)
    title = models.CharField(_("title"), max_length=160)
    title_ko = models.CharField(_("title in Korean"), max_length=160, blank=True)
    description = models.TextField(_("description"), blank=True)
    description_ko = models.TextField(_("description in Korean"), blank=True)
    category = models.CharField(_("category"), max_length=5, choices=Category)
    product_type = models.CharField(_("product type"), max_length=60, help_text=_("finer and free, as “polo”"))
    sleeve = models.CharField(_("sleeves"), max_length=13, choices=Sleeve, blank=True)
    length = models.CharField(_("length"), max_length=7, choices=Length, blank=True)
    colour = models.CharField(_("colour"), max_length=60)
    # Of what its picture shows (`shop.colours`): the largest, and one that takes up nearly as much.
    colour_family = models.CharField(
        _("colour family"), max_length=6, choices=ColourFamily, blank=True, editable=False
    )
    second_colour_family = models.CharField(
        _("second colour family"), max_length=6, choices=ColourFamily, blank=True, editable=False, db_default=""
    )
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    gender = models.CharField(_("gender"), max_length=6, choices=Gender, default=Gender.UNISEX)
    age_group = models.CharField(_("age group"), max_length=5, choices=AgeGroup, default=AgeGroup.ADULT)
    design = models.CharField(
        _("design"), max_length=80, blank=True, help_text=_("shared by the colours of one design")
    )
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    sale_price = models.DecimalField(_("sale price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default=settings.CURRENCY)
    published = models.BooleanField(_("published"), default=False)
    created = models.DateTimeField(db_default=Now(), editable=False)
    updated = models.DateTimeField(auto_now=True)

    objects = GarmentQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = _("garment")
        verbose_name_plural = _("garments")
        constraints = [
            models.CheckConstraint(name="garment_category", condition=Q(category__in=["upper", "lower", "dress"])),
            models.CheckConstraint(
                name="garment_sleeve",
                condition=Q(sleeve="")
                | Q(sleeve__in=["sleeveless", "short", "three_quarter", "long"]) & ~Q(category="lower"),
                violation_error_message=_("Only tops and dresses have sleeves."),
            ),
            models.CheckConstraint(
                name="garment_length",
                condition=Q(length__in=["", "cropped", "regular", "short", "knee", "midi", "long", "maxi", "full"]),
            ),
            models.CheckConstraint(
                name="garment_colour_family",
                condition=Q(colour_family__regex=FAMILY_OR_NONE),
            ),
            models.CheckConstraint(
                name="garment_second_colour_family",
                condition=Q(second_colour_family__regex=FAMILY_OR_NONE)
                & (Q(second_colour_family="") | ~Q(second_colour_family=F("colour_family"))),
            ),
            models.CheckConstraint(name="garment_gender", condition=Q(gender__in=["women", "men", "unisex"])),
            models.CheckConstraint(name="garment_age_group", condition=Q(age_group__in=["adult", "kids"])),
            models.CheckConstraint(
                name="garment_price", condition=Q(price__gte=0), violation_error_message=_("A price is not negative.")
            ),
            models.CheckConstraint(
                name="garment_sale_price",
                condition=Q(sale_price__isnull=True) | Q(sale_price__gte=0, sale_price__lt=F("price")),
                violation_error_message=_("The sale price must be below the price."),
            ),
            models.CheckConstraint(name="garment_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.UniqueConstraint(
                name="garment_design_colour",
                fields=["design", "colour"],
                condition=~Q(design=""),
                violation_error_message=_("This design already has this colour."),
            ),
            models.UniqueConstraint(Upper("sku"), name="garment_sku_any_case"),
        ]
        indexes = [
            models.Index(fields=["published", "category", "product_type"]),
            models.Index(fields=["published", "category", "colour_family", "-created"], name="garment_by_colour"),
            # For the words that name a family (shop/matching.py).
            models.Index(fields=["colour_family"], condition=Q(published=True), name="garment_family"),
            models.Index(fields=["second_colour_family"], condition=Q(published=True), name="garment_second_family"),
            models.Index(fields=["design"]),
        ]

    def __str__(self):
        return f"{self.title} ({self.colour})"

    def save(self, *args, **kwargs):
        if not self.slug:
            self.slug = self._free_slug()
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("frontend:garment", args=[self.slug])

    def _free_slug(self) -> str:
        """Title and SKU; “A.3” and “A3” look the same in a slug, so one that is taken gets a few random letters."""
        sku = slugify(self.sku)
        slug = f"{slugify(self.title, allow_unicode=True)[: 110 - len(sku)]}-{sku}".strip("-")
        taken = Garment.objects.filter(slug=slug).exclude(pk=self.pk).exists()
        return f"{slug}-{secrets.token_hex(3)}" if taken else slug

    @property
    def name(self) -> str:
        return self.title_ko if get_language() == "ko" and self.title_ko else self.title

    @property
    def text(self) -> str:
        return self.description_ko if get_language() == "ko" and self.description_ko else self.description

    @property
    def price_now(self):
        return self.price if self.sale_price is None else self.sale_price

    @property
    def cut(self) -> str:
        """What an analysis goes by; another cut wants another analysis."""
        return "/".join((self.category, self.sleeve, self.length, self.product_type))

    @property
    def cover(self):
        """The `GarmentPicture` a card shows, the first; None without any."""
        return next(iter(self.pictures.all()), None)

    @property
    def flat(self):
        """The `GarmentPicture` that can be tried on: the first that shows the garment alone; None without one."""
        return next((p for p in self.pictures.all() if p.is_flat), None)

    @property
    def previewable(self) -> bool:
        """Whether a worker has found that its picture can be tried on."""
        analysis = self.flat.analysis if self.flat else None
        return bool(analysis and analysis.previewable)


class Variant(models.Model):
    """A size of a garment, with stock."""

    garment = models.ForeignKey(Garment, models.CASCADE, related_name="variants")
    size = models.CharField(_("size"), max_length=20)
    stock = models.PositiveIntegerField(_("stock"), default=0)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["garment", "size"], name="variant_size")]

    def __str__(self):
        return f"{self.garment.sku} {self.size}"
