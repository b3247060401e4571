"""CloudWatch's metrics, which functions print in its embedded metric format."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.metrics import Series, collected
from local.stack import Stack
from tests.local.stack.conftest import eventually

LINE = (
    b'{"_aws":{"Timestamp":1795273262500,"CloudWatchMetrics":[{"Namespace":"N",'
    b'"Dimensions":[["service"],[]],"Metrics":[{"Name":"A","Unit":"Count"},{"Name":"B"}]}]},'
    b'"service":"pulse","A":[1.0,2.0],"B":5}'
)


def echoes(stack: Stack) -> dict[str, Any]:
    """What CloudWatch knows of the metric of a function."""
    now = datetime.now(UTC)
    found: dict[str, Any]
    found, *_ = stack.client("cloudwatch").get_metric_statistics(
        Namespace="Echo",
        MetricName="Echoes",
        Dimensions=[{"Name": "of", "Value": "test"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"] or [{}]
    return found


def test_what_a_function_counts_is_in_cloudwatch(stack: Stack) -> None:
    stack.invoke("Echo", {"do": "count"})
    assert eventually(lambda: echoes(stack).get("Sum") == 9)
    found = echoes(stack)
    assert (found["SampleCount"], found["Minimum"], found["Maximum"]) == (3, 2, 4)

    stack.invoke("Echo", {"do": "count"})
    assert eventually(lambda: echoes(stack)["Sum"] == 18)


def test_a_line_counts_for_each_set_of_dimensions_and_minute() -> None:
    minute = datetime(2026, 11, 21, 15, 1, tzinfo=UTC)
    service = (("service", "pulse"),)
    assert collected([LINE, b"not JSON", b'{"a": 1}', LINE]) == {
        Series("N", "A", service, "Count", minute): [1, 2, 1, 2],
        Series("N", "B", service, "None", minute): [5, 5],
        Series("N", "A", (), "Count", minute): [1, 2, 1, 2],
        Series("N", "B", (), "None", minute): [5, 5],
    }
