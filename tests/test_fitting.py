"""Photos and try-ons, as a browser is sent them; the worker's part is written by hand."""

import re
from html import unescape
from inspect import getsource

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from preprocessing.person import checks as person_checks
from shop.models import Event, Garment, Photo, Shopper
from tests import pictures
from tests.shopping import INLINE, photo_file, text_of
from tryon.models import TryOn

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PHOTOS = reverse("frontend:photos")
TRYONS = reverse("frontend:tryons")
CREATE = reverse("frontend:tryon_create")


@pytest.fixture(autouse=True)
def one_engine(settings):
    settings.TRYON_ENGINES = "tests.shopping.ONE_ENGINE"


@pytest.fixture
def tryon(shopper, photo, garment):
    (row,) = TryOn.objects.submit(shopper, photo, garment)
    return row


def page(row) -> str:
    return reverse("frontend:tryon", args=[row.request])


def card(row) -> str:
    return reverse("frontend:tryon_card", args=[row.request])


def fail(row, sentence):
    TryOn.objects.filter(pk=row.pk).update(
        status="failed", error_code="tryon.crash", error_sentence=sentence, finished=Now()
    )


def succeed(row):
    row.result.save("results/ab/made.jpg", ContentFile(pictures.encoded(pictures.astronaut()).read()), save=False)
    TryOn.objects.filter(pk=row.pk).update(
        status="succeeded",
        result=row.result.name,
        width=512,
        height=512,
        started=Now(),
        finished=Now(),
        expires_at=TryOn.result_expiry(),
    )


def signed_in(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_user("somebody"))
    return client


def test_upload_makes_a_shopper_and_a_photo(client):
    answer = client.post(PHOTOS, {"photo": photo_file()})
    assert answer.status_code == 302
    photo = Photo.objects.get()
    assert Shopper.objects.by_key(client.cookies["shopper"].value) == photo.shopper
    text = text_of(client.get(PHOTOS))
    assert "We are checking this photo" in text
    assert reverse("frontend:photo_card", args=[photo.pk]) in text


def test_upload_of_something_else_is_explained(client):
    file = photo_file()
    file.seek(0)
    file.write(b"%PDF-1.7")
    file.seek(0)
    answer = client.post(PHOTOS, {"photo": file}, headers={"Accept-Language": "ko"})
    assert answer.status_code == 400
    assert "읽을 수 없는 파일이에요" in text_of(answer)
    assert not Photo.objects.exists()
    assert not Shopper.objects.exists()


def test_findings_are_shown(shopper_client, photo):
    sentence = "We cannot see your face. Please choose a photo that shows you from the front, head included."
    photo.findings = [{"code": "photo.face_hidden", "severity": "refuse", "sentence": sentence}]
    photo.save()
    text = text_of(shopper_client.get(PHOTOS))
    assert "This photo cannot be used." in text
    assert sentence in text


def test_findings_are_shown_worst_first_and_the_pose_in_words(shopper_client, photo):
    warn, refuse = (
        {"code": f"photo.{severity}", "severity": severity, "sentence": f"It is {severity}."}
        for severity in ("warn", "refuse")
    )
    Photo.objects.update(findings=[warn, refuse], difficulty="easy")
    text = text_of(shopper_client.get(PHOTOS))
    assert text.index("It is refuse.") < text.index("It is warn.")
    assert "pose" not in text.partition("Add a photo")[0]  # of a photo that cannot be used it is no matter
    for level, words in (("easy", "An easy pose"), ("medium", "some difficulty"), ("hard", "A difficult pose")):
        Photo.objects.update(findings=[], difficulty=level)
        assert words in text_of(shopper_client.get(PHOTOS))


def test_photo_card_answers_when_there_is_news(shopper_client, photo):
    address = reverse("frontend:photo_card", args=[photo.pk])
    assert "A good photo." in text_of(shopper_client.get(address, {"seen": "pending"}))
    Photo.objects.update(state="pending")
    assert shopper_client.get(address, {"seen": "pending"}).status_code == 204


def test_deleting_a_photo_deletes_what_was_made_from_it(shopper_client, photo, tryon):
    shopper_client.post(reverse("frontend:photo_delete", args=[photo.pk]))
    assert not Photo.objects.exists()
    assert not TryOn.objects.exists()


def test_photos_of_others_are_not_there(client_factory, photo):
    for stranger in (client_factory(), signed_in(client_factory())):
        assert stranger.get(reverse("frontend:photo_card", args=[photo.pk])).status_code == 404
        assert stranger.post(reverse("frontend:photo_delete", args=[photo.pk])).status_code == 404
    assert Photo.objects.filter(pk=photo.pk).exists()


def test_the_button_leads_to_the_try_on(shopper_client, garment, photo):
    answer = shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "k"})
    row = TryOn.objects.get()
    assert answer.url == page(row)
    text = text_of(shopper_client.get(answer.url))
    assert '<meta http-equiv="refresh"' in text
    assert "Yours is next" in text


def test_the_button_pressed_twice_asks_once(shopper_client, garment, photo):
    for _ in range(2):
        shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "k"})
    assert TryOn.objects.count() == 1


def test_another_photo_on_the_same_page_is_another_wish(shopper_client, garment, make_photo):
    for photo in (make_photo(), make_photo()):
        shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "k"})
    assert TryOn.objects.count() == 2


def test_with_htmx_the_fitting_room_comes_back(shopper_client, garment, photo):
    answer = shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "k"}, headers=HTMX)
    text = text_of(answer)
    assert "<html" not in text
    assert card(TryOn.objects.get()) in text
    assert 'value="k"' not in text  # the next click is another one


def test_a_new_photo_is_kept_and_worn(client, garment):
    client.post(CREATE, {"garment": garment.slug, "upload": photo_file(), "key": "k"})
    row = TryOn.objects.get()
    assert row.photo == Photo.objects.get()
    assert row.photo.shopper == row.shopper


def test_a_garment_that_cannot_be_named(client):
    assert client.post(reverse("frontend:tryon_create"), {"garment": "a\0b"}).status_code == 404


def test_nobody_chosen(client, garment):
    answer = client.post(CREATE, {"garment": garment.slug})
    assert answer.status_code == 422
    assert "Choose a photo of yourself or one of our models first." in text_of(answer)
    assert not Shopper.objects.exists()


def test_the_photo_of_another_cannot_be_worn(client, garment, photo):
    answer = client.post(CREATE, {"garment": garment.slug, "person": photo.pk})
    assert answer.status_code == 422
    assert not TryOn.objects.exists()


def test_a_refusal_is_told_in_words(shopper_client, garment, photo, settings):
    settings.TRYON_QUEUED_PER_SHOPPER = 1
    shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "a"})
    answer = shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "key": "b"}, headers=HTMX)
    assert answer.status_code == 422
    assert "You have several try-ons under way." in text_of(answer)


def test_card_answers_when_there_is_news(shopper_client, tryon):
    text = text_of(shopper_client.get(card(tryon)))
    seen = re.search(r"\?seen=([\w-]+)", text)[1]
    assert shopper_client.get(card(tryon), {"seen": seen}).status_code == 204
    tryon.cancel()
    text = text_of(shopper_client.get(card(tryon), {"seen": seen}))
    assert "Canceled." in text
    assert "hx-trigger" not in text


def test_cancel_then_once_more(shopper_client, tryon):
    shopper_client.post(reverse("frontend:tryon_cancel", args=[tryon.request]))
    tryon.refresh_from_db()
    assert tryon.status == "canceled"
    shopper_client.post(reverse("frontend:tryon_retry", args=[tryon.request]))
    assert TryOn.objects.get(retry_of=tryon).status == "queued"


def test_failure_is_explained(shopper_client, tryon):
    fail(tryon, "Something went wrong on our side. Please try again.")
    text = text_of(shopper_client.get(page(tryon), headers={"Accept-Language": "ko"}))
    assert "저희 쪽에 문제가 생겼어요. 다시 시도해 주세요." in text
    assert reverse("frontend:tryon_retry", args=[tryon.request]) in text


def test_the_picture_is_shown_beside_the_photo_and_can_be_kept(shopper_client, client, tryon):
    succeed(tryon)
    text = text_of(shopper_client.get(page(tryon)))
    assert "<before-after" in text
    assert not INLINE.search(text)
    addresses = re.findall(r'src="(/private/[^"]+)"', text)
    assert len(addresses) == 2
    for address in addresses:
        assert shopper_client.get(address).status_code == 200
        assert client.get(address).status_code == 404
    answer = shopper_client.get(page(tryon), {"download": "1"})
    assert answer["Content-Disposition"] == 'attachment; filename="try-on-TEE-1.jpg"'


def test_the_picture_stays_when_the_photo_has_expired(shopper_client, tryon, photo):
    succeed(tryon)
    photo.erase(with_results=False)
    text = text_of(shopper_client.get(page(tryon)))
    assert "<before-after" not in text
    assert len(re.findall(r'src="/private/', text)) == 1


def test_try_ons_are_listed_and_deleted(shopper_client, tryon):
    succeed(tryon)
    assert page(tryon) in text_of(shopper_client.get(TRYONS))
    shopper_client.post(reverse("frontend:tryon_delete", args=[tryon.request]))
    assert not TryOn.objects.exists()
    assert "Nothing tried on yet." in text_of(shopper_client.get(TRYONS))


@pytest.mark.parametrize("name", ["tryon", "tryon_card"])
def test_try_ons_of_others_are_not_there(client_factory, tryon, name):
    for stranger in (client_factory(), signed_in(client_factory())):
        assert stranger.get(reverse(f"frontend:{name}", args=[tryon.request])).status_code == 404


@pytest.mark.parametrize("name", ["tryon_cancel", "tryon_retry", "tryon_delete"])
def test_try_ons_of_others_cannot_be_changed(client, tryon, name):
    assert client.post(reverse(f"frontend:{name}", args=[tryon.request])).status_code == 404
    assert TryOn.objects.get().status == "queued"


# --- Outfits ---


@pytest.fixture
def outfits(settings):
    settings.TRYON_ENGINES = "tests.shopping.OUTFITS"


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


def test_what_was_seen_lately_can_be_worn_with_a_garment(outfits, shopper_client, client, garment, make_seen):
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


def test_nothing_is_offered_where_no_engine_does_outfits(shopper_client, garment, make_seen):
    make_seen("jeans")
    assert offered(shopper_client, garment) == []


def test_a_dress_is_worn_alone(outfits, shopper_client, make_seen, make_garment):
    make_seen("jeans")
    assert offered(shopper_client, make_garment("D", category="dress")) == []


def test_an_outfit_is_asked_for_and_shown_by_both_names(outfits, shopper_client, garment, photo, make_seen):
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
    assert "Tee + Jeans" in text_of(shopper_client.get(TRYONS))
    assert "try-on-TEE-1-jeans.jpg" in shopper_client.get(answer.url, {"download": "1"})["Content-Disposition"]
    shopper_client.post(CREATE, asked)  # the same page, without the second garment: another wish
    assert TryOn.objects.count() == 2
    row.worn_with.delete()
    text = text_of(shopper_client.get(answer.url))
    assert "The shop no longer has this garment." in text and "Wear it with" not in text


def test_the_second_garment_stays_chosen(outfits, shopper_client, garment, photo, make_seen):
    make_seen("jeans")
    answer = shopper_client.post(
        CREATE, {"garment": garment.slug, "person": photo.pk, "key": "k", "worn_with": "jeans"}, headers=HTMX
    )
    assert 'name="worn_with" value="jeans" checked' in text_of(answer)


@pytest.mark.parametrize("worn_with", ["NONE", "a\0b", "x" * 65])
def test_a_second_garment_that_is_not_there(outfits, shopper_client, garment, photo, worn_with):
    answer = shopper_client.post(CREATE, {"garment": garment.slug, "person": photo.pk, "worn_with": worn_with})
    assert answer.status_code == 422
    assert not TryOn.objects.exists()


def test_a_finished_try_on_can_get_a_second_garment_by_one_click(outfits, shopper_client, tryon, make_seen):
    succeed(tryon)
    text = text_of(shopper_client.get(page(tryon)))
    assert "Find a bottom to wear with it" in text and 'href="/?age=adult&amp;category=lower"' in text
    make_seen("jeans")
    text = text_of(shopper_client.get(page(tryon)))
    form = re.search(r'<form class="ask companions".*?</form>', text, re.DOTALL)[0]
    asked = dict(re.findall(r'name="(garment|person|key|worn_with)" value="([^"]*)"', form))
    answer = shopper_client.post(CREATE, asked)
    row = TryOn.objects.get(outfit=True)
    assert (answer.url, row.photo, row.worn_with.sku) == (page(row), tryon.photo, "jeans")
    succeed(row)
    assert "companions" not in text_of(shopper_client.get(page(row)))


@pytest.mark.parametrize(
    ("code", "remark"),
    [("photo.legs_outside", "legs-unseen"), ("photo.hips_outside", "legs-unseen"), ("photo.legs_bent", "legs-bent")],
)
def test_a_bottom_comes_with_a_remark_on_photos_that_do_not_suit(
    outfits, shopper_client, make_garment, photo, code, remark
):
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
