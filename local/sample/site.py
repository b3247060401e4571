"""Pulse's pages on the embedded stack, with the rules of template.yaml's CloudFront functions."""

from collections.abc import Mapping
from pathlib import Path

from pulse import pages
from pulse.ingest.viewer import VIEWER


class PulseSite:
    """The folder of built pages as a Site (local/edge.py)."""

    viewer_header = VIEWER

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Mapping[str, Path]:
        """Every file by its name, read now; none before the pages are built."""
        found = pages.files(self._folder)
        return found if pages.DASHBOARD in found else {}

    def name(self, path: str) -> str:
        """The file of a path, by the rules of the template's function PagePaths."""
        if path.startswith("/s/"):
            return pages.SURVEY
        return path.removeprefix("/") if "." in path else pages.DASHBOARD

    def media_type(self, name: str) -> str:
        """The Content-Type of a file."""
        return pages.media_type(name)

    def cache_control(self, name: str) -> str:
        """How long browsers and CloudFront keep a file."""
        return pages.cache_control(name)
