"""Checks from which pages a key may be used (docs/http.md#keys).

An origin is the scheme, host and port of a page, which browsers send in the header Origin. The
check keeps other sites' pages from using a publishable key. It does not keep programs from it.
"""

from urllib.parse import urlsplit

from pulse.errors import ForbiddenError
from pulse.http import Call
from pulse.tenants.keys import Key

_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


def origin(text: str) -> Origin | None:
    """(scheme, host, port) of an origin; None for a text that is no origin, such as `null`.

    Scheme and host are in lower case, and the scheme's default port is written out, so that equal
    origins give equal tuples.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname or parts.path.strip("/") or parts.query:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS.get(parts.scheme)


def require_origin(call: Call, key: Key) -> None:
    """Raise ForbiddenError if the key names origins and the request comes from none of them."""
    shown = call.headers.get("origin", "")
    if key.origins and not _allowed(shown, key):
        raise ForbiddenError(
            "origin_not_allowed", "This key may not be used from the page that sent the request."
        )


def require_origin_if_shown(call: Call, key: Key) -> None:
    """As `require_origin`, but accept a request without an Origin header.

    This is for routes that read: browsers send no Origin with a GET to the same site.
    """
    if "origin" in call.headers:
        require_origin(call, key)


def _allowed(shown: str, key: Key) -> bool:
    asked = origin(shown)
    return asked is not None and asked in map(origin, key.origins)
