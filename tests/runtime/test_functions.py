"""Every built function replies to each of its events as on AWS.

The functions run in the order of the flow, each on what those before it have left, once with the
packages of AWS's layer for pandas and once with the project's own layer.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local import sizes
from tests.runtime.conftest import MIB, VENV, Measured
from tests.runtime.deployed import Deployed, deployed, logical_id_of
from tests.runtime.environment import Tools, start

EVENTS = Path(__file__).parents[2] / "events"

Replies = Mapping[str, tuple[int, str] | Mapping[str, Any]]
"""By event: what the reply holds at least. Of API Gateway's replies: status, part of the body."""

EXPECTED: Mapping[str, Replies] = {
    "ingest": {
        "agent_sessions": (202, '"accepted":1'),
        "base64": (202, '"accepted":1'),
        "batch": (202, '"accepted":2'),
        "beacon": (202, '"accepted":1'),
        "interaction": (202, '"ids":["call-2041"]'),
        "interactions": (202, '"accepted":2'),
        "preflight": (204, ""),
        "publishable": (202, '"accepted":1'),
        "survey": (200, '"id":"checkout"'),
        "unknown_path": (404, '"code":"unknown_path"'),
        "zendesk": (202, '"ids":["zendesk-40"]'),
    },
    "write_raw": {
        "interactions": {"batchItemFailures": []},
        "one_bad_message": {"batchItemFailures": []},
    },
    "build_daily": {
        "nightly": {"built": ["2026-11-20", "2026-11-21"], "finished": True},
        "range": {"built": [], "finished": True},
        "unfinished": {"built": [], "finished": True},
        "first_events": {"built": [], "finished": True},
    },
    "build_reports": {
        "daily_built": {"rewritten": [{"tenant": "demo", "year": 2026}], "finished": True},
    },
    "serve_reports": {
        "catalogue": (200, '{"reports":['),
        "customer_perspective": (200, '"report":"customer-perspective"'),
        "daily": (200, '"report":"daily"'),
        "dimension": (200, '"dimension":"agent"'),
        "drivers": (200, '"drivers":['),
        "experience": (200, '"date_basis":"entered"'),
        "feed": (200, '"period","metric","scale","responses"'),
        "insights": (200, '"language":"de"'),
        "nps_by_agent": (200, '"promoters"'),
        "openapi": (200, '"openapi": "3.1.0"'),
        "comments": (200, '"next_cursor":null'),
        "posted": (200, '"report":"nps"'),
        "words": (200, '"formula":"log_odds@1"'),
        "source_csv": (200, '"metric","scale","agent","responses"'),
    },
    "order_exports": {
        "order": (202, '"state":"waiting"'),
        "show": (404, '"code":"unknown_export"'),
        "waiting": {"woken": ["demo"]},
    },
    "export_rows": {"requested": {"state": "done"}},
    "export_revenue": {
        "reports_built": {"finished": True},
        "unfinished": {"exported": [], "finished": True},
    },
    "compact_raw": {"nightly": {"finished": True}, "unfinished": {"finished": True}},
    "housekeep": {"daily": {"finished": True}, "unfinished": {"finished": True}},
}
"""What needs a date that has come, such as a day that is compacted, is left open."""


@pytest.fixture(scope="module", params=["AWS's", "own"])
def stack(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The built template, with the one or the other layer for pandas."""
    pandas = VENV / "layer" / "python" if request.param == "AWS's" else None
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    with deployed(built, pandas, log) as running:
        yield running


def test_each_function_and_event_is_expected() -> None:
    found = {path.parent.name: set[str]() for path in EVENTS.glob("*/*.json")}
    for path in EVENTS.glob("*/*.json"):
        found[path.parent.name].add(path.stem)
    assert {folder: set(replies) for folder, replies in EXPECTED.items()} == found


@pytest.mark.parametrize("folder", EXPECTED)
def test_a_function_answers_its_events(
    folder: str,
    stack: Deployed,
    built: Path,
    tools: Tools,
    tmp_path: Path,
    measured: Callable[[Measured], None],
) -> None:
    config = stack.function(folder)
    with start(config, stack.environment(config), tools, tmp_path) as running:
        for name, expected in EXPECTED[folder].items():
            event = json.loads((EVENTS / folder / f"{name}.json").read_text("utf-8"))
            assert _what_was_asked_of(running.invoke(event), expected) == expected, name
        peak, init_ms = running.peak_bytes, running.init_ms
    logical_id = logical_id_of(folder)
    package = sizes.weights(built)[logical_id]
    limit = sizes.LIMITS.get(logical_id, sizes.LIMIT)
    layer = "AWS's" if stack.pandas else "own"
    memory = config.memory_mb * MIB
    measured(Measured(layer, folder, init_ms, peak, memory, package, limit))
    assert peak <= memory
    assert package <= limit


def _what_was_asked_of(reply: Any, expected: Any) -> Any:
    """The part of the reply that `expected` speaks of; more of it where that is missing."""
    if isinstance(expected, tuple):
        part = expected[1]
        return reply["statusCode"], part if part in reply["body"] else reply["body"]
    return {name: reply[name] for name in expected}
