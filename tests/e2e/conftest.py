"""Tests in a real browser, against one `make run` that all tests of this folder share.

    def test_something(page, stack):          a page of Chromium that nothing may go wrong on
    def test_on_a_phone(new_page, stack):     new_page(viewport={"width": 390, "height": 844})
    def test_wrong_key(page, watch):          watch.expect(page, "status of 401"): this one must

A test fails by itself if one of its pages logs an error, throws, breaks its Content-Security-Policy
or asks another origin for anything.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)
from pyarrow import parquet

from tests.made_run import free_port, start, wait_until_ready
from tests.silence import is_telling, leaks

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("PULSE_CHROMIUM", "/usr/bin/chromium")
PAGES = HERE.parents[1] / "web" / "dist" / "index.html"
READY_WITHIN_S = 300
"""The sample is loaded and built, perhaps beside other tests."""
SWITCHES = [
    "--no-sandbox",  # tests may run as root, where Chromium has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # a person's: answers of a browser that calls itself headless are a bot's, and in no report
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    # it reaches for nothing by itself
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NewPage = Callable[..., Page]


@dataclass(frozen=True)
class RunningStack:
    """The embedded stack with its sample."""

    url: str
    """Pages and API, without a slash at its end."""
    folder: Path
    """Where `pulse` finds it."""
    tenant: str
    keys: dict[str, str]

    @property
    def dashboard(self) -> str:
        """The link that `make run` prints."""
        return f"{self.url}/#key={self.keys['report']}"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    assert PAGES.is_file(), "the pages are not built: make pages"
    run = start(tmp_path_factory.mktemp("e2e"), free_port(), with_sample=True)
    comments: set[str] = set()
    try:
        wait_until_ready(run, READY_WITHIN_S)
        told = run.stack
        yield RunningStack(told["pages"], run.folder, told["tenant"], told["keys"])
        comments = stored_comments(told)
    finally:
        run.process.send_signal(signal.SIGINT)
        run.process.communicate(timeout=30)
    log = "".join(file.read_text() for file in (run.folder / ".pulse" / "logs").iterdir())
    assert "daily built" in log
    assert comments
    assert leaks(log, comments) == []


def stored_comments(told: dict[str, Any]) -> set[str]:
    """Every comment that was sent to the stack, the sample's and those of tests."""
    given = told["aws"]
    s3 = boto3.client(
        "s3",
        endpoint_url=told["endpoint_url"],
        region_name=given["region"],
        aws_access_key_id=given["access_key_id"],
        aws_secret_access_key=given["secret_access_key"],
    )
    where = {"Bucket": told["buckets"]["lake"]}
    pages = s3.get_paginator("list_objects_v2").paginate(Prefix="raw/responses/", **where)
    found: set[str] = set()
    for listed in (one for page in pages for one in page["Contents"]):
        body = pa.BufferReader(s3.get_object(Key=listed["Key"], **where)["Body"].read())
        column = parquet.ParquetFile(body).read(columns=["comment"])["comment"]
        found.update(filter(None, column.unique().to_pylist()))
    return set(filter(is_telling, found))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless.

    A module's own: while it runs, Playwright's event loop counts as running in this thread.
    """
    if not Path(CHROMIUM).exists():
        if "PULSE_CHROMIUM" in os.environ:
            pytest.fail(f"PULSE_CHROMIUM is {CHROMIUM}, where there is none")
        pytest.skip(f"no Chromium at {CHROMIUM}; PULSE_CHROMIUM may name another one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What went wrong on a test's pages."""

    origins: set[str]
    """Those that may be asked."""
    noticed: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """What fits the regular expression, before or after this, does not fail the test."""
        self._allowed.append(pattern)

    def expect(self, page: Page, pattern: str) -> None:
        """Returns once something that fits has gone wrong; that is allowed then.

        Fails the test if nothing does within some seconds.
        """
        self.allow(pattern)
        for _ in range(100):
            if any(re.search(pattern, fault) for fault in self.noticed):
                return
            page.wait_for_timeout(50)
        pytest.fail(f"nothing fits {pattern!r} of what was noticed: {self.noticed}")

    @property
    def faults(self) -> list[str]:
        return [
            fault
            for fault in self.noticed
            if not any(re.search(pattern, fault) for pattern in self._allowed)
        ]

    def over(self, context: BrowserContext) -> None:
        """From now on the context's pages are watched."""
        context.on("console", self._hear)
        context.on("weberror", lambda thrown: self._note(f"thrown: {thrown.error}"))
        context.on("requestfinished", self._judge)
        context.on("requestfailed", self._judge)
        # also what a policy only reports, or says to nobody
        context.expose_function("noteBrokenPolicy", self._note)
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (broken) => noteBrokenPolicy("
            "`policy broken: ${broken.effectiveDirective} by ${broken.blockedURI}`))"
        )

    def _note(self, fault: str) -> None:
        self.noticed.append(fault)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self._note(said.text)

    def _judge(self, request: Request) -> None:
        asked = re.match(r"(?:https?|wss?)://[^/?#]+", request.url)
        if asked and asked[0] not in self.origins and request.failure != "csp":
            self._note(f"request to another origin: {request.url}")


@pytest.fixture
def watch(stack: RunningStack) -> Iterator[Watch]:
    """Notices what goes wrong, and fails the test for it when that has ended."""
    watch = Watch({stack.url})
    yield watch
    assert watch.faults == []


@pytest.fixture
def new_page(browser: Browser, watch: Watch) -> Iterator[NewPage]:
    """Opens watched pages, each in a context of its own: new_page(color_scheme="dark", …).

    The options are Playwright's for a context.
    """
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        usual: dict[str, Any] = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**usual | options)
        contexts.append(context)
        watch.over(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A watched page, 1280 pixels wide."""
    return new_page()
