"""Which engines this shop knows, in order from the quickest to the finest."""

from django.conf import settings
from django.utils.module_loading import import_string

from tryon.engines.base import EngineInfo


def engines() -> dict[str, EngineInfo]:
    return import_string(settings.TRYON_ENGINES)


def rank(name: str) -> int:
    """The higher, the finer the picture; -1 for an engine that is no longer known."""
    names = list(engines())
    return names.index(name) if name in names else -1


def of_queue(queue: str) -> list[str]:
    """The names of the engines whose messages go to this queue."""
    return [info.name for info in engines().values() if info.queue == queue]


def allowed(info: EngineInfo) -> bool:
    """Whether the engine's licence lets this shop use it."""
    return info.commercial_use or settings.ALLOW_NONCOMMERCIAL_ENGINES
