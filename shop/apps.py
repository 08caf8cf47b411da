from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        from shop import reaper, receivers  # noqa: F401 - connected to signals by being imported
        from shop.api import schema  # noqa: F401 - found by drf-spectacular by being imported
