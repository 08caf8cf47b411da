from django.apps import AppConfig


class RecommendConfig(AppConfig):
    name = "recommend"

    def ready(self):
        from recommend import checks, receivers  # noqa: F401 - both connect when imported
