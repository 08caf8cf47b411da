"""Who writes snapshots, and when."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from recommend.index import snapshot
from recommend.index.block import EXACT_ACROSS
from recommend.index.columns import Gathered
from recommend.index.leaves import budget_for, split
from recommend.index.load import Truth, items, look, usual_length
from recommend.index.snapshot import Manifest, SnapshotRefused
from recommend.models import Change

log = logging.getLogger(__name__)

ADVISORY_LOCK = 7_203_120  # any number, the same in every process
AT_LEAST, SHARE = 2_000, 0.02  # changes that make a new snapshot worth while: the larger of these


def due(folder: Path) -> bool:
    """Whether so much has changed since the newest snapshot, or there is so much without one, that one should be."""
    truth = look()
    if truth.source is None:
        return False
    newest = fitting(folder, truth)
    seq, count = (newest.seq, newest.count) if newest else (0, 0)
    return Change.objects.filter(seq__gt=seq).count() > worth(count)


def worth(count: int) -> int:
    """How many changes an index of so many garments bears before it is made anew."""
    return max(AT_LEAST, int(SHARE * count))


def fitting(folder: Path, truth: Truth) -> Manifest | None:
    """The newest snapshot of this database and encoder, by its manifest."""
    for version in snapshot.versions(folder):
        with contextlib.suppress(SnapshotRefused):
            manifest = snapshot.read_manifest(folder, version)
            if manifest.fits(truth):
                return manifest
    return None


def write(folder: Path) -> Manifest | None:
    """Write a snapshot of what the database holds now. None where another process writes, or there is nothing yet.

    Takes about 2.5 KB of memory for a garment of 512 numbers.
    """
    with _alone() as alone:
        if not alone:
            return None
        truth = look()  # before the rows are read: what changes meanwhile is read by whoever opens this
        dim = usual_length(truth.source) if truth.source else 0
        if not dim:
            return None
        snapshot.tidy(folder)
        gathered = Gathered(items(truth.source), dim)
        columns = gathered.columns(split if len(gathered.ids) > EXACT_ACROSS else None)
        del gathered
        budget, recall = budget_for(columns) if len(columns.centroids) else (0, 1.0)
        version = snapshot.write(folder, columns, truth, budget, recall)
        del columns
        manifest, _ = snapshot.read(folder, version)
        snapshot.tidy(folder)
        log.info("snapshot %s: %s garments, budget %s, recall %.3f", version, manifest.count, budget, recall)
        return manifest


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Whether this is the one process that may write now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
        if not cursor.fetchone()[0]:
            yield False
            return
        try:
            yield True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
