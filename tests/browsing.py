"""Chromium, and what the tests of pages ask of it. The fixtures are known everywhere: conftest.py imports them."""

import shutil

import pytest
from playwright.sync_api import Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 375, "height": 812}
PATIENCE = 60_000  # ms; the first picture waits for the networks to be read
# What a screen reader would call each thing that can be used, or "" where it has nothing to say.
NAMELESS = """() => {
  const said = (e) => e.ariaLabel || e.textContent.trim() || e.querySelector("img[alt]:not([alt=''])");
  const used = document.querySelectorAll("a, button, input:not([type=hidden]), select, summary");
  return [...used].filter((e) => !said(e) && ![...(e.labels || [])].some(said)).map((e) => e.outerHTML);
}"""


@pytest.fixture(scope="module")
def chromium():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.skip("no chromium is installed")
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # a loop of Playwright's runs in this thread
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, live_server):
    """A new visitor's page on the shop; at the end, nothing may have been blocked or have failed in it."""
    contexts, complaints = [], []

    def start(path: str = "/", *, faultless: bool = True, **options) -> Page:
        context = chromium.new_context(base_url=live_server.url, **{"locale": "en", **options})
        contexts.append(context)
        page = context.new_page()
        if faultless:
            page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.close()
    assert not complaints


def shows(page: Page, selector: str) -> bool:
    """Whether the picture has arrived and has pixels."""
    picture = page.locator(selector)
    expect(picture).to_be_visible(timeout=PATIENCE)
    return picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth > 100 }")
