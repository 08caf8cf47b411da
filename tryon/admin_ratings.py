"""The merchant's page of ratings: which engine's pictures shoppers find good, and what is wrong with the others."""

from django.contrib import admin
from django.db.models import Count, F, Func
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from shop.figures import Share
from tryon.models import Rating


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request, model_admin):
        return Rating.Reason.choices

    def queryset(self, request, queryset):
        return queryset.filter(reasons__contains=[self.value()]) if self.value() else queryset


@admin.register(Rating)
class RatingAdmin(admin.ModelAdmin):
    list_display = ["created", "engine", "value", "why", "picture"]
    list_display_links = None
    list_filter = ["value", ReasonFilter, "tryon__engine"]
    list_select_related = ["tryon__garment"]
    date_hierarchy = "created"
    ordering = ["-created"]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"engines": by_engine(), **(extra_context or {})})

    @admin.display(description=_("engine"), ordering="tryon__engine")
    def engine(self, rating):
        return rating.tryon.engine

    @admin.display(description=_("reasons"))
    def why(self, rating):
        return rating.why or "–"

    @admin.display(description=_("try-on"))
    def picture(self, rating):
        address = reverse("admin:tryon_tryon_change", args=[rating.tryon_id])
        return format_html('<a href="{}">{}</a>', address, rating.tryon.garment or rating.tryon_id)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


def by_engine() -> list[dict]:
    """Of each engine the share of its rated pictures that were found good, and how often each reason was given."""
    reasons = Rating.objects.annotate(reason=Func(F("reasons"), function="unnest"))
    given = reasons.values_list("tryon__engine", "reason").annotate(times=Count("pk")).order_by("-times", "reason")
    why: dict[str, list] = {}
    for engine, reason, times in given:
        why.setdefault(engine, []).append((Rating.Reason(reason).label, times))
    return [
        {
            "name": row["tryon__engine"],
            "up": Share.plain(row["up"], row["rated"]),
            "why": why.get(row["tryon__engine"]),
        }
        for row in Rating.objects.of_engines()
    ]
