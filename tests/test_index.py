"""Every process's index follows the database, whatever commits when."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg2
import pytest
from django.db import connection

from recommend import encoders, index
from recommend.index import following
from recommend.models import Embedding
from shop.models import Garment, GarmentPicture
from tests.looks import add_picture, direction, embed, make, skus
from tests.workers import REPOSITORY, process_environment

# Triggers note changes at commit, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    """An index that looks at every call, and knows nothing of earlier tests."""
    fresh = index.Index(look_seconds=0)
    monkeypatch.setattr(index, "current", fresh.current)
    monkeypatch.setattr(encoders, "same_look", lambda name: 2)  # these garments lie closer than different ones do
    return fresh


@pytest.fixture
def found(fresh_index):
    """What a search finds beside a garment, nearest first: SKUs; those of its category, gender and age group."""

    def search(garment: Garment, **where) -> list[str]:
        view = fresh_index.current()
        garment.refresh_from_db()
        where = {"categories": [garment.category], "genders": [garment.gender], "age_group": garment.age_group} | where
        vector = view.vector(garment.pk)
        hits = view.search(vector, 100, index.Where(**where), {garment.pk})
        names = dict(Garment.objects.values_list("pk", "sku"))
        return [names[hit.garment_id] for hit in hits]

    return search


def test_what_is_added_changed_unpublished_or_deleted_is_followed(fresh_index, found):
    asked = make("asked", 0)
    other = make("other", 10)
    assert len(fresh_index.current()) == 2
    later = make("later", 5)
    assert found(asked) == ["later", "other"]
    Garment.objects.filter(pk=later.pk).update(published=False)
    assert found(asked) == ["other"]
    assert len(fresh_index.current()) == 2
    Garment.objects.filter(pk=later.pk).update(published=True, gender="men")
    assert found(asked) == ["other"]
    Garment.objects.filter(pk=later.pk).update(gender="women", category="dress")
    assert found(asked) == ["other"]
    assert found(asked, categories=["dress", "upper"]) == ["later", "other"]
    later.pictures.all().delete()
    assert len(fresh_index.current()) == 2
    embed(add_picture(later, None), 30)
    Garment.objects.filter(pk=later.pk).update(category="upper")
    embed(add_picture(asked, None, role="back"), 90)
    assert found(asked) == ["other", "later"]
    other.delete()
    assert found(asked) == ["later"]
    assert len(fresh_index.current()) == 2


@pytest.mark.parametrize(
    ("field", "filtered"), [("product_type", "product_types"), ("brand", "brands"), ("colour", "colours")]
)
def test_a_changed_type_brand_or_colour_is_followed(found, field, filtered):
    asked, other = make("asked", 0), make("other", 10)
    assert found(asked, **{filtered: ["rare"]}) == []
    Garment.objects.filter(pk=other.pk).update(**{field: "rare"})
    assert found(asked, **{filtered: ["rare"]}) == ["other"]
    assert found(asked) == ["other"]


def test_a_changed_role_is_followed(fresh_index):
    make("asked", 0)
    two = make("two", 20)
    second = add_picture(two, 60, role="detail")

    def score():
        hits = fresh_index.current().search(direction(0), 2)
        return next(hit.score for hit in hits if hit.garment_id == two.pk)

    assert score() == pytest.approx(np.cos(np.radians(20)), abs=2e-3)
    GarmentPicture.objects.filter(pk=second.pk).update(role="on_model")
    assert score() == pytest.approx(np.cos(np.radians(40)), abs=2e-3)


def test_changes_that_no_index_cares_for_leave_it_as_it_is(fresh_index):
    garment = make("asked", 0)
    before = fresh_index.current()
    garment.price = 99
    garment.save()
    Embedding.objects.update(attempts=2)
    assert fresh_index.current() is before


def test_what_may_not_be_shown_is_not_shown_even_by_an_old_index(monkeypatch, fresh_index):
    asked = make("asked", 0)
    hidden, gone, moved = make("hidden", 1), make("gone", 2), make("moved", 3)
    make("stays", 50)
    old = fresh_index.current()
    monkeypatch.setattr(index, "current", lambda: old)
    Garment.objects.filter(pk=hidden.pk).update(published=False)
    gone.delete()
    Garment.objects.filter(pk=moved.pk).update(age_group="kids")
    assert skus(asked) == ["stays"]


def test_a_look_is_taken_once_a_second_at_most(django_assert_num_queries):
    patient = index.Index()
    make("asked", 0)
    patient.current()
    with django_assert_num_queries(0):
        for _ in range(100):
            patient.current()


def test_nobody_waits_long_while_the_first_snapshot_is_built(fresh_index, monkeypatch):
    make("asked", 0)
    make("other", 5)
    begun, go_on = threading.Event(), threading.Event()
    items = following.items

    def slow(*arguments):
        begun.set()
        go_on.wait(20)
        return items(*arguments)

    monkeypatch.setattr(following, "items", slow)
    monkeypatch.setattr(following, "FIRST_WAIT_SECONDS", 0.1)

    def first():
        try:
            return fresh_index.current()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(first)
        assert begun.wait(20)
        waited = time.monotonic()
        empty = fresh_index.current()
        assert time.monotonic() - waited < 10
        assert len(empty) == 0
        assert empty.search(direction(0), 5) == []
        go_on.set()
        assert len(building.result(20)) == 2
    assert len(fresh_index.current()) == 2


def test_tables_that_were_emptied_or_put_back_are_read_anew(fresh_index):
    make("asked", 0)
    make("other", 5)
    assert len(fresh_index.current()) == 2
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE recommend_embedding, recommend_change")
    assert len(fresh_index.current()) == 0


def test_a_vector_of_another_length_is_left_out(fresh_index, found):
    asked = make("asked", 0)
    make("other", 5)
    fresh_index.current()
    broken = make("broken", 1)
    Embedding.objects.filter(garment=broken).update(vector=direction(1, dim=24).tobytes())
    assert found(asked) == ["other"]
    assert len(fresh_index.current()) == 2
    assert fresh_index.current().vector(broken.pk) is None


def another_connection():
    database = connection.settings_dict
    return psycopg2.connect(
        host=database["HOST"], port=database["PORT"], dbname=database["NAME"], user=database["USER"],
        password=database["PASSWORD"],
    )  # fmt: skip


def insert_embedding(cursor, picture: GarmentPicture, degrees: float) -> None:
    cursor.execute(
        "INSERT INTO recommend_embedding (picture_id, garment_id, encoder, version, vector, sha256, state, attempts,"
        " error, updated) VALUES (%s, %s, 'plain', '1', %s, '', 'done', 0, '', now())",
        [picture.pk, picture.garment_id, direction(degrees).tobytes()],
    )


def test_a_transaction_that_commits_late_is_not_overlooked(found):
    asked = make("asked", 0)
    early, late = make("early", None), make("late", None)
    first, second = another_connection(), another_connection()
    try:
        with first.cursor() as cursor:
            insert_embedding(cursor, late.pictures.get(), 5)  # begins first, ends last
        with second.cursor() as cursor:
            insert_embedding(cursor, early.pictures.get(), 9)
        second.commit()
        assert found(asked) == ["early"]
        first.commit()
        assert found(asked) == ["late", "early"]
    finally:
        first.close()
        second.close()


def test_numbers_are_seen_in_the_order_they_are_drawn(fresh_index, found):
    """The worst moment: a number is drawn, and its transaction stops before it is committed."""
    asked = make("asked", 0)
    slow, quick = make("slow", None), make("quick", None)
    fresh_index.current()
    first, second = another_connection(), another_connection()
    try:
        with first.cursor() as cursor:
            insert_embedding(cursor, slow.pictures.get(), 5)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit does first: the number is drawn now
        with second.cursor() as cursor:
            insert_embedding(cursor, quick.pictures.get(), 9)
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(second.commit)
            with pytest.raises(TimeoutError):
                later.result(timeout=0.5)  # a higher number is not drawn before the lower one is seen
            assert len(fresh_index.current()) == 1
            first.commit()
            later.result(timeout=10)
        assert found(asked) == ["slow", "quick"]
        assert len(fresh_index.current()) == 3
    finally:
        first.close()
        second.close()


WATCHER = """
import django, json, sys
django.setup()
from recommend import index
from shop.models import Garment
watched = index.Index(look_seconds=0)
for line in sys.stdin:
    view, asked = watched.current(), Garment.objects.get(sku="asked")
    hits = view.search(view.vector(asked.pk), 10, exclude={asked.pk})
    heavy = sorted({"torch", "onnxruntime", "cv2", "mediapipe", "open_clip"} & set(sys.modules))
    print(json.dumps([Garment.objects.get(pk=hit.garment_id).sku for hit in hits] + heavy), flush=True)
"""


def test_another_process_follows_and_needs_no_network():
    env = process_environment("redis://localhost:1/0", DJANGO_SETTINGS_MODULE="shop.settings", LOG_LEVEL="ERROR")
    make("asked", 0)
    other = make("other", 10)
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        cwd=REPOSITORY,
    ) as process:  # fmt: skip

        def seen():
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        assert seen() == ["other"]
        make("later", 5)
        assert seen() == ["later", "other"]
        other.delete()
        assert seen() == ["later"]
        Garment.objects.filter(sku="later").update(published=False)
        assert seen() == []
        process.stdin.close()


def test_threads_search_while_the_index_is_swapped(fresh_index, found):
    asked = make("asked", 0)
    expected = [make(f"steady-{number}", 3 * number).sku for number in range(1, 13)]
    flicker = make("flicker", 0)
    stop, wrong, counts = threading.Event(), [], [0, 0, 0]

    def search(number):
        while not stop.is_set():
            skus = found(asked)
            counts[number] += 1
            if skus not in (expected, ["flicker", *expected]):
                wrong.append(skus)
        connection.close()

    with ThreadPoolExecutor(3) as pool:
        searching = [pool.submit(search, number) for number in range(3)]
        # How many flickers make a new view depends on who gets the processor: wait for what is to be seen.
        views, flickers, end = {}, 0, time.monotonic() + 60
        while (min(counts) < 5 or len(views) < 6) and time.monotonic() < end:
            flickers += 1
            Garment.objects.filter(pk=flicker.pk).update(published=bool(flickers % 2))
            view = fresh_index.current()
            views[id(view)] = view
        stop.set()
        for thread in searching:
            thread.result()
    assert not wrong
    assert min(counts) >= 5
    assert len(views) > 5
