"""The command's HTTP client against a real server."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pulse.cli.api import Api, UnreachableError
from pulse.raw.user_agents import client_of


class Handler(BaseHTTPRequestHandler):
    """Tells what it got; the path's last part is the status. /cut breaks off."""

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            return
        length = int(self.headers.get("Content-Length") or 0)
        told = [self.command, self.path, self.headers["Authorization"], self.rfile.read(length)]
        body = repr(told).encode()
        self.send_response(int(self.path.partition("?")[0].split("/")[-1]))
        self.send_header("Retry-After", "7")
        self.send_header("X-Asked-By", self.headers["User-Agent"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_sends_the_key_the_query_and_the_body(url: str) -> None:
    got = Api(url, "rk_1").get("/x/200", "a=%2C&b=1")
    assert got.body.decode() == repr(["GET", "/x/200?a=%2C&b=1", "Bearer rk_1", b""])
    posted = Api(url, "sk_1").post("/y/202", b'{"a":1}')
    assert posted.body.decode() == repr(["POST", "/y/202", "Bearer sk_1", b'{"a":1}'])


def test_what_it_posts_is_no_bot_s(url: str) -> None:
    name = Api(url, "pk_1").post("/y/202", b"{}").headers["x-asked-by"]
    assert client_of(name).device != "bot"


@pytest.mark.parametrize("status", [200, 401, 422, 429, 503])
def test_every_status_is_an_answer(url: str, status: int) -> None:
    answer = Api(url, "k").get(f"/{status}")
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")


def test_an_answer_that_breaks_off_is_none(url: str) -> None:
    with pytest.raises(UnreachableError, match=r"does not answer"):
        Api(url, "k").get("/cut")


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} does not answer"):
            Api(f"http://127.0.0.1:{port}", "k").get("/")
