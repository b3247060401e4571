"""The survey page in a browser: the tenant's name, the languages, and the look of the scales."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.asking import (
    FACES,
    address,
    has_sent,
    new_survey,
    pulse,
    radio,
    serious_faults_of_both_schemes,
)
from tests.e2e.conftest import NewPage, RunningStack, Watch


@pytest.fixture(scope="module")
def smiles(stack: RunningStack) -> str:
    """A survey with five faces."""
    return new_survey(stack, "csat", "1-5", *FACES)


LOGO = """<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">
  <rect width="120" height="40" fill="#00704a"/></svg>"""
LOGO_URL = "https://cdn.example/logo.svg"


def asked_by(page: Page, **asker: str) -> None:
    """From now on the page is told who asks."""
    told = {"name": None, "logo_url": None, "privacy_url": None, **asker}

    def tell(route: Route) -> None:
        served = route.fetch()
        route.fulfill(response=served, json=served.json() | {"asked_by": told})

    page.route("**/v1/surveys/*", tell)


def test_the_page_shows_who_asks(
    page: Page, watch: Watch, stack: RunningStack, smiles: str
) -> None:
    watch.origins.add("https://cdn.example")
    page.route(LOGO_URL, lambda route: route.fulfill(body=LOGO, content_type="image/svg+xml"))
    policy = "https://bank.example/privacy"
    asked_by(page, name="Zoë & Söhne", logo_url=LOGO_URL, privacy_url=policy)
    page.goto(address(stack, smiles))
    expect(page.get_by_role("banner")).to_have_text("Zoë & Söhne")
    logo = page.get_by_role("banner").locator("img")
    page.wait_for_function("document.querySelector('header img').naturalWidth > 0")
    assert logo.bounding_box() == {**(logo.bounding_box() or {}), "width": 120, "height": 40}
    link = page.get_by_role("link", name="Privacy policy")
    expect(link).to_have_attribute("href", policy)
    assert serious_faults_of_both_schemes(page) == []
    radio(page, "Good").click()
    has_sent(page)
    expect(page.get_by_role("banner")).to_be_visible()  # thanks are said by somebody, too


def test_a_logo_that_cannot_be_had_leaves_no_gap(
    page: Page, watch: Watch, stack: RunningStack, smiles: str
) -> None:
    watch.origins.add("https://cdn.example")
    watch.allow("404")
    page.route(LOGO_URL, lambda route: route.fulfill(status=404))
    asked_by(page, logo_url=LOGO_URL)
    page.goto(address(stack, smiles))
    expect(radio(page, "Good")).to_be_visible()
    expect(page.get_by_role("banner")).to_be_hidden()


def test_of_who_says_nothing_nothing_is_shown(page: Page, stack: RunningStack, smiles: str) -> None:
    page.goto(address(stack, smiles))
    expect(radio(page, "Good")).to_be_visible()
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("contentinfo")).to_be_hidden()


# -- languages and looks


def test_it_speaks_the_visitors_language_or_the_links(
    new_page: NewPage, stack: RunningStack
) -> None:
    page = new_page(locale="de-DE")
    page.goto(address(stack, "support"))
    expect(
        page.get_by_role("group", name="Wie zufrieden sind Sie mit unserer Hilfe?")
    ).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
    page.goto(address(stack, "support", lang="en"))
    expect(radio(page, "So-so")).to_be_visible()


def test_faces_without_labels_have_names(page: Page, stack: RunningStack) -> None:
    survey = new_survey(stack, "csat", "1-5", "--style", "faces")
    page.goto(address(stack, survey))
    expect(radio(page, "2, unhappy")).to_be_visible()
    expect(radio(page, "3, neutral")).to_be_visible()
    radio(page, "4, happy").click()
    has_sent(page)


def test_right_to_left(page: Page, stack: RunningStack) -> None:
    survey = new_survey(stack, "csat", "1-5", *FACES)
    add = ("survey", "add", stack.tenant, survey, "--metric", "csat", "--scale", "1-5")
    arabic = ("--lang", "ar", "--question", "كيف كان؟", "--thanks", "شكرا", "--labels", "١,٢,٣,٤,٥")
    pulse(stack, *add, *arabic)
    page.goto(address(stack, survey, lang="ar"))
    first, last = radio(page, "١").bounding_box(), radio(page, "٥").bounding_box()
    assert first and last and first["x"] > last["x"]
    radio(page, "٥").click()
    expect(page.get_by_role("heading", name="شكرا")).to_be_visible()
    expect(page.get_by_role("button", name="إرسال")).to_be_visible()


@pytest.fixture(
    scope="module",
    params=[
        ("csat", "1-5", "faces"),
        ("nps", "0-10", "numbers"),
        ("ces", "1-7", "stars"),
        ("csat", "1-10", "numbers"),
    ],
    ids=lambda asked: f"{asked[1]} {asked[2]}",
)
def plain(stack: RunningStack, request: pytest.FixtureRequest) -> str:
    """A survey without labels, one of each kind."""
    metric, scale, style = request.param
    return new_survey(stack, metric, scale, "--style", style)


@pytest.mark.only_whole
@pytest.mark.parametrize("width", [390, 1280])
def test_every_scale_fits_fingers_eyes_and_ears(
    new_page: NewPage, stack: RunningStack, plain: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 844})
    page.goto(address(stack, plain))
    choices = page.get_by_role("radio")
    expect(choices.first).to_be_visible()
    for choice in choices.all():
        box = choice.bounding_box()
        assert box and box["height"] >= 43.9 and box["width"] >= 43.9, box
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_faults_of_both_schemes(page) == []
    choices.last.click()
    has_sent(page)
    assert serious_faults_of_both_schemes(page) == []
