"""Try-ons for programs and for the browser: asking, watching, stopping, deleting, and what is refused."""

import io

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from shop.models import ApiKey, Event, Photo, Shopper, ShownList
from tests.pictures import astronaut, encoded
from tryon.lease import Lease
from tryon.models import TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]

URL = "/api/v1/tryons"


@pytest.fixture
def user():
    return get_user_model().objects.create_user("program", password="a-long-password")


@pytest.fixture
def key(user):
    return {"HTTP_AUTHORIZATION": f"Bearer {ApiKey.issue(user, 'test', ['tryon'])[1]}"}


@pytest.fixture
def users_photo(user, make_photo):
    return make_photo(Shopper.objects.of_user(user))


@pytest.fixture
def ask(shopper_client, photo, garment):
    """Ask as the shopper's browser; fields and headers may be given."""

    def post(client=shopper_client, headers=None, **fields):
        body = {"photo": str(photo.pk), "garment": garment.sku, "engines": ["quick"]} | fields
        return client.post(URL, body, content_type="application/json", **(headers or {}))

    return post


def shown_to(user, *garments):
    return ShownList.objects.create(
        shopper=Shopper.objects.of_user(user), surface="similar", garments=[garment.pk for garment in garments]
    )


def finish(request_id, engine="quick"):
    lease = Lease.claim(TryOn.objects.get(request=request_id, engine=engine).pk)
    lease.enter("generating")
    lease.succeed(encoded(astronaut()).read(), (512, 512), {})


def problem_of(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["detail"]
    return answer


# --- That it works ---------------------------------------------------------------------------------------------


def test_ask_watch_and_see_the_picture(ask, shopper_client):
    answer = ask(engines=["quick", "fine"])
    assert answer.status_code == 202
    assert answer["Retry-After"] == "1"
    request = answer.json()
    assert answer["Location"] == f"http://testserver{URL}/{request['id']}"
    assert [(row["engine"], row["status"]) for row in request["rows"]] == [("quick", "queued"), ("fine", "queued")]
    assert request["rows"][0]["queue_position"] == 1
    assert not request["done"]

    finish(request["id"])
    answer = shopper_client.get(answer["Location"])
    quick, fine = answer.json()["rows"]
    assert (quick["status"], quick["stage"], quick["error"]) == ("succeeded", "", None)
    assert quick["seed"] == TryOn.objects.get(pk=quick["id"]).seed
    assert (quick["width"], quick["height"], quick["queue_position"]) == (512, 512, None)
    assert fine["result_url"] is None
    assert answer.json()["best"] == quick["id"]
    assert answer["Retry-After"] == "1"
    picture = shopper_client.get(quick["result_url"])
    assert picture["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.getvalue())).size == (512, 512)

    finish(request["id"], "fine")
    answer = shopper_client.get(f"{URL}/{request['id']}")
    assert answer.json()["done"]
    assert "Retry-After" not in answer
    assert answer.json()["best"] == fine["id"]


def test_a_program_sees_its_picture_without_a_cookie(client, ask, key, users_photo):
    answer = ask(client, key | {"HTTP_IDEMPOTENCY_KEY": "a"}, photo=str(users_photo.pk))
    assert answer.status_code == 202, answer.json()
    finish(answer.json()["id"])
    url = client.get(answer["Location"], **key).json()["rows"][0]["result_url"]
    assert Client().get(url)["Content-Type"] == "image/jpeg"


def test_the_list_is_paged_newest_first(ask, shopper_client):
    ids = [ask().json()["id"] for _ in range(3)]
    page = shopper_client.get(URL, {"limit": 2}).json()
    assert [request["id"] for request in page["results"]] == ids[:0:-1]
    page = shopper_client.get(page["next"]).json()
    assert [request["id"] for request in page["results"]] == ids[:1]
    assert page["next"] is None


def test_the_same_key_gives_the_same_request(ask):
    key = {"HTTP_IDEMPOTENCY_KEY": "click-1"}
    first, second = ask(headers=key), ask(headers=key)
    assert first.json()["id"] == second.json()["id"]
    assert TryOn.objects.count() == 1
    problem_of(ask(headers=key, engines=["fine"]), 422, "tryon.key_reused")


def test_cancel_retry_delete(ask, shopper_client):
    url = ask()["Location"]
    answer = shopper_client.post(f"{url}/cancel")
    assert [row["status"] for row in answer.json()["rows"]] == ["canceled"]
    assert shopper_client.post(f"{url}/cancel").status_code == 200
    answer = shopper_client.post(f"{url}/retry")
    assert (answer.status_code, answer["Location"]) == (202, url)
    assert [row["status"] for row in answer.json()["rows"]] == ["queued"]
    problem_of(shopper_client.post(f"{url}/retry"), 422, "tryon.not_retryable")
    assert shopper_client.delete(url).status_code == 204
    assert shopper_client.get(url).status_code == 404
    assert not TryOn.objects.exists()


def test_an_error_has_a_code_and_a_sentence_in_the_readers_language(ask, shopper_client):
    url = ask()["Location"]
    Lease.claim(TryOn.objects.get().pk).fail("photo.expired", "This photo has expired. Please upload it again.")
    sentences = {
        "en": "This photo has expired. Please upload it again.",
        "ko": "보관 기간이 지난 사진이에요. 다시 올려 주세요.",
    }
    for language, sentence in sentences.items():
        answer = shopper_client.get(url, headers={"accept-language": language}).json()
        assert answer["rows"][0]["error"] == {"code": "photo.expired", "sentence": sentence}


def test_a_model_person_of_the_shop_can_be_used_by_anyone(ask, photo):
    Photo.objects.filter(pk=photo.pk).update(shopper=None, expires_at=None)
    stranger = Client()
    answer = ask(stranger)
    assert answer.status_code == 202
    assert stranger.get(answer["Location"]).status_code == 200


# --- What is refused -------------------------------------------------------------------------------------------


def test_what_is_not_yours_is_not_there(ask, client, key, users_photo):
    problem_of(ask(client), 404, "request.not_found")  # another's photo
    problem_of(ask(client, key | {"HTTP_IDEMPOTENCY_KEY": "a"}), 404, "request.not_found")
    url = ask()["Location"]
    finish(TryOn.objects.get().request)
    for headers in ({}, key):
        assert client.get(url, **headers).status_code == 404
        assert client.post(f"{url}/cancel", **headers).status_code == 404
        assert client.post(f"{url}/retry", **headers).status_code == 404
        assert client.delete(url, **headers).status_code == 404
        assert client.get(URL, **headers).json()["results"] == []
    assert TryOn.objects.count() == 1


def test_a_pictures_link_opens_for_its_shopper_alone(ask, shopper_client, client):
    url = ask()["Location"]
    finish(TryOn.objects.get().request)
    picture = shopper_client.get(url).json()["rows"][0]["result_url"]
    assert client.get(picture).status_code == 404
    assert shopper_client.get(picture[:-3]).status_code == 404
    assert shopper_client.get(picture).status_code == 200
    shopper_client.delete(url)


def test_a_deleted_pictures_link_is_dead(ask, shopper_client, django_capture_on_commit_callbacks):
    url = ask()["Location"]
    finish(TryOn.objects.get().request)
    picture = shopper_client.get(url).json()["rows"][0]["result_url"]
    with django_capture_on_commit_callbacks(execute=True):
        shopper_client.delete(url)
    assert shopper_client.get(picture).status_code == 404


def test_a_program_must_send_an_idempotency_key(ask, client, key, users_photo):
    for headers in (key, key | {"HTTP_IDEMPOTENCY_KEY": "x" * 201}):
        problem_of(ask(client, headers, photo=str(users_photo.pk)), 400, "request.no_idempotency_key")


def test_a_key_without_the_scope_may_not(ask, client, user):
    key = {"HTTP_AUTHORIZATION": f"Bearer {ApiKey.issue(user, 'test', ['catalogue:read'])[1]}"}
    assert ask(client, key).status_code == 403
    assert client.get(URL, **key).status_code == 403
    assert client.get(URL, HTTP_AUTHORIZATION="Bearer fr_unknown").status_code == 401


def test_limits_say_when_to_come_back(ask, settings):
    settings.TRYON_QUEUED_PER_SHOPPER = 0
    assert problem_of(ask(), 429, "tryon.too_many")["Retry-After"] == "10"
    settings.TRYON_QUEUED_PER_SHOPPER, settings.TRYON_QUEUED_TOTAL = 9, 0
    assert problem_of(ask(), 503, "tryon.busy")["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"photo": "not-an-id"}, 400, "request.invalid"),
        ({"garment": ""}, 400, "request.invalid"),
        ({"garment": "NONE"}, 404, "request.not_found"),
        ({"engines": ["unknown"]}, 422, "tryon.engine_unavailable"),
        ({"engines": ["research"]}, 422, "tryon.engine_unavailable"),
    ],
)
def test_bad_requests_say_why(ask, fields, status, code):
    problem_of(ask(**fields), status, code)


def test_a_clients_own_status_and_owner_are_ignored(ask):
    answer = ask(status="succeeded", shopper=1, result="results/aa/x.jpg", attempts=9)
    assert (answer.json()["rows"][0]["status"], answer.json()["rows"][0]["attempts"]) == ("queued", 0)


def test_an_unpublished_garment_cannot_be_tried_on(ask, garment):
    type(garment).objects.update(published=False)
    problem_of(ask(), 404, "request.not_found")


def test_a_browser_needs_the_csrf_token(ask, shopper_client):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = shopper_client.cookies
    assert ask(strict).status_code == 403


# --- Its description -------------------------------------------------------------------------------------------


def test_the_schema_is_valid_without_a_warning(tmp_path):
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert f"{reverse('tryons')}:" in file.read_text()


def test_a_program_says_of_which_list_a_try_on_came(client, ask, key, user, users_photo, make_garment, garment):
    shown = shown_to(user, make_garment("OTHER"), garment)
    headers = key | {"HTTP_IDEMPOTENCY_KEY": "1"}
    answer = ask(client, headers, photo=str(users_photo.pk), list=str(shown.pk))
    assert answer.status_code == 202, answer.json()
    finish(answer.json()["id"])
    event = Event.objects.get(kind="tryon")
    assert (event.list_id, event.surface, event.position) == (shown.pk, "similar", 1)
    shown.refresh_from_db()
    assert shown.tried_on


def test_a_list_that_cannot_be_is_refused(client, ask, key, user, users_photo, make_garment):
    for number in (shown_to(user, make_garment("OTHER")).pk, Shopper.objects.first().pk, users_photo.pk):
        answer = ask(client, key | {"HTTP_IDEMPOTENCY_KEY": "1"}, photo=str(users_photo.pk), list=str(number))
        problem_of(answer, 400, "request.invalid")
        assert "list" in answer.json()["errors"]
    assert not TryOn.objects.exists()


def test_a_browser_names_no_list(ask, user, garment):
    shown = shown_to(user, garment)
    request_id = ask(list=str(shown.pk)).json()["id"]
    assert TryOn.objects.get(request=request_id).list_id is None
