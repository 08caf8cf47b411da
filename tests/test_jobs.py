"""A job in a worker's hands: claimed, kept, finished, and what the database itself refuses."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shop.models import Event, Shopper
from shop.storage import private_storage
from tests.jobs import PAST, shift, silent
from tryon import receivers, tasks
from tryon.lease import Lease, Lost
from tryon.models import TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]


def test_a_claim_counts_the_attempt_and_excludes_others(submit):
    row = submit()
    lease = Lease.claim(row.pk)
    assert (lease.row.status, lease.row.stage, lease.row.attempts) == ("running", "preparing", 1)
    assert lease.row.lease_until > timezone.now()
    assert Lease.claim(row.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_succeeds(submit, sent):
    row = submit()
    start, leases = threading.Barrier(8), []

    def claim():
        start.wait()
        leases.append(Lease.claim(row.pk))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(lease is not None for lease in leases) == 1
    row.refresh_from_db()
    assert row.attempts == 1


def test_a_silent_workers_job_can_be_claimed_and_the_old_worker_is_locked_out(submit):
    row = submit()
    old = silent(row)
    new = Lease.claim(row.pk)
    assert new.row.attempts == 2
    assert not old.extend()
    with pytest.raises(Lost):
        old.enter("generating")
    with pytest.raises(Lost):
        old.succeed(b"late", (4, 3), {})
    old.fail("job.failed", "Late.")
    new.succeed(b"picture", (4, 3), {})
    row.refresh_from_db()
    assert row.status == "succeeded"
    assert row.result.read() == b"picture"
    stored = private_storage()
    assert not stored.exists(TryOn.result_name(old.row.lease))


@pytest.mark.parametrize("spoil", [TryOn.cancel, TryOn.delete])
def test_a_worker_notices_that_its_job_was_canceled_or_deleted(submit, spoil):
    row = submit()
    lease = Lease.claim(row.pk)
    spoil(TryOn.objects.get(pk=row.pk))
    with pytest.raises(Lost):
        lease.enter("generating")
    with pytest.raises(Lost):
        lease.succeed(b"late", (4, 3), {})
    assert not private_storage().exists(TryOn.result_name(lease.row.lease))
    assert Lease.claim(row.pk) is None


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_extends_the_lease_and_notices_its_loss(submit, sent, settings):
    settings.TRYON_LEASE_SECONDS = 1
    row = submit()
    lease = Lease.claim(row.pk)
    first = lease.row.lease_until
    with lease.kept():
        assert not lease._lost.wait(1.5)
        row.refresh_from_db()
        assert row.lease_until > first + timedelta(seconds=1)
        row.cancel()
        assert lease._lost.wait(2)


def test_success_stores_the_picture_and_tells_once_for_a_click(submit, shopper, garment, settings):
    quick, fine = submit("quick", "fine")
    for row in (quick, fine):
        lease = Lease.claim(row.pk)
        lease.enter("generating")
        lease.enter("saving")
        lease.succeed(b"picture", (400, 300), {"hidden": 0.1})
        row.refresh_from_db()
        assert (row.status, row.height, row.width, row.notes) == ("succeeded", 400, 300, {"hidden": 0.1})
        assert set(row.timings) == {"preparing", "generating", "saving"}
        assert row.result.name == TryOn.result_name(lease.row.lease)
        assert row.expires_at - row.finished == timedelta(days=settings.RESULT_DAYS)
    assert [(e.shopper, e.garment, e.kind) for e in Event.objects.all()] == [(shopper, garment, "tryon")]


def test_signing_in_while_the_job_runs_changes_its_owner_and_not_its_outcome(submit, shopper):
    row = submit()
    lease = Lease.claim(row.pk)
    user = Shopper.objects.create(key_hash="the user's")
    shopper.move_to(user)
    lease.succeed(b"picture", (4, 3), {})
    row.refresh_from_db()
    assert (row.status, row.shopper) == ("succeeded", user)
    assert Event.objects.get().shopper == user


def test_a_garment_taken_out_while_the_job_runs_changes_nothing(submit, garment):
    row = submit()
    lease = Lease.claim(row.pk)
    garment.delete()
    lease.succeed(b"picture", (4, 3), {})
    row.refresh_from_db()
    assert (row.status, row.garment) == ("succeeded", None)


def test_a_passing_fault_rests_longer_each_time_and_ends_after_the_last_attempt(submit, settings, sent):
    row = submit()
    rests = []
    for attempt in range(1, settings.TRYON_MAX_ATTEMPTS + 1):
        lease = Lease.claim(row.pk)
        assert lease.row.attempts == attempt
        lease.postpone("storage.unavailable", "Try again.", "the bucket is away")
        row.refresh_from_db()
        if row.status == "queued":
            rests.append((row.not_before - timezone.now()).total_seconds())
            assert Lease.claim(row.pk) is None
            receivers.send_again(None)
            assert sent == []
            shift(row, not_before=PAST)
            receivers.send_again(None)
            assert sent.pop() == (str(row.pk), "cpu")
    assert rests == pytest.approx([2, 4], abs=0.5)
    assert (row.status, row.error_code, row.error_detail) == ("failed", "storage.unavailable", "the bucket is away")


@pytest.mark.parametrize(
    ("engine", "status", "code"),
    [
        ("quick", "succeeded", ""),
        ("refuse", "failed", "photo.arms_crossed"),
        ("out_of_memory", "failed", "engine.out_of_memory"),
        ("unchanged", "failed", "engine.unchanged"),
        ("blank", "failed", "engine.blank"),
        ("lacks_weights", "failed", "engine.weights_missing"),
        ("fail", "queued", ""),
        ("storage_fault", "queued", ""),
    ],
)
def test_the_task_writes_every_outcome_to_the_row(submit, engine, status, code):
    row = submit(engine)
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.error_code) == (status, code)
    assert row.attempts == 1
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert row.attempts == 1  # done, or resting


def test_an_error_nobody_foresaw_ends_with_a_sentence_and_its_trace(submit, settings):
    settings.TRYON_MAX_ATTEMPTS = 1
    row = submit("fail")
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "job.failed")
    assert "again" in row.sentence
    assert "nobody foresaw this" in row.error_detail


def test_a_photo_that_expired_while_the_job_waited_fails_clearly(submit, photo):
    row = submit()
    photo.erase(with_results=False)
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.error_code, row.photo) == ("failed", "photo.expired", None)
    assert row.sentence == "This photo has expired. Please upload it again."


@pytest.mark.parametrize(
    "values",
    [
        {"status": "lost"},
        {"stage": "saving"},
        {"status": "running"},
        {"status": "succeeded", "finished": timezone.now()},
        {"status": "failed", "finished": timezone.now()},
        {"status": "canceled"},
        {"finished": timezone.now()},
        {"lease": uuid4()},
        {"result": "results/aa/x.jpg"},
        {"error_code": "job.failed"},
    ],
)
def test_the_database_refuses_states_that_contradict_themselves(submit, values):
    row = submit()
    with pytest.raises(IntegrityError), transaction.atomic():
        TryOn.objects.filter(pk=row.pk).update(**values)
