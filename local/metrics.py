"""Turns lines of functions' logs into metrics (CloudWatch's embedded metric format).

On AWS CloudWatch reads such lines from a function's log group; here the log is a file, which
`Collector` reads while it grows. For each minute the sum, minimum, maximum and number of a metric's
values are sent to moto, so that it need not keep every value. So there are no percentiles here.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Account

PAUSE_SECONDS = 0.5
MOST_PUT = 500
"""The most metrics in one call; CloudWatch accepts a thousand."""

_BEGINNING = b'{"_aws":'


class Series(NamedTuple):
    """One minute of one metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    minute: datetime


class Collector:
    """Sends the metrics of growing logs to CloudWatch until it is stopped."""

    def __init__(self, logs: Sequence[Path], account: Account) -> None:
        self._read_to = dict.fromkeys(logs, 0)
        self._cloudwatch = account.client("cloudwatch")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._collect, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()

    def join(self) -> None:
        """Wait for the end of its thread, which is soon if moto has ended."""
        self._thread.join(timeout=5)

    def _collect(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for log, begin in self._read_to.items():
                with log.open("rb") as file:
                    file.seek(begin)
                    whole, newline, _ = file.read().rpartition(b"\n")
                try:
                    put(whole.splitlines(), self._cloudwatch)
                except (ClientError, BotoCoreError):
                    continue  # moto failed or ends: try the same lines again
                self._read_to[log] = begin + len(whole) + len(newline)


def put(lines: Iterable[bytes], cloudwatch: Any) -> None:
    """Send the metrics in the lines to CloudWatch; other lines are ignored."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for series, values in collected(lines).items():
        found[series.namespace].append(
            {
                "MetricName": series.name,
                "Dimensions": [{"Name": name, "Value": of} for name, of in series.dimensions],
                "Timestamp": series.minute,
                "Unit": series.unit,
                "StatisticValues": {
                    "SampleCount": len(values),
                    "Sum": sum(values),
                    "Minimum": min(values),
                    "Maximum": max(values),
                },
            }
        )
    for namespace, data in found.items():
        for begin in range(0, len(data), MOST_PUT):
            part = data[begin : begin + MOST_PUT]
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=part)


def collected(lines: Iterable[bytes]) -> Mapping[Series, list[float]]:
    """The values in the lines, by metric and minute."""
    found: dict[Series, list[float]] = defaultdict(list)
    for line in lines:
        if line.startswith(_BEGINNING):
            for series, values in _read(json.loads(line)):
                found[series] += values
    return found


def _read(told: Mapping[str, Any]) -> Iterator[tuple[Series, list[float]]]:
    moment = datetime.fromtimestamp(told["_aws"]["Timestamp"] / 1000, UTC)
    minute = moment.replace(second=0, microsecond=0)
    for directive in told["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, str(told[name])) for name in names)
            for metric in directive["Metrics"]:
                value = told[metric["Name"]]
                series = Series(
                    directive["Namespace"],
                    metric["Name"],
                    dimensions,
                    metric.get("Unit", "None"),
                    minute,
                )
                yield series, value if isinstance(value, list) else [value]
