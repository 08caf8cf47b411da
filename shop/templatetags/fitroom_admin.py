"""How the admin writes shares and their intervals."""

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html

from shop.figures import Difference, Share

register = template.Library()


@register.filter
def share(value: Share):
    """As "12.5 % 11.9–13.1"; nothing where nothing was counted."""
    if value.value is None:
        return "–"
    return format_html("{} % <small>{}–{}</small>", _percent(value.value), *map(_percent, value.interval))


@register.filter
def difference(value: Difference):
    """In points of a hundred, as "+1.2 +0.4 to +2.0"."""
    if value.value is None:
        return "–"
    low, high = (_signed(end) for end in value.interval)
    return format_html("{} <small>{} … {}</small>", _signed(value.value), low, high)


def _percent(part: float) -> str:
    return number_format(round(100 * part, 1), 1)  # by itself it cuts off


def _signed(part: float) -> str:
    sign = "+" if part > 0 else "−" if part < 0 else "±"
    return f"{sign}{_percent(abs(part))}"
