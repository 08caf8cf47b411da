"""What a job does with a photo or garment that nobody has looked at yet, and what a worker says of its engines."""

import pytest
from django.core.files.base import ContentFile

from preprocessing import weights
from preprocessing.garment import prepare as garment_prepare
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.person import prepare as person_prepare
from preprocessing.person.prepare import VERSION
from shop import tasks as shop_tasks
from shop.images import clean_image
from shop.models import Garment, GarmentAnalysis, Photo
from shop.storage import private_storage
from tests.pictures import encoded, tee
from tryon import tasks
from tryon.models import EngineState, TryOn
from tryon.worker import Me, announce, look_for_weights

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]


def run(row):
    tasks.run(str(row.pk))
    row.refresh_from_db()
    return row


def counted(function, calls):
    def call(*given, **named):
        calls.append(function.__name__)
        return function(*given, **named)

    return call


def forget(photo, **values):
    """As if the check at upload had not been done."""
    Photo.objects.filter(pk=photo.pk).update(**{"state": "pending", "prepared": ""} | values)


def test_a_photo_not_looked_at_yet_is_looked_at_in_the_job(submit, photo):
    row = submit()
    forget(photo)
    assert run(row).status == "succeeded"
    photo.refresh_from_db()
    assert (photo.state, photo.prepared_version) == ("done", VERSION)
    assert photo.difficulty in Photo.Difficulty
    assert private_storage().exists(photo.prepared.name)


def test_what_an_older_version_knew_of_a_photo_is_replaced(submit, photo):
    old = photo.prepared.name
    row = submit()
    forget(photo, state="done", prepared=old, prepared_version="1", findings=[], difficulty="")
    assert run(row).status == "succeeded"
    photo.refresh_from_db()
    assert photo.prepared_version == VERSION
    assert photo.difficulty in Photo.Difficulty
    assert photo.findings
    assert photo.prepared.name != old
    assert not private_storage().exists(old)


def test_what_the_second_look_refuses_leaves_nothing_prepared(shopper):
    photo = Photo.objects.store(shopper, clean_image(encoded(tee())))
    old = private_storage().save("prepared/old.npz", ContentFile(b"of an older version"))
    forget(photo, prepared=old, prepared_version="1", difficulty="easy")
    shop_tasks.check_photo(photo.pk)
    photo.refresh_from_db()
    assert (photo.refused, photo.difficulty, photo.prepared.name, photo.prepared_version) == (True, "", "", "")
    assert not private_storage().exists(old)


def test_the_second_garment_on_a_photo_costs_the_engine_alone(shopper, photo, garment, make_garment, monkeypatch):
    prepared = []
    for module, name in ((person_prepare, "prepare_person"), (garment_prepare, "prepare_garment")):
        monkeypatch.setattr(module, name, counted(getattr(module, name), prepared))
    forget(photo)
    for worn in (garment, make_garment("TEE-2", colour="red")):
        (row,) = TryOn.objects.submit(shopper, photo, worn, engines=["quick"])
        assert run(row).status == "succeeded"
    assert prepared == ["prepare_person"]


def test_a_photo_without_a_person_fails_the_job_with_its_own_sentence(shopper, garment):
    photo = Photo.objects.store(shopper, clean_image(encoded(tee())))
    (row,) = TryOn.objects.submit(shopper, photo, garment, engines=["quick"])
    assert run(row).status == "failed"
    assert (row.error_code, row.error_detail) == ("photo.refused", "photo.no_person")
    assert row.sentence.startswith("We cannot find a person")


def test_a_garment_not_looked_at_yet_is_looked_at_in_the_job(submit, garment):
    row = submit()
    GarmentAnalysis.objects.update(state="pending", data="")
    assert run(row).status == "succeeded"
    analysis = GarmentAnalysis.objects.get()
    found = PreparedGarment.from_bytes(analysis.data.read())
    assert (analysis.state, analysis.asked) == ("done", garment.cut)
    assert (analysis.sleeve, analysis.length) == (found.sleeve, found.length)
    assert analysis.sleeve in Garment.Sleeve and analysis.length in Garment.Length


def test_a_garment_that_turns_out_unusable_fails_the_job(submit):
    row = submit()
    GarmentAnalysis.objects.update(problems=[{"code": "garment.cut_off", "sentence": "Cut off."}])
    assert run(row).error_code == "garment.not_previewable"
    assert "another" in row.sentence


def test_a_worker_takes_back_what_it_said_of_engines_it_has_no_longer():
    for engine in ("research", "fine"):
        EngineState.objects.report(engine, "gpu@here", "ready")
    EngineState.objects.report("research", "gpu@there", "ready")
    announce(Me("gpu@here", frozenset({"gpu"}), slots=1))
    assert not EngineState.objects.filter(worker="gpu@here", engine="research").exists()
    assert EngineState.objects.get(worker="gpu@here", engine="fine").state == "starting"
    assert EngineState.objects.filter(worker="gpu@there").exists()


def test_a_worker_says_which_weights_it_lacks_and_when_they_have_come(monkeypatch):
    me = Me("worker", frozenset({"cpu"}), slots=1)
    EngineState.objects.report("preview", me.name, "starting")
    monkeypatch.setattr(weights, "missing", lambda names: [name for name in names if name == "selfie_multiclass"])
    look_for_weights(me)
    state = EngineState.objects.get(engine="preview")
    assert state.state == "failed"
    assert "./dev weights fetch selfie_multiclass" in state.detail
    assert "preview" not in {info.name for info in EngineState.objects.offered()}
    monkeypatch.setattr(weights, "missing", lambda names: [])
    look_for_weights(me)
    state.refresh_from_db()
    assert (state.state, state.detail) == ("starting", "")
