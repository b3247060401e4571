"""The headers that the pages are served with, and that a browser obeys them."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PAGES, RunningStack, Watch

DASHBOARD_PATHS = [
    "/",
    "/geo",
    "/daily",
    "/csat",
    "/nps",
    "/ces",
    "/source",
    "/rates",
    "/browsers",
    "/agents",
    "/agent-activity",
    "/customer-perspective",
    "/revenue",
]
ELSEWHERE = "https://elsewhere.example"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def ask(url: str, method: str = "GET", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return _answer(reply.status, reply.headers.items(), reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers.items(), error.read())


def _answer(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers}, body)


def assets(html: bytes) -> list[str]:
    return re.findall(r'(?:src|href)="(/assets/[^"]+)"', html.decode())


@pytest.mark.parametrize("path", DASHBOARD_PATHS)
def test_every_page_of_the_dashboard_has_its_address(stack: RunningStack, path: str) -> None:
    answer = ask(stack.url + path)
    assert answer.status == 200
    assert answer.body == PAGES.read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_a_survey_has_a_page_of_its_own(stack: RunningStack) -> None:
    address = f"{stack.url}/s/{stack.keys['publishable']}?survey=support"
    assert ask(address).body == PAGES.with_name("survey.html").read_bytes()


@pytest.mark.parametrize("path", ["/", "/geo", "/s/pk_1", "/assets/none.js"])
def test_pages_come_with_their_policy(stack: RunningStack, path: str) -> None:
    headers = ask(stack.url + path, origin=ELSEWHERE).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "geolocation=()" in headers["permissions-policy"]
    assert "access-control-allow-origin" not in headers
    assert "set-cookie" not in headers


def test_every_asset_that_a_page_names_is_kept_for_good(stack: RunningStack) -> None:
    for path in ("/", "/s/pk_1"):
        named = assets(ask(stack.url + path).body)
        assert named
        for asset in named:
            answer = ask(stack.url + asset)
            assert (answer.status, answer.headers["cache-control"]) == (
                200,
                "public, max-age=31536000, immutable",
            )


def test_the_widget_may_be_included_by_every_site(stack: RunningStack) -> None:
    answer = ask(f"{stack.url}/widget.v1.js", origin=ELSEWHERE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("path", ["/favicon.ico", "/assets/none.js", "/%2e%2e/template.yaml"])
def test_what_is_not_there_is_404(stack: RunningStack, path: str) -> None:
    assert ask(stack.url + path).status == 404


def test_a_page_that_is_known_is_not_sent_again(stack: RunningStack) -> None:
    etag = ask(stack.url).headers["etag"]
    known = ask(stack.url, if_none_match=etag)
    assert (known.status, known.body) == (304, b"")


def test_head_tells_the_same_without_the_page(stack: RunningStack) -> None:
    got, told = ask(stack.url), ask(stack.url, "HEAD")
    assert told.body == b""
    for name in ("content-length", "etag", "content-type", "content-security-policy"):
        assert told.headers[name] == got.headers[name]


def test_the_interface_stays_what_it_was(stack: RunningStack) -> None:
    unknown = ask(f"{stack.url}/v1/nothing", origin=ELSEWHERE)
    assert unknown.status == 404
    assert json.loads(unknown.body)["code"] == "unknown_path"
    assert unknown.headers["access-control-allow-origin"] == "*"
    assert "content-security-policy" not in unknown.headers
    assert ask(f"{stack.url}/", "POST").status == 403


@pytest.fixture
def bare(page: Page, stack: RunningStack, watch: Watch) -> Page:
    """A page under the pages' policy on which no script of ours runs: a style sheet, as text."""
    watch.allow("status of 404")  # it names no icon, so the browser looks for one
    named = assets(ask(f"{stack.url}/s/pk_1").body)
    page.goto(stack.url + next(name for name in named if name.endswith(".css")))
    return page


def test_a_script_that_was_slipped_in_does_not_run(bare: Page, watch: Watch) -> None:
    bare.evaluate(
        "() => { const slipped = document.createElement('script');"
        " slipped.append('window.slipped = true'); document.body.append(slipped) }"
    )
    watch.expect(bare, "'TrustedScript' assignment")
    watch.expect(bare, "policy broken: require-trusted-types-for")
    assert bare.evaluate("window.slipped") is None


def test_markup_from_text_is_refused(bare: Page, watch: Watch) -> None:
    refused = bare.evaluate(
        "() => { try { document.body.innerHTML = '<b>'; return '' }"
        " catch (error) { return error.name } }"
    )
    assert refused == "TypeError"
    watch.expect(bare, "'TrustedHTML' assignment")
    watch.expect(bare, "policy broken: require-trusted-types-for")


IMAGE = """new Promise((loaded, failed) => {
    const image = new Image()
    image.onload = loaded
    image.onerror = failed
    image.src = 'https://elsewhere.example/image.png'
})"""


@pytest.mark.parametrize(
    ("attempt", "directive"),
    [
        (f"fetch('{ELSEWHERE}/')", "connect-src"),
        (f"import('{ELSEWHERE}/script.js')", "script-src-elem"),
        (IMAGE, "img-src"),
    ],
    ids=["fetch", "script", "image"],
)
def test_nothing_is_fetched_from_elsewhere(
    bare: Page, watch: Watch, attempt: str, directive: str
) -> None:
    watch.allow("Content Security Policy")
    outcome = bare.evaluate(f"() => {attempt}.then(() => 'fetched', () => 'refused')")
    assert outcome == "refused"
    watch.expect(bare, f"policy broken: {directive} by {ELSEWHERE}")


@pytest.fixture
def foreign_site() -> Iterator[str]:
    """Another origin, whose pages frame whatever their query names."""

    class Framing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            framed = f'<link rel="icon" href="data:,"><iframe src="{self.path[2:]}"></iframe>'
            self.wfile.write(framed.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Framing) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["/", "/s/pk_1"])
def test_another_site_cannot_show_a_page_in_a_frame(
    page: Page, stack: RunningStack, watch: Watch, foreign_site: str, path: str
) -> None:
    watch.origins.add(foreign_site)
    page.goto(f"{foreign_site}/?{stack.url}{path}")
    watch.expect(page, "frame-ancestors")
    (frame,) = page.main_frame.child_frames
    assert frame.url.startswith("chrome-error:")


def test_a_test_is_failed_by_what_goes_wrong_on_its_page(bare: Page, watch: Watch) -> None:
    bare.evaluate("() => console.error('logged')")
    watch.expect(bare, "^logged$")
    bare.evaluate("() => { setTimeout(() => { throw new Error('thrown away') }) }")
    watch.expect(bare, "^thrown: .*thrown away")
    bare.route(f"{ELSEWHERE}/**", lambda route: route.fulfill(body="reached"))
    bare.goto(f"{ELSEWHERE}/")
    watch.expect(bare, "^request to another origin: https://elsewhere.example/$")
