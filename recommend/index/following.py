"""How a process keeps its index up to date: it looks at the database at most once a second, when it is asked.

A look-up by index tells whether anything has changed. Changed garments alone are then loaded and laid over the
block, in a new `View` that takes the old one's place; searches that run meanwhile keep theirs. Where there is a newer
snapshot, the view is put on that.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

from recommend.index import snapshot
from recommend.index.block import Block
from recommend.index.columns import gathered
from recommend.index.load import Truth, changed_since, items, load, look, usual_length
from recommend.index.snapshot import Manifest, SnapshotRefused
from recommend.index.view import View
from recommend.index.writer import worth

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
FIRST_WAIT_SECONDS = 2.0  # a page shows the newest rather than wait longer
AT_ONCE = 5_000  # garments; where more are served, a thread of its own makes the block anew


class Index:
    """Follows the database. One a process (`recommend.index.current`); tests make their own.

    Args:
        folder: where snapshots lie; None for that of the settings.
    """

    def __init__(self, look_seconds: float = LOOK_SECONDS, folder: Path | None = None):
        self.look_seconds = look_seconds
        self._folder = folder
        self._view: View | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()  # held by who looks
        self._renewing: threading.Thread | None = None
        self._manifests: dict[str, Manifest | None] = {}  # of each version seen; None for one that was refused

    @property
    def folder(self) -> Path:
        return self._folder or settings.INDEX_ROOT

    def current(self) -> View:
        """The view to search. The first caller makes it, the others wait a little for it and then get an empty one;
        later one looks at a time, and none waits.

        Raises:
            DatabaseError: where there is no view yet. An old one is served on.
        """
        view = self._view
        if view is not None and time.monotonic() < self._next_look:
            return view
        if not self._lock.acquire(timeout=FIRST_WAIT_SECONDS if view is None else 0):
            return View() if view is None else view
        try:
            if self._view is None or time.monotonic() >= self._next_look:
                self._view = self._followed(View() if self._view is None else self._view)
        except Exception:
            if view is None:
                raise
            log.exception("the index could not follow the database; the old one is served")
        finally:
            self._next_look = time.monotonic() + self.look_seconds
            self._lock.release()
        return self._view

    def _followed(self, old: View) -> View:
        truth = look()
        if truth.source is None:
            return View()
        foreign = truth.source != old.source or truth.tables != old.tables or truth.seq < old.seq
        changed = changed_since(old.seq) if truth.seq > old.seq and not foreign else []
        if not (foreign or len(changed) > AT_ONCE or _outgrown(old) or self._newer(old.version, truth)):
            return _caught_up(old, truth, changed)
        begin = View() if foreign else old
        if len(old) <= AT_ONCE:
            return self._renewed(begin, truth)
        if self._renewing is None or not self._renewing.is_alive():
            self._renewing = threading.Thread(target=self._renew, args=(begin, truth), name="index", daemon=True)
            self._renewing.start()
        return old  # the thread is not far behind

    def _newer(self, version: str, truth: Truth) -> Manifest | None:
        """The newest snapshot after `version` that fits and was not refused."""
        for name in snapshot.versions(self.folder):
            if name <= version:
                return None
            if name not in self._manifests:
                self._manifests[name] = self._read(snapshot.read_manifest, name)
            manifest = self._manifests[name]
            if manifest and manifest.fits(truth):
                return manifest
        return None

    def _read(self, how: Callable, version: str):
        try:
            return how(self.folder, version)
        except SnapshotRefused as reason:
            log.error("snapshot refused: %s", reason)
            return None

    def _renew(self, old: View, truth: Truth) -> None:
        """In a thread of its own."""
        try:
            view = self._renewed(old, truth)
            with self._lock:
                self._view = view  # what changed meanwhile is found by the next look
        except Exception:
            log.exception("the index could not be made anew; the old one is served")
        finally:
            connection.close()

    def _renewed(self, old: View, truth: Truth) -> View:
        """A view on the newest snapshot that is sound; else on the old block, or, where that will not do, on one
        loaded from the database.
        """
        while manifest := self._newer(old.version, truth):
            if read := self._read(snapshot.read, manifest.version):
                view = View(truth.source, manifest.seq, truth.tables, manifest.version, block=read[1])
                return _caught_up(view, truth, changed_since(view.seq))
            self._manifests[manifest.version] = None
        changed = changed_since(old.seq)
        if not _outgrown(old, len(changed)):
            return _caught_up(old, truth, changed)
        block = Block(gathered(items(truth.source), usual_length(truth.source)))
        return View(truth.source, truth.seq, truth.tables, block=block)


def _outgrown(view: View, more: int = 0) -> bool:
    """Whether a block of this process's own has too much laid over it; that of a snapshot waits for the next one."""
    changes = len(view.gone) + len(view.later) + more
    return not view.dim or (not view.version and changes > 2 * worth(len(view.block)))


def _caught_up(view: View, truth: Truth, changed: list[int]) -> View:
    """With what has changed up to `truth.seq`, and, harmlessly, once more at the next look, what did since then."""
    return view.changed(changed, load(truth.source, changed), truth.seq) if changed else view
