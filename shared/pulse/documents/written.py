"""The documents that are made from the code, and the paths of their files."""

import json
from collections.abc import Callable
from pathlib import Path

from pulse.documents.openapi import document
from pulse.documents.reply_types import reply_types
from pulse.documents.reports import reports_page

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = ROOT / "shared" / "pulse" / "serve" / "openapi.json"
"""The file that serve_reports reads; docs/openapi.json is a link to it."""


def openapi_text() -> str:
    """The OpenAPI document as JSON, one member a line, so that differences can be read."""
    return json.dumps(document(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


DOCUMENTS: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "reports.md": reports_page,
    OPENAPI: openapi_text,
    ROOT / "web" / "src" / "interface.ts": lambda: reply_types(document()),
}
