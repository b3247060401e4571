"""The dashboard on phones and on paper, in other languages, and with assistive technology."""

import gzip
import re
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.asking import serious_faults_of_both_schemes
from tests.e2e.conftest import NewPage, RunningStack, Watch
from tests.e2e.looking import PAGES, api, enter, settle, show
from tests.sampling import some


@pytest.mark.sampled
@pytest.mark.parametrize("address", some(PAGES, 6))
def test_every_page_fits_a_phone_and_has_no_serious_fault_of_accessibility(
    new_page: NewPage, stack: RunningStack, address: str
) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    enter(page, stack, f"{address}?compare=previous_period")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.set_viewport_size({"width": 1280, "height": 800})
    settle(page)
    assert serious_faults_of_both_schemes(page) == []


@pytest.mark.only_whole
@pytest.mark.parametrize(
    ("locale", "name", "told"),
    [
        ("de-DE", "Übersicht", "Kundenzufriedenheit: "),
        ("fr-FR", "Vue d’ensemble", "Satisfaction client : "),
        ("es-ES", "Resumen", "Satisfacción del cliente: "),
    ],
)
def test_every_page_speaks_the_readers_language_whole(
    new_page: NewPage, stack: RunningStack, locale: str, name: str, told: str
) -> None:
    page = new_page(locale=locale)
    left_out: list[str] = []
    page.on(
        "console",
        lambda said: left_out.append(said.text) if said.text.startswith("not translated") else None,
    )
    enter(page, stack, "/")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    expect(page.locator(".story")).to_contain_text(told)
    for address in PAGES[1:]:
        show(page, stack, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert left_out == []


def test_numbers_and_days_are_those_of_the_browsers_locale(
    new_page: NewPage, stack: RunningStack
) -> None:
    [row] = [
        row
        for row in api(stack, "reports/revenue", granularity="total", group_by="currency")["rows"]
        if row["currency"] == "EUR"
    ]
    page = enter(new_page(locale="de-DE"), stack, "/revenue")
    amount = f"{float(row['revenue']):,.2f}".translate(str.maketrans(",.", ".,"))
    expect(page.locator(".headline .big", has_text="€")).to_have_text(f"{amount}\u00a0€")
    ticks = page.locator("svg text.middle").all_text_contents()
    assert all(re.fullmatch(r"\d+\. \w+\.?", tick) for tick in ticks), ticks


def test_the_language_can_be_chosen_and_is_remembered(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.get_by_label("Language").select_option("es")
    expect(page.get_by_role("heading", name="Satisfacción del cliente", level=1)).to_be_visible()
    settle(page)
    show(page, stack, "/nps")
    expect(page.get_by_role("heading", name="Lealtad", level=1)).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []
    page.get_by_label("Idioma").select_option("en")
    expect(page.get_by_role("heading", name="Loyalty", level=1)).to_be_visible()


@pytest.mark.only_whole
def test_on_a_phone_pages_are_a_list_and_filters_close(
    new_page: NewPage, stack: RunningStack
) -> None:
    page = enter(new_page(viewport={"width": 390, "height": 844}), stack, "/csat")
    show(page, stack, "/nps")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link", name="Revenue")).to_be_hidden()
    pages.get_by_role("button", name="Loyalty").click()
    links = pages.get_by_role("link").all()
    boxes = [box for link in links if (box := link.bounding_box())]
    assert len(boxes) >= 13 and len({box["x"] for box in boxes}) == 1
    assert all(box["height"] >= 40 for box in boxes)
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    assert serious_faults_of_both_schemes(page) == []
    pages.get_by_role("link", name="Satisfaction").click()
    settle(page)
    expect(page.get_by_role("heading", name="Customer satisfaction", level=1)).to_be_visible()
    expect(pages.get_by_role("link", name="Revenue")).to_be_hidden()

    page.get_by_role("button", name="Days and filters").click()
    page.get_by_role("button", name="Channel", exact=True).click()
    page.get_by_label("Chat").check()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Chat")).to_have_count(0)
    page.get_by_role("button", name="Show the page").click()
    expect(page.get_by_label("Days")).to_be_hidden()
    settle(page)
    [row] = api(stack, "reports/csat", channel="chat")["rows"]
    expect(page.locator(".headline")).to_contain_text(f"of {row['responses']:,} answers")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.only_whole
def test_open_filters_and_a_refusal_have_no_serious_fault(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    enter(page, stack, "/csat")
    page.get_by_role("button", name="Channel", exact=True).click()
    expect(page.get_by_label("Chat")).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []
    watch.allow("status of 400")
    show(page, stack, "/rates?preset=someday")
    expect(page.get_by_role("alert").first).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []


def test_the_form_has_no_serious_fault(page: Page, stack: RunningStack) -> None:
    page.goto(stack.url)
    expect(page.get_by_label("Report or operator key")).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []


def test_paper_shows_figures_and_their_tables_alone(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.get_by_role("button", name="CSV").first).to_be_hidden()
    expect(page.locator("section.figure table").first).to_be_visible()


def test_it_weighs_at_most_80_kb_without_the_map(page: Page, stack: RunningStack) -> None:
    page.goto(stack.url)
    sources = page.locator("script[src], link[rel=stylesheet]").evaluate_all(
        "(all) => all.map((each) => each.src || each.href)"
    )
    sizes = []
    for source in sources:
        with urllib.request.urlopen(source, timeout=30) as reply:
            sizes.append(len(gzip.compress(reply.read())))
    assert len(sizes) >= 2
    assert sum(sizes) <= 80_000
