"""Rating a picture, and coming from a list, in a real browser."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from shop.models import Event, ShownList
from tests import pictures
from tests.browsing import NAMELESS, PHONE
from tryon.lease import Lease
from tryon.models import Rating

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("transactional_db", "fakes")]

COOKIE = {"name": "shopper", "value": "a stranger's cookie"}


@pytest.fixture
def row(submit):
    row = submit()
    Lease.claim(row.pk).succeed(pictures.encoded(pictures.astronaut()).read(), (512, 512), {})
    return row


@pytest.fixture
def arrive(visit, row):
    """The shopper's browser on the page of the try-on."""

    def go(**options):
        page = visit(**options)
        page.context.add_cookies([COOKIE | {"url": page.url}])
        page.goto(reverse("frontend:tryon", args=[row.request]))
        return page

    return go


def test_a_picture_is_rated_with_the_keyboard(arrive):
    page = arrive(viewport=PHONE)
    page.evaluate("window.same = true")
    good, bad = (page.get_by_role("button", name=name, exact=True) for name in ("Good", "Not good"))
    good.press("Enter")
    expect(page.get_by_role("button", name="Good", exact=True, pressed=True)).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Thank you.")
    bad.press("Enter")
    expect(page.get_by_role("button", name="Not good", pressed=True)).to_be_focused()
    expect(good).to_have_attribute("aria-pressed", "false")
    page.get_by_role("checkbox", name="The garment looks wrong").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Change")).to_be_visible()
    expect(page.get_by_role("checkbox", name="The garment looks wrong")).to_be_checked()
    rating = Rating.objects.get()
    assert (rating.value, rating.reasons) == (-1, ["garment_wrong"])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(NAMELESS) == []
    bad.click()  # pressed already: taken back
    expect(bad).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("window.same") and not Rating.objects.exists()


def test_a_picture_is_rated_without_javascript(arrive):
    page = arrive(java_script_enabled=False)
    page.get_by_role("button", name="Not good").click()
    expect(page).to_have_url(re.compile("#rating-"))
    page.get_by_role("checkbox", name="It does not look like me").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("checkbox", name="It does not look like me")).to_be_checked()
    assert Rating.objects.get().reasons == ["not_me"]


def test_what_is_opened_from_a_list_is_a_click_of_it(arrive, make_garment):
    other = make_garment("TEE-2", title="Other tee", colour="red")
    page = arrive()
    page.goto("/")
    page.locator("#cards").get_by_role("link", name="Other tee").click()
    expect(page.get_by_role("heading", name="Other tee")).to_be_visible()
    page.reload()
    click = Event.objects.get(kind="click")
    assert (click.garment, click.surface) == (other, "catalogue")
    assert ShownList.objects.get(surface="catalogue").clicked
