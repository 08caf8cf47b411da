"""Who is asking: the signed-in user's shopper, or the one whose random key the cookie holds.

A row is made only when there is something to own, so that crawlers leave nothing behind.
"""

import secrets

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver

from shop.models import Shopper

COOKIE = "shopper"
COOKIE_SECONDS = 180 * 24 * 3600


def current(request) -> Shopper | None:
    """The shopper of this request, if they own anything yet."""
    if not hasattr(request, "_shopper"):
        if request.user.is_authenticated:
            request._shopper = Shopper.objects.filter(user=request.user).first()
        else:
            request._shopper = Shopper.objects.by_key(request.COOKIES.get(COOKIE, ""))
    return request._shopper


def ensure(request) -> Shopper:
    """The shopper of this request, made when there was none; the middleware then sets the cookie."""
    if shopper := current(request):
        return shopper
    if request.user.is_authenticated:
        request._shopper = Shopper.objects.of_user(request.user)
    else:
        request._new_shopper_key = secrets.token_urlsafe(32)
        request._shopper = Shopper.objects.create(key_hash=Shopper.hash_key(request._new_shopper_key))
    return request._shopper


class ShopperMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if key := getattr(request, "_new_shopper_key", None):
            response.set_cookie(
                COOKIE, key, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
            )
        elif getattr(request, "_forget_shopper", False):
            response.delete_cookie(COOKIE, samesite="Lax")
        return response


@receiver(user_logged_in)
def take_over(sender, request, user, **kwargs):
    """Signing in takes over what the anonymous shopper owned; the cookie opens nothing afterwards."""
    anonymous = Shopper.objects.by_key(request.COOKIES.get(COOKIE, "")) if request else None
    if anonymous is None:
        return
    with transaction.atomic():
        anonymous.move_to(Shopper.objects.of_user(user))
    request._forget_shopper = True
    if hasattr(request, "_shopper"):
        del request._shopper
