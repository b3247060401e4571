"""Serves shop.html with the widget, as a site of another origin and with a strict policy would.

    pulse survey embed demo support | python web/examples/serve.py [PORT]

The port is 8081 unless given. /plain is the same page without any style: its policy allows none.
Stops on Ctrl-C.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

FOLDER = Path(__file__).parent
PORT = 8081
MARK = "<!-- here stands what `pulse survey embed` prints -->"
STYLES = '<link rel="stylesheet" href="/shop.css" />'
FILES = {
    "/": ("shop.html", "text/html; charset=utf-8"),
    "/plain": ("shop.html", "text/html; charset=utf-8"),
    "/shop.css": ("shop.css", "text/css; charset=utf-8"),
    "/shop.js": ("shop.js", "text/javascript; charset=utf-8"),
}


class Shop(BaseHTTPRequestHandler):
    """Answers with the example's files; `tag` stands in its page."""

    tag: ClassVar[str] = ""

    def do_GET(self) -> None:
        """One file, or a 404."""
        name, kind = FILES.get(self.path.partition("?")[0], (None, ""))
        if name is None:
            self.send_error(404)
            return
        text = (FOLDER / name).read_text().replace(MARK, self.tag)
        if self.path == "/plain":
            text = text.replace(STYLES, "")
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self._policy())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _policy(self) -> str:
        """All that a site has to allow: the script's and the API's origin. No style of ours."""
        source = re.search(r'src="(https?://[^/"]+)', self.tag)
        pulse = source.group(1) if source else ""
        style = "'none'" if self.path == "/plain" else "'self'"
        return (
            f"default-src 'none'; script-src 'self' {pulse}; connect-src {pulse}; "
            f"style-src {style}; img-src data:; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )


def shop(tag: str, port: int) -> ThreadingHTTPServer:
    """A server of the example on this machine, with the tag in its page; not yet serving."""
    handler = type("ShopWithTag", (Shop,), {"tag": tag})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with shop(sys.stdin.read().strip(), port) as server:
        sys.stdout.write(f"http://127.0.0.1:{port}/\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write("Stopped.\n")
