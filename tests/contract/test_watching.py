"""Every alarm notifies somebody and watches a metric that exists."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from pulse.housekeep import METRICS
from pulse.lake import DATASETS
from pulse.observe import SERVICE
from tests.contract.test_template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")
OWN = "Pulse/${AWS::StackName}"
OF_AWS = {
    "AWS/Lambda": ({"Errors", "Throttles", "Duration", "Invocations"}, ("FunctionName",)),
    "AWS/SQS": (
        {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
        ("QueueName",),
    ),
    "AWS/ApiGateway": ({"4xx", "5xx", "Count", "Latency"}, ("ApiId",)),
}
"""Metrics of AWS's documentation (for the last: of HTTP APIs), and the dimension each needs."""

Metric = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name and dimensions, with references as Fn::Sub writes them."""


def written(value: Any) -> str:
    """A text or a reference, as Fn::Sub would write it."""
    match value:
        case {"Fn::Sub": str(text)} | str(text):
            return text
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
    raise AssertionError(f"what is {value}?")


def metric(stated: Mapping[str, Any]) -> Metric:
    dimensions = {d["Name"]: written(d["Value"]) for d in stated.get("Dimensions", ())}
    return written(stated["Namespace"]), stated["MetricName"], tuple(dimensions.items())


def metrics_of(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    if "MetricName" in alarm:
        yield metric(alarm)
    for query in alarm.get("Metrics", ()):
        if "MetricStat" in query:
            yield metric(query["MetricStat"]["Metric"])


def widgets() -> list[dict[str, Any]]:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def metrics_shown() -> Iterator[Metric]:
    for widget in widgets():
        for line in widget["properties"]["metrics"]:
            texts = [part for part in line if isinstance(part, str)]
            if texts:
                namespace, name, *dimensions = texts
                yield namespace, name, tuple(zip(dimensions[::2], dimensions[1::2], strict=True))


@cache
def counted() -> frozenset[str]:
    """Every metric that the code counts, from its calls of pulse.observe.count."""
    found: set[str] = set()
    for path in chain((ROOT / "shared").rglob("*.py"), (ROOT / "functions").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="count"), args=[first, *_]):
                    found |= set(names(first, path))
    return frozenset(found)


def names(argument: ast.expr, path: Path) -> Iterator[str]:
    match argument:
        case ast.Constant(value=str(name)):
            yield name
        case ast.IfExp(body=one, orelse=other):
            yield from names(one, path)
            yield from names(other, path)
        case ast.Name(id="metric"):
            assert path.match("pulse/housekeep.py"), f"whose name is it? {path}"
            yield from METRICS
        case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(what))]):
            assert path.match("ingest/routes.py"), f"whose name is it? {path}"
            yield from (f"{dataset.stream.capitalize()}{what}" for dataset in DATASETS)


def filtered() -> set[Metric]:
    """The metrics that CloudWatch takes from the API's log."""
    filters = of_type("AWS::Logs::MetricFilter").values()
    made = chain.from_iterable(one["MetricTransformations"] for one in filters)
    return {(written(one["MetricNamespace"]), one["MetricName"], ()) for one in made}


def is_there(metric: Metric) -> bool:
    namespace, name, dimensions = metric
    if namespace == OWN:
        own = name in counted() and dimensions == (("service", SERVICE),)
        return own or metric in filtered()
    known, needed = OF_AWS[namespace]
    return name in known and tuple(kind for kind, _ in dimensions) == needed


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_on_metrics_that_there_are_and_somebody_is_told(name: str) -> None:
    alarm = ALARMS[name]
    watched = list(metrics_of(alarm))
    assert watched
    assert [metric for metric in watched if not is_there(metric)] == []
    assert alarm["AlarmActions"] == {
        "Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]
    }
    assert alarm["TreatMissingData"] == ("breaching" if name == "Freshness" else "notBreaching")
    assert alarm["AlarmDescription"]


def test_a_widget_shows_metrics_that_there_are() -> None:
    shown = list(metrics_shown())
    assert len(shown) > 40
    assert [metric for metric in shown if not is_there(metric)] == []


def test_every_function_is_watched_for_errors_and_throttles() -> None:
    watched = {metric for alarm in ALARMS.values() for metric in metrics_of(alarm)}
    shown = set(metrics_shown())
    for function in FUNCTIONS:
        for name in ("Errors", "Throttles"):
            of_function = ("AWS/Lambda", name, (("FunctionName", f"${{{function}}}"),))
            assert of_function in watched
            assert of_function in shown


def test_widgets_do_not_lie_over_each_other() -> None:
    taken = [
        (x, y)
        for w in widgets()
        for x in range(w["x"], w["x"] + w["width"])
        for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_reports_are_stale_after_26_hours() -> None:
    """CloudWatch evaluates more than a day only for periods of an hour or more."""
    alarm = ALARMS["Freshness"]
    period = alarm["Metrics"][0]["MetricStat"]["Period"]
    assert period >= 3600
    assert period * alarm["EvaluationPeriods"] == 26 * 3600


def test_requests_that_were_throttled_are_told_apart_in_the_log_as_it_is_written() -> None:
    pattern = RESOURCES["RequestsThrottled"]["Properties"]["FilterPattern"]
    form = r'\{ \$\.(\w+) = "(\d+)" && \$\.(\w+) != "(\d+)" \}'
    status, value, function, another = re.fullmatch(form, pattern).groups()  # type: ignore[union-attr]
    line = json.loads(RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"])
    assert (line[status], value) == ("$context.status", "429")
    # a function that answers 429 itself holds one caller back; that is told by its own metric
    assert (line[function], another) == ("$context.integration.status", "429")


def test_a_stack_has_a_namespace_of_its_own() -> None:
    given = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert given["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": OWN}
    assert TEMPLATE["Outputs"]["MetricsNamespace"]["Value"] == {"Fn::Sub": OWN}
    assert given["POWERTOOLS_SERVICE_NAME"] == SERVICE


def test_functions_are_traced_and_those_of_each_request_if_wanted() -> None:
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "Active"
    asked = {name for name, function in FUNCTIONS.items() if "Tracing" in function}
    assert asked == {"Ingest", "ServeReports"}  # called so often that traces would cost more
    assert TEMPLATE["Parameters"]["RequestTracing"]["Default"] == "PassThrough"
