"""Shared by tests of the survey page and the widget: made-up surveys, what a page posts, counts."""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page, Request, expect

from tests import tied
from tests.e2e.conftest import RunningStack
from tests.made_run import free_port

WEB = Path(__file__).parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
SHOP = WEB / "examples" / "serve.py"
FACES = ("--style", "faces", "--labels", "Awful,Bad,Fair,Good,Great", "--thanks", "Thanks a lot")
COUNTED_WITHIN_S = 20


def pulse(stack: RunningStack, *arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "pulse.cli.main", *arguments]
    done = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def address(stack: RunningStack, survey: str, **values: object) -> str:
    """The survey's page."""
    query = urllib.parse.urlencode({"survey": survey, **values})
    return f"{stack.url}/s/{stack.keys['publishable']}?{query}"


@contextmanager
def shop(tag: str) -> Iterator[str]:
    """The origin of a shop that is somebody else's, with the tag in its page."""
    port = free_port()
    process = tied.start(str(SHOP), str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin and process.stdout
        process.stdin.write(tag)
        process.stdin.close()
        assert process.stdout.readline().startswith("http://")
        yield f"http://localhost:{port}"  # not the stack's host either
        process.terminate()


def new_survey(stack: RunningStack, metric: str, scale: str, *more: str) -> str:
    """A survey that nobody has answered yet; its id."""
    survey = f"asked {uuid4().hex[:8]} &é"  # ids are any text
    add = ("survey", "add", stack.tenant, survey, "--metric", metric, "--scale", scale)
    pulse(stack, *add, *more)
    return survey


def counted(stack: RunningStack, survey: str, report: str, least: int = 1) -> list[int]:
    """The scores of a survey's answers as the report counts them, once there are so many.

    `pulse build` waits for what is in the queue; the functions remember for a second.
    """
    pulse(stack, "build")
    deadline = time.monotonic() + COUNTED_WITHIN_S
    while True:
        scores = _reported(stack, survey, report)
        if len(scores) >= least or time.monotonic() > deadline:
            return scores
        time.sleep(0.2)


def _reported(stack: RunningStack, survey: str, report: str) -> list[int]:
    query = urllib.parse.urlencode({"preset": "all_time", "survey": survey})
    request = urllib.request.Request(
        f"{stack.url}/v1/reports/{report}?{query}",
        headers={"Authorization": f"Bearer {stack.keys['secret']}"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        rows = json.load(reply)["breakdown"]
    return [row["score_value"] for row in rows for _ in range(row["responses"])]


@dataclass
class Posts:
    """The answers that a page has sent, in order."""

    page: Page
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.method == "POST":
            body: dict[str, Any] = json.loads(request.post_data or "")
            self.bodies.append(body)

    def settle(self) -> list[dict[str, Any]]:
        """What has been sent once nothing more is likely to be."""
        self.page.wait_for_timeout(400)
        return self.bodies


def serious_faults(page: Page, *only: str) -> list[str]:
    """What axe-core finds on the page, from "serious" on; by some rules alone if any are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = list(only)
    found = page.evaluate("options => axe.run(options)", options)
    return [
        f"{fault['id']}: {node['html']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def serious_faults_of_both_schemes(page: Page) -> list[str]:
    """The same in light and in dark, where colours alone are others."""
    page.emulate_media(color_scheme="light")
    light = serious_faults(page)
    page.emulate_media(color_scheme="dark")
    return light + [f"dark: {fault}" for fault in serious_faults(page, "color-contrast")]


def radio(page: Page, name: str) -> Locator:
    """One of the scores of a survey's question."""
    return page.get_by_role("radio", name=name, exact=True)


def has_sent(page: Page) -> None:
    """Wait until the answer has been taken."""
    expect(page.get_by_role("status")).to_have_attribute("data-state", "sent")
