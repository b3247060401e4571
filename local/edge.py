"""CloudFront's part of the embedded stack: pages and the API on one port.

Pages come from the folder from which a deployed stack's bucket is filled, with the headers that the
template declares. Requests for the API go to the gateway unchanged, except for the headers that
CloudFront adds: the secret and the viewer's address. The folder is read at each request, so that
newly built pages are served at once. A Site gives the pages' names and how long caches keep them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from local.distribution import Behaviour, Distribution
from local.http_api import Gateway
from local.payload import Reply, Request

_TEXT = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))


class Site(Protocol):
    """The pages as a deployed stack serves them by its CloudFront functions and its bucket."""

    viewer_header: str
    """The header in which the API gets the viewer's address."""

    def files(self) -> Mapping[str, Path]:
        """Every file by its name in the bucket; none if the pages are not built."""
        ...

    def name(self, path: str) -> str:
        """The name of the file that is served for a path, without a slash before it."""
        ...

    def media_type(self, name: str) -> str:
        """The Content-Type of a file."""
        ...

    def cache_control(self, name: str) -> str:
        """The Cache-Control of a file."""
        ...


class Edge:
    """Replies to requests by the rules of the template's distribution."""

    def __init__(self, distribution: Distribution, site: Site, gateway: Gateway) -> None:
        self._distribution = distribution
        self._site = site
        self._gateway = gateway

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        """The reply, and the key of the API's route that made it; None if it is a page."""
        behaviour = self._distribution.behaviour(request.path)
        if not behaviour.is_pages:
            return self._gateway.answer(self._handed_on(request))
        reply = self._page(request, behaviour)
        added = behaviour.headers.always
        if request.header("origin"):
            added += behaviour.headers.to_origins
        return Reply(reply.status, reply.headers + added, reply.body), None

    def _handed_on(self, request: Request) -> Request:
        """The request as the API gets it; added headers replace those of the same name."""
        added = (*self._distribution.api_headers, (self._site.viewer_header, request.source_ip))
        names = {name for name, _ in added}
        kept = tuple(header for header in request.headers if header[0].lower() not in names)
        return replace(request, headers=kept + added)

    def _page(self, request: Request, behaviour: Behaviour) -> Reply:
        if request.method not in behaviour.methods:
            return Reply(403, _TEXT, b"This method is not for pages.\n")
        found = self._site.files()
        if not found:
            return Reply(404, _TEXT, b"The pages are not built.\n")
        # only files of the folder have a name here, so no path leads out of it
        name = self._site.name(request.path)
        if name not in found:
            return Reply(404, _TEXT, b"There is no such page.\n")
        body = found[name].read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (
            ("content-type", self._site.media_type(name)),
            ("cache-control", self._site.cache_control(name)),
            ("etag", etag),
        )
        if _is_known(etag, request.header("if-none-match")):
            return Reply(304, headers)
        return Reply(200, headers, body)


def _is_known(etag: str, shown: str | None) -> bool:
    """Whether If-None-Match names the ETag, or is *."""
    tags = [tag.strip().removeprefix("W/") for tag in (shown or "").split(",")]
    return etag in tags or "*" in tags
