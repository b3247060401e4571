"""The pages beside the API are served by the rules of the template's distribution."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from local.deployment import Deployment, DeploymentError, deploy
from local.distribution import read_distribution
from local.edge import Edge
from local.http_api import Gateway
from local.payload import Reply, Request
from local.routes import HttpApi
from local.sample.site import PulseSite
from pulse.http import ORIGIN
from pulse.ingest.viewer import VIEWER

ROOT = Path(__file__).parents[3]
PAGES = {
    "index.html": b"<title>Pulse</title>",
    "survey.html": b"<title>Your opinion</title>",
    "widget.v1.js": b"void 0",
    "assets/index-1.js": b"import './other-1.js'",
}


class RecordingGateway(Gateway):
    """Stands where the API is; says what reached it."""

    def __init__(self) -> None:
        super().__init__(HttpApi("api", (), None, None), {})

    def answer(self, request: Request) -> tuple[Reply, str]:
        told = f"{request.method} {request.target}".encode()
        return Reply(200, request.headers, told), "the API"


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with mock_aws():
        yield deploy(ROOT / "template.yaml", stack_name="pulse", parameters={})


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for name, content in PAGES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_text("outside")
    return tmp_path / "dist"


@pytest.fixture
def edge(deployment: Deployment, pages: Path) -> Edge:
    distribution = read_distribution(deployment)
    assert distribution
    return Edge(distribution, PulseSite(pages), RecordingGateway())


def get(edge: Edge, target: str, method: str = "GET", **headers: str) -> Reply:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method, target, "HTTP/1.1", sent, b"", "127.0.0.1")
    return edge.answer(request)[0]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index.html"),
        ("/geo?preset=last_7_days", "index.html"),
        ("/customer-perspective", "index.html"),
        ("/s/pk_1?survey=support", "survey.html"),
        ("/widget.v1.js", "widget.v1.js"),
        ("/assets/index-1.js", "assets/index-1.js"),
    ],
)
def test_a_path_gives_its_file(edge: Edge, path: str, name: str) -> None:
    reply = get(edge, path)
    assert (reply.status, reply.body) == (200, PAGES[name])


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/favicon.ico",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/index.html%00.js",
        "/assets/./index-1.js",
    ],
)
def test_what_is_not_in_the_folder_is_404(edge: Edge, path: str) -> None:
    reply = get(edge, path)
    assert reply.status == 404
    assert b"outside" not in reply.body


@pytest.mark.parametrize("path", ["/v1", "/v1/reports?limit=1", "/v1/surveys/a.b", "/%761/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_the_apis_requests_reach_it_as_they_came(edge: Edge, path: str, method: str) -> None:
    reply = get(edge, path, method)
    assert reply.body == f"{method} {path}".encode()


def test_beside_a_request_the_api_is_shown_the_secret_and_the_viewer(
    edge: Edge, deployment: Deployment
) -> None:
    secret = deployment.functions["Ingest"].environment["PULSE_ORIGIN_SECRET"]
    shown = {ORIGIN: secret, VIEWER: "127.0.0.1"}
    forged = {"X-Pulse-Viewer": "1.1.1.1", "X-Pulse-Origin": "1-guessed"}
    assert get(edge, "/v1", accept="text/csv").headers == (
        ("accept", "text/csv"),
        *shown.items(),
    )
    assert dict(get(edge, "/v1", **forged).headers) == shown


def test_pages_carry_the_templates_headers(edge: Edge) -> None:
    for path in ("/", "/s/pk_1", "/assets/index-1.js", "/assets/none.js"):
        headers = dict(get(edge, path, origin="https://shop.example").headers)
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["permissions-policy"].startswith("camera=()")
        assert not [name for name in headers if name.startswith("access-control-")]
        assert "strict-transport-security" not in headers  # there is no TLS to be strict about


def test_the_widget_is_for_every_origin(edge: Edge) -> None:
    headers = dict(get(edge, "/widget.v1.js", origin="https://shop.example").headers)
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "content-security-policy" not in headers
    assert "access-control-allow-origin" not in dict(get(edge, "/widget.v1.js").headers)


def test_a_file_is_kept_as_long_as_it_holds(edge: Edge) -> None:
    kept = {
        path: dict(get(edge, path).headers)["cache-control"]
        for path in ("/", "/s/pk_1", "/assets/index-1.js", "/widget.v1.js", "/none.js")
    }
    assert kept == {
        "/": "no-cache",
        "/s/pk_1": "no-cache",
        "/assets/index-1.js": "public, max-age=31536000, immutable",
        "/widget.v1.js": "public, max-age=3600",
        "/none.js": "no-store",
    }


@pytest.mark.parametrize("shown", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_a_page_already_is_told_so(edge: Edge, pages: Path, shown: str) -> None:
    etag = dict(get(edge, "/").headers)["etag"]
    known = get(edge, "/", if_none_match=shown.format(etag))
    assert (known.status, known.body, dict(known.headers)["etag"]) == (304, b"", etag)
    (pages / "index.html").write_bytes(b"built anew")
    if shown != "*":
        assert get(edge, "/", if_none_match=shown.format(etag)).body == b"built anew"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_are_read_only(edge: Edge, method: str) -> None:
    assert get(edge, "/", method).status == 403


def test_a_checkout_that_is_not_built_says_so(edge: Edge, pages: Path) -> None:
    for name in PAGES:
        (pages / name).unlink()
    reply = get(edge, "/")
    assert (reply.status, b"not built" in reply.body) == (404, True)
    assert get(edge, "/v1/reports").status == 200


def test_two_distributions_are_refused(deployment: Deployment) -> None:
    pages = deployment.resolved["Pages"]
    two = Deployment(
        stack_name=deployment.stack_name,
        resources=deployment.resources,
        outputs=deployment.outputs,
        functions=deployment.functions,
        template=deployment.template,
        resolved={"Pages": pages, "Others": pages},
    )
    with pytest.raises(DeploymentError, match="Pages, Others"):
        read_distribution(two)
