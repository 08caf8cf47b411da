"""What a shopper does with try-ons: asks, is refused, looks, retries, deletes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from preprocessing.errors import Refusal
from shop.models import GarmentAnalysis, Photo, Shopper
from shop.storage import private_storage
from tests.engines import ENGINES
from tests.jobs import PAST, finished
from tryon import registry
from tryon.lease import Lease
from tryon.models import EngineState, TryOn, best

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]


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


def test_a_click_counts_once_however_many_engines_answer_it(submit, settings):
    settings.TRYON_QUEUED_PER_SHOPPER = 2
    quick, fine = submit("quick", "fine")
    finished(quick)  # the finer one is still under way
    submit("quick", "fine")
    with pytest.raises(Refusal) as refused:
        submit("quick")
    assert refused.value.code == "tryon.too_many"
    Lease.claim(fine.pk).fail("engine.timeout", "Too slow.")
    submit("quick")
    with pytest.raises(Refusal) as refused:
        fine.retry()
    assert refused.value.code == "tryon.too_many"


def test_a_retry_of_a_click_that_is_under_way_counts_no_further(submit, settings):
    settings.TRYON_QUEUED_PER_SHOPPER = 1
    quick, _fine = submit("quick", "fine")
    Lease.claim(quick.pk).fail("engine.timeout", "Too slow.")
    assert quick.retry().status == "queued"


def test_a_full_queue_for_the_finer_picture_leaves_the_preview(submit, settings, shopper, photo, garment, monkeypatch):
    settings.TRYON_QUEUED_TOTAL = 1
    two = {name: ENGINES[name] for name in ("quick", "fine")}
    monkeypatch.setattr(registry, "engines", lambda: two)
    finished(submit("quick", "fine")[0])
    rows = TryOn.objects.submit(shopper, photo, garment)
    assert [row.engine for row in rows] == ["quick"]
    with pytest.raises(Refusal) as refused:
        submit("fine")
    assert refused.value.code == "tryon.busy"
    with pytest.raises(Refusal) as refused:
        TryOn.objects.submit(shopper, photo, garment)
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
    _problems(photo, garment)  # as the analysis of a dress has it, too


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

    assert offered("quick") and offered("fine")  # nobody has said anything, and they lack nothing
    EngineState.objects.report("quick", "a", "failed", detail="no file")
    assert not offered("quick")
    EngineState.objects.report("quick", "b", "ready")
    assert offered("quick")
    assert not offered("fine")  # workers there are, and none of them has it
    EngineState.objects.report("fine", "c", "busy")
    assert offered("fine")
    EngineState.objects.filter(worker="b").update(seen_at=timezone.now() - timedelta(hours=1))
    assert not offered("quick")
    EngineState.objects.report("research", "b", "ready")
    assert not offered("research")
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    assert offered("research")


def test_deleting_a_photo_takes_its_pictures_with_it(submit, photo, django_capture_on_commit_callbacks):
    row = finished(submit())
    names = [row.result.name, photo.image.name, photo.prepared.name]
    with django_capture_on_commit_callbacks(execute=True):
        photo.erase()
    assert not TryOn.objects.exists()
    assert not any(private_storage().exists(name) for name in names)


def test_deleting_a_photo_deletes_what_a_worker_stored_meanwhile(photo, django_capture_on_commit_callbacks):
    early = Photo.objects.get(pk=photo.pk)
    Photo.objects.filter(pk=photo.pk).update(prepared="")
    late = Photo.objects.get(pk=photo.pk)
    Photo.objects.filter(pk=photo.pk).update(prepared=early.prepared.name)
    with django_capture_on_commit_callbacks(execute=True):
        late.erase()
        late.erase()
    assert not private_storage().exists(early.prepared.name)


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
    assert best([quick, fine]) == quick  # both queued: it will be there first
    quick = finished(quick)
    assert best([quick, fine]) == quick
    Lease.claim(fine.pk).fail("engine.timeout", "Too slow.")
    fine.refresh_from_db()
    assert best([quick, fine]) == quick
    fine.status = "succeeded"
    assert best([quick, fine]) == fine


def test_a_finer_picture_is_one_that_may_still_take_the_place_of_the_shown(submit):
    quick, fine = submit("quick", "fine")

    def finer():
        return TryOn.objects.request_of(quick.shopper, quick.request).finer

    assert finer() is None  # nothing is shown yet
    finished(quick)
    assert finer() == fine
    Lease.claim(fine.pk).fail("engine.out_of_memory", "Too large.")
    assert finer() == fine
    again = fine.retry()
    assert finer() == again
    finished(again)
    assert finer() is None


def test_a_preview_that_comes_late_is_no_finer_picture(submit):
    quick, fine = submit("quick", "fine")
    finished(fine)
    group = TryOn.objects.request_of(quick.shopper, quick.request)
    assert (group.best, group.finer, group.is_done) == (fine, None, False)


def test_only_what_failed_of_a_click_is_done_again(submit):
    quick, fine = submit("quick", "fine")
    finished(quick)
    Lease.claim(fine.pk).fail("engine.timeout", "Too slow.")
    TryOn.objects.request_of(quick.shopper, quick.request).retry()
    group = TryOn.objects.request_of(quick.shopper, quick.request)
    assert [(row.engine, row.status) for row in group.current] == [("quick", "succeeded"), ("fine", "queued")]
    group.cancel()
    group = TryOn.objects.request_of(quick.shopper, quick.request)
    assert [row.status for row in group.current] == ["succeeded", "canceled"]
    assert group.best.pk == quick.pk


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
