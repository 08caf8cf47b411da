"""What can be worn together, as pages offer it; and what they say of photos that do not suit a bottom."""

import re
from html import unescape
from inspect import getsource

import pytest
from django.urls import reverse

from preprocessing.person import checks as person_checks
from shop.models import Event, Garment, Photo
from tests.shopping import page_of, succeed, text_of
from tryon.models import TryOn

pytestmark = pytest.mark.django_db

CREATE = reverse("frontend:tryon_create")


@pytest.fixture(autouse=True)
def outfits(settings):
    settings.TRYON_ENGINES = "tests.shopping.OUTFITS"


@pytest.fixture
def tryon(shopper, photo, garment):
    (row,) = TryOn.objects.submit(shopper, photo, garment)
    return row


@pytest.fixture
def make_seen(make_garment, shopper):
    """Garments that the shopper has looked at."""

    def make(sku, kind="view", **fields):
        garment = make_garment(sku, **{"title": sku.title(), "category": "lower", "colour": sku} | fields)
        Event.objects.create(shopper=shopper, garment=garment, kind=kind)
        return garment

    return make


def offered(client, garment) -> list[str]:
    """The second garments on offer beside this one; nothing first."""
    return re.findall(r'name="worn_with" value="([^"]*)"', text_of(client.get(garment.get_absolute_url())))


def test_what_was_seen_lately_can_be_worn_with_a_garment(shopper_client, client, garment, make_seen):
    make_seen("old")
    make_seen("worn", kind="tryon")
    make_seen("kids", age_group="kids")
    make_seen("top", category="upper")
    make_seen("hidden")
    make_seen("spoilt").flat.analyses.update(problems=[{"code": "garment.cut_off", "sentence": "Cut off."}])
    Garment.objects.filter(sku="hidden").update(published=False)
    assert offered(shopper_client, garment) == ["", "worn", "old"]
    for number in range(6):
        make_seen(f"new-{number}")
    assert offered(shopper_client, garment) == ["", *(f"new-{number}" for number in range(5, -1, -1))]
    assert offered(shopper_client, Garment.objects.get(sku="old")) == ["", "TEE-1", "top"]
    assert offered(client, garment) == []  # of a stranger nothing is known


def test_nothing_is_offered_where_no_engine_does_outfits(settings, shopper_client, garment, make_seen):
    settings.TRYON_ENGINES = "tests.shopping.ONE_BY_ONE"
    make_seen("jeans")
    assert offered(shopper_client, garment) == []


def test_a_dress_is_worn_alone(shopper_client, make_seen, make_garment):
    make_seen("jeans")
    assert offered(shopper_client, make_garment("D", category="dress")) == []


def test_an_outfit_is_asked_for_and_shown_by_both_names(shopper_client, garment, photo, make_seen):
    make_seen("jeans")
    asked = {"garment": garment.slug, "person": photo.pk, "key": "k"}
    for _ in range(2):
        answer = shopper_client.post(CREATE, asked | {"worn_with": "jeans"})
    row = TryOn.objects.get()
    assert (row.garment.sku, row.worn_with.sku) == ("TEE-1", "jeans")
    succeed(row)
    text = text_of(shopper_client.get(answer.url))
    assert "Preview picture: Tee + Jeans tried on" in text
    assert row.worn_with.get_absolute_url() in text and garment.get_absolute_url() in text
    again = unescape(re.search(r'href="([^"]+)">Try on again', text)[1])
    assert 'name="worn_with" value="jeans" checked' in text_of(shopper_client.get(again))
    assert "Tee + Jeans" in text_of(shopper_client.get(reverse("frontend:tryons")))
    assert "try-on-TEE-1-jeans.jpg" in shopper_client.get(answer.url, {"download": "1"})["Content-Disposition"]
    shopper_client.post(CREATE, asked)  # the same page, without the second garment: another wish
    assert TryOn.objects.count() == 2
    row.worn_with.delete()
    text = text_of(shopper_client.get(answer.url))
    assert "The shop no longer has this garment." in text and "Wear it with" not in text


def test_the_second_garment_stays_chosen(shopper_client, garment, photo, make_seen):
    make_seen("jeans")
    asked = {"garment": garment.slug, "person": photo.pk, "key": "k", "worn_with": "jeans"}
    answer = shopper_client.post(CREATE, asked, headers={"HX-Request": "true"})
    assert 'name="worn_with" value="jeans" checked' in text_of(answer)


@pytest.mark.parametrize("worn_with", ["NONE", "a\0b", "x" * 65])
def test_a_second_garment_that_is_not_there(shopper_client, garment, photo, worn_with):
    answer = shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "worn_with": worn_with})
    assert answer.status_code == 422
    assert not TryOn.objects.exists()


def test_a_finished_try_on_can_get_a_second_garment_by_one_click(shopper_client, tryon, make_seen):
    succeed(tryon)
    text = text_of(shopper_client.get(page_of(tryon)))
    assert "Find a bottom to wear with it" in text and 'href="/?age=adult&amp;category=lower"' in text
    make_seen("jeans")
    text = text_of(shopper_client.get(page_of(tryon)))
    form = re.search(r'<form class="ask companions".*?</form>', text, re.DOTALL)[0]
    asked = dict(re.findall(r'name="(garment|person|key|worn_with)" value="([^"]*)"', form))
    answer = shopper_client.post(CREATE, asked)
    row = TryOn.objects.get(outfit=True)
    assert (answer.url, row.photo, row.worn_with.sku) == (page_of(row), tryon.photo, "jeans")
    succeed(row)
    assert "companions" not in text_of(shopper_client.get(page_of(row)))


@pytest.mark.parametrize(
    ("code", "remark"),
    [("photo.legs_outside", "legs-unseen"), ("photo.hips_outside", "legs-unseen"), ("photo.legs_bent", "legs-bent")],
)
def test_a_bottom_comes_with_a_remark_on_photos_that_do_not_suit(shopper_client, make_garment, photo, code, remark):
    jeans = make_garment("JEANS", category="lower")
    text = text_of(shopper_client.get(jeans.get_absolute_url()))
    assert "aria-describedby" not in text.partition('name="upload"')[0]
    assert f'"{code}"' in getsource(person_checks)
    Photo.objects.update(findings=[{"code": code, "severity": "warn", "sentence": "Legs."}])
    text = text_of(shopper_client.get(jeans.get_absolute_url()))
    assert f'class="{remark}" aria-describedby="{remark}"' in text
    assert f'<p id="{remark}" class="notice remark">' in text
    answer = shopper_client.post(CREATE, {"garment": jeans.slug, "person": photo.pk})
    assert answer.status_code == 302
