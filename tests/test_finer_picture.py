"""The card of a click that two engines answer: the preview stays while the finer picture is made, or fails."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from shop.models import Photo
from tests.shopping import page_of, succeed, text_of
from tryon.lease import Lease
from tryon.models import TryOn

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
COMING = "A finer picture is being made"
POLLED = re.compile(r'hx-get="([^"]+)"[^>]*hx-trigger="every 1s"')


@pytest.fixture
def rows(settings, shopper, photo, garment):
    """The preview is there, the finer picture is queued."""
    settings.TRYON_ENGINES = "tests.shopping.TWO_ENGINES"
    quick, finest = TryOn.objects.submit(shopper, photo, garment)
    succeed(quick)
    return quick, finest


def polled(text: str) -> str:
    (address,) = POLLED.findall(text)
    return address.replace("&amp;", "&")


def pictures_in(text: str) -> list[str]:
    return re.findall(r'src="(/private/[^"]+)"', text)


def test_while_both_wait_the_preview_is_awaited(settings, shopper, photo, garment, shopper_client):
    settings.TRYON_ENGINES = "tests.shopping.TWO_ENGINES"
    quick, _finest = TryOn.objects.submit(shopper, photo, garment)
    text = text_of(shopper_client.get(page_of(quick)))
    assert "Yours is next" in text and COMING not in text
    assert f"seen={quick.pk.hex[:8]}" in polled(text)


def test_the_preview_is_shown_and_the_words_below_it_follow_the_finer_one(rows, shopper_client):
    quick, finest = rows
    text = text_of(shopper_client.get(page_of(quick)))
    assert len(pictures_in(text)) == 2
    assert COMING in text and "Yours is next" in text
    address = polled(text)
    assert shopper_client.get(address).status_code == 204

    Lease.claim(finest.pk).enter("generating")
    answer = shopper_client.get(address)
    assert "HX-Retarget" not in answer
    text = text_of(answer)
    assert COMING in text and "Putting the garment on …" in text
    assert pictures_in(text) == []  # the one that is shown stays
    assert shopper_client.get(polled(text)).status_code == 204


def test_the_finer_picture_takes_the_place_of_the_preview(rows, shopper_client):
    quick, finest = rows
    text = text_of(shopper_client.get(page_of(quick)))
    address = polled(text)
    assert "Preview</figcaption>" in text
    succeed(finest)
    answer = shopper_client.get(address)
    assert answer["HX-Retarget"] == f"#tryon-{quick.request}"
    text = text_of(answer)
    assert "The finer picture is ready." in text and "Finer picture</figcaption>" in text
    assert COMING not in text and not POLLED.search(text)


def test_the_time_left_is_that_of_the_finer_one(rows, shopper_client, shopper, photo, garment):
    quick, _finest = rows
    for engine, seconds in (("finest", 40), ("quick", 1)):
        done = TryOn.objects.submit(shopper, photo, garment, engines=[engine])[0]
        succeed(done)
        done.refresh_from_db()
        TryOn.objects.filter(pk=done.pk).update(started=done.finished - seconds * SECOND)
    assert "About 40 seconds" in text_of(shopper_client.get(page_of(quick)))


def test_where_the_finer_one_fails_the_preview_stays_and_it_can_be_tried_again(rows, shopper_client):
    quick, finest = rows
    address = polled(text_of(shopper_client.get(page_of(quick))))
    Lease.claim(finest.pk).fail("engine.out_of_memory", "This took too long.")
    answer = shopper_client.get(address)
    assert "HX-Retarget" not in answer
    text = text_of(answer)
    assert "The finer picture did not work." in text and "This took too long." in text
    assert not POLLED.search(text)
    assert len(pictures_in(text_of(shopper_client.get(page_of(quick))))) == 2

    retry = reverse("frontend:tryon_retry", args=[quick.request])
    assert retry in text
    shopper_client.post(retry)
    assert TryOn.objects.get(retry_of=finest).status == "queued"
    assert TryOn.objects.count() == 3  # the preview is not made again
    assert COMING in text_of(shopper_client.get(page_of(quick)))


def test_who_does_not_want_the_finer_one_keeps_the_preview(rows, shopper_client):
    quick, _finest = rows
    text = text_of(shopper_client.get(page_of(quick)))
    cancel = reverse("frontend:tryon_cancel", args=[quick.request])
    assert cancel in text
    text = text_of(shopper_client.post(cancel, headers={"HX-Request": "true"}))
    assert "The finer picture was canceled." in text and not POLLED.search(text)
    assert len(pictures_in(text)) == 2
    assert [row.status for row in TryOn.objects.request_of(quick.shopper, quick.request).current] == [
        "succeeded",
        "canceled",
    ]


def test_a_failed_finer_picture_of_an_expired_photo_cannot_be_tried_again(rows, shopper_client):
    quick, finest = rows
    Lease.claim(finest.pk).fail("photo.expired", "This photo has expired. Please upload it again.")
    Photo.objects.get().erase(with_results=False)
    text = text_of(shopper_client.get(page_of(quick)))
    assert "The finer picture did not work." in text
    assert reverse("frontend:tryon_retry", args=[quick.request]) not in text


def test_where_the_preview_fails_the_finer_one_is_awaited(settings, shopper, photo, garment, shopper_client):
    settings.TRYON_ENGINES = "tests.shopping.TWO_ENGINES"
    quick, _finest = TryOn.objects.submit(shopper, photo, garment)
    Lease.claim(quick.pk).fail("engine.unchanged", "It did not come out well.")
    text = text_of(shopper_client.get(page_of(quick)))
    assert "It did not come out well." not in text and "Yours is next" in text


def test_without_javascript_the_page_asks_again_until_the_finer_one_is_there(rows, shopper_client):
    quick, finest = rows
    refresh = '<meta http-equiv="refresh"'
    assert refresh in text_of(shopper_client.get(page_of(quick)))
    succeed(finest)
    assert refresh not in text_of(shopper_client.get(page_of(quick)))
