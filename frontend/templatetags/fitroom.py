"""What the templates say often."""

from django import template
from django.conf import settings
from django.contrib.messages import get_messages
from django.utils.formats import number_format
from django.utils.translation import gettext

from shop.words import word as translated_word

register = template.Library()

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "JPY": "¥"}
WHOLE = {"KRW", "JPY", "VND"}  # currencies without a smaller unit


@register.simple_tag
def shop_name() -> str:
    return settings.SHOP_NAME


@register.simple_tag
def photo_hours() -> int:
    return settings.PHOTO_HOURS


@register.simple_tag
def search_minutes() -> int:
    return settings.SEARCH_MINUTES


@register.simple_tag
def result_days() -> int:
    return settings.RESULT_DAYS


@register.simple_tag
def list_days() -> int:
    return settings.LIST_DAYS


@register.simple_tag
def event_days() -> int:
    return settings.EVENT_DAYS


@register.filter
def money(amount, currency: str) -> str:
    """An amount with its currency's sign, as "$1,290" or "CHF 12.50"; cents only where there are some."""
    places = 0 if currency in WHOLE or amount == int(amount) else 2
    number = number_format(amount, places, force_grouping=True)
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{currency} {number}"


@register.filter
def word(value: str) -> str:
    """A colour or product type in the visitor's language."""
    return translated_word(value)


@register.filter
def sentence(english: str) -> str:
    """A stored sentence in the visitor's language."""
    return gettext(english) if english else ""


@register.simple_tag(takes_context=True)
def notices(context):
    """The messages left for this visitor; none on pages that are made without a request."""
    request = context.get("request")
    return get_messages(request) if request else []
