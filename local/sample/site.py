"""The pages of Pulse beside the embedded stack: what template.yaml's CloudFront functions make."""

from collections.abc import Mapping
from pathlib import Path

from pulse import pages
from pulse.ingest.viewer import VIEWER


class PulseSite:
    """The folder that a deployed stack's bucket is filled from, as it is served (local/edge.py)."""

    viewer_header = VIEWER

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Mapping[str, Path]:
        """Every file by its name, as it is now; none before the pages are built."""
        found = pages.files(self._folder)
        return found if pages.DASHBOARD in found else {}

    def name(self, path: str) -> str:
        """The file that answers for a path: the template's function PagePaths, in Python."""
        if path.startswith("/s/"):
            return pages.SURVEY
        return path.removeprefix("/") if "." in path else pages.DASHBOARD

    def media_type(self, name: str) -> str:
        """The Content-Type of a file."""
        return pages.media_type(name)

    def cache_control(self, name: str) -> str:
        """How long browsers and CloudFront keep a file."""
        return pages.cache_control(name)
