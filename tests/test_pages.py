"""The list, a garment, accounts and errors, as a browser is sent them."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from shop.models import Event, Garment, Photo, Variant
from tests.shopping import INLINE, photo_file, text_of

pytestmark = pytest.mark.django_db

HOME = reverse("frontend:garments")
PHOTOS = reverse("frontend:photos")


@pytest.fixture(autouse=True)
def one_engine(settings):
    settings.TRYON_ENGINES = "tests.shopping.ONE_ENGINE"


def skus(response) -> list[str]:
    return [garment.sku for garment in response.context["page"]]


# --- The list ---


def test_list_shows_what_is_published(client, make_garment):
    make_garment("TEE-1", title="Crew Tee")
    make_garment("TEE-2", title="Hidden Tee", colour="red")
    Garment.objects.filter(sku="TEE-2").update(published=False)
    answer = client.get(HOME)
    assert "Crew Tee" in text_of(answer)
    assert "Hidden Tee" not in text_of(answer)


def test_list_narrows_by_what_the_address_says(client, make_garment):
    make_garment("A", colour="navy")
    make_garment("B", colour="red")
    Garment.objects.filter(sku="B").update(price=90)
    assert skus(client.get(HOME, {"colour": "navy"})) == ["A"]
    assert skus(client.get(HOME, {"min": "50"})) == ["B"]
    assert skus(client.get(HOME, {"q": "red"})) == ["B"]
    answer = client.get(HOME, {"colour": ["navy", "red"], "q": "tee", "page": "1"})
    assert [choice.without for choice in answer.context["active"]] == [
        "?colour=navy&colour=red",
        "?colour=red&q=tee",
        "?colour=navy&q=tee",
    ]


def test_list_says_when_nothing_fits(client, garment):
    answer = client.get(HOME, {"colour": "mauve"})
    assert "No garment fits all of this." in text_of(answer)
    assert client.get(HOME, {"min": "cheap"}).status_code == 200
    assert "A price is a number" in text_of(client.get(HOME, {"min": "cheap"}))


def test_list_comes_in_pages(client):
    rows = [
        Garment(
            sku=f"G{n}", slug=f"g{n}", title=f"G {n}", category="upper", product_type="tee", price=9, published=True
        )
        for n in range(30)
    ]
    Garment.objects.bulk_create(rows)
    first, second = client.get(HOME), client.get(HOME, {"page": "2"})
    assert len(skus(first)) == 24
    assert len(skus(second)) == 6
    assert not set(skus(first)) & set(skus(second))
    assert 'href="?page=2"' in text_of(first)
    assert 'href="?page=1"' in text_of(second)


def test_a_longer_list_asks_the_database_no_more_often(client, make_garment):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get(HOME)
        return len(asked)

    make_garment("A", colour="navy")
    make_garment("B", colour="red")
    queries()  # what is popular is remembered for a while
    few = queries()
    for n in range(4):
        make_garment(f"T{n}", colour=f"colour {n}")
    assert queries() == few


# --- A garment ---


def test_garment_page_tells_price_stock_and_colours(client, make_garment):
    blue = make_garment("B", design="crew", colour="blue", sale_price=15, currency="USD")
    make_garment("R", design="crew", colour="red")
    Variant.objects.create(garment=blue, size="M", stock=2)
    Variant.objects.create(garment=blue, size="L", stock=0)
    text = text_of(client.get(blue.get_absolute_url()))
    assert "$15" in text
    assert "$20" in text
    assert "only 2 left" in text
    assert "sold out" in text
    assert Garment.objects.get(sku="R").get_absolute_url() in text
    assert "Try it on" in text


@pytest.mark.parametrize(("kind", "linked"), [("Dress", False), ("wrap dress", True)])
def test_the_way_to_a_garment_names_nothing_twice(client, kind, linked):
    garment = Garment.objects.create(
        sku="D", title="Wrap", category="dress", product_type=kind, price=9, published=True
    )
    answer = text_of(client.get(garment.get_absolute_url()))
    assert 'href="/?category=dress"' in answer
    assert ('href="/?type=' in answer) == linked


def test_garment_page_says_why_it_cannot_be_tried_on(client, make_garment):
    trousers = make_garment("T", category="lower", product_type="trousers")
    text = text_of(client.get(trousers.get_absolute_url()))
    assert "This kind of garment cannot be tried on yet." in text
    assert 'href="/?category=upper"' in text
    shirt = make_garment("S")
    analysis = shirt.pictures.get().analyses.get()
    analysis.problems = [
        {"code": "garment.cut_off", "sentence": "The garment is cut off. Use a picture that shows all of it."}
    ]
    analysis.save()
    text = text_of(client.get(shirt.get_absolute_url()))
    assert "The picture of this garment does not allow trying it on yet." in text
    assert "Try it on" not in text


def test_unpublished_garment_is_not_there(client, garment):
    Garment.objects.update(published=False)
    assert client.get(garment.get_absolute_url()).status_code == 404


def test_a_view_is_noted_for_shoppers_alone(client, shopper_client, shopper, garment):
    client.get(garment.get_absolute_url())
    assert not Event.objects.exists()
    shopper_client.get(garment.get_absolute_url())
    assert (Event.objects.get().shopper, Event.objects.get().kind) == (shopper, "view")


# --- Accounts, language, errors ---


def test_signing_up_takes_everything_along(client):
    client.post(PHOTOS, {"photo": photo_file()})
    fields = {"username": "mina", "password1": "long and unlikely", "password2": "long and unlikely"}
    answer = client.post(reverse("frontend:sign_up"), fields | {"next": PHOTOS})
    assert answer.url == PHOTOS
    assert Photo.objects.get().shopper.user.username == "mina"
    assert "Sign out" in text_of(client.get(PHOTOS))
    client.post(reverse("frontend:sign_out"))
    assert "Sign in" in text_of(client.get(PHOTOS))


def test_signing_in_leads_nowhere_else(client):
    get_user_model().objects.create_user("mina", password="long and unlikely")
    fields = {"username": "mina", "password": "long and unlikely", "next": "https://elsewhere.example/"}
    assert client.post(reverse("frontend:sign_in"), fields).url == HOME


def test_a_wrong_password_is_told(client):
    answer = client.post(reverse("frontend:sign_in"), {"username": "mina", "password": "?"})
    assert 'role="alert"' in text_of(answer)


def test_language_follows_the_switch(client, garment):
    client.post(reverse("set_language"), {"language": "ko", "next": HOME})
    answer = client.get(HOME)
    assert '<html lang="ko">' in text_of(answer)
    assert "필터" in text_of(answer)


def test_errors_are_in_style(client):
    answer = client.get("/garments/nothing")
    assert answer.status_code == 404
    assert "There is nothing here." in text_of(answer)
    assert "Something went wrong with us." in render_to_string("500.html")
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(PHOTOS, {})
    assert answer.status_code == 403
    assert "This form is too old." in text_of(answer)


@pytest.mark.parametrize(
    "address", ["/garments/a%00b", "/?colour=%00", "/?size=a%00", "/admin/shop/garment/?brand=%00"]
)
def test_no_address_holds_a_nul(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is nothing here." in text_of(answer)
    assert "Content-Security-Policy" in answer


def test_a_cookie_with_a_nul_is_none(client):
    client.cookies["sessionid"] = "a\0" * 16
    assert client.get(PHOTOS).status_code == 200


def test_pages_with_photos_stay_in_the_browser(shopper_client, garment, photo):
    for address in (garment.get_absolute_url(), PHOTOS, reverse("frontend:tryons")):
        assert "private" in shopper_client.get(address)["Cache-Control"]


def test_nothing_inline(shopper_client, garment, photo):
    """The policy forbids styles and scripts in the page."""
    names = ["garments", "photos", "tryons", "sign_in", "sign_up", "privacy"]
    for address in [*(reverse(f"frontend:{name}") for name in names), garment.get_absolute_url()]:
        answer = shopper_client.get(address)
        assert answer.status_code == 200, address
        assert not INLINE.search(text_of(answer)), address
        assert "default-src 'self'" in answer["Content-Security-Policy"]
