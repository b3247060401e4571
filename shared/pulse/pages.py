"""The built pages (web/dist): their names in the bucket, and how long caches keep each.

`pulse pages publish` uploads them by this, and the embedded stack serves them by it.
"""

from pathlib import Path, PurePosixPath

DASHBOARD = "index.html"
SURVEY = "survey.html"
WIDGET = "widget.v1.js"
REQUIRED = (DASHBOARD, SURVEY, WIDGET)

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


def files(folder: Path) -> dict[str, Path]:
    """All files of the folder by name, in the order in which they are to be published.

    Documents come last, so that all files that a new document names are there before it.
    """
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    return {
        name: found[name] for name in sorted(found, key=lambda name: (_is_document(name), name))
    }


def media_type(name: str) -> str:
    """The Content-Type of a file."""
    return _MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def cache_control(name: str) -> str:
    """How long browsers and CloudFront keep a file.

    An asset's name changes with its content, so it is kept for ever. A document is checked each
    time, so that an upgrade is seen. The widget, which is on others' pages, changes with a release
    at most.
    """
    if name.startswith("assets/"):
        return "public, max-age=31536000, immutable"
    return "no-cache" if _is_document(name) else "public, max-age=3600"


def _is_document(name: str) -> bool:
    return name.endswith(".html")
