"""The merchant's view of the jobs: what they made, how long it took, what went wrong; and once more."""

import io
import logging

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Value
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from PIL import Image

from preprocessing.errors import Refusal
from shop.storage import private_storage
from tryon import admin_ratings, registry  # noqa: F401 - the admin looks into this file alone
from tryon.models import EngineState, TryOn

log = logging.getLogger(__name__)

THUMBNAIL = 240  # pixels of the longer side
SEE = "tryon.see_pictures"
ENGINE = ["engine", "engine_version", "licence"]
GARMENTS = ["garment", "worn_with"]


@admin.register(TryOn)
class TryOnAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "created", "status", "engine", "worn", "took", "rated", "error"]
    list_display_links = ["thumbnail", "created"]
    list_filter = ["status", "engine", "error_code", "rating__value"]
    list_select_related = ["garment", "worn_with", "rating"]
    list_per_page = 25
    date_hierarchy = "created"
    search_fields = ["id", "request", "garment__sku", "garment__title", "worn_with__sku", "error_code"]
    search_help_text = _("Number of the try-on, SKU, title or error")
    actions = ["run_again"]
    fieldsets = [
        (None, {"fields": ["picture", "status", "stage", *ENGINE, *GARMENTS, "retry_of"]}),
        (_("What went wrong"), {"fields": ["error_code", "sentence", "detail"]}),
        (_("Work"), {"fields": ["pose", "worker", "attempts", "took", "seconds", "notes", "seed"]}),
        (_("Times"), {"fields": ["created", "sent_at", "started", "finished", "lease_until", "expires_at"]}),
        (_("Numbers"), {"fields": ["id", "request", "shopper"]}),
    ]
    readonly_fields = [name for _title, part in fieldsets for name in part["fields"]]

    def has_add_permission(self, request):
        return False

    def get_urls(self):
        own = [
            path("<uuid:pk>/picture/<str:size>/", self.admin_site.admin_view(self.show), name="tryon_picture"),
            path("<uuid:pk>/again/", self.admin_site.admin_view(require_POST(self.again)), name="tryon_again"),
        ]
        return own + super().get_urls()

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(may_see=Value(request.user.has_perm(SEE)))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        nothing_to_save = dict.fromkeys(("show_save", "show_save_and_continue", "show_save_and_add_another"), False)
        return super().change_view(request, object_id, form_url, nothing_to_save | (extra_context or {}))

    # --- Pictures: of shoppers, so only for whom may see them, and on record -----------------------------------

    def show(self, request, pk, size):
        if not request.user.has_perm(SEE):
            raise PermissionDenied
        row = get_object_or_404(TryOn.objects.exclude(result=""), pk=pk)
        try:
            with private_storage().open(row.result.name) as file:
                data = file.read()
        except FileNotFoundError:
            raise Http404 from None
        log.info("%s looked at the picture of try-on %s", request.user, row.pk)
        response = HttpResponse(_small(data) if size == "small" else data, content_type="image/jpeg")
        response["Cache-Control"] = "private, max-age=300"
        return response

    def _image(self, row, size: str, height: int):
        if not row.result:
            return ""
        if not row.may_see:
            return "✓"
        url = reverse("admin:tryon_picture", args=[row.pk, size])
        return format_html('<img src="{}" alt="" height="{}">', url, height)

    @admin.display(description=_("picture"))
    def thumbnail(self, row):
        return self._image(row, "small", 72) or "–"

    @admin.display(description=_("picture"))
    def picture(self, row):
        return self._image(row, "full", 480) or "–"

    # --- What it did --------------------------------------------------------------------------------------------

    @admin.display(description=_("garment"), ordering="garment__title")
    def worn(self, row):
        return format_html_join("", "<div>{}</div>", ((garment,) for garment in row.garments if garment)) or "–"

    @admin.display(description=_("took"))
    def took(self, row):
        if not (row.started and row.finished):
            return "–"
        return _("%.1f s") % (row.finished - row.started).total_seconds()

    @admin.display(description=_("rating"))
    def rated(self, row):
        rating = getattr(row, "rating", None)
        if rating is None:
            return ""
        return format_html('<span title="{}">{}</span>', rating.why, rating.get_value_display())

    @admin.display(description=_("seconds"))
    def seconds(self, row):
        """Of each stage in its order, below it those of its steps."""
        lines = [
            (name, row.timings[name])
            for stage in TryOn.Stage
            for name in sorted(row.timings)
            if name.partition(".")[0] == stage
        ]
        return format_html_join("", "<div>{} {}</div>", lines) or "–"

    @admin.display(description=_("licence"))
    def licence(self, row):
        info = registry.engines().get(row.engine)
        if info is None:
            return "–"
        return info.licence if info.commercial_use else _("%s: no commercial use") % info.licence

    @admin.display(description=_("pose"))
    def pose(self, row):
        return (row.photo and row.photo.get_difficulty_display()) or "–"

    @admin.display(description=_("error"), ordering="error_code")
    def error(self, row):
        return format_html('<span title="{}">{}</span>', row.sentence, row.error_code) if row.error_code else ""

    @admin.display(description=_("what the shopper reads"))
    def sentence(self, row):
        return row.sentence or "–"

    @admin.display(description=_("error in detail"))
    def detail(self, row):
        return format_html("<pre>{}</pre>", row.error_detail) if row.error_detail else "–"

    # --- Once more ----------------------------------------------------------------------------------------------

    def again(self, request, pk):
        row = get_object_or_404(TryOn, pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        new = self._again(request, row)
        return redirect("admin:tryon_tryon_change", (new or row).pk)

    @admin.action(description=_("Run again"), permissions=["change"])
    def run_again(self, request, queryset):
        for row in queryset:
            self._again(request, row)

    def _again(self, request, row) -> TryOn | None:
        try:
            new = row.retry()
        except Refusal as refusal:
            self.message_user(request, f"{row.pk}: {gettext(refusal.sentence)}", messages.WARNING)
            return None
        self.message_user(request, _("%s runs again.") % row.pk, messages.SUCCESS)
        return new


def _small(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


@admin.register(EngineState)
class EngineStateAdmin(admin.ModelAdmin):
    """Every engine with its licence, and what each worker says of those it has; nothing to change here."""

    list_display = ["engine", "worker", "now", "slots", "seen_at", "detail"]
    list_filter = ["engine", "state"]

    def changelist_view(self, request, extra_context=None):
        infos = registry.engines().values()
        offered = EngineState.objects.offered()
        engines = {
            "known": [(info, registry.allowed(info), info in offered) for info in infos],
            "restricted": not all(info.commercial_use for info in infos),
            "noncommercial_allowed": settings.ALLOW_NONCOMMERCIAL_ENGINES,
        }
        return super().changelist_view(request, engines | (extra_context or {}))

    @admin.display(description=_("state"), ordering="state")
    def now(self, row):
        return row.get_state_display() if row.is_alive else _("silent")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
