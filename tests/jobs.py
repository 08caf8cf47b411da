"""What tests do to jobs in the place of workers and of time."""

from datetime import timedelta

from django.utils import timezone

from tryon.lease import Lease
from tryon.models import TryOn

PAST = timedelta(minutes=-5)


def shift(row, **deltas):
    """Move a row's times against the database's clock."""
    TryOn.objects.filter(pk=row.pk).update(**{name: timezone.now() + delta for name, delta in deltas.items()})
    row.refresh_from_db()


def silent(row):
    """Claimed by a worker that was not heard of since."""
    lease = Lease.claim(row.pk)
    shift(row, lease_until=PAST)
    return lease


def finished(row):
    lease = Lease.claim(row.pk)
    lease.succeed(b"picture", (4, 3), {})
    row.refresh_from_db()
    return row
