"""NUL characters, which Postgres holds in no text: what is asked for by one cannot be there.

Fields of forms and of the API refuse them by themselves; addresses and cookies are looked at here.
"""

from django.shortcuts import render
from django.utils.translation import gettext

from shop.api import problems


class NulMiddleware:
    """Stands first, so that nothing has read the cookies yet."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if "\0" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", ""):
            return None
        told = problems.outside(request, "request.not_found", gettext("There is nothing here."), 404)
        return told or render(request, "404.html", status=404)
