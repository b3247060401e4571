"""CloudWatch: what the functions have counted."""

from collections.abc import Sequence
from datetime import datetime

from pulse.observe import SERVICE
from pulse.store.clients import client


def sums(
    namespace: str, names: Sequence[str], start: datetime, end: datetime, *, period_s: int
) -> dict[str, int]:
    """The sum of each metric from `start` to before `end`, 0 where nothing was counted.

    Both are whole periods. CloudWatch keeps minutes for 15 days, hours for 455.
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
