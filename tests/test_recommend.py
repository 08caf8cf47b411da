"""Similar garments: what is shown beside which."""

from decimal import Decimal

import numpy as np
import pytest
from django.core.cache import cache
from django.utils.translation import override

from recommend import encoders, index, ranking
from recommend.encoders.joined import BOTH, EFFICIENTNET
from recommend.index.view import View
from recommend.models import Embedding, Serving
from recommend.ranking import Filters, looks
from shop.images import clean_image
from shop.models import Event, Garment, GarmentAnalysis, GarmentPicture
from tests.looks import add_picture, embed, make, skus
from tests.pictures import encoded, tee
from tests.workers import wait_for

# Triggers note changes at commit, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)
SAME_LOOK = encoders.same_look


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    """An index that looks at every call, and knows nothing of earlier tests."""
    fresh = index.Index(look_seconds=0)
    monkeypatch.setattr(index, "current", fresh.current)
    monkeypatch.setattr(encoders, "same_look", lambda name: 0.99)  # there is little room in a plane
    return fresh


def test_the_nearest_come_first_with_their_scores():
    asked = make("asked", 0)
    for degrees in (40, 10, 80, 20):
        make(f"at-{degrees}", degrees)
    found = ranking.similar(asked, 3)
    assert [entry.garment.sku for entry in found] == ["at-10", "at-20", "at-40"]
    assert [entry.score for entry in found] == pytest.approx(np.cos(np.radians([10, 20, 40])), abs=2e-3)
    assert {entry.encoder for entry in found} == {"Plain"}
    assert ranking.encoder_name() == "Plain"


def test_scores_stay_between_0_and_1():
    asked = make("asked", 0)
    make("opposite", 180)
    make("equal", 0)
    assert [entry.score for entry in ranking.similar(asked)] == [pytest.approx(1, abs=1e-3), 0]


def test_gender_and_age_group_are_never_crossed():
    asked = make("asked", 0)
    man, unisex = make("man", 10, gender="men"), make("unisex", 25, gender="unisex")
    make("woman", 50)
    kid = make("kid", 5, age_group="kids")
    assert skus(asked) == ["unisex", "woman"]
    assert skus(man) == ["unisex"]
    assert sorted(skus(unisex)) == ["asked", "man", "woman"]
    assert skus(kid) == []


def test_own_category_comes_first_and_others_fill_up():
    asked = make("asked", 0)
    make("near-dress", 1, category="dress")
    make("far-top", 70)
    make("near-skirt", 15, category="lower")
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
    add_picture(two, 80)
    add_picture(two, 170, role="back")
    make("one", 35)
    found = ranking.similar(asked)
    assert [entry.garment.sku for entry in found] == ["one", "two"]
    assert found[1].score == pytest.approx(np.cos(np.radians(50)), abs=2e-3)
    GarmentPicture.objects.filter(garment=two).exclude(role="back").delete()
    assert ranking.similar(asked)[1].score == 0


def test_without_embeddings_the_newest_of_the_category_are_shown_without_score():
    asked = make("asked", None)
    make("older", None)
    make("dress", None, category="dress")
    make("newer", None)
    found = ranking.similar(asked)
    assert [entry.garment.sku for entry in found] == ["newer", "older", "dress"]
    assert {(entry.score, entry.encoder) for entry in found} == {(None, "")}
    assert ranking.encoder_name() == ""


def test_garments_without_a_vector_come_after_those_of_their_category():
    asked = make("asked", 0)
    make("far", 80)
    make("new", None)
    make("new-red", None, design="new")
    make("new-blue", None, design="new")
    make("dress", 5, category="dress")
    found = ranking.similar(asked)
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
    assert [(entry.garment.sku, entry.score) for entry in ranking.similar(asked)] == [("other", None)]


def test_a_broken_database_shows_nothing_and_does_not_raise(monkeypatch):
    asked = make("asked", 0)
    make("other", 10)
    monkeypatch.setattr(Garment.objects, "published", lambda: 1 / 0)
    assert ranking.similar(asked) == []


def test_what_looks_the_same_depends_on_the_encoder_that_serves(monkeypatch):
    monkeypatch.setattr(encoders, "same_look", SAME_LOOK)
    asked = make("asked", 0)
    near, twin = make("near", 30), make("twin", 45)  # cosine .966
    for encoder, shown in ((EFFICIENTNET, ["near", "twin"]), (BOTH, ["near"])):
        for garment, degrees in ((asked, 0), (near, 30), (twin, 45)):
            embed(garment.pictures.get(), degrees, encoder)
        Serving.objects.update(name=encoder.name, version=encoder.version, label=encoder.label)
        assert skus(asked) == shown


def test_few_queries_however_many_are_shown(django_assert_num_queries):
    asked = make("asked", 0)
    for degrees in range(10, 180, 10):
        make(f"at-{degrees}", degrees)
    ranking.similar(asked)
    asked = Filters().rows().get(pk=asked.pk)
    with django_assert_num_queries(3):  # a look for changes; garments; pictures
        found = ranking.similar(asked, 12)
        assert len(found) == 12
        assert all(entry.garment.cover for entry in found)


def test_a_worker_embeds_what_is_uploaded_and_similar_finds_it(worker):
    garments = {}
    for sku, colour in (("blue", (40, 90, 170)), ("navy", (35, 80, 155)), ("red", (180, 40, 40))):
        garments[sku] = make(sku, None)
        garments[sku].pictures.all().delete()
        GarmentPicture.objects.store(garments[sku], clean_image(encoded(tee(colour))), role="flat")
    wait_for(lambda: Serving.objects.exists() and Embedding.objects.with_vector().count() == 3, 90)
    assert {row.state for row in Embedding.objects.all()} == {"done"}
    found = ranking.similar(garments["blue"])
    assert [entry.garment.sku for entry in found] == ["navy", "red"]
    assert {entry.encoder for entry in found} == {encoders.wanted().label}


# --- Order ------------------------------------------------------------------------------------------------


def test_the_own_product_type_comes_before_the_category():
    asked = make("asked", 0, product_type="polo")
    make("near-tee", 10)
    make("far-polo", 60, product_type="polo")
    assert skus(asked) == ["far-polo", "near-tee"]


def test_near_duplicates_of_other_designs_take_one_place():
    asked = make("asked", 0)
    make("one", 20, design="one")
    make("same-look", 21, design="other")
    make("far", 60)
    copy = make("same-picture", 70)
    copy.pictures.update(sha256=Garment.objects.get(sku="far").cover.sha256)
    assert skus(asked) == ["one", "far"]


def test_variety_comes_before_the_nearest_of_one_kind():
    asked = make("asked", 0)
    for degrees in (10, 19, 28, -30):
        make(f"at{degrees}", degrees)
    assert skus(asked, 3) == ["at10", "at-30", "at19"]
    nearest = ranking.similar(asked, 3, ranking="nearest")
    assert [entry.garment.sku for entry in nearest] == ["at10", "at19", "at28"]


def test_what_is_known_is_of_the_first_flat_picture_by_the_newest_analysis():
    garment = make("asked", None)
    garment.pictures.update(role="on_model")
    flat = add_picture(garment, None)
    add_picture(garment, None)
    assert Filters().rows().get().front == {
        "role": "flat", "sha256": flat.sha256, "colours": None, "sleeve": None, "length": None,
    }  # fmt: skip
    for version, sleeve in ((1, "short"), (2, "long")):
        GarmentAnalysis.objects.create(picture=flat, version=version, sleeve=sleeve, colours=[{"lab": [50, 0, 0]}])
    assert Filters().rows().get().front["sleeve"] == "long"
    assert Filters().rows().get().front["colours"] == [{"lab": [50, 0, 0]}]
    flat.garment.pictures.all().delete()
    assert Filters().rows().get().front is None


# --- Filters ----------------------------------------------------------------------------------------------


def named(found) -> list[str]:
    return [entry.garment.sku for entry in found]


@pytest.mark.parametrize(
    "filters, expected",
    [
        (Filters(brands={"Marle"}), ["marle"]),
        (Filters(colours={"rust"}), ["rust"]),
        (Filters(genders={"men"}), []),
        (Filters(genders={"unisex"}), ["unisex"]),
        (Filters(categories={"dress"}), ["dress"]),
        (Filters(product_types={"polo"}), ["polo"]),
        (Filters(sizes={"M"}), ["in-m"]),
        (Filters(low=Decimal(20)), ["dear"]),
        (Filters(high=Decimal(5)), ["cheap", "sale"]),
        (Filters(colour_families={"orange"}), ["rust"]),
        (Filters(colour_families={"green"}), ["striped"]),
        (Filters(brands={"Marle"}, colours={"rust"}), []),
    ],
)
def test_filters_hold_for_every_garment_shown(filters, expected):
    asked = make("asked", 0)
    make("marle", 20, brand="Marle")
    make("rust", 30, colour="rust")
    make("unisex", 40, gender="unisex")
    make("dress", 50, category="dress")
    make("polo", 60, product_type="polo")
    make("in-m", 70).variants.create(size="M", stock=1)
    make("gone", 80).variants.create(size="M", stock=0)
    make("dear", 90, price=30)
    make("cheap", 100, price=5)
    make("sale", 110, sale_price=4)
    striped = make("striped", 120)
    Garment.objects.filter(pk=striped.pk).update(colour_family="white", second_colour_family="green")
    assert named(ranking.similar(asked, filters=filters)) == expected


def test_a_rare_size_is_found_however_far_down():
    asked = make("asked", 0)
    for number in range(150):
        make(f"other-{number}", 10 + number)
    make("right", 179).variants.create(size="M", stock=1)
    assert named(ranking.similar(asked, 3, Filters(sizes={"M"}))) == ["right"]


def test_what_is_rare_is_asked_of_the_database(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(looks, "RARE", 40)
    asked = make("asked", 0)
    for number in range(300):
        make(f"other-{number}", number / 2, category=("upper", "lower")[number % 2])
    make("far", 175, price=5)
    make("near", 160, price=4)
    make("new", None, price=5)
    ranking.similar(asked)
    asked = Filters().rows().get(pk=asked.pk)
    with django_assert_max_num_queries(14):
        assert named(ranking.similar(asked, 3, Filters(high=5))) == ["near", "far", "new"]
    with django_assert_max_num_queries(14):
        assert ranking.similar(asked, 3, Filters(high=1)) == []


def test_the_share_that_fits_says_how_many_to_ask_for(monkeypatch):
    monkeypatch.setattr(encoders, "same_look", lambda name: 2.0)
    asked = make("asked", 0)
    for number in range(200):
        make(f"other-{number}", 10 + number / 2, price=10 if number % 10 else 5)
    taken = []
    search = View.search
    monkeypatch.setattr(
        View, "search", lambda view, vector, k, *args: taken.append(k) or search(view, vector, k, *args)
    )
    assert len(ranking.similar(asked, 10, Filters(high=5))) == 10
    assert taken == [60, 80]  # six of 60 fitted, so 40 should do for the other four; twice as many are asked for


# --- Without looks ----------------------------------------------------------------------------------------


def test_without_looks_the_popular_come_before_the_new(shopper):
    asked, popular, _, disliked = (make(sku, None) for sku in ("asked", "popular", "new", "disliked"))
    Event.objects.create(shopper=shopper, garment=popular, kind="view")
    Event.objects.create(shopper=shopper, garment=disliked, kind="rating", value=-1)
    cache.clear()
    found = ranking.similar(asked)
    assert named(found) == ["popular", "disliked", "new"]
    assert [entry.why[-1] for entry in found] == ["Popular now", "New", "New"]


# --- Why --------------------------------------------------------------------------------------------------


def test_it_is_said_why():
    asked = make("asked", 0, sleeve="short", length="regular", colour="navy", price=20)
    make("other", 20, sleeve="short", length="regular", colour="indigo", price=12)
    assert ranking.similar(asked)[0].why == ["Same cut", "Close colour", "Lower price"]
    with override("ko"):
        assert ranking.similar(asked)[0].why[0] != "Same cut"
