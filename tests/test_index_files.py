"""A snapshot's files: what is written is what is read; what was harmed or half written is noticed. No database."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from recommend.index import Source, snapshot
from recommend.index.block import Block, Reach
from recommend.index.columns import gathered
from recommend.index.load import Truth
from recommend.index.snapshot import SnapshotRefused
from recommend.index.view import View
from tests.test_index_search import drawn_items, drawn_where
from tests.workers import REPOSITORY

SOURCE = Source("plain", "1", "Plain")
TRUTH = Truth(SOURCE, 7, "these tables")


@pytest.fixture
def folder(tmp_path, settings):
    settings.INDEX_ROOT = tmp_path / "index"
    return settings.INDEX_ROOT


def drawn(count=120, seed=1):
    return gathered(drawn_items(np.random.default_rng(seed), count), 24)


def stored(folder, count=120, seq=7, seed=1) -> str:
    return snapshot.write(folder, drawn(count, seed), TRUTH._replace(seq=seq), None)


def test_what_is_read_is_what_was_written(folder):
    columns = drawn()
    version = snapshot.write(folder, columns, TRUTH, Reach(500, 0.25, 0.1))
    manifest, block = snapshot.read(folder, version)
    assert manifest.fits(TRUTH)
    assert (manifest.count, manifest.dim, manifest.reach) == (120, 24, Reach(500, 0.25, 0.1))
    assert snapshot.versions(folder) == [version]
    for name in columns.arrays():
        assert np.array_equal(getattr(block.columns, name), getattr(columns, name))
    rng = np.random.default_rng(2)
    from_memory, from_files = View(SOURCE, 7, block=Block(columns)), View(SOURCE, 7, block=block)
    for _ in range(30):
        query, where = rng.standard_normal(24), drawn_where(rng)
        assert from_files.search(query, 9, where) == from_memory.search(query, 9, where)


def test_vectors_are_mapped_and_not_read_into_memory(folder):
    _, block = snapshot.read(folder, stored(folder))
    owner = block.columns.vectors
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)
    assert not block.columns.vectors.flags.writeable


def test_an_empty_index_can_be_stored(folder):
    manifest, block = snapshot.read(folder, stored(folder, 0))
    assert manifest.count == len(block) == 0


@pytest.mark.parametrize("file", ["vectors.npy", "ids.npy", "brands.npy", "design_text.npy", snapshot.MANIFEST])
@pytest.mark.parametrize("harm", ["shorter", "longer", "changed", "gone"])
def test_a_file_that_was_harmed_is_noticed(folder, file, harm):
    version = stored(folder)
    path = folder / version / file
    data = bytearray(path.read_bytes())
    if harm == "gone":
        path.unlink()
    else:
        data[-20] ^= 1
        path.write_bytes({"shorter": data[:-1], "longer": data + b"\0", "changed": data}[harm])
    with pytest.raises(SnapshotRefused, match=version):
        snapshot.read(folder, version)


def test_another_format_is_refused(folder, monkeypatch):
    monkeypatch.setattr(snapshot, "FORMAT", 0)
    version = stored(folder)
    monkeypatch.undo()
    with pytest.raises(SnapshotRefused, match="another format"):
        snapshot.read_manifest(folder, version)


def test_it_fits_its_own_database_encoder_and_moment_alone(folder):
    manifest = snapshot.read_manifest(folder, stored(folder))
    assert manifest.fits(TRUTH._replace(seq=8))
    assert not manifest.fits(TRUTH._replace(seq=6))
    assert not manifest.fits(TRUTH._replace(tables="others"))
    assert not manifest.fits(TRUTH._replace(source=Source("plain", "2", "Plain")))


def test_nothing_half_written_is_ever_there(folder, monkeypatch):
    """A full disk at each step: no version appears, and what was begun is removed."""
    for step in range(len(gathered([], 24).arrays()) + 1):
        left = iter([None] * step)

        def sync(file, left=left, sync=snapshot._sync):
            if next(left, "full") == "full":
                raise OSError(28, "No space left on device")
            sync(file)

        monkeypatch.setattr(snapshot, "_sync", sync)
        with pytest.raises(OSError, match="No space"):
            stored(folder)
        assert os.listdir(folder) == []
        monkeypatch.undo()


CRASHING = """
import sys, time, pathlib
import django
django.setup()
from recommend.index import snapshot
from tests.test_index_files import stored
sync = snapshot._sync
def slow(file):
    sync(file)
    if "design" in file.name:
        print("half", flush=True)
        time.sleep(60)
snapshot._sync = slow
stored(pathlib.Path(sys.argv[1]))
"""


def test_what_a_killed_writer_left_is_not_seen_and_is_removed(folder):
    before = stored(folder, seq=3)
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", CRASHING, str(folder)], stdout=subprocess.PIPE, text=True, env=env, cwd=REPOSITORY
    ) as process:
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert len(os.listdir(folder)) == 2
    assert snapshot.versions(folder) == [before]
    snapshot.read(folder, before)
    snapshot.tidy(folder, TRUTH)
    assert os.listdir(folder) == [before]


def test_the_newest_few_are_kept_and_what_cannot_be_used_goes(folder):
    versions = [stored(folder, 5, seq) for seq in range(1, 6)]
    other = snapshot.write(folder, drawn(5), TRUTH._replace(seq=99, tables="of a database that is gone"), None)
    broken = stored(folder, 5, 50)
    (folder / broken / "ids.npy").unlink()
    snapshot.tidy(folder, TRUTH)
    assert snapshot.versions(folder) == versions[:1:-1]
    assert other not in snapshot.versions(folder)


def test_an_open_snapshot_outlives_its_files(folder):
    version = stored(folder)
    _, block = snapshot.read(folder, version)
    view = View(SOURCE, 7, block=block)
    before = view.search(np.ones(24), 20)
    shutil.rmtree(folder / version)
    assert view.search(np.ones(24), 20) == before
