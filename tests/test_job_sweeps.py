"""What the reaper does for jobs: takes back, sends again, expires, tidies."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile

from shop import orphans
from shop.signals import sweep
from shop.storage import private_storage
from tests.jobs import PAST, finished, shift, silent
from tryon import receivers
from tryon.lease import Lease
from tryon.models import EngineState, TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]


def test_a_silent_workers_job_is_queued_and_sent_again(submit, sent):
    row = submit()
    silent(row)
    sweep.send(sender=None)
    row.refresh_from_db()
    assert (row.status, row.lease, row.attempts) == ("queued", None, 1)
    assert sent == [(str(row.pk), "cpu")]


def test_a_job_that_lost_its_last_worker_has_failed(submit, settings):
    settings.TRYON_MAX_ATTEMPTS = 1
    row = submit()
    silent(row)
    receivers.take_back(None)
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "job.worker_lost")


def test_a_job_whose_engine_no_worker_has_any_more_ends(submit):
    fine, fresh, quick = submit("fine"), submit("fine"), submit("quick")
    for row in (fine, quick):
        shift(row, created=timedelta(minutes=-11))
    EngineState.objects.report("quick", "one", "busy")
    EngineState.objects.report("fine", "two", "ready")
    receivers.give_up(None)
    assert not TryOn.objects.filter(status="failed").exists()
    EngineState.objects.report("fine", "two", "failed", detail="weights are missing: …")
    receivers.give_up(None)
    for row in (fine, fresh, quick):
        row.refresh_from_db()
    assert (fine.status, fine.error_code) == ("failed", "tryon.engine_unavailable")
    assert [fresh.status, quick.status] == ["queued", "queued"]


def test_no_row_waits_for_a_claim_that_cannot_come(submit, settings):
    """As when the limit is lowered while rows rest."""
    row = submit()
    Lease.claim(row.pk).postpone("job.failed", "Try again.", "")
    settings.TRYON_MAX_ATTEMPTS = 1
    receivers.take_back(None)
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "job.worker_lost")


def test_a_job_whose_worker_was_killed_for_slowness_is_not_repeated(submit, settings):
    row = submit()
    silent(row)
    shift(row, started=-timedelta(seconds=settings.CELERY_TASK_SOFT_TIME_LIMIT + 5))
    receivers.take_back(None)
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "engine.timeout")


def test_a_worker_that_is_heard_of_keeps_its_job(submit):
    row = submit()
    Lease.claim(row.pk)
    receivers.take_back(None)
    row.refresh_from_db()
    assert row.status == "running"


def test_unsent_and_lost_messages_are_sent_again_and_waiting_ones_are_not(submit, sent, monkeypatch):
    unsent, lost, waiting, beyond = submit(), submit(), submit(), submit()
    shift(lost, sent_at=PAST)
    shift(waiting, sent_at=timedelta())
    shift(beyond, sent_at=PAST)
    monkeypatch.setattr(receivers, "PER_SWEEP", 3)
    receivers.send_again(None)
    assert sent == [(str(unsent.pk), "cpu"), (str(lost.pk), "cpu")]
    receivers.send_again(None)
    assert len(sent) == 2


def test_while_the_broker_is_away_rows_stay_unsent(submit, sent):
    row = submit()
    sent.append(None)
    receivers.send_again(None)
    row.refresh_from_db()
    assert (row.status, row.sent_at) == ("queued", None)


def test_an_overdue_picture_is_erased_and_its_row_says_so(submit):
    row, young = finished(submit()), finished(submit())
    name = row.result.name
    shift(row, expires_at=PAST)
    receivers.expire(None)
    row.refresh_from_db()
    assert (row.status, row.result.name) == ("expired", "")
    assert not private_storage().exists(name)
    assert private_storage().exists(young.result.name)


def test_pictures_without_a_row_are_swept_and_others_stay(submit, monkeypatch):
    row = finished(submit())
    storage, orphan = private_storage(), TryOn.result_name(uuid4())
    storage.save(orphan, ContentFile(b"nobody's"))
    for _ in range(256):
        receivers.tidy(None)
    assert storage.exists(orphan)  # it may belong to a row about to be written
    monkeypatch.setattr(orphans, "OLD", timedelta(seconds=-5))
    for _ in range(256):
        receivers.tidy(None)
    assert not storage.exists(orphan)
    assert storage.exists(row.result.name)
