from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TryOnConfig(AppConfig):
    name = "tryon"
    verbose_name = _("Try-ons")

    def ready(self):
        from tryon import receivers, worker  # noqa: F401 - both connect signals when imported
