"""How many try-ons may be under way: of one shopper, and in one queue."""

from django.conf import settings

from preprocessing.errors import Refusal, gettext_noop
from tryon import registry
from tryon.engines.base import EngineInfo


def check_shopper(tryons, shopper, request=None) -> None:
    """Raises Refusal where one more click would be too many; how many engines answer a click is no matter.

    Args:
        tryons: the rows, `TryOn.objects`.
        request: the click, where it is one that was made before.
    """
    most = settings.TRYON_QUEUED_PER_KEY if shopper.acts_for_many else settings.TRYON_QUEUED_PER_SHOPPER
    under_way = set(tryons.of(shopper).open().values_list("request", flat=True)) - {request}
    if len(under_way) >= most:
        raise Refusal(
            "tryon.too_many", gettext_noop("You have several try-ons under way. Please wait until one is done.")
        )


def with_room(tryons, infos: list[EngineInfo], *, named: bool) -> list[EngineInfo]:
    """The engines whose queue is not full: a long queue for the finer picture does not refuse the preview.

    Args:
        tryons: the rows, `TryOn.objects`.
        named: the visitor asked for these, so none may be left out.

    Raises:
        Refusal: tryon.busy.
    """
    queued = {
        queue: tryons.queued().filter(engine__in=registry.of_queue(queue)).count()
        for queue in {info.queue for info in infos}
    }
    free = [info for info in infos if queued[info.queue] < settings.TRYON_QUEUED_TOTAL]
    if not free or (named and free != infos):
        raise Refusal(
            "tryon.busy", gettext_noop("Many people are trying on at the moment. Please try again in a minute.")
        )
    return free
