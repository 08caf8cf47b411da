"""Real workers: what they do, and that no fault loses a job or does it twice."""

import shutil
import time
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from PIL import Image

from shop import orphans, queue
from shop.images import clean_image
from shop.models import Event, Garment, GarmentPicture, Photo, Shopper
from shop.storage import private_storage
from tests import pictures
from tests.workers import RedisServer, until, wait_for
from tryon import receivers, tasks
from tryon.models import EngineState, TryOn

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fakes")]


@pytest.fixture(autouse=True)
def afresh(monkeypatch, folders):
    """No pictures of other tests, and what they did to the broker does not keep this one from sending."""
    shutil.rmtree(folders / "private" / "results", ignore_errors=True)
    monkeypatch.setattr(queue, "_down_until", 0.0)


def stored_results():
    try:
        folders = private_storage().listdir("results")[0]
    except FileNotFoundError:
        return set()
    return {f"results/{f}/{name}" for f in folders for name in private_storage().listdir(f"results/{f}")[1]}


def cut_connections():
    """Everybody's to the database but ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


# --- With the one worker that all tests share ------------------------------------------------------------------


def test_a_click_becomes_a_picture(worker, ask, photo, shopper):
    row = until(ask("quick"))
    assert (row.error_detail, row.status) == ("", "succeeded")
    assert row.sent_at and row.started and set(row.timings) == {"preparing", "generating", "saving"}
    image = Image.open(row.result)
    assert (image.format, image.size) == ("JPEG", (row.width, row.height))
    assert not image.getexif() and "icc_profile" not in image.info
    assert Event.objects.get().shopper == shopper


def test_messages_delivered_five_times_start_the_engine_once(worker, ask):
    row = ask("slow")
    before = worker.runs("slow")
    for _ in range(5):
        assert queue.publish(tasks.run, row.pk, queue="cpu")
    until(row)
    worker.drain()
    assert (row.status, row.attempts, worker.runs("slow") - before) == ("succeeded", 1, 1)
    assert stored_results() == {row.result.name}


def test_cancel_while_queued_and_while_running(worker, ask):
    running, queued = ask("slow"), ask("quick")
    until(running, "running")
    assert running.cancel() and queued.cancel()
    runs = worker.runs("quick")
    worker.drain()
    for row in (running, queued):
        row.refresh_from_db()
        assert (row.status, row.result.name) == ("canceled", "")
    assert worker.runs("quick") == runs
    assert stored_results() == set()


def test_deleting_the_photo_while_its_job_runs_leaves_nothing(worker, ask, photo):
    row = until(ask("slow"), "running")
    photo.erase()
    worker.drain()
    assert not TryOn.objects.filter(pk=row.pk).exists()
    assert stored_results() == set()
    assert not private_storage().exists(photo.prepared.name)


def test_a_pool_process_killed_in_the_middle_is_replaced_and_the_job_done(worker, ask):
    row = until(ask("slow"), "running")
    worker.child().kill()
    until(row, seconds=40)
    assert (row.status, row.attempts) == ("succeeded", 2)
    assert stored_results() == {row.result.name}


# --- With a worker, and where needed a Redis, of their own ---------------------------------------------------------


def test_a_worker_killed_in_the_middle_loses_nothing(lone_worker, ask):
    worker = lone_worker()
    rows = [until(ask("slow"), "running"), ask("quick"), ask("quick")]
    worker.kill()
    worker.start()
    for row in rows:
        assert until(row, seconds=40).status == "succeeded"
    assert [row.attempts for row in rows] == [2, 1, 1]
    assert stored_results() == {row.result.name for row in rows}


def test_an_engine_that_kills_its_process_stops_after_the_last_attempt_while_others_flow(lone_worker, ask, make_photo):
    worker = lone_worker()
    poison = ask("die")
    other = Shopper.objects.create(key_hash="other")
    others = [ask("quick", other, make_photo(other)) for _ in range(3)]
    for row in others:
        assert until(row, seconds=60).status == "succeeded"
    until(poison, seconds=60)
    assert (poison.status, poison.error_code, poison.attempts) == ("failed", "job.worker_lost", 3)
    assert worker.runs("die") == 3


def test_a_frozen_worker_is_replaced_and_finds_its_job_taken(lone_worker, ask):
    frozen = lone_worker()
    row = until(ask("slow"), "running")
    # Inside the engine: one frozen between taking the job and reading it would have nothing to say when it thaws.
    wait_for(lambda: TryOn.objects.filter(pk=row.pk, stage="generating").exists(), 20, "the engine's start")
    frozen.freeze()
    lone_worker(name="second")
    until(row, seconds=40)
    assert (row.status, row.attempts) == ("succeeded", 2)
    picture = row.result.name
    frozen.thaw()
    wait_for(lambda: "was canceled or taken over" in frozen.log.read_text(), 20, "the thawed worker's notice")
    row.refresh_from_db()
    assert row.result.name == picture
    assert stored_results() == {picture}


def test_a_deploy_in_the_middle_loses_nothing(lone_worker, ask):
    worker = lone_worker()
    rows = [until(ask("slow"), "running"), ask("quick")]
    worker.stop()
    worker.start()
    assert [until(row, seconds=30).status for row in rows] == ["succeeded"] * 2
    assert rows[0].attempts == 1  # it was finished before the end


def test_a_hanging_engine_is_stopped_and_the_next_job_done(lone_worker, ask):
    lone_worker(TASK_SECONDS="2")
    row, following = ask("hang"), ask("quick")
    assert until(row).error_code == "engine.timeout"
    assert until(following).status == "succeeded"


def test_an_empty_restarted_redis_loses_nothing(lone_worker, ask):
    with RedisServer() as server:
        worker = lone_worker(server.url)
        rows = [until(ask("slow"), "running"), ask("quick"), ask("quick")]
        server.kill()
        server.start()
        for row in rows:
            assert until(row, seconds=40).status == "succeeded"
        assert [row.attempts for row in rows] == [1, 1, 1]
        worker.stop()


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_a_dead_or_frozen_redis_costs_a_request_two_seconds_at_most(
    fault, lone_worker, shopper_client, photo, garment, settings
):
    with RedisServer() as server:
        worker = lone_worker(server.url)
        getattr(server, fault)()
        for expected in (2.5, 1.0):  # the second does not even try
            start = time.monotonic()
            answer = shopper_client.post(
                "/api/v1/tryons",
                {"photo": str(photo.pk), "garment": garment.sku, "engines": ["quick"]},
                content_type="application/json",
            )
            assert time.monotonic() - start < expected
            assert answer.status_code == 202
        assert TryOn.objects.filter(status="queued", sent_at=None).count() == 2
        server.start() if fault == "kill" else server.thaw()
        for row in TryOn.objects.all():
            assert until(row, seconds=40).status == "succeeded"
        worker.stop()


def test_a_worker_says_which_engines_it_has(lone_worker):
    worker = lone_worker(queues="cpu")
    state = wait_for(lambda: EngineState.objects.filter(engine="quick", state="ready").first(), 10, "readiness")
    assert state.slots == 1
    assert not EngineState.objects.filter(engine="fine").exists()  # of another queue
    assert state in EngineState.objects.alive()
    worker.stop()


def test_the_database_gone_for_a_moment_loses_nothing(lone_worker, ask):
    lone_worker()
    row = until(ask("slow"), "running")
    cut_connections()
    assert until(row, seconds=40).status == "succeeded"
    assert stored_results() == {row.result.name}


def test_many_jobs_and_many_faults_together(lone_worker, shopper, photo, garment, settings, monkeypatch):
    settings.TRYON_QUEUED_PER_SHOPPER = 100
    with RedisServer() as server:
        workers = [lone_worker(server.url, name, TRYON_MAX_ATTEMPTS="9") for name in ("one", "two")]
        rows = []
        for fault in (workers[0].kill, server.kill, cut_connections, workers[1].kill, server.kill):
            rows += [TryOn.objects.submit(shopper, photo, garment, engines=["quick", "slow"]) for _ in range(2)]
            wait_for(TryOn.objects.filter(status="running").exists, 20, "a running job")
            fault()
            if server.process.poll() is not None:
                server.start()
            for worker in workers:
                if worker.process.poll() is not None:
                    worker.start()
        rows = [until(row, seconds=90) for pair in rows for row in pair]
        assert {row.status for row in rows} == {"succeeded"}
        # A worker killed between storing a picture and its UPDATE leaves it; the sweep takes it once it is old.
        monkeypatch.setattr(orphans, "OLD", timedelta(seconds=-5))
        for _ in range(256):
            receivers.tidy(None)
        assert stored_results() == {row.result.name for row in rows}
        assert Event.objects.count() == len(rows) / 2


# --- The engine of the shop ---------------------------------------------------------------------------------------


def test_the_preview_engine_puts_a_drawn_tee_on_a_real_person(worker, shopper, settings):
    """From upload to picture, with nothing prepared by hand."""
    settings.TRYON_ENGINES = "tryon.engines.ENGINES"
    garment = Garment.objects.create(sku="TEE-9", title="Tee", category="upper", product_type="t-shirt", price=20)
    GarmentPicture.objects.store(garment, clean_image(pictures.encoded(pictures.tee((200, 30, 40)))), role="flat")
    photo = Photo.objects.store(shopper, clean_image(pictures.encoded(pictures.astronaut())))
    (row,) = TryOn.objects.submit(shopper, photo, garment)
    assert row.engine == "preview"
    until(row, seconds=60)
    assert (row.status, row.error_code) == ("succeeded", "")
    before, after = np.asarray(pictures.astronaut()), np.asarray(Image.open(row.result))
    assert after.shape == before.shape
    red = (after[..., 0] > 120) & (after[..., 1] < 90) & (after[..., 2] < 90)
    assert red.mean() > 0.1
    assert np.abs(after[:120].astype(int) - before[:120]).mean() < 4  # the face and what is behind it
