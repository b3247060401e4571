"""S3 as far as reading needs it, over a folder of files, each reply after a delay.

The main module of a process of its own: `python -m bench.slow_s3 FOLDER DELAY_MS` prints the port
and ends with its standard input. It knows GET and HEAD of an object (ranges, If-None-Match) and
ListObjectsV2; a bucket is a folder of the folder. The delay is the time to the first byte, for
every kind of request, as a request to S3 takes about that long whatever it asks.
"""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_PAGE = 1_000
_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"
_FOUND = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>{etag}</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


@contextmanager
def serving(folder: Path, delay_ms: int) -> Iterator[str]:
    """The address of a server of the folder's files, which runs until the block ends."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "bench.slow_s3", str(folder), str(delay_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


class Server(ThreadingHTTPServer):
    """The S3 of one folder, on a port of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, wait: Callable[[], object]) -> None:
        """Serve the folder's files; `wait` is called before each reply."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.wait = wait

    def handle_error(self, request: object, client_address: object) -> None:
        """Be silent about a client that hangs up, as engines do once they have what they need."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.wait()
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).strip("/").partition("/")
        if not key and self.command == "GET":
            self._list(self.server.folder / bucket, parse_qs(url.query))
        else:
            self._object(self.server.folder / bucket / key)

    def _object(self, path: Path) -> None:
        if not path.is_file():
            self._head(404, 0)
            return
        size, etag = path.stat().st_size, _etag(path)
        if self.headers.get("If-None-Match") == etag:
            self._head(304, 0, etag)
            return
        start, end = self._range(size)
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}"} if end - start < size else {}
        self._head(206 if headers else 200, end - start, etag, **headers)
        if self.command == "GET":
            with path.open("rb") as file:
                self.wfile.flush()
                self.connection.sendfile(file, start, end - start)

    def _range(self, size: int) -> tuple[int, int]:
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        if not asked:
            return 0, size
        first, _, last = asked.partition("-")
        if not first:
            return size - int(last), size
        return int(first), min(size, int(last) + 1) if last else size

    def _list(self, bucket: Path, query: dict[str, list[str]]) -> None:
        """Reply with the keys below the prefix; with a delimiter, not with deeper folders' keys."""
        asked = {name: values[0] for name, values in query.items()}
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        delimiter = asked.get("delimiter", "")
        keys = [key for key in _keys(bucket) if key.startswith(prefix) and key > after]
        folders: set[str] = set()
        if delimiter:
            deeper = [key for key in keys if delimiter in key[len(prefix) :]]
            folders = {
                prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter for key in deeper
            }
            keys = [key for key in keys if delimiter not in key[len(prefix) :]]
        page, rest = keys[:_PAGE], keys[_PAGE:]
        found = "".join(
            _FOUND.format(
                key=escape(key),
                etag=escape(_etag(bucket / key)),
                size=(bucket / key).stat().st_size,
            )
            for key in page
        )
        found += "".join(
            f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
            for folder in sorted(folders)
        )
        if rest:
            found += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket.name}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page) + len(folders)}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
            f"<IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{found}</ListBucketResult>"
        ).encode()
        self._head(200, len(body), **{"Content-Type": "application/xml"})
        self.wfile.write(body)

    def _head(self, status: int, length: int, etag: str = "", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Last-Modified", _MODIFIED)
        if etag:
            self.send_header("ETag", etag)
            self.send_header("Accept-Ranges", "bytes")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@lru_cache(maxsize=100_000)
def _etag(path: Path) -> str:
    """An ETag of name and size, since the folder does not change while it is served."""
    return f'"{hashlib.sha256(f"{path} {path.stat().st_size}".encode()).hexdigest()[:32]}"'


@lru_cache(maxsize=8)
def _keys(bucket: Path) -> tuple[str, ...]:
    return tuple(sorted(str(p.relative_to(bucket)) for p in bucket.rglob("*") if p.is_file()))


def main(folder: Path, delay_ms: int) -> None:
    """Serve the folder's files until stdin ends, each reply after `delay_ms`; print the port."""
    server = Server(folder, lambda: time.sleep(delay_ms / 1000))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201 - what who started it waits for
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
