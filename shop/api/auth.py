"""Who calls the API: a program with a key, or a browser with the shopper's cookie (then with a CSRF token)."""

from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from shop import shoppers
from shop.models import ApiKey, Shopper

TOUCHED_EVERY = timedelta(minutes=1)  # when a key was last used need not be known finer, and a write is not cheap


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer fr_…`; cookies are then ignored."""

    keyword = b"bearer"

    def authenticate(self, request):
        header = get_authorization_header(request).split()
        if len(header) != 2 or header[0].lower() != self.keyword:
            return None
        key = (
            ApiKey.objects.select_related("user")
            .filter(key_hash=ApiKey.hash_key(header[1].decode("latin-1")), revoked=None, user__is_active=True)
            .first()
        )
        if key is None:
            raise AuthenticationFailed("This API key is not known or was revoked.", code="key_unknown")
        if key.last_used is None or timezone.now() - key.last_used > TOUCHED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used=Now())
        return key.user, key

    def authenticate_header(self, request):
        return "Bearer"


class ShopperAuthentication(SessionAuthentication):
    """The browser's session or anonymous cookie. Unlike DRF's own, anonymous shoppers too must pass CSRF."""

    def authenticate(self, request):
        self.enforce_csrf(request)
        user = request._request.user
        return (user, None) if user.is_authenticated else None


class HasScope(BasePermission):
    """A key needs the view's `scope`; a browser may do what a shopper may, and the rest only as staff."""

    FOR_SHOPPERS = (ApiKey.Scope.CATALOGUE_READ, ApiKey.Scope.TRYON)

    def has_permission(self, request, view):
        scope = view.scope
        if isinstance(request.auth, ApiKey):
            return scope in request.auth.scopes
        return scope in self.FOR_SHOPPERS or (request.user.is_staff and request.user.has_perm("shop.change_garment"))


def shopper_of(request) -> Shopper | None:
    """The shopper behind an API request: the key's user, or the browser's."""
    if isinstance(request.auth, ApiKey):
        return Shopper.objects.filter(user=request.user).first()
    return shoppers.current(request._request)


def ensure_shopper(request) -> Shopper:
    if isinstance(request.auth, ApiKey):
        return Shopper.objects.of_user(request.user)
    return shoppers.ensure(request._request)


def link_owner(request) -> Shopper | None:
    """For whom a private link is made: the browser's shopper; a program, without a cookie, holds it openly."""
    return None if isinstance(request.auth, ApiKey) else shopper_of(request)
