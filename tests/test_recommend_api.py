"""Recommendations for programs: similar, goes-with, for-you."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from recommend import encoders, index
from shop.models import ApiKey, Event, Shopper
from tests.looks import make

pytestmark = pytest.mark.django_db(transaction=True)

SIMILAR, GOES_WITH, FOR_YOU = "/api/v1/garments/asked/similar", "/api/v1/garments/asked/goes-with", "/api/v1/for-you"


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    monkeypatch.setattr(encoders, "same_look", lambda name: 0.99)  # there is little room in a plane
    cache.clear()


def found(answer) -> list[str]:
    return [entry["garment"]["sku"] for entry in answer.json()["results"]]


def followed(client, url: str, direction: str = "next") -> list[list[str]]:
    """The garments of each page from this one on."""
    pages = []
    while url:
        answer = client.get(url)
        pages.append(found(answer))
        url = answer.json()[direction]
    return pages


def test_programs_get_similar_garments(client):
    make("asked", 0)
    make("other", 60, title="Striped shirt", sale_price="8.00")
    answer = client.get(f"{SIMILAR}?limit=5")
    assert answer.status_code == 200
    assert answer.json() == {
        "next": None,
        "previous": None,
        "ranking": "diverse",
        "results": [
            {
                "garment": {
                    "sku": "other", "title": "Striped shirt", "slug": "striped-shirt-other", "brand": "",
                    "colour": "other", "price": "8.00", "currency": "USD",
                    "url": "http://testserver/garments/striped-shirt-other",
                    "picture": "http://testserver/media/garments/other.jpg",
                },
                "score": pytest.approx(0.5, abs=2e-3),
                "why": ["Lower price"],
                "encoder": "Plain",
            }
        ],
    }  # fmt: skip


def test_what_goes_with_a_garment(client):
    make("asked", 0, colour="navy")
    make("jeans", 10, category="lower", colour="white")
    (entry,) = client.get(GOES_WITH).json()["results"]
    assert (entry["garment"]["sku"], entry["why"]) == ("jeans", ["White against navy"])


def test_what_is_for_a_shopper(shopper_client, client, shopper):
    seen = make("seen", 0)
    make("near", 20)
    make("men", 10, gender="men")
    Event.objects.create(shopper=shopper, garment=seen, kind="tryon")
    first, *_ = shopper_client.get(FOR_YOU).json()["results"]
    assert (first["garment"]["sku"], first["why"]) == ("near", ["Because you tried on seen"])
    assert "men" not in found(shopper_client.get(FOR_YOU))
    stranger = client.get(FOR_YOU)
    assert sorted(found(stranger)) == ["men", "near", "seen"]
    assert {"Cookie", "Authorization"} <= set(stranger["Vary"].split(", "))


def test_pages_have_everything_once(client):
    make("asked", 0)
    for degrees in range(10, 180, 10):
        make(f"at{degrees}", degrees)
    pages = followed(client, f"{SIMILAR}?limit=5")
    assert [len(page) for page in pages] == [5, 5, 5, 2]
    assert len({sku for page in pages for sku in page}) == 17
    last = f"{SIMILAR}?limit=5"
    for _ in range(3):
        last = client.get(last).json()["next"]
    assert followed(client, last, "previous") == pages[::-1]


def test_pages_neither_skip_nor_repeat_while_garments_come_and_go(client):
    make("asked", 0)
    rows = [make(f"at{degrees}", degrees) for degrees in range(20, 180, 10)]
    first = client.get(f"{SIMILAR}?limit=6")
    gone = next(row for row in rows if row.sku in found(first))
    gone.published = False
    gone.save()
    make("nearest-of-all", 10)
    others = [sku for page in followed(client, first.json()["next"]) for sku in page]
    assert sorted(found(first) + others) == sorted([*(row.sku for row in rows), "nearest-of-all"])


def test_a_list_ends(client, monkeypatch):
    monkeypatch.setattr("recommend.api.paging.MOST", 7)
    make("asked", 0)
    for degrees in range(10, 180, 10):
        make(f"at{degrees}", degrees)
    assert [len(page) for page in followed(client, f"{SIMILAR}?limit=5")] == [5, 2]


@pytest.mark.parametrize("cursor", ["-", "a..b", "zzzzzzzzzzzzz", ".".join("a" * 121)])
def test_a_cursor_of_ones_own_making_is_not_there(client, cursor):
    make("asked", 0)
    answer = client.get(SIMILAR, {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


def test_the_same_list_again_has_no_body(client):
    make("asked", 0)
    other = make("other", 30)
    answer = client.get(SIMILAR)
    again = client.get(SIMILAR, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other.price = 5
    other.save()
    changed = client.get(SIMILAR, headers={"If-None-Match": answer["ETag"]})
    assert (changed.status_code, changed.json()["results"][0]["garment"]["price"]) == (200, "5.00")


def test_filters_may_be_given_several_times(client):
    make("asked", 0)
    for degrees, colour in ((20, "navy"), (40, "rust"), (60, "white")):
        make(colour, degrees, colour=colour, price=degrees)
    assert found(client.get(f"{SIMILAR}?colour=navy&colour=rust")) == ["navy", "rust"]
    assert found(client.get(f"{SIMILAR}?colour_family=blue")) == ["navy"]
    assert found(client.get(f"{SIMILAR}?price_min=30&price_max=50")) == ["rust"]
    assert found(client.get(f"{SIMILAR}?brand=Nobody")) == found(client.get(f"{SIMILAR}?gender=men")) == []
    assert found(client.get(f"{SIMILAR}?category=dress")) == []


@pytest.mark.parametrize(
    "query, field",
    [
        ("limit=0", "limit"), ("limit=49", "limit"), ("limit=many", "limit"), ("category=hat", "category"),
        ("gender=dogs", "gender"), ("colour_family=loud", "colour_family"), ("price_min=much", "price_min"),
        ("price_min=NaN", "price_min"), ("price_min=9&price_max=8", "price_max"), ("ranking=best", "ranking"),
        (f"brand={'x' * 81}", "brand"), ("&".join(["size=M"] * 21), "size"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", [SIMILAR, GOES_WITH, FOR_YOU])
def test_wrong_values_are_refused(client, url, query, field):
    make("asked", 0)
    answer = client.get(f"{url}?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_program_chooses_the_ranking(client):
    make("asked", 0)
    for degrees in (10, 19, 28, -45):
        make(f"at{degrees}", degrees)
    answer = client.get(f"{SIMILAR}?ranking=nearest&limit=3")
    assert (answer.json()["ranking"], found(answer)) == ("nearest", ["at10", "at19", "at28"])


def test_what_is_not_published_is_not_there(client):
    make("draft", 0, published=False)
    for path in ("draft/similar", "nothing/similar", "draft/goes-with"):
        answer = client.get(f"/api/v1/garments/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


def test_a_key_needs_the_scope_and_few_queries(client, django_assert_max_num_queries):
    make("asked", 0)
    for degrees in range(10, 180, 10):
        make(f"at{degrees}", degrees)
    user = get_user_model().objects.create_user("program")
    for scope, status in (("tryon", 403), ("catalogue:read", 200)):
        key = {"Authorization": f"Bearer {ApiKey.issue(user, 'test', [scope])[1]}"}
        assert client.get(SIMILAR, headers=key).status_code == status
    with django_assert_max_num_queries(5):  # key, garment, garments, pictures; the look for changes, once a second
        assert client.get(SIMILAR, headers=key).status_code == 200


def test_a_programs_own_events_count(client):
    make("near", 20)
    seen = make("seen", 0)
    user = get_user_model().objects.create_user("program")
    key = {"Authorization": f"Bearer {ApiKey.issue(user, 'test', ['tryon'])[1]}"}
    Event.objects.create(shopper=Shopper.objects.of_user(user), garment=seen, kind="order", value=1)
    (entry,) = client.get(FOR_YOU, headers=key).json()["results"]
    assert (entry["garment"]["sku"], entry["why"]) == ("near", ["Because you ordered seen"])


def test_the_schema_describes_them(client):
    schema = client.get("/api/v1/schema", headers={"Accept": "application/json"}).json()
    for path in ("garments/{sku}/similar", "garments/{sku}/goes-with", "for-you"):
        asked = {parameter["name"] for parameter in schema["paths"][f"/api/v1/{path}"]["get"]["parameters"]}
        assert {"limit", "cursor", "ranking", "category", "size", "price_max", "colour_family"} <= asked
