from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = _("Shop")

    def ready(self):
        from shop import reaper, receivers  # noqa: F401 - connected to signals by being imported
        from shop.api import schema  # noqa: F401 - found by drf-spectacular by being imported
