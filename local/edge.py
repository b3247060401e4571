"""CloudFront's place in the embedded stack: pages and the API on one port.

Pages come from the folder that a deployed stack's bucket is filled from, with the headers that the
template declares; requests for the API go on to the gateway as they came, and beside them what
CloudFront shows: the secret, and the viewer's address. The folder is read at each request: what was
built anew is there at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from local.distribution import Behaviour, Distribution
from local.http_api import Gateway
from local.payload import Reply, Request
from pulse.ingest.viewer import VIEWER
from pulse.pages import DASHBOARD, SURVEY, cache_control, files, media_type

_TEXT = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
_NOT_BUILT = b"The pages are not built. `make run` and `make test` build them.\n"


class Edge:
    """Answers requests by the rules of the template's distribution."""

    def __init__(self, distribution: Distribution, pages: Path, gateway: Gateway) -> None:
        self._distribution = distribution
        self._pages = pages
        self._gateway = gateway

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        """The reply, and the key of the API's route that gave it; None where it is a page's."""
        behaviour = self._distribution.behaviour(request.path)
        if not behaviour.is_pages:
            return self._gateway.answer(self._handed_on(request))
        reply = self._page(request, behaviour)
        added = behaviour.headers.always
        if request.header("origin"):
            added += behaviour.headers.to_origins
        return Reply(reply.status, reply.headers + added, reply.body), None

    def _handed_on(self, request: Request) -> Request:
        """The request as the API gets it: what is added takes the place of what was sent so."""
        added = (*self._distribution.api_headers, (VIEWER, request.source_ip))
        names = {name for name, _ in added}
        kept = tuple(header for header in request.headers if header[0].lower() not in names)
        return replace(request, headers=kept + added)

    def _page(self, request: Request, behaviour: Behaviour) -> Reply:
        if request.method not in behaviour.methods:
            return Reply(403, _TEXT, b"This method is not for pages.\n")
        found = files(self._pages)
        if DASHBOARD not in found:
            return Reply(404, _TEXT, _NOT_BUILT)
        # only what was found in the folder has a name here: no path leads out of it
        name = document_of(request.path).removeprefix("/")
        if name not in found:
            return Reply(404, _TEXT, b"There is no such page.\n")
        body = found[name].read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (
            ("content-type", media_type(name)),
            ("cache-control", cache_control(name)),
            ("etag", etag),
        )
        if _is_known(etag, request.header("if-none-match")):
            return Reply(304, headers)
        return Reply(200, headers, body)


def document_of(path: str) -> str:
    """The path of what answers for a path: the template's function PagePaths, in Python."""
    if path.startswith("/s/"):
        return f"/{SURVEY}"
    return path if "." in path else f"/{DASHBOARD}"


def _is_known(etag: str, shown: str | None) -> bool:
    """Whether If-None-Match names the ETag, or anything."""
    tags = [tag.strip().removeprefix("W/") for tag in (shown or "").split(",")]
    return etag in tags or "*" in tags
