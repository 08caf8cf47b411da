"""The catalogue for programs: keys, scopes, problems."""

import base64

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError

from shop.models import ApiKey, Event, Garment, GarmentAnalysis
from tests.pictures import encoded, tee

pytestmark = pytest.mark.django_db

TEE = {
    "title": "Tee", "category": "upper", "product_type": "t-shirt", "colour": "white", "price": "20.00",
    "published": True, "variants": [{"size": "S", "stock": 1}, {"size": "M", "stock": 0}],
}  # fmt: skip


@pytest.fixture
def user():
    return get_user_model().objects.create_user("merchant", password="a-long-password")


@pytest.fixture
def key(user):
    def issue(*scopes):
        return {"HTTP_AUTHORIZATION": f"Bearer {ApiKey.issue(user, 'test', list(scopes))[1]}"}

    return issue


@pytest.fixture
def write(key):
    return key("catalogue:read", "catalogue:write")


def put(client, key, sku="T-1", **changes):
    return client.put(f"/api/v1/garments/{sku}", TEE | changes, content_type="application/json", **key)


def test_a_garment_is_made_changed_and_deleted(client, write):
    made = put(client, write)
    assert made.status_code == 201, made.json()
    assert made.json()["variants"] == [{"size": "S", "stock": 1}, {"size": "M", "stock": 0}]
    changed = put(client, write, price="18.00", variants=[{"size": "L", "stock": 4}])
    assert changed.status_code == 200
    assert changed.json()["price"] == "18.00"
    assert changed.json()["variants"] == [{"size": "L", "stock": 4}]
    assert client.get("/api/v1/garments/T-1").json()["title"] == "Tee"
    assert client.delete("/api/v1/garments/T-1", **write).status_code == 204
    assert client.get("/api/v1/garments/T-1").status_code == 404


def test_a_picture_is_cleaned_kept_once_and_looked_at(client, write):
    put(client, write)
    url = "/api/v1/garments/T-1/pictures"
    first = client.post(url, {"image": encoded(tee()), "role": "flat"}, **write)
    assert first.status_code == 201, first.json()
    assert first.json()["state"] == "pending"
    assert GarmentAnalysis.objects.count() == 1
    again = client.post(url, {"image": encoded(tee()), "role": "flat"}, **write)
    assert again.json()["id"] == first.json()["id"]
    assert client.delete(f"{url}/{first.json()['id']}", **write).status_code == 204
    assert not Garment.objects.get().pictures.exists()


def test_a_bad_picture_is_a_problem_with_a_code(client, write):
    put(client, write)
    answer = client.post("/api/v1/garments/T-1/pictures", {"image": encoded(tee(), "GIF")}, **write)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "image.format"
    assert answer.json()["detail"]


def test_the_list_is_filtered_and_paged(client, write):
    for number in range(5):
        put(client, write, sku=f"T-{number}", colour=f"colour {number % 2}")
    page = client.get("/api/v1/garments?colour=colour 0&limit=2").json()
    assert [g["sku"] for g in page["results"]] == ["T-4", "T-2"]
    assert [g["sku"] for g in client.get(page["next"]).json()["results"]] == ["T-0"]


def test_what_is_not_published_is_seen_by_those_who_may_change_it(client, write, key):
    put(client, write, published=False)
    assert client.get("/api/v1/garments/T-1").status_code == 404
    assert client.get("/api/v1/garments/T-1", **key("catalogue:read")).status_code == 404
    assert client.get("/api/v1/garments/T-1", **write).status_code == 200


def test_wrong_fields_are_named(client, write):
    answer = put(client, write, category="shoes", price="cheap", variants=[{"size": "S"}, {"size": "S"}])
    assert answer.status_code == 400
    assert answer.json()["code"] == "request.invalid"
    assert {"category", "price"} <= set(answer.json()["errors"])


def test_a_rule_over_two_fields_is_an_error_not_a_crash(client, write):
    assert put(client, write, sale_price="30.00").status_code == 400
    assert put(client, write, category="lower", sleeve="long").status_code == 400
    assert put(client, write).status_code == 201
    assert put(client, write, sku="t-1").status_code == 400


def test_a_key_opens_what_its_scopes_say(client, key):
    assert put(client, key("catalogue:read")).status_code == 403
    assert put(client, {}).status_code == 401
    assert client.get("/api/v1/garments", **key("tryon")).status_code == 403


def test_unknown_and_revoked_keys_are_refused(client, user):
    row, key = ApiKey.issue(user, "test", ["catalogue:read"])
    header = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    assert client.get("/api/v1/garments", **header).status_code == 200
    row.revoked = row.created
    row.save()
    refused = client.get("/api/v1/garments", **header)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == "Bearer"
    assert client.get("/api/v1/garments", HTTP_AUTHORIZATION="Bearer fr_guess").status_code == 401


def test_the_key_itself_is_not_kept(user):
    row, key = ApiKey.issue(user, "test", [])
    assert key not in str(ApiKey.objects.filter(pk=row.pk).values().get())


def test_a_browser_needs_a_csrf_token_even_without_signing_in(client_factory):
    browser = client_factory(enforce_csrf_checks=True)
    answer = browser.post("/api/v1/photos", {"image": encoded(tee())})
    assert answer.status_code == 403


def test_events_come_from_programs(client, write, key):
    put(client, write)
    order = {"garment": "T-1", "kind": "order", "value": 2}
    send = {"content_type": "application/json"}
    assert client.post("/api/v1/events", order, **send).status_code == 401
    assert client.post("/api/v1/events", order, **send, **key("events")).status_code == 201
    assert Event.objects.get().value == 2
    assert client.post("/api/v1/events", order | {"value": None}, **send, **key("events")).status_code == 400


def test_the_slower_of_two_is_told(client, write, monkeypatch):
    put(client, write)
    # As if the first were saved between the second's checks and its own saving.
    monkeypatch.setattr("shop.api.serializers.GarmentSerializer.validate", lambda form, data: data)
    answer = put(client, write, sku="t-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "request.conflict")
    assert Garment.objects.get().sku == "T-1"


@pytest.mark.parametrize("body", ["[1]", '"a"', "5", "null"])
def test_a_garment_is_an_object(client, write, body):
    answer = client.put("/api/v1/garments/T-1", body, content_type="application/json", **write)
    assert answer.status_code == 400
    assert answer.json()["code"] == "request.invalid"


@pytest.mark.parametrize(
    "address",
    [
        "", "nothing", "garments/", "photos/1", "tryons/not-an-id", "garments/a%00b", "garments/a%00b/similar",
        "garments?colour=%00", "garments?cursor=%00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_whatever_is_not_there_is_a_problem_too(client, method, address):
    answer = getattr(client, method)(f"/api/v1/{address}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "request.not_found"


@pytest.mark.parametrize("place", ["abc", "1e400", "\0", "9" * 30])
@pytest.mark.parametrize("listed", ["garments", "tryons"])
def test_a_made_up_cursor_leads_nowhere(client, key, listed, place):
    cursor = base64.b64encode(f"p={place}".encode()).decode()
    answer = client.get(f"/api/v1/{listed}", {"cursor": cursor}, **key("catalogue:read", "tryon"))
    assert answer.status_code in (200, 404)
    assert answer.json().get("results") == [] or answer.json()["code"] == "request.not_found"


def test_too_much_is_refused(client, key, settings):
    send = {"content_type": "application/json"} | key("events")
    deep = client.post("/api/v1/events", "[" * 100_000, **send)
    assert (deep.status_code, deep.json()["code"]) == (400, "request.parse_error")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    long = client.post("/api/v1/events", {"garment": "a" * 100}, **send)
    assert (long.status_code, long.json()["code"]) == (413, "request.too_large")


def test_a_fault_of_ours_is_a_problem_for_programs_and_a_page_for_visitors(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(Garment.objects, "with_pictures", lambda: 1 / 0)
    answer = client.get("/api/v1/garments/T-1")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "service.failed"
    monkeypatch.setattr("frontend.views.photos.PhotoForm", lambda: 1 / 0)
    assert "It is not your fault." in client.get("/photos/").content.decode()


def test_a_database_that_does_not_answer_is_a_503_with_when_to_ask_again(client, monkeypatch):
    def down(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(Garment.objects, "with_pictures", down)
    answer = client.get("/api/v1/garments/T-1")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["code"] == "service.unavailable"
