"""Measures write_raw: the rows that it writes in a second, with all that belongs to it.

Messages are read, checked, given a country and a browser, sorted, encoded and stored, and the
ledger is told. AWS is another process: the rate is for a second of this one's CPU time.
"""

import statistics
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from bench import messages
from bench.account import CONTEXT, deployed
from bench.measure import Goal, Scale, Section
from functions.write_raw import app
from pulse import days

TENANTS = tuple(f"tenant-{number}" for number in range(20))
GOAL = 20_000
BATCH = 1_000
"""How many messages Lambda hands over at once, as the template says."""
_FULL = "from pages, in batches of 1,000 messages"

Batch = Sequence[messages.Record]


def run(scale: Scale) -> Section:
    """Measure rows a second, from pages and from imports, in full batches and one by one."""
    with deployed() as account:
        for tenant in TENANTS:
            account.tenant(tenant)
        now = days.now() - timedelta(hours=1)
        first = _rate(messages.records(BATCH, TENANTS, now=now))
        others = messages.records(scale.messages + 1, TENANTS, now=now)
        for batch in [*_batches(others, BATCH), *_batches(_import(scale, now), 10)]:
            _rate(batch)
        singles = messages.records(scale.messages, TENANTS, now=now)
        cases = {
            _FULL: _batches(singles, BATCH),
            "from pages, in batches of 100": _batches(singles, 100),
            "from pages, one at a time: an object for each": _batches(singles[:100], 1),
            "from imports of 500 rows, in batches of 10": _batches(_import(scale, now), 10),
        }
        rates = {"the first batch of a process, from pages": (first, first)} | _rates(cases)
    full = rates[_FULL]
    return Section(
        title="write_raw: rows",
        about="Rows for each second of one core's CPU time: reading, checks, country and browser, "
        f"Parquet, PUT and ledger. {messages.USER_AGENTS:,} browsers, each row its own address. "
        "The process is warm, as it is for hours: it knows tenants, browsers and the agents' "
        "names. The first batch of a process, which notes names, stands in a line of its own. The "
        "goal is judged by the best batch: what else the machine does only ever slows one.",
        header=("messages", "rows/s/core, median", "best"),
        rows=tuple(
            (name, f"{median:,.0f}", f"{best:,.0f}") for name, (median, best) in rates.items()
        ),
        goals=(
            Goal(
                f"at least {GOAL:,} rows/s/core, all included",
                f"{full[1]:,.0f} (median {full[0]:,.0f})",
                full[1] >= GOAL if scale.messages >= BATCH else None,
            ),
        ),
    )


def _import(scale: Scale, now: datetime) -> Batch:
    """A batch with enough answers to name every agent of every tenant."""
    return messages.imports(
        max(scale.messages, 2 * messages.ITEMS * len(TENANTS)), TENANTS, now=now
    )


def _batches(records: Batch, size: int) -> list[Batch]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def _rates(cases: dict[str, list[Batch]]) -> dict[str, tuple[float, float]]:
    """The median and the best rate of each case, whose batches are measured in turns."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(max(map(len, cases.values()))):
        for name, batches in cases.items():
            if turn < len(batches):
                found[name].append(_rate(batches[turn]))
    return {name: (statistics.median(rates), max(rates)) for name, rates in found.items()}


def _rate(batch: Batch) -> float:
    """How many rows the handler writes in a second of CPU, measured with one batch."""
    rows: int = sum(record["body"].count('"response_id"') for record in batch)
    start = time.process_time()
    answer = app.handler({"Records": list(batch)}, CONTEXT)
    taken = time.process_time() - start
    if failures := answer["batchItemFailures"]:
        raise RuntimeError(f"{len(failures)} messages failed")
    return rows / taken
