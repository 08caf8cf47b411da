"""Snapshots of the database: when one is written, and how processes move from one to the next."""

import json
import os
import subprocess
import sys
import threading
import time

import faiss
import pytest
from django.db import connection

from recommend.index import Index, following, snapshot, writer
from recommend.index.view import View
from recommend.locks import Lock
from recommend.models import Change, Embedding, Serving
from shop.models import Garment
from tests.locks import held_elsewhere, is_free
from tests.looks import PLAIN, direction, embed, make
from tests.workers import REPOSITORY, process_environment, wait_for


@pytest.fixture
def folder(tmp_path, settings):
    settings.INDEX_ROOT = tmp_path / "index"
    return settings.INDEX_ROOT


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


@pytest.mark.skipif(faiss.get_num_gpus() > 0, reason="there is a GPU")
def test_without_the_gpu_that_is_asked_for_the_processor_writes(folder, shop, settings, monkeypatch, caplog):
    settings.INDEX_GPU = True
    monkeypatch.setattr(writer, "EXACT_ACROSS", 3)
    manifest = writer.write(folder)
    assert manifest.files["centroids.npy"]["bytes"] > 128
    assert "FAISS sees no GPU" in caplog.text
    assert ids(Index().current()) == [garment.pk for garment in shop]


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
    with held_elsewhere(Lock.SNAPSHOT):
        assert writer.write(folder) is None
    items = writer.items

    def watched(source):
        assert not is_free(Lock.SNAPSHOT)
        return items(source)

    monkeypatch.setattr(writer, "items", watched)
    assert writer.write(folder).count == 4
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
