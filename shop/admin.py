"""The merchant's pages: garments with their pictures and sizes, what the worker made of each picture, API keys."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.models import BaseInlineFormSet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preprocessing.errors import Refusal
from shop import admin_lists  # noqa: F401 - the admin looks into this file alone
from shop.images import clean_image
from shop.models import ApiKey, Garment, GarmentAnalysis, GarmentPicture, Photo, Variant
from shop.receivers import analyse
from shop.work import Work

admin.site.site_header = admin.site.site_title = "Fitroom"
admin.site.index_title = _("Shop")


class CleanImageField(forms.FileField):
    """An upload that comes out as a `shop.images.CleanImage`, or as an error with its sentence."""

    widget = forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})

    def clean(self, data, initial=None):
        file = super().clean(data, initial)
        if not file or file is initial:
            return None
        try:
            return clean_image(file, keep_alpha=True, max_side=settings.PICTURE_MAX_SIDE)
        except Refusal as refusal:
            raise forms.ValidationError(gettext(refusal.sentence), code=refusal.code) from refusal


class PictureForm(forms.ModelForm):
    upload = CleanImageField(label=_("picture"), required=False)

    class Meta:
        model = GarmentPicture
        fields = ["upload", "role", "position"]

    def has_changed(self):
        # A line without a file is an empty line, whatever its role and position say.
        return bool(self.instance.pk and super().has_changed()) or "upload" in self.changed_data

    def clean(self):
        if not self.instance.pk and not self.cleaned_data.get("upload") and not self.errors:
            self.add_error("upload", _("Choose a file."))
        return super().clean()


class PictureFormSet(BaseInlineFormSet):
    def save_new(self, form, commit=True):
        data = form.cleaned_data
        return GarmentPicture.objects.store(
            self.instance, data["upload"], role=data["role"], position=data["position"]
        )


def analysis_cell(picture) -> str:
    return render_to_string("admin/shop/garmentpicture/analysis.html", {"picture": picture})


def look_again(pictures) -> None:
    GarmentAnalysis.objects.filter(picture__in=pictures).again()
    for picture in pictures:
        analyse(GarmentPicture, picture)


class PictureInline(admin.TabularInline):
    model = GarmentPicture
    form = PictureForm
    formset = PictureFormSet
    extra = 1
    fields = ["thumbnail", "upload", "role", "position", "preview"]
    readonly_fields = ["thumbnail", "preview"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("analyses")

    @admin.display(description=_("picture"))
    def thumbnail(self, picture):
        return format_html('<img src="{}" alt="" height="120">', picture.image.url) if picture.pk else ""

    @admin.display(description=_("can it be tried on?"))
    def preview(self, picture):
        if not picture.pk:
            return _("You see it here as soon as the picture is saved.")
        return analysis_cell(picture)


class VariantInline(admin.TabularInline):
    model = Variant
    extra = 1


class HasProblems(admin.SimpleListFilter):
    title = _("can it be tried on?")
    parameter_name = "previewable"

    def lookups(self, request, model_admin):
        return [("yes", _("yes")), ("no", _("no")), ("waits", _("not looked at yet"))]

    def queryset(self, request, queryset):
        looks = GarmentAnalysis.objects.current().filter(picture__role=GarmentPicture.Role.FLAT)
        of = {
            "yes": looks.filter(state=Work.State.DONE, problems=[]),
            "waits": looks.filter(state=Work.State.PENDING),
        }
        if self.value() == "no":
            either = of["yes"] | of["waits"]
            return queryset.exclude(pk__in=either.values("picture__garment"))
        looks = of.get(self.value())
        return queryset if looks is None else queryset.filter(pk__in=looks.values("picture__garment"))


class WhyNot(admin.SimpleListFilter):
    """By problem, with the sentence: a season's pictures often lack the same."""

    title = _("why not?")
    parameter_name = "problem"

    def lookups(self, request, model_admin):
        found = GarmentAnalysis.objects.current().exclude(problems=[]).values_list("problems", flat=True)
        sentences = {problem["code"]: problem["sentence"] for problems in found for problem in problems}
        return sorted((code, gettext(sentence)) for code, sentence in sentences.items())

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        looks = GarmentAnalysis.objects.current().filter(problems__contains=[{"code": self.value()}])
        return queryset.filter(pk__in=looks.values("picture__garment"))


@admin.register(Garment)
class GarmentAdmin(admin.ModelAdmin):
    list_display = ["cover", "sku", "title", "category", "colour", "price", "sale_price", "tried_on", "published"]
    list_display_links = ["sku", "title"]
    list_filter = ["published", HasProblems, WhyNot, "category", "gender", "age_group", "brand"]
    list_editable = ["published"]
    search_fields = ["sku", "title", "title_ko", "brand", "design"]
    prepopulated_fields = {"slug": ["title", "colour", "sku"]}
    inlines = [PictureInline, VariantInline]
    actions = ["analyse_again"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["sku", "title", "title_ko", "slug", "published"]}),
        (_("What it is"), {"fields": ["category", "product_type", "sleeve", "length", "colour", "brand"]}),
        (_("For whom"), {"fields": ["gender", "age_group", "design"]}),
        (_("Price"), {"fields": ["price", "sale_price", "currency"]}),
        (_("Description"), {"fields": ["description", "description_ko"]}),
    ]

    class Media:
        js = ["django_htmx/htmx-2.min.js", "shop/admin.js"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_pictures()

    def get_urls(self):
        analysis = path("picture/<int:pk>/analysis/", self.admin_site.admin_view(self.analysis), name="shop_analysis")
        return [analysis, *super().get_urls()]

    def analysis(self, request, pk):
        """The cell that says whether a picture can be tried on; polled until the worker has looked at it.

        A POST has the worker look again.
        """
        picture = get_object_or_404(GarmentPicture, pk=pk)
        if request.method == "POST":
            if not self.has_change_permission(request, picture.garment):
                raise PermissionDenied
            look_again([picture])
        return HttpResponse(analysis_cell(picture))

    @admin.display(description="")
    def cover(self, garment):
        return format_html('<img src="{}" alt="" height="60">', garment.cover.image.url) if garment.cover else ""

    @admin.display(description=_("can it be tried on?"))
    def tried_on(self, garment):
        if garment.previewable:
            return "✓"
        analysis = garment.flat.analysis if garment.flat else None
        if analysis is None or analysis.state == Work.State.PENDING:
            return "…" if garment.flat else "–"
        sentences = [gettext(problem["sentence"]) for problem in analysis.problems]
        return format_html("✗ {}", " ".join(sentences) or gettext("The picture could not be read. Upload it again."))

    @admin.action(description=_("Look at the pictures again"))
    def analyse_again(self, request, queryset):
        look_again(GarmentPicture.objects.filter(garment__in=queryset))
        self.message_user(request, _("The worker looks at them now."), messages.SUCCESS)


@admin.register(Photo)
class ModelPersonAdmin(admin.ModelAdmin):
    """The shop's model people only: what shoppers upload is nobody's business."""

    list_display = ["name", "state", "difficulty", "found", "created"]
    list_filter = ["difficulty"]
    fields = ["name", "state", "difficulty", "found"]
    readonly_fields = ["state", "difficulty", "found"]

    def get_queryset(self, request):
        return Photo.objects.models()

    def has_add_permission(self, request):
        return False

    @admin.display(description=_("findings"))
    def found(self, photo):
        rows = ((finding["severity"], gettext(finding["sentence"])) for finding in photo.worst_first)
        return format_html_join("", "<div>{}: {}</div>", rows) or "–"

    def delete_model(self, request, photo):
        photo.erase()

    def delete_queryset(self, request, queryset):
        for photo in queryset:
            photo.erase()


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    list_display = ["name", "prefix", "user", "scopes", "created", "last_used", "revoked"]
    fields = ["name", "user", "scopes", "revoked"]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "scopes":
            return forms.MultipleChoiceField(
                choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple, label=db_field.verbose_name
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if change:
            obj.save()
            return
        issued, key = ApiKey.issue(obj.user, obj.name, obj.scopes)
        obj.pk = issued.pk
        self.message_user(request, _("The key, shown only now: %s") % key, messages.WARNING)
