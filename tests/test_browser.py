"""The shop in a real browser, on a real server, with a real worker that makes the pictures."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from shop.models import Event, Garment, Photo
from tests import pictures
from tests.browsing import NAMELESS, PATIENCE, PHONE, shows
from tryon.lease import Lease
from tryon.models import TryOn

pytestmark = pytest.mark.slow


@pytest.fixture
def me(tmp_path):
    """A photo of a person, as a file."""
    path = tmp_path / "me.jpg"
    path.write_bytes(pictures.encoded(pictures.astronaut(), quality=92).read())
    return path


def try_on(page: Page, garment: Garment, photo) -> str:
    """The address of a try-on whose picture is there."""
    page.goto(garment.get_absolute_url())
    page.get_by_label("Or use a new photo of yourself").set_input_files(photo)
    expect(page.locator("photo-input img")).to_be_visible()
    page.get_by_role("button", name="Try it on").click()
    assert shows(page, ".tryon.succeeded .after img")
    return page.get_by_role("link", name="Larger").get_attribute("href")


def test_a_photo_is_brought_and_a_garment_tried_on(visit, worker, garment, me):
    page = visit("/photos/")
    page.get_by_label("Your photo", exact=True).set_input_files(me)
    expect(page.locator("photo-input img")).to_be_visible()
    page.get_by_role("button", name="Use this photo").click()
    expect(page.locator(".photo.done")).to_contain_text("This photo works.", timeout=PATIENCE)

    page.goto(garment.get_absolute_url())
    expect(page.get_by_role("radio", name="Your photo 1")).to_be_checked()
    page.get_by_role("button", name="Try it on").click()
    assert shows(page, ".tryon.succeeded .after img")
    assert shows(page, ".tryon.succeeded .before img")

    page.get_by_role("link", name="Larger").click()
    slider = page.get_by_role("slider")
    before = page.locator("before-after").evaluate("(e) => getComputedStyle(e).getPropertyValue('--shown')")
    slider.press("ArrowLeft")
    after = page.locator("before-after").evaluate("(e) => getComputedStyle(e).getPropertyValue('--shown')")
    assert before == "50%" != after
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "try-on-TEE-1.jpg"

    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_text("The try-on is deleted.")).to_be_visible()
    assert not TryOn.objects.exists()


def test_a_garments_picture_stays_in_view_and_fits_into_the_window(visit, garment):
    page = visit(garment.get_absolute_url(), viewport={"width": 1024, "height": 500})
    picture = page.locator(".pictures .frame")
    assert picture.bounding_box()["height"] < 500
    page.get_by_role("button", name="Try it on").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    box = picture.bounding_box()
    assert box["y"] == 24
    assert box["x"] + box["width"] < page.locator("#fitting").bounding_box()["x"]


def test_a_finer_picture_takes_the_place_of_the_preview(visit, worker, settings, garment, me):
    settings.TRYON_ENGINES = "tests.shopping.TWO_ENGINES"
    page = visit(viewport=PHONE)
    try_on(page, garment, me)
    caption = page.locator(".after figcaption")
    expect(caption).to_have_text("Preview")
    expect(page.get_by_text("A finer picture is being made")).to_be_visible()
    page.get_by_role("slider").fill("80")
    preview = page.locator(".after img").get_attribute("src")
    expect(page.get_by_text("Putting the garment on …")).to_be_visible()
    assert page.locator(".after img").get_attribute("src") == preview  # words come and go without it
    expect(caption).to_have_text("Finer picture")
    assert shows(page, ".tryon.succeeded .after img")
    expect(page.get_by_role("slider")).to_have_value("80")
    expect(page.locator("#announcer")).to_have_text("The finer picture is ready.")
    expect(page.get_by_text("A finer picture is being made")).to_have_count(0)
    assert set(TryOn.objects.values_list("engine", "status")) == {("quick", "succeeded"), ("finest", "succeeded")}


def test_a_finer_picture_that_fails_leaves_the_preview(visit, worker, settings, garment, me):
    settings.TRYON_ENGINES = "tests.shopping.PREVIEW_AND_FAULT"
    page = visit()
    try_on(page, garment, me)
    words = page.locator(".finer")
    expect(words).to_contain_text("The finer picture did not work.", timeout=PATIENCE)
    expect(page.locator(".after figcaption")).to_have_text("Preview")
    assert shows(page, ".tryon.succeeded .after img")
    page.get_by_role("button", name="Try the finer picture again").click()
    expect(words).to_contain_text("A finer picture is being made")
    expect(words).to_contain_text("The finer picture did not work.", timeout=PATIENCE)
    assert list(TryOn.objects.filter(engine="quick").values_list("status", flat=True)) == ["succeeded"]


def test_without_javascript(visit, worker, garment, me):
    page = visit(garment.get_absolute_url(), java_script_enabled=False)
    page.get_by_label("Or use a new photo of yourself").set_input_files(me)
    page.get_by_role("button", name="Try it on").click()
    page.wait_for_url(re.compile("/try-ons/[0-9a-f-]+$"))
    expect(page.locator(".tryon.succeeded")).to_be_visible(timeout=PATIENCE)  # the page asks again by itself
    for picture in page.locator(".compare img").all():
        assert page.request.get(picture.get_attribute("src")).ok
    page.goto("/?colour=blue")
    expect(page.get_by_text("1 garment", exact=True)).to_be_visible()


def test_an_outfit_is_put_together_with_the_keyboard(visit, worker, settings, garment, make_garment, photo, shopper):
    settings.TRYON_ENGINES = "tests.shopping.OUTFITS"
    jeans = make_garment("JEANS-1", title="Jeans", category="lower")
    Event.objects.create(shopper=shopper, garment=jeans, kind="view")
    cut = {"code": "photo.legs_outside", "severity": "warn", "sentence": "We cannot see your legs."}
    Photo.objects.update(findings=[cut])
    page = visit(viewport=PHONE)
    page.context.add_cookies([{"name": "shopper", "value": "a stranger's cookie", "url": page.url}])
    page.goto(garment.get_absolute_url())
    note = page.get_by_text("This photo does not show your legs in full")
    expect(note).to_be_hidden()  # a top is worn without legs
    page.get_by_role("radio", name="Nothing else").press("ArrowRight")
    expect(page.get_by_role("radio", name="Jeans, blue")).to_be_checked()
    expect(note).to_be_visible()
    expect(page.get_by_role("radio", name="Your photo 1")).to_have_accessible_description(re.compile("your legs"))
    page.get_by_role("button", name="Try it on").press("Enter")
    assert shows(page, ".tryon.succeeded .after img")
    expect(page.get_by_alt_text("Preview picture: Tee + Jeans tried on")).to_be_visible()
    expect(page.get_by_role("radio", name="Jeans, blue")).to_be_checked()
    assert TryOn.objects.get().notes["worn"] == ["upper", "lower"]


def test_a_second_garment_joins_a_finished_try_on_without_javascript(
    visit, worker, settings, garment, make_garment, photo, shopper
):
    settings.TRYON_ENGINES = "tests.shopping.OUTFITS"
    jeans = make_garment("JEANS-1", title="Jeans", category="lower")
    Event.objects.create(shopper=shopper, garment=jeans, kind="view")
    (row,) = TryOn.objects.submit(shopper, photo, garment)
    page = visit(java_script_enabled=False)
    page.context.add_cookies([{"name": "shopper", "value": "a stranger's cookie", "url": page.url}])
    page.goto(reverse("frontend:tryon", args=[row.request]))
    page.get_by_role("button", name="Jeans, blue").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Tee + Jeans")).to_have_count(1)
    expect(page.locator(".tryon.succeeded")).to_be_visible(timeout=PATIENCE)
    assert TryOn.objects.get(outfit=True).notes["worn"] == ["upper", "lower"]


def test_a_try_on_is_its_owners_alone(visit, worker, garment, me):
    page = visit()
    address = try_on(page, garment, me)
    picture = page.locator(".after img").get_attribute("src")
    stranger = visit()
    assert page.request.get(address).status == 200
    assert page.request.get(picture).status == 200
    assert stranger.request.get(address).status == 404
    assert stranger.request.get(picture).status == 404


def test_what_waits_can_be_canceled(visit, worker, garment, photo, shopper):
    page = visit()
    page.context.add_cookies([{"name": "shopper", "value": "a stranger's cookie", "url": page.url}])
    worker.freeze()
    try:
        TryOn.objects.submit(shopper, photo, garment)
        page.goto(reverse("frontend:tryon", args=[TryOn.objects.get().request]))
        expect(page.get_by_text("Yours is next")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".tryon .say")).to_have_text("Canceled.")
        expect(page.locator("#announcer")).to_have_text("Canceled.")
    finally:
        worker.thaw()
    assert TryOn.objects.get().status == "canceled"


def test_the_admin_keeps_to_the_policy(visit, worker, admin_user, make_garment):
    garment = make_garment()
    page = visit("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    for address in ("", f"{garment.pk}/change/", "add/"):
        page.goto(f"/admin/shop/garment/{address}")
        assert page.evaluate("htmx.version")


def test_a_lost_connection_is_told_and_mended(visit, transactional_db, garment, photo, shopper):
    TryOn.objects.submit(shopper, photo, garment)
    page = visit(faultless=False)
    page.context.add_cookies([{"name": "shopper", "value": "a stranger's cookie", "url": page.url}])
    page.route("**/card?*", lambda route: route.abort())
    page.goto(reverse("frontend:tryon", args=[TryOn.objects.get().request]))
    expect(page.locator(".trouble")).to_contain_text("The connection is lost.")
    page.unroute("**/card?*")
    expect(page.locator(".trouble")).to_be_hidden()


def test_filters_change_the_list_in_place(visit, transactional_db, make_garment):
    make_garment("A", title="Blue tee", colour="blue")
    make_garment("B", title="Red tee", colour="red")
    page = visit()
    page.evaluate("window.same = true")
    page.get_by_role("checkbox", name="Red").check()
    expect(page.get_by_text("Blue tee")).to_have_count(0)
    expect(page.get_by_role("heading", name="Garments")).to_be_visible()
    assert page.url.endswith("/?colour_family=red")
    assert page.evaluate("window.same")
    expect(page.get_by_role("checkbox", name="Red")).to_be_focused()
    page.get_by_label("Sort by").select_option("high")
    expect(page).to_have_url(re.compile(r"/\?colour_family=red&sort=high$"))
    page.evaluate("history.back()")
    expect(page).to_have_url(re.compile(r"/\?colour_family=red$"))
    expect(page.get_by_role("heading", name="Garments")).to_be_visible()
    page.evaluate("history.back()")
    expect(page.get_by_text("Blue tee")).to_be_visible()


def test_more_garments_join_the_list(visit, transactional_db):
    for n in range(30):
        Garment.objects.create(
            sku=f"G{n}", title=f"Garment {n}", category="upper", product_type="top", price=9, published=True
        )
    page = visit()
    expect(page.locator("#cards .tile")).to_have_count(24)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#cards .tile")).to_have_count(30)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_fits_a_phone_and_has_names(
    visit, transactional_db, settings, garment, make_garment, photo, shopper, language
):
    settings.TRYON_ENGINES = "tests.shopping.OUTFITS"
    jeans = make_garment("JEANS-1", title="Jeans", category="lower")
    Event.objects.create(shopper=shopper, garment=jeans, kind="view")
    page = visit("/", viewport=PHONE, locale=language)
    page.context.add_cookies([{"name": "shopper", "value": "a stranger's cookie", "url": page.url}])
    waits, single, outfit = (
        TryOn.objects.submit(shopper, photo, garment, worn_with=second)[0] for second in (None, None, jeans)
    )
    for row in (single, outfit):
        Lease.claim(row.pk).succeed(pictures.encoded(pictures.astronaut()).read(), (512, 512), {})
    names = ["garments", "photos", "tryons", "sign_in", "sign_up", "privacy"]
    addresses = [*(reverse(f"frontend:{name}") for name in names), garment.get_absolute_url()]
    addresses += [reverse("frontend:tryon", args=[row.request]) for row in (waits, single, outfit)]
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
        assert page.evaluate(NAMELESS) == [], address
        assert page.locator("h1").count() == 1, address
        assert page.locator("html").get_attribute("lang") == language
