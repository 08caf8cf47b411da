"""Keys for programs."""

import hashlib
import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """Lets a program act for a user, within scopes. Only its hash is kept; the key is shown once."""

    class Scope(models.TextChoices):
        CATALOGUE_READ = "catalogue:read", _("read the catalogue")
        CATALOGUE_WRITE = "catalogue:write", _("change the catalogue")
        TRYON = "tryon", _("upload photos and try garments on")
        EVENTS = "events", _("report views and orders")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=10, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list, verbose_name=_("scopes"))
    created = models.DateTimeField(db_default=Now(), editable=False)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")

    def __str__(self):
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def hash_key(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(cls, user, name: str, scopes: list[str]) -> tuple["ApiKey", str]:
        """A new row, and the key itself, which cannot be had again."""
        key = f"fr_{secrets.token_urlsafe(32)}"
        row = cls.objects.create(user=user, name=name, scopes=scopes, prefix=key[:10], key_hash=cls.hash_key(key))
        return row, key
