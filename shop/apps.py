from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        from shop import reaper, receivers  # noqa: F401 - both connect signals when imported
