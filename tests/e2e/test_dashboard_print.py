"""The dashboard on paper, read back from the PDF that the browser prints."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect
from pypdf import PageObject, PdfReader

from tests.e2e.conftest import RunningStack
from tests.e2e.looking import PAGES, api, enter, settle


def printed(page: Page) -> list[PageObject]:
    """The sheets, as the browser's own dialogue would print them."""
    sheets = PdfReader(BytesIO(page.pdf(format="A4", prefer_css_page_size=True))).pages
    return list(sheets)


def cells(page: Page) -> set[str]:
    """The words of every table, as they stand on paper: of the closed ones too."""
    page.emulate_media(media="print")
    texts = page.locator("th, td").all_inner_texts()
    hidden = page.locator("th .unseen, td .unseen").all_inner_texts()
    unseen = {text.strip() for text in hidden}
    page.emulate_media(media="null")
    texts = [line for text in texts for line in text.splitlines() if line.strip() not in unseen]
    found = {word for text in texts for word in text.split()}
    # letters of other scripts come from fonts that tell a PDF's reader no text
    return {word for word in found if max(word) <= "\u024f" or word[0] in "−–▼▲▾▸"}


def words(sheet: PageObject) -> str:
    return " ".join(sheet.extract_text().split())


def amount_of(exact: str) -> str:
    """To the cent, half to even, as the pages round."""
    return f"{Decimal(exact).quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}".replace("-", "−")


@pytest.mark.only_whole
def test_a_wide_table_lies_on_its_side_with_its_headings_on_each_sheet_and_loses_no_column(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/customer-perspective?compare=previous_period")
    page.get_by_role("button", name="Customer segment", exact=True).last.click()
    settle(page)
    sheets = printed(page)
    assert all(sheet.mediabox.width > sheet.mediabox.height for sheet in sheets)
    texts = [words(sheet) for sheet in sheets]
    first = next(
        i
        for i, text in enumerate(texts)
        if "What customers met who" not in text and "What customers met" in text
    )
    assert len(sheets) > first + 3
    currencies = api(stack, "reports/customer-perspective")["totals"][0]["avg_revenue"]
    for text in texts[first:]:
        assert "Response ratio" in text
        for currency in currencies:
            assert f"Average revenue {currency}" in text
    days = {"subtotals": "true", "limit": "10000"}
    rows = api(stack, "reports/customer-perspective", **days)["rows"]
    amounts = [(row["avg_revenue"] or {}).get(max(currencies)) for row in rows if row["level"] < 5]
    shown = [amount_of(amount) for amount in amounts if amount]
    told = " ".join(texts[first:]).split()
    assert len(shown) > 100
    assert [amount for amount in shown if amount not in told] == []


@pytest.mark.only_whole
def test_how_much_paper_unfolded_rows_take_is_said_on_the_screen(
    page: Page, stack: RunningStack
) -> None:
    note = page.locator(".figure .note .screen-only")
    enter(page, stack, "/customer-perspective?preset=last_7_days&folds=1")
    expect(note).to_have_count(0)
    for compared in ("previous_period", "none"):
        enter(page, stack, f"/customer-perspective?preset=last_7_days&folds=4&compare={compared}")
        told = re.search(r"rows take some (\d+) sheets", note.inner_text())
        assert told
        sheets = printed(page)
        assert int(told[1]) == pytest.approx(len(sheets), rel=0.15)
        assert "On paper" not in " ".join(words(sheet) for sheet in sheets)


@pytest.mark.only_whole
@pytest.mark.parametrize("address", PAGES)
def test_no_sheet_is_blank_and_nothing_is_cut_off(
    page: Page, stack: RunningStack, address: str
) -> None:
    """A browser's PDF lacks what lies beyond the edges of the paper."""
    enter(page, stack, f"{address}?compare=previous_period")
    expected = cells(page)
    sheets = [words(sheet) for sheet in printed(page)]
    assert [i for i, text in enumerate(sheets) if len(text) < 40] == []
    assert expected - {word for text in sheets for word in text.split()} == set()


@pytest.mark.only_whole
def test_headings_that_order_a_table_are_repeated_too(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/agents?granularity=day&preset=last_7_days")
    texts = [words(sheet) for sheet in printed(page)]
    first = next(i for i, text in enumerate(texts) if "By agent and day" in text)
    assert len(texts) > first + 1
    assert all("95 % from" in text for text in texts[first:])
    enter(page, stack, "/agent-activity?granularity=day")
    texts = [words(sheet) for sheet in printed(page)]
    first = next(i for i, text in enumerate(texts) if "By agent and media type" in text)
    assert len(texts) > first + 3
    assert all("Average handle time" in text for text in texts[first:])


def test_a_sum_stands_once_and_the_rows_that_the_screen_leaves_out_are_printed(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/daily?preset=last_90_days&granularity=day")
    rows = api(stack, "reports/daily", preset="last_90_days", metric="csat", fill="true")["rows"]
    assert len(rows) == 90
    text = " ".join(words(sheet) for sheet in printed(page))
    table = text[text.index("average and median score") :]
    assert table.count("All ") == 1
    for row in (rows[0], rows[-1]):
        day = int(row["period"][-2:])
        assert f"{day} " in table
