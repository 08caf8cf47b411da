"""Who writes snapshots, and when."""

import contextlib
import logging
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import faiss
from django.conf import settings

from recommend.index import snapshot
from recommend.index.block import EXACT_ACROSS
from recommend.index.columns import Gathered
from recommend.index.leaves import reach_for, split
from recommend.index.load import Truth, items, look, usual_length
from recommend.index.snapshot import Manifest, SnapshotRefused
from recommend.locks import Lock, alone
from recommend.models import Change

log = logging.getLogger(__name__)
_process: subprocess.Popen | None = None
_no_sooner = 0.0

PAUSE_SECONDS = 60  # between two starts, for one that cannot succeed (a full disk)
AT_LEAST, SHARE = 2_000, 0.02  # changes that make a new snapshot worth while: the larger of these


def start_if_due() -> bool:
    """Have a process write a snapshot where one is due; returns whether one was started.

    A process of its own: for a million garments it takes minutes, a worker's few processes have shoppers waiting, and
    its memory goes with it.
    """
    global _process, _no_sooner
    writing = _process is not None and _process.poll() is None
    if writing or time.monotonic() < _no_sooner or not due(settings.INDEX_ROOT):
        return False
    _no_sooner = time.monotonic() + PAUSE_SECONDS
    _process = subprocess.Popen([sys.executable, str(settings.BASE_DIR / "manage.py"), "snapshot_index", "--gently"])
    return True


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
    with alone(Lock.SNAPSHOT) as writes:
        if not writes:
            return None
        truth = look()  # before the rows are read: what changes meanwhile is read by whoever opens this
        dim = usual_length(truth.source) if truth.source else 0
        if not dim:
            return None
        snapshot.tidy(folder, truth)
        gathered = Gathered(items(truth.source), dim)
        columns = gathered.columns(partial(split, gpus=_gpus()) if len(gathered.ids) > EXACT_ACROSS else None)
        del gathered
        reach = reach_for(columns) if len(columns.centroids) else None
        version = snapshot.write(folder, columns, truth, reach)
        del columns
        manifest, _ = snapshot.read(folder, version)
        snapshot.tidy(folder, truth)
        log.info("snapshot %s: %s garments, %s", version, manifest.count, reach)
        return manifest


def _gpus() -> int:
    """How many of this machine's are to be used."""
    if not settings.INDEX_GPU:
        return 0
    if not (count := faiss.get_num_gpus()):
        log.warning("INDEX_GPU is set and FAISS sees no GPU (requirements-gpu.txt); the processor does the work")
    return count
