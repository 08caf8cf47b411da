"""The merchant's page of what came of the lists that shoppers were shown, and of two rankings side by side."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.db.models.functions import Now
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from shop import figures, surfaces
from shop.models import Experiment, ShownList, Surface

PERIODS = (7, 30)


def comparable() -> dict[str, dict[str, str]]:
    """The surfaces that have two rankings or more."""
    return {surface: rankings for surface, rankings in surfaces.offered().items() if len(rankings) > 1}


def label_of(surface: str) -> str:
    return Surface(surface).label if surface in Surface else surface


def surface_choices():
    return [(surface, label_of(surface)) for surface in comparable()]


def ranking_choices():
    return [(label_of(surface), list(rankings.items())) for surface, rankings in comparable().items()]


@admin.register(ShownList)
class RecommendationsAdmin(admin.ModelAdmin):
    """Figures alone: which shopper was shown what is nobody's business."""

    def get_urls(self):
        return [path("", self.admin_site.admin_view(require_safe(self.page)), name="shop_shownlist_changelist")]

    def page(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", "")
        days = int(asked) if asked in map(str, PERIODS) else PERIODS[0]
        kept = Experiment.objects.filter(Q(ended=None) | Q(ended__gt=Now() - timedelta(days=settings.LIST_DAYS)))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Recommendations"),
            "opts": self.opts,
            "days": days,
            "periods": PERIODS,
            "groups": figures.groups(days),
            "outcomes": figures.OUTCOMES.values(),
            "comparisons": [figures.compare(experiment) for experiment in kept],
            "can_compare": request.user.has_perm("shop.add_experiment") and comparable(),
        }
        return TemplateResponse(request, "admin/shop/shownlist/page.html", context)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ExperimentForm(forms.ModelForm):
    surface = forms.ChoiceField(label=_("Where"), choices=surface_choices)
    first = forms.ChoiceField(label=_("First ranking"), choices=ranking_choices)
    second = forms.ChoiceField(label=_("Second ranking"), choices=ranking_choices)

    class Meta:
        model = Experiment
        fields = ["name", "surface", "first", "second", "share"]

    def clean(self):
        given = super().clean()
        if Experiment.objects.running().filter(surface=given.get("surface", "")).exists():
            self.add_error("surface", _("Another comparison runs there. End it first."))
        there = surfaces.offered().get(given.get("surface"), {})
        for name in ("first", "second"):
            if "surface" in given and name in given and given[name] not in there:
                self.add_error(name, _("There is no such ranking there."))
        return given


@admin.register(Experiment)
class ExperimentAdmin(admin.ModelAdmin):
    """Begun and ended, never changed."""

    form = ExperimentForm
    list_display = ["name", "surface", "first", "second", "percent", "started", "ended"]
    actions = ["end"]

    @admin.display(description=_("second gets"), ordering="share")
    def percent(self, experiment):
        return f"{experiment.share} %"

    @admin.action(description=_("End it: all shoppers get the surface's own ranking again"), permissions=["add"])
    def end(self, request, queryset):
        for experiment in queryset.running():
            experiment.ended = Now()
            experiment.save()
        self.message_user(request, _("Ended."), messages.SUCCESS)

    def has_add_permission(self, request):
        return super().has_add_permission(request) and bool(comparable())

    def has_change_permission(self, request, obj=None):
        return False
