"""Photos and try-ons, as a browser is sent them; the worker's part is written by hand."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from shop.models import Photo, Shopper
from tests.shopping import INLINE, page_of, photo_file, succeed, text_of
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


def card(row) -> str:
    return reverse("frontend:tryon_card", args=[row.request])


def fail(row, sentence):
    TryOn.objects.filter(pk=row.pk).update(
        status="failed", error_code="tryon.crash", error_sentence=sentence, finished=Now()
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
    assert answer.url == page_of(row)
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
    text = text_of(shopper_client.get(page_of(tryon), headers={"Accept-Language": "ko"}))
    assert "저희 쪽에 문제가 생겼어요. 다시 시도해 주세요." in text
    assert reverse("frontend:tryon_retry", args=[tryon.request]) in text


def test_the_picture_is_shown_beside_the_photo_and_can_be_kept(shopper_client, client, tryon):
    succeed(tryon)
    text = text_of(shopper_client.get(page_of(tryon)))
    assert "<before-after" in text
    assert not INLINE.search(text)
    addresses = re.findall(r'src="(/private/[^"]+)"', text)
    assert len(addresses) == 2
    for address in addresses:
        assert shopper_client.get(address).status_code == 200
        assert client.get(address).status_code == 404
    answer = shopper_client.get(page_of(tryon), {"download": "1"})
    assert answer["Content-Disposition"] == 'attachment; filename="try-on-TEE-1.jpg"'


def test_the_picture_stays_when_the_photo_has_expired(shopper_client, tryon, photo):
    succeed(tryon)
    photo.erase(with_results=False)
    text = text_of(shopper_client.get(page_of(tryon)))
    assert "<before-after" not in text
    assert len(re.findall(r'src="/private/', text)) == 1


def test_try_ons_are_listed_and_deleted(shopper_client, tryon):
    succeed(tryon)
    assert page_of(tryon) in text_of(shopper_client.get(TRYONS))
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
