"""What an HD engine's jobs have more: a frame of the photo, a seed, the engine's times, memory that runs out."""

import gc
import threading
import weakref
from datetime import timedelta

import numpy as np
import pytest
import torch
from django.core.files.base import ContentFile
from django.db import connection

from preprocessing.networks.person import Frame
from preprocessing.person.prepare import VERSION, prepare_person
from shop import orphans, receivers
from shop.models import Photo, PhotoFrame
from shop.storage import private_storage
from tests import engines, pictures
from tests.jobs import PAST, shift, silent
from tryon import tasks, work
from tryon.models import EngineState, TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]


@pytest.fixture(scope="module")
def person():
    return prepare_person(np.asarray(pictures.astronaut()))


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(engines, "SLOW_SECONDS", 0.0)


@pytest.fixture
def photo(photo, person):
    """With what the check at upload really finds."""
    photo.prepared.save("person.npz", ContentFile(person.to_bytes()))
    assert photo.prepared_version == VERSION
    return photo


@pytest.fixture
def made(monkeypatch):
    """The frames that were made, by whether of the whole person."""
    calls, really = [], work.make_frame

    def make(person, *, whole):
        calls.append(whole)
        return really(person, whole=whole)

    monkeypatch.setattr(work, "make_frame", make)
    return calls


def run(row):
    tasks.run(str(row.pk))
    row.refresh_from_db()
    return row


def stored() -> set[str]:
    try:
        return {f"frames/{name}" for name in private_storage().listdir("frames")[1]}
    except FileNotFoundError:
        return set()


# --- Frames -----------------------------------------------------------------------------------------------------


def test_a_frame_is_made_for_the_first_garment_and_kept_for_the_next(submit, photo, made, make_garment, shopper):
    before = stored()
    row = run(submit("finest"))
    assert (row.error_detail, row.status, row.notes["joints"]) == ("", "succeeded", 25)
    (second,) = TryOn.objects.submit(shopper, photo, make_garment("TEE-2"), engines=["finest"])
    assert run(second).status == "succeeded"
    assert made == [False]
    kept = PhotoFrame.objects.get()
    assert (kept.photo, kept.part) == (photo, "upper")
    assert stored() - before == {kept.data.name}
    assert Frame.from_bytes(kept.data.read()).maps.parse.shape == (1024, 768)


def test_an_engine_that_asks_for_none_gets_none(submit, made):
    assert run(submit("quick")).status == "succeeded"
    assert made == []


def test_upper_body_and_whole_person_are_kept_side_by_side(photo, person, made):
    for _ in range(2):
        upper, whole = (work.person_frame(photo, person, part) for part in ("upper", "whole"))
    assert made == [False, True]
    assert upper.crop.photo == whole.crop.photo
    assert set(PhotoFrame.objects.values_list("part", flat=True)) == {"upper", "whole"}


def test_after_a_new_version_the_frame_is_made_anew_and_the_old_one_goes(
    photo, person, made, monkeypatch, django_capture_on_commit_callbacks
):
    work.person_frame(photo, person, "upper")
    old = PhotoFrame.objects.get()
    monkeypatch.setattr(work, "frame_version", lambda: "next")
    with django_capture_on_commit_callbacks(execute=True):
        work.person_frame(photo, person, "upper")
    new = PhotoFrame.objects.get()
    assert made == [False, False]
    assert new.version == "next"
    assert not private_storage().exists(old.data.name)
    assert private_storage().exists(new.data.name)


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_on_a_photo_both_succeed_and_keep_one_frame(submit, sent, monkeypatch):
    before, both, really = stored(), threading.Barrier(2, timeout=60), work.make_frame

    def make(person, *, whole):
        both.wait()  # neither finds the other's
        return really(person, whole=whole)

    monkeypatch.setattr(work, "make_frame", make)
    rows = [submit("finest"), submit("finest")]

    def do(row):
        tasks.run(str(row.pk))
        connection.close()

    threads = [threading.Thread(target=do, args=[row]) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for row in rows:
        row.refresh_from_db()
        assert (row.error_detail, row.status) == ("", "succeeded")
    assert stored() - before == {PhotoFrame.objects.get().data.name}


def test_a_photo_erased_while_its_frame_is_made_leaves_no_frame(
    submit, photo, monkeypatch, django_capture_on_commit_callbacks
):
    before, really = stored(), work.make_frame

    def make(person, *, whole):
        Photo.objects.get(pk=photo.pk).erase()
        return really(person, whole=whole)

    monkeypatch.setattr(work, "make_frame", make)
    row = submit("finest")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.run(str(row.pk))
    assert not TryOn.objects.exists() and not PhotoFrame.objects.exists()
    assert stored() == before


@pytest.mark.parametrize("with_results", [True, False])
def test_frames_go_with_the_photo(photo, person, with_results, django_capture_on_commit_callbacks):
    work.person_frame(photo, person, "upper")
    name = PhotoFrame.objects.get().data.name
    assert private_storage().exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        photo.erase(with_results=with_results)
    assert not PhotoFrame.objects.exists()
    assert not private_storage().exists(name)


def test_a_frames_file_without_a_row_is_swept(photo, person, monkeypatch):
    work.person_frame(photo, person, "upper")
    lost = private_storage().save("frames/lost.npz", ContentFile(b"of a crash"))
    monkeypatch.setattr(orphans, "OLD", timedelta(seconds=-5))
    monkeypatch.setattr(receivers.cache, "add", lambda *given: True)
    receivers.remove_orphaned_files(None)
    assert stored() == {PhotoFrame.objects.get().data.name}
    assert not private_storage().exists(lost)


# --- Seeds and times --------------------------------------------------------------------------------------------


def test_every_attempt_has_the_seed_of_its_row(submit, photo):
    first, second = submit("finest"), submit("finest")
    silent(first)
    assert run(first).attempts == 2
    assert first.notes["seed"] == first.seed != second.seed
    TryOn.objects.filter(pk=second.pk).update(seed=first.seed)
    assert run(second).notes["seed"] == first.seed
    assert first.result.read() == second.result.read()


def test_a_retry_draws_anew(submit):
    row = submit("finest")
    row.cancel()
    assert row.retry().seed != row.seed


def test_the_engines_own_times_are_kept_with_the_stages(submit, photo):
    times = run(submit("finest")).timings
    assert (times.pop("generating.condition"), times.pop("generating.generator")) == (0.25, 1.5)
    assert 0 < times.pop("preparing.frame") <= times["preparing"]
    assert set(times) == {"preparing", "generating", "saving"}


# --- Licence ----------------------------------------------------------------------------------------------------


def test_a_job_queued_while_the_licence_was_allowed_is_not_done_after(submit, settings):
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    row, canceled = submit("research"), submit("research")
    canceled.cancel()
    assert run(submit("research")).status == "succeeded"
    settings.ALLOW_NONCOMMERCIAL_ENGINES = False
    assert run(row).error_code == "tryon.engine_unavailable"
    with pytest.raises(tasks.Refusal) as refused:
        canceled.retry()
    assert refused.value.code == "tryon.engine_unavailable"


# --- Memory -----------------------------------------------------------------------------------------------------


def test_out_of_gpu_memory_fails_the_job_and_frees_what_it_held(submit, monkeypatch):
    held, freed = [], []

    def run_out(inputs):
        activations = torch.zeros(1000)
        held.append(weakref.ref(activations))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(work, "load", lambda name: engines.Fake(name, run_out))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(held[0]() is None))
    gc.disable()
    try:
        row = run(submit("fine"))
    finally:
        gc.enable()
    assert (row.status, row.error_code) == ("failed", "engine.out_of_memory")
    assert "Tried to allocate" in row.error_detail
    assert freed == [True]


@pytest.mark.parametrize("words", ["CUDA error: an illegal memory access", "cuDNN error: CUDNN_STATUS_MAPPING_ERROR"])
def test_a_broken_gpu_ends_the_process_and_the_job_waits_for_another(submit, monkeypatch, words):
    def break_down(inputs):
        raise RuntimeError(words)

    ended = []
    monkeypatch.setattr(work, "load", lambda name: engines.Fake(name, break_down))
    monkeypatch.setattr(tasks.os, "_exit", ended.append)
    row = run(submit("fine"))
    assert (row.status, row.attempts, ended) == ("queued", 1, [tasks.POISONED_EXIT])


# --- What is said of an engine ----------------------------------------------------------------------------------


def state_of(engine: str, worker: str) -> str:
    return EngineState.objects.get(engine=engine, worker=worker).state


def test_an_engine_is_busy_where_a_job_runs_and_nowhere_else(submit):
    for row in submit("fine", "slow"):
        tasks.Lease.claim(row.pk, "one")
    for worker in ("one", "two"):
        for engine in ("quick", "fine"):
            EngineState.objects.report(engine, worker, "ready")
    EngineState.objects.report("slow", "one", "failed")
    EngineState.objects.settle()
    assert [state_of("fine", worker) for worker in ("one", "two")] == ["busy", "ready"]
    assert (state_of("quick", "one"), state_of("slow", "one")) == ("ready", "failed")
    assert "fine" in {info.name for info in EngineState.objects.offered()}


def test_a_worker_that_died_at_work_does_not_stay_busy(submit):
    row = submit("fine")
    EngineState.objects.report("fine", "one", "busy")
    tasks.Lease.claim(row.pk, "one")
    EngineState.objects.settle()
    assert state_of("fine", "one") == "busy"
    shift(row, lease_until=PAST)
    EngineState.objects.settle()
    assert state_of("fine", "one") == "ready"


def test_an_engine_that_was_loaded_after_all_is_no_longer_failed(submit):
    row = submit("fine")  # before it failed
    EngineState.objects.report("fine", "", "failed", detail="weights are missing: …")
    assert run(row).status == "succeeded"
    state = EngineState.objects.get(engine="fine")
    assert (state.state, state.detail) == ("ready", "")
