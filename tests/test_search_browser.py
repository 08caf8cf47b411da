"""Searching in a real browser: by words and by a picture, with colours and other choices beside the list."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from recommend import index
from recommend.models import Embedding, Query
from shop.images import clean_image
from shop.models import Garment, GarmentPicture
from tests import pictures
from tests.browsing import NAMELESS, PATIENCE, PHONE, shows
from tests.workers import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("transactional_db")]

FEW = [("red", 20, "women"), ("burgundy", 10, "men"), ("navy", 30, "women")]


def add(sku: str, **fields) -> Garment:
    fields = {"title": f"Tee {sku}", "category": "upper", "product_type": "t-shirt", "price": 25} | fields
    return Garment.objects.create(sku=sku, published=True, **fields)


@pytest.fixture
def few():
    """Two red tees and a blue one, without pictures, and a skirt."""
    add("skirt", title="Skirt", category="lower", product_type="skirt", colour="green")
    for colour, price, gender in FEW:
        add(colour, colour=colour, price=price, gender=gender)


@pytest.fixture
def many(few):
    for number in range(27):
        add(f"b{number}", colour="navy")


@pytest.fixture
def seen(worker, monkeypatch):
    """A red and a blue tee and green trousers that the worker has looked at; an index that looks at every call."""
    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    for colour, rgb, category in (
        ("red", (180, 40, 40), "upper"),
        ("blue", (40, 90, 170), "upper"),
        ("green", (47, 122, 70), "lower"),
    ):
        picture = clean_image(pictures.encoded(pictures.tee(rgb)))
        GarmentPicture.objects.store(add(colour, colour=f"{colour} of ours", category=category), picture, role="flat")
    wait_for(lambda: Embedding.objects.filter(state="done").count() == 3, 60, "three vectors")
    wait_for(lambda: Garment.objects.exclude(colour_family="").count() == 3, 60, "three colours")


@pytest.fixture
def file(tmp_path):
    """A picture as a file, by what draws it."""

    def store(draw):
        path = tmp_path / "seen.jpg"
        path.write_bytes(pictures.encoded(draw()).read())
        return path

    return store


def names(page: Page) -> list[str]:
    return page.locator("#cards .name").all_inner_texts()


def test_words_then_a_colour_then_back(visit, many):
    page = visit()
    page.get_by_role("searchbox", name="Search garments").fill("tee")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Results for “tee”")).to_be_visible()
    page.wait_for_load_state()  # from here on choices are taken in place
    expect(page.get_by_role("status").filter(has_text="30 garments")).to_be_visible()
    expect(page.get_by_text("24 of 30")).to_be_visible()
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#cards .tile")).to_have_count(30)

    page.evaluate("window.same = true")
    red = page.get_by_role("group", name="Colour").get_by_role("checkbox", name="Red 2")
    red.press("Space")
    expect(page.get_by_text("2 garments", exact=True)).to_be_visible()
    assert names(page) == ["Tee burgundy", "Tee red"]
    assert page.url.endswith("/?q=tee&colour_family=red")
    expect(red).to_be_checked()
    expect(red).to_be_focused()
    expect(page.get_by_role("group", name="Shade").get_by_role("checkbox")).to_have_count(2)

    page.get_by_role("group", name="Shade").get_by_role("checkbox", name="Burgundy").check()
    expect(page.get_by_text("1 garment", exact=True)).to_be_visible()
    page.get_by_role("link", name="Remove Burgundy").click()
    expect(page.get_by_text("2 garments", exact=True)).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("Sort by").select_option("high")
    expect(page).to_have_url(re.compile(r"/\?q=tee&colour_family=red&sort=high$"))
    expect(page.locator("#cards .name")).to_have_text(["Tee red", "Tee burgundy"])
    red.uncheck()
    expect(page.get_by_text("30 garments", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?q=tee&sort=high$"))
    expect(page.get_by_role("group", name="Shade")).to_have_count(0)


def test_the_page_stays_where_it_is_when_the_list_changes(visit, many):
    page = visit("/?q=tee", viewport={"width": 1280, "height": 300})
    blue = page.get_by_role("checkbox", name="Blue 28")
    blue.focus()
    before = page.evaluate("scrollY")
    blue.press("Space")
    expect(page.get_by_text("28 garments", exact=True)).to_be_attached()
    assert before == page.evaluate("scrollY") > 0


def test_what_nothing_fits_leads_back_to_everything(visit, few):
    page = visit("/?q=zzzz")
    expect(page.get_by_text("No garment fits all of this.")).to_be_visible()
    page.get_by_role("link", name="See all garments").click()
    expect(page.locator("#cards .tile")).to_have_count(4)


def test_an_old_address_keeps_its_shade(visit, few):
    page = visit("/?colour=navy&colour=red")
    assert names(page) == ["Tee navy", "Tee red"]
    expect(page.get_by_role("group", name="Shade").get_by_role("checkbox", name="Navy")).to_be_checked()
    page.get_by_role("group", name="Colour").get_by_role("checkbox", name="Blue").check()
    expect(page.locator("#cards .name")).to_have_text(["Tee navy"])
    expect(page).to_have_url(re.compile(r"/\?colour_family=blue&colour=\w+&colour=\w+$"))


def test_words_without_javascript(visit, few):
    page = visit(java_script_enabled=False)
    page.get_by_role("searchbox", name="Search garments").fill("tee")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("checkbox", name="Red").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("2 garments", exact=True)).to_be_visible()
    assert names(page) == ["Tee burgundy", "Tee red"]
    page.get_by_role("link", name="Remove Red").click()
    expect(page.get_by_text("3 garments", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("language", "filters", "red", "show"), [("en", "Filters", "Red", "Show"), ("ko", "필터", "빨강", "보기")]
)
def test_choices_on_a_phone(visit, few, language, filters, red, show):
    page = visit("/?q=tee", viewport=PHONE, locale=language)
    drawer = page.locator(".drawer > summary")
    expect(drawer).to_have_text(re.compile(filters))
    drawer.press("Enter")
    page.get_by_role("checkbox", name=red).press("Space")
    expect(page.locator("#chosen-count")).to_have_text("2")  # the word is one
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("button", name=show, exact=True).click()
    expect(page.get_by_role("checkbox", name=red)).to_be_hidden()
    expect(page.locator("#cards .tile")).to_have_count(2)


def test_a_picture_is_searched_by(visit, seen, file):
    page = visit()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("link", name="Search by picture").click()
    chooser.value.set_files(file(lambda: pictures.tee((50, 100, 175), size=(700, 560))))
    page.wait_for_url(re.compile("/search/picture/[0-9a-f-]+$"))
    expect(page.get_by_role("heading", name="What looks like it")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#announcer")).to_have_text("Here is what looks like it.")
    assert shows(page, ".searched img")
    assert names(page)[0] == "Tee blue"
    assert set(names(page)) == {"Tee blue", "Tee red", "Tee green"}

    page.get_by_role("checkbox", name="Red 1").check()
    expect(page.locator("#cards .name")).to_have_text(["Tee red"])
    expect(page).to_have_url(re.compile(r"\?part=garment&colour_family=red$"))
    page.get_by_role("link", name="Remove Red").click()
    expect(page.locator("#cards .tile")).to_have_count(3)

    page.get_by_role("button", name="Delete it now").click()
    expect(page.get_by_text("The picture and what was cut out of it are deleted.")).to_be_visible()
    assert not Query.objects.exists()


def test_what_a_person_wears_is_searched_by_without_javascript(visit, seen, file):
    page = visit(java_script_enabled=False, viewport=PHONE)
    page.get_by_role("link", name="Search by picture").click()
    page.get_by_label("Your picture").set_input_files(file(pictures.astronaut))
    page.locator("main").get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("heading", name="What looks like it")).to_be_visible(timeout=PATIENCE)  # it asks by itself
    expect(page.get_by_role("navigation", name="What to search for").get_by_role("link", name="Top")).to_be_visible()
    assert set(names(page)) == {"Tee blue", "Tee red"}  # the trousers are none
    page.locator(".drawer > summary").click()
    page.get_by_role("checkbox", name="Blue").check()
    page.get_by_role("button", name="Show", exact=True).click()
    assert names(page) == ["Tee blue"]
    page.goto(reverse("frontend:picture_search"))
    page.get_by_role("link", name="Search by this picture again").click()
    page.get_by_role("button", name="Delete it now").click()
    expect(page.get_by_text("The picture and what was cut out of it are deleted.")).to_be_visible()


def test_a_picture_too_small_to_search_by_is_refused(visit, few, file):
    page = visit(reverse("frontend:picture_search"), locale="ko", faultless=False)  # answered with 400
    page.locator("#picture").set_input_files(file(lambda: pictures.tee().resize((40, 40))))
    page.locator("main").get_by_role("button", name="검색", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("사진")
    assert not Query.objects.exists()
