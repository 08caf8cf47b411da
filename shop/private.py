"""Private pictures: a link that lives five minutes and opens only for whom it was made."""

from django.conf import settings
from django.core import signing
from django.http import FileResponse, Http404
from django.urls import reverse
from django.views.decorators.cache import cache_control

from shop import shoppers
from shop.models import Shopper
from shop.storage import private_storage

SALT = "private-picture"


def private_url(name: str, shopper: Shopper | None) -> str:
    """A short-lived address of a file in private storage.

    On S3 it is presigned; otherwise `serve` checks the signature, and that the one who asks is `shopper`
    (anyone, for None: only for pictures of the shop's model people).
    """
    storage = private_storage()
    if hasattr(storage, "bucket"):
        return storage.url(name)
    token = signing.dumps([name, shopper.pk if shopper else None], salt=SALT, compress=True)
    return reverse("private", args=[token])


@cache_control(private=True, max_age=240)
def serve(request, token):
    try:
        name, owner = signing.loads(token, salt=SALT, max_age=settings.PRIVATE_URL_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    asking = shoppers.current(request)
    if owner is not None and (asking is None or asking.pk != owner):
        raise Http404
    try:
        response = FileResponse(private_storage().open(name), content_type=_type(name))
    except FileNotFoundError:
        raise Http404 from None
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _type(name: str) -> str:
    return "image/png" if name.endswith(".png") else "image/jpeg"
