"""Snapshots: what is written is what is searched; what is not sound is left alone; processes move to newer ones."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from django.db import connection

from recommend.index import Index, Source, following, snapshot, writer
from recommend.index.block import Block, Reach
from recommend.index.columns import gathered
from recommend.index.load import Truth
from recommend.index.snapshot import SnapshotRefused
from recommend.index.view import View
from recommend.models import Change, Embedding, Serving
from shop.models import Garment
from tests.looks import PLAIN, direction, embed, make
from tests.test_index_search import drawn_items, drawn_where
from tests.workers import REPOSITORY, process_environment, wait_for

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
    version = snapshot.write(folder, columns, TRUTH, Reach(500, 0.25))
    manifest, block = snapshot.read(folder, version)
    assert manifest.fits(TRUTH)
    assert (manifest.count, manifest.dim, manifest.reach) == (120, 24, Reach(500, 0.25))
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
from tests.test_index_snapshot import stored
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


# --- With the database ------------------------------------------------------------------------------------


@pytest.fixture
def shop(transactional_db):
    """Four garments at 0, 10, 20 and 30 degrees."""
    return [make(f"at-{degrees}", degrees) for degrees in (0, 10, 20, 30)]


def ids(view: View, degrees: float = 0) -> list[int]:
    return [hit.garment_id for hit in view.search(direction(degrees), 20)]


def test_a_snapshot_of_the_database_is_opened_and_followed(folder, shop):
    manifest = writer.write(folder)
    assert manifest.count == 4
    index = Index(look_seconds=0)
    assert index.current().version == manifest.version
    assert ids(index.current()) == [garment.pk for garment in shop]
    later = make("later", 15)
    shop[1].delete()
    Garment.objects.filter(pk=shop[3].pk).update(brand="Acme")
    view = index.current()
    assert view.version == manifest.version
    assert ids(view) == [shop[0].pk, later.pk, shop[2].pk, shop[3].pk]
    assert len(view.gone) == 2
    assert ids(Index().current()) == ids(view)


def test_a_newer_snapshot_takes_over_what_was_laid_over_the_old_one(folder, shop):
    index = Index(look_seconds=0)
    assert index.current().version == ""
    first = writer.write(folder)
    assert index.current().version == first.version
    make("later", 15)
    before = ids(index.current())
    assert len(index.current().later) == 1
    second = writer.write(folder)
    view = index.current()
    assert (view.version, len(view.later), ids(view)) == (second.version, 0, before)


@pytest.mark.parametrize("first", [True, False])
def test_an_unsound_snapshot_is_left_alone(folder, shop, caplog, first):
    """Whether it is the first that is seen, or one newer than what is served."""
    index = Index(look_seconds=0)
    sound = writer.write(folder).version
    if not first:
        assert index.current().version == sound
    make("later", 15)
    unsound = writer.write(folder).version
    vectors = folder / unsound / "vectors.npy"
    data = bytearray(vectors.read_bytes())
    data[-40] ^= 1
    vectors.write_bytes(data)
    assert index.current().version == sound
    assert len(index.current()) == 5
    assert caplog.text.count("vectors.npy was changed") == 1  # it is not tried again and again


def test_a_snapshot_of_another_encoder_is_not_used(folder, shop):
    writer.write(folder)
    other = type(PLAIN)(name="other", version="1", label="Other")
    for garment in shop:
        embed(garment.pictures.get(), 50, other)
    Serving.objects.update(name="other")
    view = Index().current()
    assert (view.version, view.source.name) == ("", "other")
    assert [hit.score for hit in view.search(direction(50), 9)] == pytest.approx([1] * 4, abs=2e-3)


def test_a_snapshot_of_tables_that_were_emptied_is_not_used(folder, shop):
    index = Index(look_seconds=0)
    writer.write(folder)
    assert len(index.current()) == 4
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE recommend_embedding, recommend_change")
    assert len(index.current()) == 0
    assert len(Index().current()) == 0


def test_nothing_is_written_where_there_is_nothing(folder, transactional_db):
    assert not writer.due(folder)
    assert writer.write(folder) is None
    make("one", 0)
    Embedding.objects.update(vector=None, state="pending")
    assert writer.write(folder) is None
    assert snapshot.versions(folder) == []


def test_one_is_due_after_many_changes(folder, shop, monkeypatch):
    monkeypatch.setattr(writer, "AT_LEAST", 3)
    assert writer.due(folder)  # four garments without one
    writer.write(folder)
    assert not writer.due(folder)
    Garment.objects.filter(pk__in=[garment.pk for garment in shop[:3]]).update(brand="Acme")
    assert not writer.due(folder)
    shop[3].delete()
    assert writer.due(folder)
    version = writer.write(folder).version
    assert not writer.due(folder)
    (folder / version / "ids.npy").write_bytes(b"")
    assert writer.due(folder)


def test_a_worker_has_it_written_by_a_process_of_its_own(folder, shop, monkeypatch):
    environment = process_environment("redis://localhost:1/0", DJANGO_SETTINGS_MODULE="shop.settings")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(writer, "_process", None)
    monkeypatch.setattr(writer, "_no_sooner", 0)
    assert not writer.start_if_due()
    monkeypatch.setattr(writer, "AT_LEAST", 3)
    assert writer.start_if_due()
    assert not writer.start_if_due()  # one at a time, and not every few seconds
    assert writer._process.wait(60) == 0
    assert not writer.due(folder)


def test_one_process_writes_at_a_time(folder, shop, monkeypatch):
    begun, go_on, results = threading.Event(), threading.Event(), []
    items = writer.items

    def slow(source):
        begun.set()
        go_on.wait(20)
        return items(source)

    def write():
        results.append(writer.write(folder))
        connection.close()

    monkeypatch.setattr(writer, "items", slow)
    first = threading.Thread(target=write)
    first.start()
    assert begun.wait(20)
    second = threading.Thread(target=write)
    second.start()
    second.join(20)
    assert results == [None]
    go_on.set()
    first.join(20)
    assert results[1].count == 4
    assert len(os.listdir(folder)) == 1


def test_a_writer_that_fails_lets_the_next_one_write(folder, shop, monkeypatch):
    monkeypatch.setattr(writer, "usual_length", lambda source: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.write(folder)
    monkeypatch.undo()
    assert writer.write(folder).count == 4


def test_a_large_index_is_made_anew_beside_the_one_that_serves(folder, shop, monkeypatch):
    """Without a snapshot, and then for each reason to begin anew, nobody waits, and the old one serves meanwhile."""
    monkeypatch.setattr(following, "AT_ONCE", 3)
    index = Index(look_seconds=0)
    old = index.current()
    later = [make(f"later-{number}", 40 + number) for number in range(4)]
    begun, go_on = threading.Event(), threading.Event()
    renewed = Index._renewed

    def slow(self, *arguments):
        begun.set()
        go_on.wait(20)
        return renewed(self, *arguments)

    monkeypatch.setattr(Index, "_renewed", slow)
    assert index.current() is old
    assert begun.wait(20)
    assert index.current() is old
    go_on.set()
    wait_for(lambda: len(index.current()) == 8, what="the new index")
    version = writer.write(folder).version
    wait_for(lambda: index.current().version == version, what="the snapshot")
    assert ids(index.current()) == [garment.pk for garment in shop + later]


def test_an_index_of_a_process_alone_does_not_grow_for_ever(folder, shop, monkeypatch):
    monkeypatch.setattr(writer, "AT_LEAST", 2)
    index = Index(look_seconds=0)
    first = index.current().block
    for number in range(4):
        make(f"later-{number}", 40 + number)
        assert index.current().block is first
    make("one more", 50)
    assert len(index.current()) == 9
    make("and another", 50)
    view = index.current()
    assert view.block is not first
    assert (len(view), len(view.later)) == (10, 0)


WATCHER = """
import django, json, sys, time
import numpy as np
django.setup()
from recommend.index import Index
index = Index()
for line in sys.stdin:
    view = index.current()
    hits = view.search(np.array(json.loads(line)), 20)
    print(json.dumps([view.version, [hit.garment_id for hit in hits]]), flush=True)
"""


def test_other_processes_move_from_snapshot_to_snapshot_and_find_what_is_new_within_seconds(folder, shop):
    env = process_environment("redis://localhost:1/0", DJANGO_SETTINGS_MODULE="shop.settings", LOG_LEVEL="ERROR")
    first = writer.write(folder).version
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WATCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
            cwd=REPOSITORY,
        )
        for _ in range(2)
    ]  # fmt: skip

    def seen() -> list[tuple[str, list[int]]]:
        for process in processes:
            process.stdin.write(json.dumps(direction(0).tolist()) + "\n")
            process.stdin.flush()
        return [tuple(json.loads(process.stdout.readline())) for process in processes]

    try:
        expected = [garment.pk for garment in shop]
        assert seen() == [(first, expected)] * 2
        later = make("later", 15)
        expected.insert(2, later.pk)
        wait_for(lambda: seen() == [(first, expected)] * 2, 5, "the new garment in every process")
        second = writer.write(folder).version
        wait_for(lambda: seen() == [(second, expected)] * 2, 5, "the new snapshot in every process")
        expected.remove(later.pk)
        later.delete()
        wait_for(lambda: seen() == [(second, expected)] * 2, 5, "the deletion in every process")
    finally:
        for process in processes:
            process.stdin.close()
            process.wait(20)
            process.stdout.close()


def test_threads_search_while_snapshots_are_swapped(folder, transactional_db, monkeypatch):
    """One garment comes and goes, another moves; every list is whole and of one moment."""
    steady = [make(f"steady-{number}", 3 * number).pk for number in range(1, 13)]
    flicker = make("flicker", 0).pk
    monkeypatch.setattr(following, "AT_ONCE", 5)  # so that swaps happen beside the searches
    index = Index(look_seconds=0)
    index.current()
    stop, wrong, counts, versions = threading.Event(), [], [0, 0], set()

    def search(number):
        while not stop.is_set():
            view = index.current()
            found = ids(view)
            counts[number] += 1
            versions.add(view.version)
            if found not in (steady, [flicker, *steady]):
                wrong.append(found)
        connection.close()

    threads = [threading.Thread(target=search, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    end, rounds = time.monotonic() + 60, 0
    while (len(versions - {""}) < 6 or min(counts) < 20) and time.monotonic() < end:
        rounds += 1
        Garment.objects.filter(pk=flicker).update(published=bool(rounds % 2))
        version = writer.write(folder).version
        wait_for(lambda version=version: version in versions, 10, "the swap")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(versions - {""}) >= 6
    assert Change.objects.count() == 13
