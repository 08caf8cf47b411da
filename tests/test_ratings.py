"""Try-ons rated up or down: on the card, by programs, in the events that recommendations learn from, in the admin."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from preprocessing.errors import Refusal
from shop.models import ApiKey, Event, Photo, Shopper, ShownList
from tests.jobs import finished
from tests.shopping import INLINE, succeed, text_of
from tryon.models import Rating, TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]

UP, DOWN = Rating.Value.UP, Rating.Value.DOWN
LIST = "/admin/tryon/rating/"


@pytest.fixture
def row(submit):
    row = submit()
    succeed(row)
    row.refresh_from_db()
    return row


def address(row) -> str:
    return reverse("frontend:tryon_rating", args=[row.request])


def api(row) -> str:
    return f"/api/v1/tryons/{row.request}/rating"


def press(client, row, value, *reasons, htmx=True):
    body = {"row": str(row.pk), "value": value, "reasons": reasons}
    return client.post(address(row), body, **({"HTTP_HX_REQUEST": "true"} if htmx else {}))


def put(client, row, /, **body):
    return client.put(api(row), body, content_type="application/json")


def told() -> list[tuple]:
    """What the events say of garments."""
    return sorted(Event.objects.filter(kind="rating").values_list("garment__sku", "value"))


def rated() -> list[tuple]:
    return list(Rating.objects.values_list("tryon__engine", "value", "reasons"))


# --- On the card ---


def test_the_card_takes_a_rating_changes_it_and_takes_it_back(shopper_client, row):
    page = text_of(shopper_client.get(reverse("frontend:tryon", args=[row.request])))
    assert 'aria-pressed="true"' not in page and "What is wrong?" not in page
    up = text_of(press(shopper_client, row, "up"))
    assert up.count('aria-pressed="true"') == 1 and "Thank you." in up and "What is wrong?" not in up
    assert rated() == [("quick", 1, [])]
    down = text_of(press(shopper_client, row, "down"))
    assert "What is wrong?" in down and "It does not look like me" in down
    reasons = text_of(press(shopper_client, row, "down", "other", "not_me"))
    assert reasons.count(" checked") == 2
    assert rated() == [("quick", -1, ["not_me", "other"])]
    assert "<html" not in reasons and not INLINE.search(reasons)
    assert 'aria-pressed="true"' not in text_of(press(shopper_client, row, ""))
    assert rated() == told() == []


def test_without_javascript_the_page_of_the_try_on_comes_back(shopper_client, row):
    answer = press(shopper_client, row, "down", "colour_wrong", htmx=False)
    assert answer["Location"] == f"{reverse('frontend:tryon', args=[row.request])}#rating-{row.request}"
    assert " checked" in text_of(shopper_client.get(answer["Location"]))
    answer = press(shopper_client, row, "down", "no-such", htmx=False)
    assert "Choose from the reasons" in text_of(shopper_client.get(answer["Location"]))


def test_a_model_person_is_not_asked_to_look_like_the_shopper(shopper_client, row):
    Photo.objects.update(shopper=None, expires_at=None, name="Ana")
    down = text_of(press(shopper_client, row, "down"))
    assert "The garment looks wrong" in down and "look like me" not in down


def test_a_finer_picture_is_rated_anew(shopper_client, submit):
    quick, fine = submit("quick", "fine")
    succeed(quick)
    press(shopper_client, quick, "down", "disliked")
    succeed(fine)
    page = text_of(shopper_client.get(reverse("frontend:tryon", args=[quick.request])))
    assert 'aria-pressed="true"' not in page and f'value="{fine.pk}"' in page
    press(shopper_client, fine, "up")
    assert sorted(rated()) == [("fine", 1, []), ("quick", -1, ["disliked"])]
    assert told() == [("TEE-1", 1)]  # the latest word on the garment
    press(shopper_client, fine, "")
    assert told() == [("TEE-1", -1)]


@pytest.mark.parametrize(
    "body",
    [
        {"value": "down", "reasons": ["no-such"]},
        {"value": "up", "reasons": ["not_me"]},
        {"value": "sideways"},
        {"row": "x"},
    ],
)
def test_a_rating_that_cannot_be_is_refused_with_a_word(shopper_client, row, body):
    answer = shopper_client.post(address(row), {"row": str(row.pk), "value": "up"} | body, HTTP_HX_REQUEST="true")
    assert answer.status_code == 422
    assert "Choose from the reasons" in text_of(answer)
    assert not Rating.objects.exists()


def test_where_there_is_no_picture_there_is_nothing_to_rate(shopper_client, submit):
    waits = submit()
    assert "rating" not in text_of(shopper_client.get(reverse("frontend:tryon", args=[waits.request])))
    answer = press(shopper_client, waits, "up")
    assert answer.status_code == 422 and "There is no picture to rate." in text_of(answer)
    assert not Rating.objects.exists()


def test_what_is_not_yours_you_do_not_rate(client_factory, shopper_client, row, submit):
    stranger = client_factory()
    assert press(stranger, row, "up").status_code == put(stranger, row, value="up").status_code == 404
    assert stranger.delete(api(row)).status_code == 404
    other = submit("fine")  # of the same shopper, but another click
    body = {"row": str(other.pk), "value": "up"}
    assert shopper_client.post(address(row), body).status_code == 404
    assert shopper_client.get(address(row)).status_code == 405
    assert not Rating.objects.exists()


# --- What it says of the garment ---


@pytest.mark.parametrize(
    ("value", "reasons", "said"),
    [
        (UP, [], [("TEE-1", 1)]),
        (DOWN, [], [("TEE-1", -1)]),
        (DOWN, ["disliked", "not_me"], [("TEE-1", -1)]),
        (DOWN, ["other"], [("TEE-1", -1)]),
        (DOWN, ["not_me"], []),
        (DOWN, ["garment_wrong", "size_wrong", "colour_wrong", "rest_changed"], []),
    ],
)
def test_only_what_is_meant_of_the_garment_is_told(row, value, reasons, said):
    Rating.objects.rate(row, value, reasons)
    assert told() == said


def test_events_stay_in_step(row):
    steps = [(UP, []), (DOWN, ["not_me"]), (DOWN, ["disliked"]), (DOWN, ["disliked"]), (UP, [])]
    said = []
    for value, reasons in steps:
        Rating.objects.rate(row, value, reasons)
        said.append([value for _sku, value in told()])
    assert said == [[1], [], [-1], [-1], [1]]
    assert Rating.objects.count() == 1


def test_both_garments_of_an_outfit_are_rated(submit, make_garment):
    row = submit("stylist", worn_with=make_garment("JEANS-1", category="lower"))
    succeed(row)
    row.refresh_from_db()
    Rating.objects.rate(row, UP)
    assert told() == [("JEANS-1", 1), ("TEE-1", 1)]


def test_deleting_the_try_on_or_its_photo_takes_its_rating_back(submit, photo):
    for delete in (lambda row: row.delete(), lambda row: photo.erase()):
        row = submit()
        succeed(row)
        row.refresh_from_db()
        Rating.objects.rate(row, UP)
        delete(row)
        assert rated() == told() == []


def test_a_rating_and_a_try_on_know_the_list_they_came_from(shopper, garment, submit):
    shown = ShownList.objects.show(shopper, "similar", "near", [0, garment.pk])
    Event.objects.note(shopper.pk, garment.pk, "click", shown.place(garment.pk))
    row = finished(submit())
    Rating.objects.rate(row, UP)
    places = Event.objects.exclude(kind="click").values_list("kind", "list_id", "surface", "ranking", "position")
    assert sorted(places) == [(kind, shown.pk, "similar", "near", 1) for kind in ("rating", "tryon")]
    shown.refresh_from_db()
    assert shown.clicked and shown.tried_on and not shown.ordered


def test_a_try_on_is_put_down_to_the_last_click_of_the_session(shopper, garment, submit):
    lists = [
        ShownList.objects.show(shopper, surface, "", [garment.pk]) for surface in ("search", "similar", "for_you")
    ]
    for shown, minutes in zip(lists, (30, 10, 180), strict=True):
        Event.objects.note(shopper.pk, garment.pk, "click", shown.place(garment.pk))
        click = Event.objects.filter(list_id=shown.pk)
        click.update(created=timezone.now() - timedelta(minutes=minutes))
    finished(submit())
    assert Event.objects.get(kind="tryon").surface == "similar"
    assert list(ShownList.objects.filter(tried_on=True)) == [lists[1]]


def test_a_try_on_long_after_or_by_a_program_comes_from_no_list(shopper, garment, submit):
    shown = ShownList.objects.show(shopper, "similar", "", [garment.pk])
    Event.objects.note(shopper.pk, garment.pk, "click", shown.place(garment.pk))
    Event.objects.update(created=timezone.now() - timedelta(hours=3))
    finished(submit())
    assert Event.objects.get(kind="tryon").list_id is None
    Event.objects.update(created=timezone.now())
    shopper.user = get_user_model().objects.create_user("program")
    shopper.save()
    ApiKey.issue(shopper.user, "test", ["tryon"])
    finished(submit("fine"))
    assert not Event.objects.filter(kind="tryon").exclude(list_id=None).exists()


def test_two_engines_tell_of_one_try_on_once(submit):
    quick, fine = submit("quick", "fine")
    finished(quick)
    finished(fine)
    event = Event.objects.get(kind="tryon")
    assert event.tryon_id == quick.request
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(kind="tryon", shopper=event.shopper, garment=event.garment, tryon_id=event.tryon_id)


# --- By programs ---


def test_a_rating_is_put_read_and_deleted(shopper_client, row):
    answer = put(shopper_client, row, value="down", reasons=["not_me", "not_me"])
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["rating"] == {"value": "down", "reasons": ["not_me"]}
    assert put(shopper_client, row, value="up", row=str(row.pk)).json()["rows"][0]["rating"]["value"] == "up"
    for _ in range(2):
        assert shopper_client.delete(api(row)).status_code == 204
    assert shopper_client.get(f"/api/v1/tryons/{row.request}").json()["rows"][0]["rating"] is None


def test_of_several_pictures_the_best_is_meant(shopper_client, submit):
    quick, fine = submit("quick", "fine")
    succeed(quick)
    succeed(fine)
    put(shopper_client, quick, value="up")
    put(shopper_client, quick, value="down", row=str(quick.pk))
    assert sorted(rated()) == [("fine", 1, []), ("quick", -1, [])]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "request.invalid"),
        ({"value": "sideways"}, 400, "request.invalid"),
        ({"value": "down", "reasons": ["no-such"]}, 400, "request.invalid"),
        ({"value": "up", "reasons": ["not_me"]}, 422, "rating.reasons"),
        ({"value": "up", "row": str(uuid.UUID(int=0))}, 404, "request.not_found"),
    ],
)
def test_ratings_that_cannot_be_are_refused(shopper_client, row, body, status, code):
    answer = put(shopper_client, row, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Rating.objects.exists()


def test_a_picture_that_has_expired_keeps_its_rating_and_takes_no_other(shopper_client, row):
    put(shopper_client, row, value="up")
    TryOn.objects.update(status="expired", result="")
    answer = put(shopper_client, row, value="down")
    assert (answer.status_code, answer.json()["code"]) == (422, "rating.no_picture")
    assert rated() == [("quick", 1, [])]


def test_a_key_needs_the_scope(client, row):
    user = get_user_model().objects.create_user("program")
    key = ApiKey.issue(user, "test", ["events"])[1]
    answer = client.put(api(row), {"value": "up"}, "application/json", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert answer.status_code == 403


@pytest.mark.parametrize("changes", [{"value": 0}, {"value": 1, "reasons": ["other"]}, {"reasons": ["no-such"]}])
def test_the_database_keeps_to_the_rules(row, changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(**{"tryon": row, "value": -1} | changes)
    with pytest.raises(Refusal):
        Rating.objects.rate(row, -1, ["no-such"])


# --- In the admin ---


def test_the_admin_shows_which_engine_is_found_good(admin_client, submit):
    for engine, value, reasons in (
        ("quick", DOWN, ["not_me"]), ("quick", DOWN, ["not_me", "other"]), ("fine", UP, []),
    ):  # fmt: skip
        row = submit(engine)
        succeed(row)
        row.refresh_from_db()
        Rating.objects.rate(row, value, reasons)
    page = text_of(admin_client.get(LIST))
    assert "0.0 %" in page and "100.0 %" in page
    assert "it does not look like me (2), something else (1)" in page
    jobs = text_of(admin_client.get("/admin/tryon/tryon/", {"rating__value": "-1"}))
    assert 'title="it does not look like me, something else">not good' in jobs and "2 try-ons" in jobs
    for query, rows in (
        ("reason=other", 1),
        ("tryon__engine=quick", 2),
        ("value__exact=1", 1),
        ("reason=no-such", 0),
        ("", 3),
    ):
        assert f"{rows} rating" in text_of(admin_client.get(f"{LIST}?{query}")), query
    assert admin_client.get(f"{LIST}add/").status_code == 403


def test_ratings_are_for_staff(client, row):
    assert client.get(LIST).status_code == 302
    client.force_login(get_user_model().objects.create_user("clerk", password="a-long-password", is_staff=True))
    assert client.get(LIST).status_code == 403


def test_signing_in_takes_ratings_along(shopper, row):
    Rating.objects.rate(row, UP)
    user = Shopper.objects.of_user(get_user_model().objects.create_user("mina"))
    shopper.move_to(user)
    row.refresh_from_db()
    Rating.objects.rate(row, DOWN)
    assert Event.objects.get(kind="rating").shopper == user
