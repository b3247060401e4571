"""Which documents are made from the code, and where they lie."""

import json
from collections.abc import Callable
from pathlib import Path

from pulse.documents.openapi import document
from pulse.documents.reply_types import reply_types
from pulse.documents.reports import reports_page

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = ROOT / "shared" / "pulse" / "serve" / "openapi.json"
"""Where serve_reports reads it; docs/openapi.json is a link to it."""


def openapi_text() -> str:
    """The OpenAPI document as JSON, a line for each member so that a change of it can be read."""
    return json.dumps(document(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


DOCUMENTS: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "reports.md": reports_page,
    OPENAPI: openapi_text,
    ROOT / "web" / "src" / "interface.ts": lambda: reply_types(document()),
}
