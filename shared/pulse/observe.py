"""Logs and metrics of the functions, as lines of JSON that never hold an event.

Callers must not pass bodies, addresses or keys; tests search the logs for them. A metric is a line
of the log, too (CloudWatch's embedded metric format), from which CloudWatch takes it, so counting
needs no call of AWS. The namespace is the stack's own, from template.yaml; all metrics have the
dimension service=pulse.
"""

import os

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pulse import days

SERVICE = "pulse"

logger = Logger(service=SERVICE)
metrics = Metrics(
    namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Pulse"),  # a shell has none
    service=SERVICE,
)


def count(name: str, value: int = 1, *, at_us: int | None = None) -> None:
    """Add `value` to the CloudWatch metric `name` of this invocation.

    It counts at `at_us` (UTC, microseconds), or now. All metrics of an invocation are one line with
    one moment: that of the last call.
    """
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    # set_timestamp would compare it with the machine's clock, and warn
    metrics.provider.timestamp = (days.now_us() if at_us is None else at_us) // 1000
