from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecommendConfig(AppConfig):
    name = "recommend"
    verbose_name = _("Recommendations")

    def ready(self):
        from recommend import checks, query_receivers, receivers  # noqa: F401 - they connect when imported
