"""A site of another origin with the widget on it (web/examples), beside the embedded stack."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pulse.cli.survey_links import subresource_integrity, widget_tag
from pulse.pages import WIDGET
from web.examples.serve import shop


@contextmanager
def serving(pages: Path, pages_url: str, key: str, survey: str) -> Iterator[str | None]:
    """Within the block the site runs at the yielded address; None if the widget is not built."""
    widget = pages / WIDGET
    if not widget.is_file():
        yield None
        return
    integrity = subresource_integrity(widget.read_bytes())
    tag = widget_tag(f"{pages_url}/{WIDGET}", integrity, {"key": key, "survey": survey})
    with shop(tag, 0) as server:
        thread = threading.Thread(target=server.serve_forever, name="shop", daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
