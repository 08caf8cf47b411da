"""Similar garments: what is shown beside which, and what programs get."""

import numpy as np
import pytest
from django.contrib.auth import get_user_model

from recommend import index, services
from recommend.models import Embedding, Serving
from shop.images import clean_image
from shop.models import ApiKey, Garment, GarmentPicture
from tests.looks import add_picture, make, skus
from tests.pictures import encoded, tee
from tests.workers import wait_for

# Triggers note changes at commit, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    """An index that looks at every call, and knows nothing of earlier tests."""
    fresh = index.Index(look_seconds=0)
    monkeypatch.setattr(index, "current", fresh.current)
    return fresh


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
