"""What shoppers were shown and what came of it: lists, clicks, events that name them, and what counts for nothing."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop import surfaces
from shop.models import ApiKey, Event, Experiment, Garment, Shopper, ShownList, Surface
from shop.reaper import run_once
from tests.looks import make
from tests.shopping import text_of

pytestmark = pytest.mark.django_db

HOME = "/"
LISTS, EVENTS = "/api/v1/lists", "/api/v1/events"
PREFETCH = {"HTTP_SEC_PURPOSE": "prefetch;prerender"}


@pytest.fixture
def shelf():
    """Three garments; a page of the first shows the others as similar."""
    return [make(sku, None) for sku in "ABC"]


@pytest.fixture
def program():
    """A key's header, and its shopper."""
    user = get_user_model().objects.create_user("program", password="a-long-password")
    key = ApiKey.issue(user, "test", ["events"])[1]
    return {"HTTP_AUTHORIZATION": f"Bearer {key}"}, Shopper.objects.of_user(user)


def links(response, garment) -> list[str]:
    return re.findall(rf'href="({garment.get_absolute_url()}\?list=[\w-]+)"', text_of(response))


def post(client, address, body, key):
    return client.post(address, body, content_type="application/json", **key)


def placed(**found) -> list[tuple]:
    events = Event.objects.filter(**found).order_by("pk")
    return list(events.values_list("kind", "garment__sku", "surface", "position"))


# --- Pages ---


def test_a_list_is_noted_and_a_click_knows_where_it_came_from(shopper_client, shopper, shelf):
    first, second, third = shelf
    page = shopper_client.get(first.get_absolute_url())
    shown = ShownList.objects.get()
    assert (shown.shopper, shown.surface, set(shown.garments)) == (shopper, "similar", {second.pk, third.pk})
    (link,) = links(page, third)
    shopper_client.get(link)
    place = shown.garments.index(third.pk)
    assert placed(garment=third) == [("click", "C", "similar", place), ("view", "C", "similar", place)]
    assert Event.objects.get(kind="click").list_id == shown.pk
    shown.refresh_from_db()
    assert (shown.clicked, shown.tried_on, shown.ordered) == (True, False, False)


def test_catalogue_and_search_are_lists_too(shopper_client, shelf):
    shopper_client.get(HOME, {"category": "upper"})
    shopper_client.get(HOME, {"q": "tee", "sort": "low"})
    assert list(ShownList.objects.order_by("created").values_list("surface", "ranking")) == [
        ("catalogue", "new"), ("search", "low"),
    ]  # fmt: skip
    catalogue = ShownList.objects.get(surface="catalogue")
    assert links(shopper_client.get(HOME, {"category": "upper"}), shelf[0])[0].endswith(f"?list={catalogue.pk.hex}")


def test_a_page_looked_at_again_shows_the_same_list(shopper_client, shelf):
    once, again = (links(shopper_client.get(shelf[0].get_absolute_url()), shelf[1]) for _ in range(2))
    assert once == again
    ShownList.objects.update(created=timezone.now() - timedelta(hours=1))
    assert links(shopper_client.get(shelf[0].get_absolute_url()), shelf[1]) != once
    assert ShownList.objects.filter(surface="similar").count() == 2


def test_a_click_counts_once_for_each_list_and_garment(shopper_client, shelf):
    page = shopper_client.get(shelf[0].get_absolute_url())
    for garment in (shelf[1], shelf[1], shelf[2]):
        shopper_client.get(links(page, garment)[0])
    assert Event.objects.filter(kind="click").count() == 2
    assert Event.objects.filter(kind="view").count() == 4
    click = Event.objects.filter(kind="click").values("shopper_id", "garment_id", "list_id").first()
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(kind="click", position=0, **click)


def test_strangers_crawlers_and_prefetching_leave_nothing(client, shopper_client, shelf):
    address = shelf[0].get_absolute_url()
    assert not links(client.get(address), shelf[1])
    assert not links(shopper_client.get(address, **PREFETCH), shelf[1])
    shopper_client.head(address)
    assert not ShownList.objects.exists() and not Event.objects.exists()


def test_nobody_looks_at_more_than_so_many_lists(shopper_client, shelf, monkeypatch):
    monkeypatch.setattr("shop.models.events.MOST", 3)
    for price in range(5):
        shopper_client.get(HOME, {"min": str(price)})
    assert ShownList.objects.count() == 1  # always the same garments
    counted = [bool(links(shopper_client.get(HOME, {"q": word}), shelf["ABC".index(word)])) for word in "ABCAB"]
    assert counted == [True, True, False, True, True]
    assert ShownList.objects.count() == 3


def test_a_forged_list_makes_no_click(shopper_client, client_factory, shelf):
    page = shopper_client.get(shelf[0].get_absolute_url())
    link = links(page, shelf[1])[0]
    address, token = link.split("?list=")
    wrong = ["", "x", "x" * 32, "%FF" * 32, "é" * 32, uuid.uuid4().hex, token[:-2], f"{token}{token}"]
    for forged in wrong:
        assert shopper_client.get(f"{address}?list={forged}").status_code == 200
    shopper_client.get(f"{shelf[0].get_absolute_url()}?list={token}")  # a garment that is not in it
    other = client_factory()
    other.cookies["shopper"] = "another"
    Shopper.objects.create(key_hash=Shopper.hash_key("another"))
    assert other.get(link).status_code == 200  # a link that was passed on
    assert not Event.objects.exclude(kind="view").exists()
    assert not Event.objects.exclude(list_id=None).exists()
    assert not ShownList.objects.filter(clicked=True).exists()


def test_a_page_is_made_although_its_shopper_is_gone(transactional_db, client, garment, monkeypatch):
    gone = Shopper.objects.create(key_hash="gone")
    Shopper.objects.filter(pk=gone.pk).delete()  # signed in elsewhere, after this request had read the cookie
    monkeypatch.setattr("shop.surfaces.shoppers.current", lambda request: gone)
    for address in (HOME, garment.get_absolute_url()):
        answer = client.get(address)
        assert answer.status_code == 200 and not links(answer, garment)
    assert not ShownList.objects.exists() and not Event.objects.exists()


def test_signing_in_takes_the_lists_along(shopper_client, shopper, shelf):
    shopper_client.get(shelf[0].get_absolute_url())
    user = Shopper.objects.of_user(get_user_model().objects.create_user("mina"))
    shopper.move_to(user)
    assert ShownList.objects.get().shopper == user


def test_what_is_old_is_forgotten(shopper, shelf, settings):
    settings.LIST_DAYS, settings.EVENT_DAYS = 5, 10
    for days in (4, 6):
        row = ShownList.objects.show(shopper, "similar", "", [shelf[0].pk, days])
        ShownList.objects.filter(pk=row.pk).update(created=timezone.now() - timedelta(days=days))
    for days in (9, 11):
        event = Event.objects.create(shopper=shopper, garment=shelf[0], kind="view")
        Event.objects.filter(pk=event.pk).update(created=timezone.now() - timedelta(days=days))
    assert run_once()
    assert [row.garments[1] for row in ShownList.objects.all()] == [4]
    assert Event.objects.get().created > timezone.now() - timedelta(days=10)


# --- Programs ---


def test_a_program_tells_its_lists_and_what_came_of_them(client, shelf, program):
    key, shopper = program
    told = post(client, LISTS, {"surface": "newsletter", "ranking": "hand", "garments": ["B", "A"]}, key)
    assert told.status_code == 201
    number = told.json()["id"]
    for _ in range(2):
        click = post(client, EVENTS, {"kind": "click", "garment": "A", "list": number}, key)
        assert click.status_code == 201, click.json()
    assert click.json()["position"] == 1 and click.json()["surface"] == "newsletter"
    post(client, EVENTS, {"kind": "order", "value": 2, "garment": "A", "list": number}, key)
    assert placed(shopper=shopper) == [("click", "A", "newsletter", 1), ("order", "A", "newsletter", 1)]
    shown = ShownList.objects.get()
    assert (shown.ranking, shown.clicked, shown.tried_on, shown.ordered) == ("hand", True, False, True)


def test_an_order_of_a_visitor_is_the_visitors(client, shopper_client, shopper, shelf, program):
    shopper_client.get(shelf[0].get_absolute_url())
    shown = ShownList.objects.get()
    order = {"kind": "order", "value": 1, "garment": "B", "list": str(shown.pk), "surface": "made up"}
    assert post(client, EVENTS, order | {"surface": "other"}, program[0]).status_code == 201
    place = shown.garments.index(shelf[1].pk)
    assert placed(shopper=shopper, kind="order") == [("order", "B", "similar", place)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"list": str(uuid.UUID(int=0))}, "list"),
        ({"list": "not-an-id"}, "list"),
        ({"garment": "C"}, "list"),
        ({"garment": "NOT-THERE"}, "garment"),
        ({"surface": "Not A Name"}, "surface"),
        ({"kind": "order"}, "event_value"),
        ({"kind": "wish"}, "kind"),
    ],
)
def test_events_that_cannot_be_are_refused(client, shelf, program, body, field):
    key, shopper = program
    shown = ShownList.objects.show(shopper, "similar", "", [shelf[0].pk, shelf[1].pk])
    answer = post(client, EVENTS, {"kind": "click", "garment": "A", "list": str(shown.pk)} | body, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert field in str(answer.json()["errors"]), answer.json()
    assert not Event.objects.exists()


def test_another_programs_list_is_not_there(client, shelf, program):
    other = get_user_model().objects.create_user("other")
    ApiKey.issue(other, "test", ["events"])
    shown = ShownList.objects.show(Shopper.objects.of_user(other), "similar", "", [shelf[0].pk])
    answer = post(client, EVENTS, {"kind": "click", "garment": "A", "list": str(shown.pk)}, program[0])
    assert answer.status_code == 400 and "list" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"garments": []}, "garments"),
        ({"garments": ["A", "NOT-THERE"]}, "garments"),
        ({"garments": ["A"] * 101}, "garments"),
        ({"surface": ""}, "surface"),
        ({"ranking": "<b>"}, "ranking"),
    ],
)
def test_lists_that_cannot_be_are_refused(client, shelf, program, changes, field):
    answer = post(client, LISTS, {"surface": "similar", "garments": ["A"]} | changes, program[0])
    assert answer.status_code == 400 and field in answer.json()["errors"]
    assert not ShownList.objects.exists()


def test_lists_come_from_programs(shopper_client, shelf):
    body = {"surface": "similar", "garments": ["A"]}
    assert post(shopper_client, LISTS, body, {}).status_code == 401


# --- Two rankings ---


@pytest.fixture
def two(monkeypatch):
    """Two rankings of similar items, compared on half of the shoppers."""
    monkeypatch.setattr(surfaces, "_offered", {})
    surfaces.offer(Surface.SIMILAR, {"diverse": "diverse", "nearest": "nearest"})
    yield Experiment.objects.create(name="variety", surface="similar", first="diverse", second="nearest", share=30)
    cache.clear()


def test_a_share_of_the_shoppers_gets_the_second_ranking(two):
    shoppers = [Shopper(pk=number) for number in range(2000)]
    got = [surfaces.ranking(shopper, "similar") for shopper in shoppers]
    assert got == [surfaces.ranking(shopper, "similar") for shopper in shoppers]
    assert 0.25 < got.count("nearest") / len(got) < 0.35
    assert surfaces.ranking(None, "similar") == "diverse"
    other = Experiment(name="another", surface="for_you", first="diverse", second="nearest", share=30)
    both = sum(a == other.ranking_of(b) == "nearest" for a, b in zip(got, shoppers, strict=True))
    assert 0.06 < both / len(got) < 0.12  # nine in a hundred: who is in one is not therefore in the other


def test_the_list_says_which_ranking_made_it(two, shopper_client, shopper, shelf):
    shopper_client.get(shelf[0].get_absolute_url())
    assert ShownList.objects.get().ranking == surfaces.ranking(shopper, "similar")


def test_without_a_comparison_all_get_the_first(two):
    two.ended = timezone.now()
    two.save()
    assert {surfaces.ranking(Shopper(pk=n), "similar") for n in range(100)} == {"diverse"}
    assert surfaces.ranking(None, "for_you") == ""


def test_a_ranking_that_is_no_longer_there_is_not_given(two, monkeypatch):
    surfaces.offer(Surface.SIMILAR, {"diverse": "diverse"})
    assert {surfaces.ranking(Shopper(pk=n), "similar") for n in range(100)} == {"diverse"}


@pytest.mark.parametrize("changes", [{"name": "twice"}, {"surface": "x", "second": "diverse"}, {"share": 100}])
def test_comparisons_that_cannot_be_are_refused(two, changes):
    fields = {"name": "new", "surface": "similar", "first": "diverse", "second": "nearest", "share": 50} | changes
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.create(**fields)


def test_unpublished_garments_are_unknown(client, shelf, program):
    Garment.objects.filter(sku="A").update(published=False)
    answer = post(client, EVENTS, {"kind": "view", "garment": "A"}, program[0])
    assert answer.status_code == 400 and "garment" in answer.json()["errors"]
