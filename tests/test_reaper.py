"""What the reaper mends in shop's own rows: lost messages, expired photos, files without a row."""

import os
import time

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models.functions import Now

from shop import receivers, tasks
from shop.models import GarmentAnalysis, Photo, Shopper
from shop.models.pictures import ANALYSIS_VERSION
from shop.orphans import remove_orphans
from shop.reaper import ADVISORY_LOCK, run_once
from shop.signals import sweep
from shop.storage import private_storage
from shop.work import MAX_ATTEMPTS
from tests.conftest import clean
from tests.pictures import astronaut

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """What the sweep sends, instead of the broker."""
    messages = []
    monkeypatch.setattr(receivers, "publish", lambda task, pk, **how: messages.append((task.name, pk)) or True)
    return messages


@pytest.fixture
def fresh_photo(shopper):
    return Photo.objects.store(shopper, clean(astronaut))


def test_work_whose_message_was_lost_is_sent_again_once(sent, fresh_photo):
    receivers.resend(None)
    receivers.resend(None)
    assert sent == [(tasks.check_photo.name, fresh_photo.pk)]
    Photo.objects.update(sent_at="2020-01-01T00:00Z")
    receivers.resend(None)
    assert len(sent) == 2


def test_done_work_is_not_sent(sent, photo, garment):
    receivers.resend(None)
    assert sent == []


def test_a_dead_broker_leaves_the_rows_as_they_are(monkeypatch, fresh_photo):
    monkeypatch.setattr(receivers, "publish", lambda *args, **kwargs: False)
    receivers.resend(None)
    assert Photo.objects.get().sent_at is None


def test_work_that_always_fails_is_given_up(fresh_photo):
    for _ in range(MAX_ATTEMPTS):
        assert Photo.objects.claim(fresh_photo.pk)
    assert Photo.objects.claim(fresh_photo.pk) is None
    assert Photo.objects.get().state == "failed"


def test_an_expired_photo_goes_with_its_files(photo, django_capture_on_commit_callbacks):
    names = [photo.image.name, photo.prepared.name]
    receivers.expire_photos(None)
    assert Photo.objects.exists()
    Photo.objects.update(expires_at=Now())
    with django_capture_on_commit_callbacks(execute=True):
        receivers.expire_photos(None)
    assert not Photo.objects.exists()
    assert not any(private_storage().exists(name) for name in names)


def test_files_go_with_their_rows_whichever_way_these_go(photo, garment, django_capture_on_commit_callbacks):
    files = [photo.image, photo.prepared, garment.flat.image, garment.flat.analysis.data]
    assert all(file.storage.exists(file.name) for file in files)
    with django_capture_on_commit_callbacks(execute=True):
        photo.shopper.delete()
        garment.delete()
    assert not any(file.storage.exists(file.name) for file in files)


def test_strangers_who_own_nothing_are_forgotten(photo):
    owner = photo.shopper
    new, old = (Shopper.objects.create(key_hash=letter * 64) for letter in "ab")
    Shopper.objects.exclude(pk=new.pk).update(created="2020-01-01T00:00Z")
    receivers.forget_strangers(None)
    assert set(Shopper.objects.all()) == {owner, new}
    assert old not in Shopper.objects.all()


def test_old_files_without_a_row_go_and_young_ones_stay(photo, garment):
    storage = private_storage()
    old, young = (storage.save(f"photos/{name}.jpg", ContentFile(b"x")) for name in ("old", "young"))
    hours_ago = time.time() - 2 * 3600
    os.utime(storage.path(old), (hours_ago, hours_ago))
    os.utime(photo.image.path, (hours_ago, hours_ago))
    assert remove_orphans(Photo, "image", "photos") == 1
    assert not storage.exists(old)
    assert storage.exists(young) and storage.exists(photo.image.name)
    assert storage.exists(GarmentAnalysis.objects.get().data.name)


def test_one_process_sweeps_at_a_time(django_db_blocker):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            assert not run_once()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
        assert run_once()
    finally:
        other.close()


def test_one_receiver_that_fails_does_not_stop_the_others(sent, fresh_photo, caplog):
    def fails(sender, **kwargs):
        raise RuntimeError("no")

    cache.clear()
    sweep.connect(fails)
    try:
        assert run_once()
    finally:
        sweep.disconnect(fails)
    assert "fails failed" in caplog.text
    assert sent


@pytest.mark.parametrize("change", [{"sleeve": "long"}, {"length": "cropped"}, {"product_type": "polo"}], ids=str)
def test_a_garment_that_is_put_right_is_looked_at_again(garment, monkeypatch, change):
    asked_for = []
    monkeypatch.setattr(receivers, "send", lambda task, pk, **how: asked_for.append(pk))
    analysis = GarmentAnalysis.objects.get()
    GarmentAnalysis.objects.update(asked=garment.cut)
    garment.save()
    assert not asked_for
    for name, value in change.items():
        setattr(garment, name, value)
    garment.save()
    assert asked_for == [analysis.pk]
    assert GarmentAnalysis.objects.get().state == "pending"


def test_pictures_that_an_older_version_looked_at_are_looked_at_anew(sent, make_garment, monkeypatch):
    for number in range(4):
        make_garment(f"T-{number}", colour=str(number))
    GarmentAnalysis.objects.update(version=ANALYSIS_VERSION - 1)
    monkeypatch.setattr(receivers, "PER_SWEEP", 3)
    for _ in range(2):
        receivers.analyse_anew(None)
        receivers.resend(None)
        assert len(sent) == 3  # the next ones wait until these are done
    old = GarmentAnalysis.objects.filter(version=ANALYSIS_VERSION - 1)
    done = GarmentAnalysis.objects.current().get(pk=sent[0][1])
    assert old.filter(picture=done.picture).exists()
    tasks.analyse_picture(done.pk)
    assert list(done.picture.analyses.values_list("version", "state")) == [(ANALYSIS_VERSION, "done")]
    receivers.analyse_anew(None)
    assert GarmentAnalysis.objects.current().count() == 4
