"""Similar garments: what is shown beside which, and that every process's index follows the database."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import psycopg2
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from recommend import index, services
from recommend.models import Embedding, Serving
from shop.images import clean_image
from shop.models import ApiKey, Garment, GarmentPicture
from tests.pictures import encoded, tee
from tests.workers import REPOSITORY, process_environment, wait_for

# Triggers note changes at commit, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

PLAIN = SimpleNamespace(name="plain", version="1", label="Plain")
FINER = SimpleNamespace(name="finer", version="1", label="Finer")


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    """An index that looks at every call, and knows nothing of earlier tests."""
    fresh = index.Index(look_seconds=0)
    monkeypatch.setattr(index, "current", fresh.current)
    return fresh


def direction(degrees: float, dim: int = 8) -> np.ndarray:
    vector = np.zeros(dim, "<f2")
    vector[:2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def make(sku: str, degrees: float | None, encoder=PLAIN, **fields) -> Garment:
    """A published garment with one picture, embedded in a direction, or not at all."""
    garment = Garment.objects.create(
        **{
            "sku": sku, "title": sku, "category": "upper", "product_type": "tee", "colour": sku, "gender": "women",
            "price": 10, "published": True,
        }
        | fields
    )  # fmt: skip
    add_picture(garment, degrees, encoder)
    return garment


def add_picture(garment: Garment, degrees: float | None, encoder=PLAIN, role="flat") -> GarmentPicture:
    sha256 = f"{garment.pictures.count()}".rjust(64, "0")
    picture = GarmentPicture.objects.create(
        garment=garment, image=f"garments/{garment.sku}.jpg", width=60, height=80, sha256=sha256, role=role
    )
    if degrees is not None:
        embed(picture, degrees, encoder)
    return picture


def embed(picture: GarmentPicture, degrees: float, encoder=PLAIN) -> Embedding:
    row = Embedding.by(encoder, picture)
    row.vector, row.state = direction(degrees).tobytes(), "done"
    row.save()
    Serving.objects.follow(encoder)
    return row


def skus(garment: Garment, k: int = 12) -> list[str]:
    return [found.garment.sku for found in services.similar(garment, k)]


# --- What is shown ----------------------------------------------------------------------------------------


def test_the_nearest_come_first_with_their_scores():
    asked = make("asked", 0)
    for degrees in (40, 10, 80, 20):
        make(f"at-{degrees}", degrees)
    found = services.similar(asked, 3)
    assert [entry.garment.sku for entry in found] == ["at-10", "at-20", "at-40"]
    assert [entry.score for entry in found] == pytest.approx(np.cos(np.radians([10, 20, 40])), abs=2e-3)
    assert {entry.encoder for entry in found} == {"Plain"}
    assert services.encoder_name() == "Plain"


def test_scores_stay_between_0_and_1():
    asked = make("asked", 0)
    make("opposite", 180)
    make("equal", 0)
    assert [entry.score for entry in services.similar(asked)] == [pytest.approx(1, abs=1e-3), 0]


def test_gender_and_age_group_are_never_crossed():
    asked = make("asked", 0)
    man, unisex = make("man", 1, gender="men"), make("unisex", 2, gender="unisex")
    make("woman", 30)
    kid = make("kid", 3, age_group="kids")
    assert skus(asked) == ["unisex", "woman"]
    assert skus(man) == ["unisex"]
    assert skus(unisex) == ["man", "asked", "woman"]
    assert skus(kid) == []


def test_own_category_comes_first_and_others_fill_up():
    asked = make("asked", 0)
    make("near-dress", 1, category="dress")
    make("far-top", 70)
    make("near-skirt", 2, category="lower")
    assert skus(asked) == ["far-top", "near-dress", "near-skirt"]
    assert skus(asked, 2) == ["far-top", "near-dress"]


def test_colours_of_a_design_take_one_place_with_the_best_score():
    asked = make("asked", 0)
    make("polo-red", 20, design="polo")
    make("polo-blue", 10, design="polo")
    make("tee-1", 30)
    make("tee-2", 40)
    assert skus(asked) == ["polo-blue", "tee-1", "tee-2"]


def test_its_own_colours_are_left_to_the_product_page():
    asked = make("asked", 0, design="polo")
    make("polo-blue", 1, design="polo")
    make("other", 50)
    make("plain-1", None)
    make("polo-new", None, design="polo")
    assert skus(asked) == ["other", "plain-1"]


def test_many_colours_do_not_leave_the_list_short():
    asked = make("asked", 0)
    for number in range(70):
        make(f"polo-{number}", 10 + number / 2, design="polo")
    make("other-1", 50)
    make("other-2", 60, design="other")
    assert skus(asked, 3) == ["polo-0", "other-1", "other-2"]


def test_pictures_of_a_garment_are_pooled_and_backs_left_out():
    asked = make("asked", 0)
    two = make("two", 20)
    add_picture(two, 60)
    add_picture(two, 170, role="back")
    make("one", 35)
    found = services.similar(asked)
    assert [entry.garment.sku for entry in found] == ["one", "two"]
    assert found[1].score == pytest.approx(np.cos(np.radians(40)), abs=2e-3)
    GarmentPicture.objects.filter(garment=two).exclude(role="back").delete()
    assert services.similar(asked)[1].score == 0


def test_without_embeddings_the_newest_of_the_category_are_shown_without_score():
    asked = make("asked", None)
    make("older", None)
    make("dress", None, category="dress")
    make("newer", None)
    found = services.similar(asked)
    assert [entry.garment.sku for entry in found] == ["newer", "older", "dress"]
    assert {(entry.score, entry.encoder) for entry in found} == {(None, "")}
    assert services.encoder_name() == ""


def test_garments_without_a_vector_come_after_those_of_their_category():
    asked = make("asked", 0)
    make("far", 80)
    make("new", None)
    make("new-red", None, design="new")
    make("new-blue", None, design="new")
    make("dress", 5, category="dress")
    found = services.similar(asked)
    assert [entry.garment.sku for entry in found] == ["far", "new-blue", "new", "dress"]
    assert [entry.score is None for entry in found] == [False, True, True, False]


def test_an_unpublished_garment_has_similar_ones_too():
    make("near", 10)
    make("far", 50)
    assert skus(make("draft", 0, published=False)) == ["near", "far"]


def test_a_broken_index_shows_the_newest(monkeypatch):
    asked = make("asked", 0)
    make("other", 10)

    def broken():
        raise RuntimeError("no memory")

    monkeypatch.setattr(index, "current", broken)
    assert [(entry.garment.sku, entry.score) for entry in services.similar(asked)] == [("other", None)]


def test_a_broken_database_shows_nothing_and_does_not_raise(monkeypatch):
    asked = make("asked", 0)
    make("other", 10)
    monkeypatch.setattr(Garment.objects, "published", lambda: 1 / 0)
    assert services.similar(asked) == []


def test_rows_come_in_few_queries_however_many_are_shown(django_assert_num_queries):
    asked = make("asked", 0)
    for degrees in range(1, 30):
        make(f"at-{degrees}", degrees)
    services.similar(asked)
    with django_assert_num_queries(5):  # a look for changes; garments, their pictures, what is known of them, sizes
        cards = services.similar(asked, 12)
        assert all(card.garment.cover for card in cards)


# --- The index follows ------------------------------------------------------------------------------------


def test_what_is_added_changed_unpublished_or_deleted_is_followed(fresh_index):
    asked = make("asked", 0)
    other = make("other", 10)
    assert len(fresh_index.current()) == 2
    later = make("later", 5)
    assert skus(asked) == ["later", "other"]
    Garment.objects.filter(pk=later.pk).update(published=False)
    assert skus(asked) == ["other"]
    assert len(fresh_index.current()) == 2
    Garment.objects.filter(pk=later.pk).update(published=True, gender="men")
    assert skus(asked) == ["other"]
    Garment.objects.filter(pk=later.pk).update(gender="women", category="dress")
    assert skus(asked) == ["other", "later"]
    later.pictures.all().delete()
    assert len(fresh_index.current()) == 2
    embed(add_picture(later, None), 30)
    Garment.objects.filter(pk=later.pk).update(category="upper")
    embed(add_picture(asked, None, role="back"), 90)
    assert skus(asked) == ["other", "later"]
    other.delete()
    assert skus(asked) == ["later"]
    assert len(fresh_index.current()) == 2


def test_a_changed_role_is_followed():
    asked = make("asked", 0)
    two = make("two", 20)
    second = add_picture(two, 60, role="detail")
    assert services.similar(asked)[0].score == pytest.approx(np.cos(np.radians(20)), abs=2e-3)
    GarmentPicture.objects.filter(pk=second.pk).update(role="on_model")
    assert services.similar(asked)[0].score == pytest.approx(np.cos(np.radians(40)), abs=2e-3)


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
    asked = make("asked", 0)
    make("other", 5)
    begun, go_on = threading.Event(), threading.Event()
    load = index.load

    def slow(*arguments):
        begun.set()
        go_on.wait(20)
        return load(*arguments)

    monkeypatch.setattr(index, "load", slow)
    monkeypatch.setattr(index, "FIRST_WAIT_SECONDS", 0.1)

    def first():
        try:
            return fresh_index.current()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(first)
        assert begun.wait(20)
        assert [entry.score for entry in services.similar(asked)] == [None]
        go_on.set()
        assert len(building.result(20)) == 2
    assert services.similar(asked)[0].score is not None


def test_tables_that_were_emptied_or_put_back_are_read_anew(fresh_index):
    make("asked", 0)
    make("other", 5)
    assert len(fresh_index.current()) == 2
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE recommend_embedding, recommend_change")
    assert len(fresh_index.current()) == 0


def test_a_vector_of_another_length_is_left_out(fresh_index):
    asked = make("asked", 0)
    make("other", 5)
    fresh_index.current()
    broken = make("broken", 1)
    Embedding.objects.filter(garment=broken).update(vector=direction(1, dim=24).tobytes())
    assert skus(asked) == ["other", "broken"]
    assert services.similar(asked)[1].score is None


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


def test_a_transaction_that_commits_late_is_not_overlooked():
    asked = make("asked", 0)
    early, late = make("early", None), make("late", None)
    first, second = another_connection(), another_connection()
    try:
        with first.cursor() as cursor:
            insert_embedding(cursor, late.pictures.get(), 5)  # begins first, ends last
        with second.cursor() as cursor:
            insert_embedding(cursor, early.pictures.get(), 9)
        second.commit()
        assert [entry.score is None for entry in services.similar(asked)] == [False, True]
        first.commit()
        assert skus(asked) == ["late", "early"]
        assert None not in [entry.score for entry in services.similar(asked)]
    finally:
        first.close()
        second.close()


def test_numbers_are_seen_in_the_order_they_are_drawn(fresh_index):
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
        assert skus(asked) == ["slow", "quick"]
        assert len(fresh_index.current()) == 3
    finally:
        first.close()
        second.close()


WATCHER = """
import django, json, sys
django.setup()
from recommend import index, services
from shop.models import Garment
watched = index.Index(look_seconds=0)
index.current = watched.current
for line in sys.stdin:
    found = services.similar(Garment.objects.get(sku="asked"))
    heavy = sorted({"torch", "onnxruntime", "cv2", "mediapipe", "open_clip"} & set(sys.modules))
    print(json.dumps([[entry.garment.sku, entry.score is not None] for entry in found] + heavy), flush=True)
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

        assert seen() == [["other", True]]
        make("later", 5)
        assert seen() == [["later", True], ["other", True]]
        other.delete()
        assert seen() == [["later", True]]
        Garment.objects.filter(sku="later").update(published=False)
        assert seen() == []
        process.stdin.close()


def test_threads_search_while_the_index_is_swapped(fresh_index):
    asked = make("asked", 0)
    steady = [make(f"steady-{number}", number) for number in range(1, 13)]
    flicker = make("flicker", 0)
    expected = [garment.sku for garment in steady]
    stop, wrong, counts = threading.Event(), [], [0, 0, 0]

    def search(number):
        while not stop.is_set():
            found = skus(asked)
            counts[number] += 1
            if [sku for sku in found if sku != "flicker"] not in (expected, expected[:11]) or len(found) != 12:
                wrong.append(found)
        connection.close()

    with ThreadPoolExecutor(3) as pool:
        searching = [pool.submit(search, number) for number in range(3)]
        snapshots, end = [], time.monotonic() + 60
        while (min(counts) < 5 or len(snapshots) < 20) and time.monotonic() < end:
            Garment.objects.filter(pk=flicker.pk).update(published=bool(len(snapshots) % 2))
            snapshots.append(fresh_index.current())
        stop.set()
        for thread in searching:
            thread.result()
    assert not wrong
    assert min(counts) >= 5
    assert len({id(snapshot) for snapshot in snapshots}) > 5


def test_a_worker_embeds_what_is_uploaded_and_similar_finds_it(worker):
    garments = {}
    for sku, colour in (("blue", (40, 90, 170)), ("navy", (35, 80, 155)), ("red", (180, 40, 40))):
        garments[sku] = make(sku, None)
        garments[sku].pictures.all().delete()
        GarmentPicture.objects.store(garments[sku], clean_image(encoded(tee(colour))), role="flat")
    wait_for(lambda: Serving.objects.exists() and Embedding.objects.with_vector().count() == 3, 90)
    assert {row.state for row in Embedding.objects.all()} == {"done"}
    found = services.similar(garments["blue"])
    assert [entry.garment.sku for entry in found] == ["navy", "red"]
    assert {entry.encoder for entry in found} == {"EfficientNet-Lite2 with colour"}


# --- API --------------------------------------------------------------------------------------------------


def test_programs_get_similar_garments(client):
    make("asked", 0)
    make("other", 60, title="Striped shirt", sale_price="8.00")
    answer = client.get("/api/v1/garments/asked/similar?k=5")
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "garment": {
                "sku": "other", "title": "Striped shirt", "slug": "striped-shirt-other", "price": "8.00",
                "currency": "USD", "url": "http://testserver/garments/striped-shirt-other",
                "picture": "http://testserver/media/garments/other.jpg",
            },
            "score": pytest.approx(0.5, abs=2e-3),
            "encoder": "Plain",
        }
    ]  # fmt: skip


def test_what_is_not_published_is_not_there(client):
    make("draft", 0, published=False)
    for sku in ("draft", "nothing"):
        answer = client.get(f"/api/v1/garments/{sku}/similar")
        assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


@pytest.mark.parametrize("k", ["0", "49", "many"])
def test_a_wrong_number_is_refused(client, k):
    make("asked", 0)
    answer = client.get(f"/api/v1/garments/asked/similar?k={k}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["k"])


def test_a_key_needs_the_scope(client):
    make("asked", 0)
    user = get_user_model().objects.create_user("program")
    for scope, status in (("tryon", 403), ("catalogue:read", 200)):
        key = ApiKey.issue(user, "test", [scope])[1]
        answer = client.get("/api/v1/garments/asked/similar", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status
