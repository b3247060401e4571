"""`make pictures`: the screenshots in docs/pictures, of the real pages with the sample.

It starts an embedded stack of its own, opens the pages in Chromium and takes one picture of each of
SUBJECTS. Sizes, time zone, animations and "minutes ago" are the same in every run. But the sample's
days end today, and letters depend on the machine's fonts.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.sample import shop
from pulse.cli.target import STACK_FILE

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "web" / "dist"
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = os.environ.get("PULSE_CHROMIUM", "/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SURVEY = "support"
ZONE = "Europe/Berlin"
LOOKED_AT_AFTER = timedelta(minutes=5)
"""The pages' clock is so long after the build of the reports."""

_READY_WITHIN_S = 300
_ASK_AGAIN_S = 0.2
_QUIET_MS = 300


@dataclass(frozen=True)
class Scene:
    """The addresses and keys while the pictures are taken."""

    pages: str
    shop: str
    keys: Mapping[str, str]
    as_of: datetime


@dataclass(frozen=True)
class Subject:
    """One picture: the name of its file, and what it shows in which form."""

    name: str
    width: int
    height: int
    show: Callable[[Page, Scene], None]
    scheme: Literal["light", "dark"] = "light"
    scale: float = 1


def dashboard(address: str) -> Callable[[Page, Scene], None]:
    """Makes a function that opens a page of the dashboard and waits until all is loaded."""

    def show(page: Page, site: Scene) -> None:
        page.goto(f"{site.pages}{address}#key={site.keys['report']}")
        expect(page.locator("h1")).to_be_visible()
        for _ in range(2):  # what was loaded first may load more
            expect(page.locator("[aria-busy=true], .loading")).to_have_count(0, timeout=20_000)
            page.wait_for_timeout(_QUIET_MS)

    return show


def survey(page: Page, site: Scene) -> None:
    """Open the survey page as a link of a mail does, with a score chosen."""
    page.goto(f"{site.pages}/s/{site.keys['publishable']}?survey={SURVEY}&score=4")
    expect(page.get_by_role("radio").first).to_be_visible()


def widget(page: Page, site: Scene) -> None:
    """Open the widget on a page of another site."""
    page.goto(site.shop)
    page.get_by_role("button", name="Feedback").click()
    expect(page.get_by_role("radio").first).to_be_visible()
    page.mouse.move(0, 0)


COMPARED = "compare=previous_period"
SUBJECTS = [
    Subject("overview", 1280, 836, dashboard("/")),
    Subject("countries-dark", 1280, 948, dashboard(f"/geo?{COMPARED}"), scheme="dark"),
    Subject("satisfaction", 1280, 724, dashboard(f"/csat?{COMPARED}")),
    Subject("customer-perspective", 1280, 1060, dashboard(f"/customer-perspective?{COMPARED}")),
    Subject("survey", 390, 300, survey, scale=2),
    Subject("widget", 900, 560, widget),
]


def main() -> int:
    """Take every picture; return the exit code."""
    if not Path(CHROMIUM).exists():
        sys.stderr.write(f"No Chromium at {CHROMIUM}; PULSE_CHROMIUM may name another one.\n")
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with _site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        for subject in SUBJECTS:
            picture = _take(browser, subject, site)
            file = PICTURES / f"{subject.name}.png"
            file.write_bytes(picture)
            sys.stdout.write(f"{file.relative_to(ROOT)}  {len(picture) // 1024} KiB\n")
        browser.close()
    return 0


def _take(browser: Browser, subject: Subject, site: Scene) -> bytes:
    context = browser.new_context(
        viewport={"width": subject.width, "height": subject.height},
        device_scale_factor=subject.scale,
        color_scheme=subject.scheme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id=ZONE,
    )
    page = context.new_page()
    page.clock.set_fixed_time(site.as_of + LOOKED_AT_AFTER)
    subject.show(page, site)
    screenshot = page.screenshot(animations="disabled", caret="hide")
    context.close()
    return _smaller(screenshot)


def _smaller(picture: bytes) -> bytes:
    """The same picture in fewer bytes: a page hardly has more than 256 colours."""
    smaller = BytesIO()
    Image.open(BytesIO(picture)).convert("RGB").quantize(256).save(smaller, "PNG", optimize=True)
    return smaller.getvalue()


@contextmanager
def _site() -> Iterator[Scene]:
    """Within the block an embedded stack with the sample runs, and a shop with its widget."""
    with TemporaryDirectory() as folder, _running(Path(folder)) as stack:
        keys = stack["keys"]
        with shop.serving(PAGES, stack["pages"], keys["publishable"], SURVEY) as address:
            assert address is not None, "make pictures builds the pages first"  # noqa: S101
            yield Scene(stack["pages"], address, keys, _as_of(stack["api"], keys["report"]))


@contextmanager
def _running(folder: Path) -> Iterator[dict[str, Any]]:
    """Within the block `python -m local` runs in the folder; yields its `.pulse/stack.json`."""
    environment = os.environ | {
        "PULSE_PORT": str(_free_port()),
        "PULSE_SAMPLE": "1",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "local"], cwd=folder, env=environment, stdout=sys.stderr
    )
    try:
        yield _ready(folder / STACK_FILE, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _ready(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The embedded stack did not start.")
        time.sleep(_ASK_AGAIN_S)
    described: dict[str, Any] = json.loads(file.read_text())
    return described


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _as_of(api: str, key: str) -> datetime:
    """When the reports that the pages show were built."""
    request = urllib.request.Request(  # noqa: S310 # the stack's own address
        f"{api}/v1/reports/daily", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        return datetime.fromisoformat(json.load(reply)["meta"]["as_of"])


if __name__ == "__main__":
    sys.exit(main())
