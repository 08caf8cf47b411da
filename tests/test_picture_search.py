"""Search by a picture: what a worker makes of it, what is found, what is refused, and when it is gone."""

import io

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.labels import Parse
from preprocessing.person.prepare import PreparedPerson
from recommend import query_receivers, sight
from recommend.models import Query, QueryLook, Serving
from recommend.search import PictureSearch
from shop.images import clean_image
from shop.models import ApiKey, Garment, Shopper
from shop.search import Search
from shop.storage import private_storage
from tests import pictures
from tests.looks import direction, make
from tests.readers import READER, URL, Reader, post, skus, upload, work

# Triggers note changes at commit, so these tests commit.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reader")]


def test_a_picture_of_a_garment(shopper_client, hanger):
    answer = post(shopper_client)
    assert (answer.status_code, answer["Retry-After"]) == (202, "1")
    assert answer.json()["state"] == "pending"
    work()
    found = shopper_client.get(answer["Location"]).json()
    assert (found["state"], found["part"], found["error"]) == ("done", "garment", None)
    assert [entry["garment"]["sku"] for entry in found["results"]] == ["polo", "jeans", "tee", "knit"]
    assert found["results"][0]["score"] == pytest.approx(1, abs=1e-3)
    (part,) = found["parts"]
    assert shopper_client.get(part["picture_url"]).headers["Content-Type"] == "image/jpeg"
    narrowed = shopper_client.get(answer["Location"], {"category": "upper", "limit": 1}).json()
    assert [entry["garment"]["sku"] for entry in narrowed["results"]] == ["polo"]
    rest = shopper_client.get(narrowed["next"]).json()
    assert [entry["garment"]["sku"] for entry in rest["results"]] == ["tee"]


def test_what_a_person_wears_is_a_choice(shopper_client, hanger, monkeypatch):
    image = np.full((400, 300, 3), 200, np.uint8)
    parse = np.zeros((400, 300), np.uint8)
    parse[50:150, 100:200], parse[150:350, 100:200] = Parse.UPPER, Parse.PANTS
    image[parse == Parse.UPPER], image[parse == Parse.PANTS] = (180, 40, 40), (40, 60, 150)
    person = PreparedPerson(image, np.zeros((33, 4)), parse, parse, parse > 99)
    monkeypatch.setattr(sight, "prepare_person", lambda picture: person)
    location = post(shopper_client)["Location"]
    work()
    found = shopper_client.get(location).json()
    assert [part["part"] for part in found["parts"]] == ["lower", "upper"]  # the largest first
    assert [entry["garment"]["sku"] for entry in found["results"]] == ["jeans"]
    found = shopper_client.get(location, {"part": "upper"}).json()
    assert [entry["garment"]["sku"] for entry in found["results"]] == ["knit", "tee", "polo"]
    missing = shopper_client.get(location, {"part": "dress"})
    assert (missing.status_code, list(missing.json()["errors"])) == (400, ["part"])


def test_a_garment_is_cut_out_on_white_and_as_it_is_worn():
    image = np.full((400, 300, 3), 90, np.uint8)
    parse = np.zeros((400, 300), np.uint8)
    parse[100:300, 100:200] = Parse.DRESS
    image[parse == Parse.DRESS] = 30, 120, 60
    (seen,) = sight.worn_by(PreparedPerson(image, np.zeros((33, 4)), parse, parse, parse > 99))
    assert seen.part == "dress"
    height, width = seen.shown.shape[:2]
    assert (200 <= height <= 230) and (100 <= width <= 130)
    assert seen.shown[0, 0].tolist() == [255, 255, 255]
    assert seen.shown[height // 2, width // 2].tolist() == [30, 120, 60]
    alone, worn = seen.pictures
    assert (alone[height // 2, width // 2, 3], alone[0, 0, 3]) == (255, 0)
    assert worn.shape == alone[..., :3].shape
    assert worn[0, 0].tolist() == [90, 90, 90]


def test_a_real_person_wears_something():
    seen = sight.look(np.asarray(pictures.astronaut()))
    assert seen[0].part in ("upper", "dress")


def test_a_picture_that_shows_nothing(shopper_client, hanger):
    location = post(shopper_client, upload(Image.new("RGB", (600, 600), (250, 250, 250))))["Location"]
    work()
    found = shopper_client.get(location).json()
    assert (found["state"], found["error"]["code"], found["results"]) == ("failed", "search.nothing_seen", [])
    assert found["error"]["sentence"]


def test_several_people_are_not_guessed_between(shopper_client, hanger, monkeypatch):
    def crowd(picture):
        raise Refusal("photo.several_people", "There is more than one person in this photo.")

    monkeypatch.setattr(sight, "prepare_person", crowd)
    location = post(shopper_client)["Location"]
    work()
    assert shopper_client.get(location).json()["error"]["code"] == "photo.several_people"


def test_filters_that_only_the_database_knows(shopper, hanger):
    for number in range(150):
        make(f"dear-{number}", 0, READER, price=90)
    cheap = make("cheap", 80, READER, price=5)
    Garment.objects.filter(pk=cheap.pk).update(colour_family="grey", second_colour_family="red")
    query = Query(kind="picture", encoder="reader", version="1")
    look = QueryLook(query=query, part="garment", vector=direction(0).tobytes())
    for chosen in (Search(high=6), Search(chosen={"colour_family": ["red"]})):
        assert skus(PictureSearch(look, chosen).found(k=3)) == ["cheap"]


@pytest.mark.parametrize(
    ("make_file", "code"),
    [
        (lambda: io.BytesIO(b"no picture at all, but some bytes"), "image.format"),
        (lambda: io.BytesIO(pictures.encoded(pictures.tee()).read()[:3000]), "image.broken"),
        (lambda: upload(Image.new("RGB", (64, 64))), "image.too_small"),
        (lambda: upload(Image.new("RGB", (5200, 5200))), "image.too_many_pixels"),
    ],
)
def test_pictures_that_cannot_be_used(shopper_client, hanger, make_file, code):
    file = make_file()
    file.name = "look.jpg"
    answer = post(shopper_client, file)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Query.objects.exists()


def test_an_empty_upload_and_none(shopper_client, hanger):
    for files in ({}, {"image": io.BytesIO(b"")}):
        answer = shopper_client.post(URL, files)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["image"])


def test_before_anything_is_embedded(shopper_client):
    answer = post(shopper_client)
    assert (answer.status_code, answer.json()["code"]) == (422, "search.no_vectors")


def test_limits(shopper_client, hanger, settings):
    settings.SEARCHES_PER_SHOPPER = 1
    assert post(shopper_client).status_code == 202
    assert post(shopper_client).status_code == 202  # the same picture is the same search
    red = upload(pictures.tee((180, 40, 40)))
    answer = post(shopper_client, red)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "search.too_many", "10")
    settings.SEARCHES_PER_SHOPPER, settings.SEARCHES_TOTAL = 9, 1
    answer = post(shopper_client, upload(pictures.tee((180, 40, 40))))
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "search.busy", "60")


def test_old_pictures_make_room(shopper, hanger, settings):
    settings.SEARCHES_PER_SHOPPER = 1
    for number in range(7):
        Query.objects.store(shopper, clean_image(upload(pictures.tee((number, 40, 40)))))
        work()
    assert Query.objects.pictures_of(shopper).count() == 5


def test_a_strangers_search_is_not_there(shopper_client, hanger):
    location = post(shopper_client)["Location"]
    work()
    picture_url = shopper_client.get(location).json()["parts"][0]["picture_url"]
    stranger = Client()
    assert stranger.get(location).status_code == 404
    assert stranger.delete(location).status_code == 404
    assert stranger.get(picture_url).status_code == 404
    other = Shopper.objects.create(key_hash=Shopper.hash_key("another"))
    assert not Query.objects.pictures_of(other).exists()


def test_a_key_needs_the_scope_of_uploads(client, hanger):
    user = get_user_model().objects.create_user("program")
    keys = [ApiKey.issue(user, "test", [scope])[1] for scope in ("catalogue:read", "tryon")]
    reads, uploads = ({"Authorization": f"Bearer {key}"} for key in keys)
    assert client.get(f"{URL}?q=navy", headers=reads).status_code == 200
    assert post(client, headers=reads).status_code == 403
    location = post(client, headers=uploads)["Location"]
    work()
    found = client.get(location, headers=uploads).json()
    assert len(found["results"]) == 4
    assert Client().get(found["parts"][0]["picture_url"]).status_code == 200  # a program's link opens for its holder


def files() -> set[str]:
    storage = private_storage()
    return {name for folder in ("queries", "cutouts") if storage.exists(folder) for name in storage.listdir(folder)[1]}


def test_deleting_takes_the_pictures_along(shopper_client, hanger):
    before = files()
    location = post(shopper_client)["Location"]
    work()
    assert len(files() - before) == 2
    assert shopper_client.delete(location).status_code == 204
    assert files() == before
    assert shopper_client.get(location).status_code == 404


def test_after_its_hour_it_is_gone(shopper_client, hanger):
    before = files()
    location = post(shopper_client)["Location"]
    work()
    Query.objects.update(expires_at=Now())
    assert shopper_client.get(location).status_code == 404
    query_receivers.expire(None)
    assert not Query.objects.exists()
    assert files() == before


def test_what_was_deleted_meanwhile_is_not_stored(shopper_client, hanger, monkeypatch):
    post(shopper_client)
    before = files()
    encode = Reader.encode

    def slowly(self, found):
        Query.objects.all().delete()
        return encode(self, found)

    monkeypatch.setattr(Reader, "encode", slowly)
    work()
    assert not QueryLook.objects.exists()
    assert not files() - before


def test_another_encoder_looks_anew(shopper_client, hanger, monkeypatch):
    location = post(shopper_client)["Location"]
    work()
    monkeypatch.setattr(Reader, "version", "2")
    Serving.objects.update(version="2")
    assert shopper_client.get(location).json()["state"] == "pending"
    work()
    assert shopper_client.get(location).json()["state"] == "done"
    assert Query.objects.get().version == "2"


def test_a_lost_message_is_sent_again(hanger, shopper_client, monkeypatch):
    post(shopper_client)
    sent = []
    monkeypatch.setattr(query_receivers, "publish", lambda task, pk, **how: sent.append(pk) or True)
    query_receivers.send_again(None)
    assert sent == [Query.objects.get().pk]
    query_receivers.send_again(None)
    assert len(sent) == 1


def test_signing_in_takes_searches_along(shopper_client, shopper, hanger):
    post(shopper_client)
    other = Shopper.objects.of_user(get_user_model().objects.create_user("me"))
    shopper.move_to(other)
    assert Query.objects.pictures_of(other).exists()


# --- The pages ------------------------------------------------------------------------------------------------


def test_pages_of_a_picture(shopper_client, hanger):
    begin = reverse("frontend:picture_search")
    assert begin in shopper_client.get("/").content.decode()
    assert shopper_client.get(begin).status_code == 200
    sent = shopper_client.post(begin, {"picture": upload()})
    assert sent.status_code == 302
    waiting = shopper_client.get(sent["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert shopper_client.get(sent["Location"], {"seen": "1"}).status_code == 204
    work()
    page = shopper_client.get(sent["Location"], {"seen": "1"}).content.decode()
    assert 'hx-trigger="every 1s"' not in page
    assert page.index("Navy Polo") < page.index("Navy Jeans") < page.index("Soft Knit")
    narrowed = shopper_client.get(sent["Location"], {"category": "lower"}).content.decode()
    assert "Navy Jeans" in narrowed
    assert "Navy Polo" not in narrowed
    assert sent["Location"] in shopper_client.get(begin).content.decode()  # to come back to
    assert Client().get(sent["Location"]).status_code == 404
    shopper_client.post(reverse("frontend:picture_delete", args=[Query.objects.get().pk]))
    assert shopper_client.get(sent["Location"]).status_code == 404


def test_the_page_says_why_a_picture_will_not_do(shopper_client, hanger):
    begin = reverse("frontend:picture_search")
    answer = shopper_client.post(begin, {"picture": upload(Image.new("RGB", (64, 64)))})
    assert (answer.status_code, "too few pixels" in answer.content.decode()) == (400, True)
    assert "Choose a picture first." in shopper_client.post(begin).content.decode()
    sent = shopper_client.post(begin, {"picture": upload(Image.new("RGB", (600, 600), (250, 250, 250)))})
    work()
    assert "shows nothing to search for" in shopper_client.get(sent["Location"]).content.decode()


def test_more_is_a_page_of_its_own(shopper_client, hanger):
    for number in range(30):
        make(f"more-{number}", 20, READER)
    sent = shopper_client.post(reverse("frontend:picture_search"), {"picture": upload()})
    work()
    first = shopper_client.get(sent["Location"]).content.decode()
    assert "?page=2" in first
    second = shopper_client.get(sent["Location"], {"page": "2"}).content.decode()
    assert "Soft Knit" in second
    assert "Soft Knit" not in first
