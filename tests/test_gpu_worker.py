"""Real workers of the gpu queue, with engines that stand for HD ones: no GPU is needed."""

import time

import psutil
import pytest

from shop.images import clean_image
from shop.models import Photo, PhotoFrame
from tests import pictures
from tests.workers import until, wait_for
from tryon.models import EngineState

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fakes")]


def test_out_of_gpu_memory_leaves_the_process_alive_and_the_next_job_works(worker, ask):
    before = worker.child().pid
    row, following = ask("gpu_out_of_memory"), ask("fine")
    assert until(row, seconds=60).error_code == "engine.out_of_memory"
    assert (row.attempts, until(following).status) == (1, "succeeded")
    assert worker.child().pid == before


def test_an_hd_engine_is_loaded_once_and_given_the_frame_of_the_photo(worker, ask, shopper):
    photo = Photo.objects.store(shopper, clean_image(pictures.encoded(pictures.astronaut())))
    rows = [until(ask("finest", picture=photo), seconds=60) for _ in range(2)]
    assert [(row.error_detail, row.status) for row in rows] == [("", "succeeded")] * 2
    assert [row.notes["seed"] for row in rows] == [row.seed for row in rows]
    assert PhotoFrame.objects.get().photo == photo
    assert rows[1].timings["preparing.frame"] < rows[0].timings["preparing.frame"]
    assert rows[0].timings["generating.condition"] == 0.25
    loads = [line for line in worker.engine_log.read_text().splitlines() if line.startswith("load:finest ")]
    assert loads and len(loads) == len(set(loads))  # once a process


def test_a_worker_of_both_queues_makes_previews_first(worker, ask):
    worker.freeze()
    rows = [ask(engine) for engine in ("fine", "fine", "quick", "quick")]  # it may have been given the first
    worker.thaw()
    _, finer, *previews = [until(row) for row in rows]
    assert all(preview.started < finer.started for preview in previews)


def test_an_engine_is_busy_while_it_works_and_ready_after(lone_worker, ask):
    worker = lone_worker(queues="gpu")

    def is_now(state):
        return EngineState.objects.filter(engine="slow_gpu", state=state).first()

    said = wait_for(lambda: is_now("ready"), 10, "readiness")
    row = until(ask("slow_gpu"), "running")
    wait_for(lambda: is_now("busy"), 5, "being busy")
    until(row)
    wait_for(lambda: is_now("ready"), 5, "being ready again")
    assert row.worker == said.worker
    until(ask("slow_gpu"), "running")
    wait_for(lambda: is_now("busy"), 5, "being busy")
    worker.kill()
    lone_worker(name="second", queues="cpu")  # whose reaper looks after the dead one's jobs
    wait_for(lambda: is_now("ready"), 20, "the end of being busy")


def test_jobs_go_to_the_workers_of_their_queue(lone_worker, ask):
    quick = ask("quick")
    worker = lone_worker(queues="gpu")
    fine = ask("fine")
    assert until(fine).status == "succeeded"
    time.sleep(1)
    quick.refresh_from_db()
    assert quick.status == "queued"
    worker.stop()


def test_a_broken_gpu_context_ends_the_process_and_the_job_is_tried_elsewhere(worker, ask):
    child = worker.child().pid
    row = ask("poisoned")
    wait_for(lambda: not psutil.pid_exists(child), 20, "the end of the process")
    assert until(row, "queued", seconds=10).attempts == 1
    assert "CUDA error" in row.error_detail
