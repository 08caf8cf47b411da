from django.apps import AppConfig


class TryOnConfig(AppConfig):
    name = "tryon"
