"""The merchant's page of embeddings: which pictures have one, which could not be embedded and why."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from recommend import encoders
from recommend.models import Embedding, Serving
from recommend.progress import progress
from recommend.ranking import encoder_name


@admin.register(Embedding)
class EmbeddingAdmin(admin.ModelAdmin):
    list_display = ["garment", "picture", "state", "error", "encoder", "version", "attempts", "updated"]
    list_filter = ["state", "encoder", "version"]
    search_fields = ["garment__sku", "garment__title"]
    list_select_related = ["garment", "picture__garment"]
    ordering = ["-updated"]
    actions = ["embed_again"]
    fields = readonly_fields = [
        "garment", "picture", "encoder", "version", "state", "error", "attempts", "sent_at", "sha256", "updated",
    ]  # fmt: skip

    def changelist_view(self, request, extra_context=None):
        serving = Serving.objects.current()
        if problem := encoders.problem() or (serving and encoders.lacking(serving.name)):
            messages.warning(request, problem)
        title = _("Embeddings; shown now: %(encoder)s") % {"encoder": encoder_name() or _("none yet")}
        told = {"title": title, "progress": progress(), **(extra_context or {})}
        return super().changelist_view(request, told)

    @admin.action(description=_("Embed again"), permissions=["view"])
    def embed_again(self, request, queryset):
        count = queryset.again()  # the next sweep sends them
        self.message_user(request, ngettext("%d picture waits.", "%d pictures wait.", count) % count)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
