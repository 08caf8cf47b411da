"""The job's states: what a row may become, and who may say so."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from preprocessing.errors import Refusal
from shop.models import Event, GarmentAnalysis, Photo, Shopper
from shop.signals import sweep
from shop.storage import private_storage
from tryon import receivers, tasks
from tryon.lease import Lease, Lost
from tryon.models import EngineState, TryOn, best

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]

PAST = timedelta(minutes=-5)


@pytest.fixture
def sent(monkeypatch):
    """What would have gone to the broker; add None to have it refuse the rest."""
    messages = []

    def publish(task, row_id, *, queue):
        if None in messages:
            return False
        messages.append((str(row_id), queue))
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    return messages


@pytest.fixture
def submit(shopper, photo, garment):
    def ask(*engines, **more):
        rows = TryOn.objects.submit(shopper, photo, garment, engines=list(engines) or ["quick"], **more)
        return rows if len(engines) > 1 else rows[0]

    return ask


def shift(row, **deltas):
    """Move a row's times against the database's clock."""
    TryOn.objects.filter(pk=row.pk).update(**{name: timezone.now() + delta for name, delta in deltas.items()})
    row.refresh_from_db()


def silent(row):
    """Claimed by a worker that was not heard of since."""
    lease = Lease.claim(row.pk)
    shift(row, lease_until=PAST)
    return lease


# --- Asking ------------------------------------------------------------------------------------------------


def test_a_click_makes_a_row_for_each_engine(submit, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        quick, fine = submit("quick", "fine")
    assert quick.request == fine.request == quick.pk
    assert [(row.status, row.attempts) for row in (quick, fine)] == [("queued", 0)] * 2
    assert sent == [(str(quick.pk), "cpu"), (str(fine.pk), "gpu")]
    quick.refresh_from_db()
    assert quick.sent_at is not None


def test_the_same_key_asks_for_nothing_twice(submit, make_garment, shopper, photo):
    first = submit("quick", "fine", idempotency_key="k")
    assert submit("quick", "fine", idempotency_key="k") == first
    with pytest.raises(Refusal) as refused:
        TryOn.objects.submit(shopper, photo, make_garment("TEE-2"), idempotency_key="k")
    assert refused.value.code == "tryon.key_reused"
    assert submit("quick", idempotency_key="other") not in first


def test_two_shoppers_may_use_the_same_key(submit, make_photo, garment):
    mine = submit(idempotency_key="k")
    other = Shopper.objects.create(key_hash="other")
    assert TryOn.objects.submit(other, make_photo(other), garment, engines=["quick"], idempotency_key="k") != [mine]


def test_limits_per_shopper_and_in_all(submit, settings, make_photo, garment):
    settings.TRYON_QUEUED_PER_SHOPPER = 2
    first, _second = submit(), submit()
    with pytest.raises(Refusal) as refused:
        submit()
    assert refused.value.code == "tryon.too_many"
    first.cancel()
    submit()
    settings.TRYON_QUEUED_TOTAL = 2
    stranger = Shopper.objects.create(key_hash="other")
    with pytest.raises(Refusal) as refused:
        TryOn.objects.submit(stranger, make_photo(stranger), garment, engines=["quick"])
    assert refused.value.code == "tryon.busy"


def _expire(photo, garment):
    Photo.objects.filter(pk=photo.pk).update(expires_at=timezone.now() + PAST)


def _refuse(photo, garment):
    finding = {"code": "photo.no_person", "severity": "refuse", "sentence": "No person."}
    Photo.objects.filter(pk=photo.pk).update(findings=[finding])


def _no_flat(photo, garment):
    garment.pictures.update(role="back")


def _problems(photo, garment):
    GarmentAnalysis.objects.update(problems=[{"code": "garment.cut_off", "sentence": "Cut off."}])


def _dress(photo, garment):
    type(garment).objects.filter(pk=garment.pk).update(category="dress")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_expire, "photo.expired"),
        (_refuse, "photo.refused"),
        (_no_flat, "garment.no_flat_picture"),
        (_problems, "garment.not_previewable"),
        (_dress, "garment.category_unsupported"),
    ],
)
def test_what_cannot_be_tried_on_is_refused_at_once(spoil, code, shopper, photo, garment):
    spoil(photo, garment)
    photo, garment = Photo.objects.get(pk=photo.pk), type(garment).objects.get(pk=garment.pk)
    with pytest.raises(Refusal) as refused:
        TryOn.objects.submit(shopper, photo, garment, engines=["quick"])
    assert refused.value.code == code
    assert refused.value.sentence
    assert not TryOn.objects.exists()


@pytest.mark.parametrize("name", ["unknown", "research"])
def test_an_engine_that_is_not_there_or_not_licensed_is_not_used(name, submit):
    with pytest.raises(Refusal) as refused:
        submit(name)
    assert refused.value.code == "tryon.engine_unavailable"


def test_an_engine_is_offered_as_its_workers_say(settings):
    def offered(name):
        return name in {info.name for info in EngineState.objects.offered()}

    assert offered("quick")  # nobody has said anything, and it lacks nothing
    EngineState.objects.report("quick", "a", "failed", detail="no file")
    assert not offered("quick")
    EngineState.objects.report("quick", "b", "ready")
    assert offered("quick")
    EngineState.objects.filter(worker="b").update(seen_at=timezone.now() - timedelta(hours=1))
    assert not offered("quick")
    assert not offered("research")
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    assert offered("research")


# --- Claiming, keeping, finishing ----------------------------------------------------------------------------


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


# --- The reaper --------------------------------------------------------------------------------------------


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


def finished(row):
    lease = Lease.claim(row.pk)
    lease.succeed(b"picture", (4, 3), {})
    row.refresh_from_db()
    return row


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
    from django.core.files.base import ContentFile

    from shop import orphans

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


# --- What the shopper does -----------------------------------------------------------------------------------


def test_deleting_a_photo_takes_its_pictures_with_it(submit, photo, django_capture_on_commit_callbacks):
    row = finished(submit())
    names = [row.result.name, photo.image.name, photo.prepared.name]
    with django_capture_on_commit_callbacks(execute=True):
        photo.erase()
    assert not TryOn.objects.exists()
    assert not any(private_storage().exists(name) for name in names)


def test_an_expired_photo_leaves_its_pictures(submit, photo):
    row = finished(submit())
    photo.erase(with_results=False)
    row.refresh_from_db()
    assert row.photo is None
    assert private_storage().exists(row.result.name)


def test_deleting_a_shopper_deletes_the_pictures(submit, shopper, django_capture_on_commit_callbacks):
    row = finished(submit())
    with django_capture_on_commit_callbacks(execute=True):
        shopper.delete()
    assert not private_storage().exists(row.result.name)


def test_a_retry_is_one_new_row_of_the_same_click(submit, sent):
    row = submit()
    with pytest.raises(Refusal) as refused:
        row.retry()
    assert refused.value.code == "tryon.not_retryable"
    assert row.cancel()
    assert not row.cancel()
    again = row.retry()
    assert (again.request, again.retry_of, again.status) == (row.request, row, "queued")
    assert row.retry() == again
    (group,) = TryOn.objects.requests_of(row.shopper)
    assert group.current == [again]
    assert not group.is_done


def test_the_card_shows_the_finest_that_succeeded(submit):
    quick, fine = submit("quick", "fine")
    assert best([quick, fine]) == fine  # both queued
    quick = finished(quick)
    assert best([quick, fine]) == quick
    Lease.claim(fine.pk).fail("engine.timeout", "Too slow.")
    fine.refresh_from_db()
    assert best([quick, fine]) == quick
    fine.status = "succeeded"
    assert best([quick, fine]) == fine


def test_position_and_time_left(submit):
    rows = [submit() for _ in range(3)]
    fine = submit("fine")
    assert [row.queue_position for row in rows] == [1, 2, 3]
    assert fine.queue_position == 1
    assert rows[0].eta_seconds is None
    done = finished(rows[0])
    TryOn.objects.filter(pk=done.pk).update(started=done.finished - timedelta(seconds=4))
    assert done.queue_position is None
    assert rows[2].queue_position == 2
    assert rows[2].eta_seconds == pytest.approx(8, abs=0.1)
    EngineState.objects.report("quick", "a", "ready", slots=2)
    assert rows[2].eta_seconds == pytest.approx(6, abs=0.1)
    running = Lease.claim(rows[1].pk).row
    assert running.eta_seconds == pytest.approx(4, abs=0.5)


def test_lists_hold_whole_clicks_newest_first(submit, shopper):
    first, second = submit("quick", "fine"), submit()
    groups = TryOn.objects.requests_of(shopper)
    assert [len(group.rows) for group in groups] == [1, 2]
    assert groups[0].rows == [second]
    assert TryOn.objects.requests_of(shopper, start=1, stop=2)[0].id == first[0].request
    assert TryOn.objects.requests_of(None) == []
    assert TryOn.objects.request_of(Shopper.objects.create(key_hash="other"), second.request) is None


# --- What the database itself refuses --------------------------------------------------------------------------


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
