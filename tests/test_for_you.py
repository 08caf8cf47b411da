"""What a shopper may like, from what they did."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from recommend import encoders, index, ranking
from recommend.ranking.taste import HALF_LIFE, taste_of
from shop.models import Event, Garment
from tests.looks import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    monkeypatch.setattr(encoders, "same_look", lambda name: 0.99)  # there is little room in a plane
    cache.clear()


@pytest.fixture
def did(shopper):
    def note(garment, kind="view", ago=timedelta(0), **fields):
        event = Event.objects.create(shopper=shopper, garment=garment, kind=kind, **fields)
        Event.objects.filter(pk=event.pk).update(created=timezone.now() - ago)

    return note


def named(found) -> list[str]:
    return [entry.garment.sku for entry in found]


def test_what_looks_like_what_was_liked_comes_first(shopper, did):
    did(make("seen", 0), "tryon")
    for degrees in (20, 160):
        make(f"at{degrees}", degrees)
    make("unembedded", None)
    first, second, *rest = ranking.for_you(shopper)
    assert (first.garment.sku, first.why, first.encoder) == ("at20", ["Because you tried on seen"], "Plain")
    assert second.garment.sku == "at160"
    assert named(rest) == ["unembedded", "seen"]  # what was seen already comes last


def test_it_is_said_what_it_has_in_common_with_what_was_liked(shopper, did):
    did(make("seen", 0, brand="Marle"))
    make("near", 20, brand="Marle", price=8)
    assert ranking.for_you(shopper)[0].why == ["Because you looked at seen", "Same brand"]


def test_what_was_ordered_or_rated_down_never_comes_again(shopper, did):
    did(make("ordered", 0), "order", value=1)
    did(make("bad", 90), "rating", value=-1)
    make("like-bad", 93)
    make("near", 20)
    assert named(ranking.for_you(shopper, 2)) == ["near", "like-bad"]
    did(Garment.objects.get(sku="bad"), "rating", ago=timedelta(days=1), value=1)  # the latest holds
    assert "bad" not in named(ranking.for_you(shopper))


def test_several_interests_are_kept_apart(shopper, did):
    for degrees in (0, 1, 2):
        did(make(f"a{degrees}", degrees))
    b = make("b", 120)
    did(b)
    did(b)
    for degrees in (10, 25, 60, 110, 135):
        make(f"at{degrees}", degrees)
    found = ranking.for_you(shopper, 4)
    assert {"at10", "at110"} <= set(named(found))
    assert named(found)[0] == "at10"
    assert {tuple(entry.why) for entry in found} >= {("Because you looked at b",)}


def test_what_was_done_lately_weighs_more(shopper, did):
    old, new = make("old", 0), make("new", 90)
    did(old, ago=2 * HALF_LIFE)
    did(new)
    weights = taste_of(shopper).weights
    assert weights[old.pk] == pytest.approx(weights[new.pk] / 4, rel=1e-3)


def test_a_click_that_is_a_view_too_counts_once(shopper, did):
    both, alone = make("both", 0), make("alone", 90)
    did(both, "click")
    did(both)
    did(alone, "click")
    weights = taste_of(shopper).weights
    assert weights[both.pk] == pytest.approx(weights[alone.pk], rel=1e-3)


def test_gender_and_age_group_are_those_of_the_history(shopper, did):
    did(make("seen", 0, gender="men"))
    make("men", 30, gender="men")
    make("unisex", 50, gender="unisex")
    make("women", 10)
    make("kids", 5, gender="men", age_group="kids")
    assert sorted(named(ranking.for_you(shopper))) == ["men", "seen", "unisex"]


def test_some_places_are_for_something_else_and_stay_for_a_day(shopper, did, monkeypatch):
    monkeypatch.setattr(encoders, "same_look", lambda name: 2)
    did(make("seen", 0))
    for number in range(70):
        make(f"near{number}", 5 + number)
    for number in range(30):
        make(f"new{number}", None)
    found = ranking.for_you(shopper, 12)
    different = [entry for entry in found if not entry.encoder]
    assert len(different) == 2
    assert all(entry.why for entry in different)
    assert named(ranking.for_you(shopper, 12)) == named(found)
    tomorrow = timezone.localdate() + timedelta(days=1)
    monkeypatch.setattr(timezone, "localdate", lambda: tomorrow)
    assert named(ranking.for_you(shopper, 12)) != named(found)


def test_a_stranger_gets_the_popular_then_the_new(shopper, did):
    liked = make("liked", None)
    make("new", None)
    did(liked)
    found = ranking.for_you(None)
    assert named(found) == ["liked", "new"]
    assert [entry.why for entry in found] == [["Popular now"], ["New"]]


def test_a_list_is_as_long_as_the_shop(shopper, did):
    did(make("seen", 0))
    for degrees in range(10, 180, 10):
        make(f"at{degrees}", degrees, category=("upper", "lower", "dress")[degrees // 10 % 3])
    assert sorted(named(ranking.for_you(shopper, 40))) == sorted(Garment.objects.values_list("sku", flat=True))


def test_it_never_raises(shopper, did, monkeypatch):
    did(make("seen", 0))
    make("other", 20)
    monkeypatch.setattr(index, "current", lambda: 1 / 0)
    assert named(ranking.for_you(shopper)) == ["other", "seen"]
    monkeypatch.setattr(Garment.objects, "published", lambda: 1 / 0)
    assert ranking.for_you(shopper) == []


# --- Pages ------------------------------------------------------------------------------------------------


def test_the_front_page_shows_it(shopper_client, client, did):
    assert "for-you-title" not in client.get("/").content.decode()  # nothing is known, nothing is popular
    did(make("seen", 0))
    make("near", 20)
    cache.clear()
    page = shopper_client.get("/").content.decode()
    assert "For you" in page and "Because you looked at seen" in page
    assert "Popular now" in client.get("/").content.decode()
    assert "for-you-title" not in shopper_client.get("/?q=near").content.decode()


def test_a_garments_page_shows_what_goes_with_it_and_what_looks_like_it(client):
    top = make("top", 0, colour="navy")
    make("other", 20, colour="navy")
    make("jeans", 90, category="lower", colour="white")
    page = client.get(top.get_absolute_url()).content.decode()
    assert page.index("Goes with it") < page.index("More like this")
    assert "White against navy" in page and "Same colour" in page
