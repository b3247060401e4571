"""Reads from CloudWatch what the functions counted, and how old SQS's messages are."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pulse.observe import SERVICE
from pulse.store.clients import client


def sums(
    namespace: str, names: Sequence[str], start: datetime, end: datetime, *, period_s: int
) -> dict[str, int]:
    """The sum of each metric from `start` to before `end`; 0 if nothing was counted.

    Both are multiples of `period_s`. CloudWatch keeps minutes for 15 days, hours for 455.
    """
    found = dict.fromkeys(names, 0)
    if start == end:
        return found
    dimensions = [{"Name": "service", "Value": SERVICE}]
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions},
                "Period": period_s,
                "Stat": "Sum",
            },
        }
        for number, name in enumerate(names)
    ]
    pages = (
        client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(MetricDataQueries=queries, StartTime=start, EndTime=end)
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            found[names[int(result["Id"][1:])]] += round(sum(result["Values"]))
    return found


_MINUTE_S = 60
_AGE_LOOK_BACK = timedelta(minutes=15)
"""How far to look back: SQS reports the age each minute, and CloudWatch has it minutes later."""


def oldest_sent(queue_url: str, now: datetime) -> datetime | None:
    """When a queue's oldest message was sent, at the earliest; None if CloudWatch does not know.

    SQS leaves out a message that was received three times or more and is still there.
    """
    queue = {"Name": "QueueName", "Value": queue_url.rsplit("/", 1)[-1]}
    end = now.replace(second=0, microsecond=0) + timedelta(seconds=_MINUTE_S)
    query = {
        "Id": "age",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [queue],
            },
            "Period": _MINUTE_S,
            "Stat": "Maximum",
        },
    }
    reply = client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=end - _AGE_LOOK_BACK, EndTime=end
    )
    (found,) = reply["MetricDataResults"]
    if not found["Values"]:
        return None
    minute, age_s = max(zip(found["Timestamps"], found["Values"], strict=True))
    sent: datetime = minute - timedelta(seconds=age_s)
    return sent
