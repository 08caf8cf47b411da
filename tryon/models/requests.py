"""One click of a shopper: a row for each engine, and for each retry, under one request id."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from tryon import registry

_ORDER = ("expired", "canceled", "failed", "queued", "running", "succeeded")


def current(rows: Iterable) -> list:
    """The rows that were not replaced by a retry, quickest engine first."""
    rows = list(rows)
    retried = {row.retry_of_id for row in rows}
    return sorted((row for row in rows if row.pk not in retried), key=lambda row: registry.rank(row.engine))


def best(rows: Iterable):
    """The row that a card shows: one that succeeded before one at work.

    Of those with a picture the finest, of those at work the quickest, whose picture will be the first.
    """
    return max(current(rows), key=_worth, default=None)


def _worth(row) -> tuple[int, int]:
    rank = registry.rank(row.engine)
    return _ORDER.index(row.status), rank if row.is_done else -rank


@dataclass(frozen=True)
class TryOnRequest:
    """All rows of one click, newest last."""

    id: UUID
    rows: list

    @classmethod
    def group(cls, rows: Iterable) -> list["TryOnRequest"]:
        """Newest click first; any order of rows."""
        ordered = sorted(rows, key=lambda row: (row.request, row.created, str(row.pk)))
        made = [cls(key, list(members)) for key, members in groupby(ordered, key=lambda row: row.request)]
        return sorted(made, key=lambda group: group.created, reverse=True)

    @property
    def created(self):
        return self.rows[0].created

    @property
    def garment(self):
        """The one that was clicked; None when the shop has taken it out."""
        return self.rows[0].garment

    @property
    def worn_with(self):
        """The second garment of an outfit; None without one, or when the shop has taken it out."""
        return self.rows[0].worn_with

    @property
    def garments(self) -> list:
        """One, or a top and a bottom; None in the place of what the shop has taken out."""
        return self.rows[0].garments

    @property
    def photo(self):
        """None when it has expired."""
        return self.rows[0].photo

    @property
    def current(self) -> list:
        return current(self.rows)

    @property
    def best(self):
        return best(self.rows)

    @property
    def finer(self):
        """The finest row whose picture would take the place of the one that is shown, or None.

        One at work, where there is one; else one that could be tried again.
        """
        shown = self.best
        above = [row for row in self.current if registry.rank(row.engine) > registry.rank(shown.engine)]
        candidates = [row for row in above if not row.is_done] or [row for row in above if row.can_retry]
        return candidates[-1] if shown.result and candidates else None

    @property
    def is_done(self) -> bool:
        """Nothing more will come."""
        return all(row.is_done for row in self.current)

    def cancel(self) -> None:
        for row in self.current:
            row.cancel()

    def retry(self) -> None:
        """Again what failed or was canceled. Raises Refusal where nothing can be done again."""
        rows = self.current
        for row in [row for row in rows if row.can_retry] or rows[:1]:
            row.retry()

    def delete(self) -> None:
        for row in self.rows:
            row.delete()
