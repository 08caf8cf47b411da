from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecommendConfig(AppConfig):
    name = "recommend"
    verbose_name = _("Recommendations")

    def ready(self):
        from recommend import checks, query_receivers, receivers  # noqa: F401 - they connect when imported
        from shop import surfaces
        from shop.models import Surface

        surfaces.offer(Surface.SIMILAR, {"diverse": _("near, with variety"), "nearest": _("the nearest")})
        surfaces.offer(Surface.GOES_WITH, {"harmony": _("colours first"), "wardrobes": _("worn together first")})
        surfaces.offer(Surface.FOR_YOU, {"taste": _("by taste"), "popular": _("the popular and new")})
