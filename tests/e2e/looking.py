"""Shared by tests of the dashboard: its pages, waiting until one is loaded, and what it shows."""

import json
import urllib.parse
import urllib.request
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import RunningStack

PAGES = [
    "/",
    "/daily",
    "/csat",
    "/nps",
    "/ces",
    "/rates",
    "/surveys",
    "/geo",
    "/source",
    "/browsers",
    "/agents",
    "/tags",
    "/experience",
    "/drivers",
    "/comments",
    "/customer-perspective",
    "/agent-activity",
    "/revenue",
]
LOADED_WITHIN_MS = 20_000


def api(stack: RunningStack, path: str, **query: str) -> Any:
    """The API's own reply."""
    url = f"{stack.url}/v1/{path}?{urllib.parse.urlencode(query, safe='!,')}"
    request = urllib.request.Request(
        url, headers={"Authorization": f"Bearer {stack.keys['report']}"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def api_text(stack: RunningStack, path: str, **query: str) -> str:
    """The API's own reply as CSV."""
    url = f"{stack.url}/v1/{path}?{urllib.parse.urlencode(query, safe='!,')}"
    headers = {"Authorization": f"Bearer {stack.keys['report']}", "Accept": "text/csv"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as reply:
        text: str = reply.read().decode()
        return text


def enter(page: Page, stack: RunningStack, address: str) -> Page:
    """Signed in by the address itself, the key in its fragment: the page once it has settled."""
    page.goto(f"{stack.url}{address}#key={stack.keys['report']}")
    settle(page)
    return page


def show(page: Page, stack: RunningStack, address: str) -> Page:
    """The page at an address for somebody who is signed in, once everything on it has come."""
    page.goto(stack.url + address)
    settle(page)
    return page


def settle(page: Page) -> None:
    """Returns once nothing on the page is still to come."""
    expect(page.locator("h1")).to_be_visible()
    # what is loaded first may bring more to load: twice quiet is quiet
    for _ in range(2):
        expect(page.locator("[aria-busy=true], .loading")).to_have_count(
            0, timeout=LOADED_WITHIN_MS
        )
        page.wait_for_timeout(100)


def table(page: Page, figure: str) -> list[dict[str, str]]:
    """A figure's rows by their headings, totals included, without their links to comments."""
    section = page.locator("section.figure", has=page.get_by_role("heading", name=figure))
    opener = section.get_by_role("button", name="Table", exact=True)
    if opener.count() and opener.get_attribute("aria-expanded") == "false":
        opener.click()
    names = section.locator("thead th:not(.behind)").all_inner_texts()
    rows = section.locator("tbody tr, tfoot tr").all()
    return [
        dict(
            zip(
                (n.strip(" ↓↑") for n in names),
                row.locator("th,td:not(.behind)").all_inner_texts(),
                strict=True,
            )
        )
        for row in rows
    ]


def figure(value: float | None, decimals: int = 2) -> str:
    """A figure as the dashboard writes it."""
    return "–" if value is None else f"{value:,.{decimals}f}".replace("-", "−")
