"""What can be worn with a garment: other categories, in colours that go with it, or as shoppers wear it."""

import uuid

import pytest
from django.core.cache import cache

from recommend import index, ranking
from recommend.ranking import Filters
from shop.models import Event, Garment, Shopper
from tests.looks import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    cache.clear()


def skus(garment, **options) -> list[str]:
    return [entry.garment.sku for entry in ranking.goes_with(garment, **options)]


def strangers(count: int) -> list[Shopper]:
    return [Shopper.objects.create(key_hash=uuid.uuid4().hex) for _ in range(count)]


def worn(shopper, *garments, together=True):
    tryon = uuid.uuid4()
    for garment in garments:
        Event.objects.create(
            shopper=shopper, garment=garment, kind="tryon", tryon_id=tryon if together else uuid.uuid4()
        )


def test_other_categories_in_colours_that_go_with_it():
    top = make("top", 0, colour="red")
    make("grey", None, category="lower", colour="grey")
    make("green", None, category="lower", colour="green")  # red and green of this kind clash
    make("tee", None, colour="grey")
    make("dress", None, category="dress", colour="grey")
    found = ranking.goes_with(top)
    assert [entry.garment.sku for entry in found] == ["grey"]
    assert found[0].why == ["Grey lets red stand out"]
    assert 0 < found[0].score <= 1
    assert sorted(skus(Garment.objects.get(sku="grey"))) == ["tee", "top"]


def test_a_shade_may_go_with_it_though_others_of_its_family_do_not():
    top = make("top", None, colour="red")
    make("navy", None, category="lower", colour="navy")
    make("blue", None, category="lower", colour="blue")
    assert set(Garment.objects.filter(category="lower").values_list("colour_family", flat=True)) == {"blue"}
    assert skus(top) == ["navy"]


def test_over_a_dress_goes_a_layer():
    dress = make("dress", None, category="dress", colour="navy")
    cardigan = make("cardigan", None, product_type="Cardigan", colour="white")
    make("tee", None, colour="white")
    make("jeans", None, category="lower", colour="white")
    assert skus(dress) == ["cardigan"]
    assert sorted(skus(cardigan)) == ["dress", "jeans"]


def test_gender_and_age_group_are_never_crossed():
    top = make("top", None, colour="white")
    for sku, fields in (
        ("w", {}),
        ("u", {"gender": "unisex"}),
        ("m", {"gender": "men"}),
        ("k", {"age_group": "kids"}),
    ):
        make(sku, None, category="lower", colour="navy", title=sku, **fields)
    make("draft", None, category="lower", colour="grey", published=False)
    assert sorted(skus(top)) == ["u", "w"]


def test_one_of_a_design():
    top = make("top", None, colour="white")
    for colour in ("navy", "black", "grey"):
        make(colour, None, category="lower", colour=colour, design="chino")
    assert len(skus(top)) == 1


def test_what_shoppers_wear_together_comes_first_and_may_clash():
    top = make("top", None, colour="red")
    make("grey", None, category="lower", colour="grey")
    green = make("green", None, category="lower", colour="green")
    for shopper in strangers(4):
        worn(shopper, top, green)
    found = ranking.goes_with(top, ranking="wardrobes")
    assert [entry.garment.sku for entry in found] == ["green", "grey"]
    assert found[0].why == ["Often worn together"]


def test_what_was_chosen_by_the_same_shoppers_counts_less():
    top = make("top", None, colour="white")
    make("other", None, category="lower", colour="navy")
    chosen = make("chosen", None, category="lower", colour="navy", design="chosen")
    for shopper in strangers(3):
        worn(shopper, top, chosen, together=False)
    found = ranking.goes_with(top)
    assert found[0].garment == chosen
    assert found[0].why[0] == "Often liked by the same shoppers"


def test_what_is_worn_together_by_kind_comes_first():
    shirt = make("shirt", None, product_type="shirt", colour="white", sleeve="long")
    for product_type in ("joggers", "chinos", "culottes"):
        make(product_type, None, category="lower", colour="navy", product_type=product_type, design=product_type)
    found = ranking.goes_with(shirt)
    assert [entry.garment.sku for entry in found] == ["chinos", "culottes", "joggers"]
    assert found[0].why == ["Chinos with shirt, a familiar pair"]


def test_six_black_trousers_do_not_fill_the_list():
    top = make("top", None, colour="white")
    for number in range(6):
        make(f"black-{number}", None, category="lower", product_type="trousers", colour="black")
    make("skirt", None, category="lower", product_type="skirt", colour="grey")
    assert "skirt" in skus(top, k=2)


def test_rare_layers_are_found_among_many_tops():
    dress = make("dress", None, category="dress", colour="navy")
    for number in range(3):
        make(f"blazer-{number}", None, product_type="blazer", colour="grey")
    make("tee", None, colour="grey")
    assert skus(dress)[0] == "blazer-2"  # the newest
    assert sorted(skus(dress)) == ["blazer-0", "blazer-1", "blazer-2"]


def test_filters_hold():
    top = make("top", None, colour="white")
    make("dear", None, category="lower", colour="navy", price=90)
    make("cheap", None, category="lower", colour="grey", price=9)
    assert skus(top, filters=Filters(high=20)) == ["cheap"]
    assert skus(top, filters=Filters(categories={"upper"})) == []
    assert skus(top, filters=Filters(colour_families={"blue"})) == ["dear"]


def test_it_never_raises(monkeypatch):
    top = make("top", None, colour="white")
    make("jeans", None, category="lower", colour="navy")
    monkeypatch.setattr(index, "current", lambda: 1 / 0)
    assert skus(top) == ["jeans"]
    monkeypatch.setattr(Garment.objects, "published", lambda: 1 / 0)
    assert skus(top) == []


def test_a_garment_knows_the_families_of_its_colours(make_garment):
    def families():
        garment.save()
        return Garment.objects.values_list("colour_family", "second_colour_family").get()

    garment = make_garment("blue", colour="no such word")
    blue, white = {"lab": [30, 10, -40], "share": 0.6}, {"lab": [97, 0, 0], "share": 0.4}
    garment.pictures.get().analyses.update(colours=[blue, white])
    assert families() == ("blue", "white")
    garment.pictures.all().delete()
    garment.colour = "rust"
    assert families() == ("orange", "")
