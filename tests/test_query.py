"""Search by words, and by what they look like."""

from types import SimpleNamespace

import numpy as np
import pytest

from recommend import index
from recommend.models import Query, Serving
from recommend.search import fuse, ranked, search
from shop.models import Garment, Variant
from shop.search import Search
from tests.looks import make
from tests.readers import READER, URL, Reader, skus, work

# Triggers note changes at commit, so these tests commit.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reader")]


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


def test_words_that_the_encoder_makes_nothing_of_leave_the_words_order(hanger, monkeypatch):
    monkeypatch.setattr(Reader, "encode_words", lambda self, texts: np.full((len(texts), 2), np.nan))
    ranked(Search(words="navy"))
    work()
    assert Query.objects.values_list("state", "error").get() == ("failed", "encoder.no_vector")
    assert not ranked(Search(words="navy")).waiting
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


def test_a_colour_is_a_family_or_the_name_the_shop_gives_it(client, hanger):
    Garment.objects.filter(sku="polo").update(colour="navy", colour_family="blue")
    Garment.objects.filter(sku="tee").update(colour="snow", colour_family="white", second_colour_family="blue")

    def skus_of(chosen):
        return [entry["garment"]["sku"] for entry in client.get(f"{URL}?q=navy&{chosen}").json()["results"]]

    assert skus_of("colour_family=blue") == ["polo", "tee"]  # whose colour is navy, too
    assert skus_of("colour_family=white&colour_family=red") == ["tee"]
    assert skus_of("colour=navy") == ["polo"]
    assert skus_of("colour_family=blue&colour=snow") == ["tee"]


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
        ("q=tee&colour_family=navy", "colour_family"),
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


def test_the_schema_describes_both_searches(client):
    paths = client.get("/api/v1/schema", headers={"Accept": "application/json"}).json()["paths"]
    for path, more in (("search", {"q", "sort"}), ("search/{query_id}", {"part"})):
        asked = {parameter["name"] for parameter in paths[f"/api/v1/{path}"]["get"]["parameters"]}
        assert {"limit", "cursor", "colour_family", "colour", "size", "price_max", "on_sale"} | more <= asked


# --- The page -------------------------------------------------------------------------------------------------


def test_the_page_shows_looks_too_once_they_are_known(client, hanger):
    first = client.get("/", {"q": "polo"}).content.decode()
    assert 'hx-trigger="load delay:1s"' in first  # one garment: looks may know more
    assert "Soft Knit" not in first
    work()
    then = client.get("/", {"q": "polo"}).content.decode()
    assert 'hx-trigger="load delay:1s"' not in then
    assert then.index("Navy Polo") < then.index("Navy Jeans") < then.index("Navy Tee") < then.index("Soft Knit")


def test_the_page_does_not_ask_for_ever(client, hanger):
    page = client.get("/", {"q": "polo"}, headers={"X-Again": "4"}).content.decode()
    assert 'hx-trigger="load delay:1s"' not in page


def test_the_page_says_what_words_are(client, hanger):
    page = client.get("/", {"q": "!?"}).content.decode()
    assert "there is no letter or digit in this" in page
    assert "Navy Polo" in page
