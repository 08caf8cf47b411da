from django.apps import AppConfig


class TryOnConfig(AppConfig):
    name = "tryon"

    def ready(self):
        from tryon import receivers, worker  # noqa: F401 - both connect signals when imported
