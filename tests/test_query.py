"""Search by words and by picture: what a worker makes of them, what is found, and what is refused."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from django.test import Client
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.labels import Parse
from preprocessing.person.prepare import PreparedPerson
from recommend import encoders, index, query_receivers, sight, tasks
from recommend.models import Query, QueryLook, Serving
from recommend.search import PictureSearch, fuse, ranked, search
from shop.images import clean_image
from shop.models import ApiKey, Garment, Shopper, Variant
from shop.search import Search
from shop.storage import private_storage
from tests import pictures
from tests.looks import direction, make

# Triggers note changes at commit, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/search"


class Reader:
    """An encoder that reads: words with a number in them look in that direction, pictures by their redness."""

    name, version, label, has_words = "reader", "1", "Reader", True

    def problem(self):
        return ""

    def encode_words(self, texts):
        return np.stack([direction(float("".join(filter(str.isdigit, text)) or 0)) for text in texts])

    def encode(self, pictures):
        return np.stack(
            [direction(90.0 if picture[..., 0].mean() > picture[..., 2].mean() else 0.0) for picture in pictures]
        )


READER = Reader()


@pytest.fixture(autouse=True)
def reader(monkeypatch):
    """An index that looks at every call, and an encoder that reads words."""
    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    monkeypatch.setattr(encoders, "_in_order", lambda *chosen: (READER,))
    return READER


@pytest.fixture
def hanger():
    """Three tops with looks at 0, 30 and 90 degrees, and trousers at 10."""
    make("polo", 0, READER, title="Navy Polo", title_ko="남색 폴로")
    make("tee", 30, READER, title="Navy Tee", brand="Alder")
    make("knit", 90, READER, title="Soft Knit")
    make("jeans", 10, READER, title="Navy Jeans", category="lower")


def work():
    for query in Query.objects.filter(state="pending"):
        tasks.embed_query(str(query.pk))


def skus(found) -> list[str]:
    return [entry.garment.sku for entry in found]


def upload(image=None, name="look.jpg") -> io.BytesIO:
    file = pictures.encoded(image or pictures.tee())
    file.name = name
    return file


def post(client, file=None, **more):
    return client.post(URL, {"image": file or upload()}, **more)


# --- Words --------------------------------------------------------------------------------------------------


def test_words_answer_at_once_and_by_looks_when_a_worker_has_read_them(hanger):
    asked = Search(words="navy 30")
    assert ranked(Search(words="navy")).waiting
    assert skus(search(Search(words="navy"))[0]) == ["jeans", "tee", "polo"]  # the newest first
    work()
    found, order = search(Search(words="navy"))
    assert not order.waiting
    # Both of the others look like it and have the word; the knit only looks like it, far off.
    assert skus(found) == ["jeans", "polo", "tee", "knit"]
    assert order.looks == {Garment.objects.get(sku="knit").pk}
    assert [entry.encoder for entry in found] == ["Reader"] * 4
    assert [entry.score for entry in found] == sorted((entry.score for entry in found), reverse=True)
    assert ranked(asked).waiting  # other words


def test_the_same_words_are_one_row_of_nobody(hanger):
    for words in ("navy", "  NAVY ", "Navy"):
        ranked(Search(words=words))
    (query,) = Query.objects.all()
    assert (query.kind, query.words, query.shopper) == ("words", "navy", None)


def test_looks_do_not_break_filters(hanger):
    Variant.objects.create(garment=Garment.objects.get(sku="knit"), size="M", stock=1)
    ranked(Search(words="0"))
    work()
    assert skus(search(Search(words="0", chosen={"category": ["lower"]}))[0]) == ["jeans"]
    assert skus(search(Search(words="0", chosen={"size": ["M"]}))[0]) == ["knit"]
    assert skus(search(Search(words="0", high=5))[0]) == []
    found, order = search(Search(words="0", chosen={"brand": ["Alder"]}))
    assert (skus(found), order.search.total) == (["tee"], 1)


def test_an_order_that_was_asked_for_stands(hanger):
    assert ranked(Search(words="navy", order="low")) == ranked(Search(words="navy", order="low"), looks=False)
    assert not Query.objects.exists()


def test_without_an_encoder_that_reads_nothing_is_asked(hanger):
    Serving.objects.update(has_words=False)
    assert not ranked(Search(words="navy")).waiting
    assert not Query.objects.exists()


def test_serving_tells_whether_it_reads(hanger):
    Serving.objects.update(has_words=False)
    assert Serving.objects.follow(READER)
    assert Serving.objects.current().has_words
    assert Serving.objects.follow(SimpleNamespace(name="reader", version="1", label="Reader"))
    assert not Serving.objects.current().has_words


def test_a_fault_of_the_index_leaves_the_words_order(hanger, monkeypatch):
    ranked(Search(words="navy"))
    work()

    def fault():
        raise OSError

    monkeypatch.setattr(index, "current", fault)
    assert skus(search(Search(words="navy"))[0]) == ["jeans", "tee", "polo"]


def test_too_many_open_searches_make_no_more(hanger, settings):
    settings.SEARCHES_TOTAL = 1
    ranked(Search(words="one"))
    ranked(Search(words="two"))
    assert Query.objects.count() == 1


def test_fusion():
    assert fuse([1, 2, 3], [3, 1, 4]) == [1, 3, 2, 4]
    assert fuse([], [5]) == [5]


# --- The API of words -----------------------------------------------------------------------------------------


def test_api_of_words(client, hanger):
    answer = client.get(f"{URL}?q=navy").json()
    assert [entry["garment"]["sku"] for entry in answer["results"]] == ["jeans", "tee", "polo"]
    assert (answer["total"], answer["alike"], answer["ranked_by"]) == (3, False, ["words"])
    assert (answer["next"], answer["previous"]) == (None, None)
    answer = client.get(f"{URL}?q=남색").json()
    assert [entry["garment"]["sku"] for entry in answer["results"]] == ["polo"]
    assert client.get(f"{URL}?q=nvy pollo").json()["alike"]


def test_pages_follow_their_first_whatever_comes_meanwhile(client, hanger):
    first = client.get(f"{URL}?q=navy&limit=2").json()
    make("new", 0, READER, title="Navy Coat")
    work()  # the words' looks are known from here on: the order that was begun with stands
    second = client.get(first["next"]).json()
    assert [entry["garment"]["sku"] for entry in first["results"] + second["results"]] == ["jeans", "tee", "polo"]
    assert second["next"] is None
    again = client.get(second["previous"]).json()
    assert again["ranked_by"] == ["words", "Reader"]


def test_the_same_answer_is_not_sent_twice(client, hanger):
    first = client.get(f"{URL}?q=tee")
    again = client.get(f"{URL}?q=tee", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Garment.objects.filter(sku="tee").update(price=11)
    assert client.get(f"{URL}?q=tee", headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=" + "a" * 10_000, "q"),
        ("q=!%3F+%26", "q"),
        ("q=", "q"),
        ("", "q"),
        ("q=tee&limit=0", "limit"),
        ("q=tee&category=hat", "category"),
        ("q=tee&price_min=cheap", "price_min"),
        ("q=tee&price_min=9&price_max=8", "price_max"),
        ("q=tee&sort=best", "sort"),
    ],
)
def test_api_says_what_is_wrong(client, query, field):
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("words", ["платье", "ドレス", "ชุด", "👗 dress", "ﾎﾟﾛ", "Ⅻ", "a\u0301b"])
def test_words_of_any_script_are_no_error(client, hanger, words):
    assert client.get(URL, {"q": words}).status_code in (200, 400)


def test_a_nul_and_a_made_up_cursor_are_not_found(client, hanger):
    for query in ("q=a%00b", "q=tee&cursor=nonsense", "q=tee&cursor=WzEsMl0="):
        assert client.get(f"{URL}?{query}").status_code == 404, query


def test_a_filter_that_matches_nothing_is_an_empty_list(client, hanger):
    answer = client.get(f"{URL}?q=navy&brand=Nobody").json()
    assert (answer["results"], answer["total"], answer["alike"]) == ([], 0, False)


# --- Pictures -------------------------------------------------------------------------------------------------


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


def test_a_cut_out_is_the_garment_on_white():
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
    assert (seen.picture[height // 2, width // 2, 3], seen.picture[0, 0, 3]) == (255, 0)


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
    make("cheap", 80, READER, price=5)
    query = Query(kind="picture", encoder="reader", version="1")
    look = QueryLook(query=query, part="garment", vector=direction(0).tobytes())
    assert skus(PictureSearch(look, Search(high=6)).found(k=3)) == ["cheap"]


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
