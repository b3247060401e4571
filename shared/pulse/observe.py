"""Logs and metrics of the functions: one JSON line a fact, never an event's body.

No caller may pass a body, an address or a key here; tests grep the logs for them. A metric is a
line too (CloudWatch's embedded metric format): CloudWatch takes it from the function's log, so
counting costs no call. The namespace is the stack's own, from template.yaml; all have the
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

    It counts at the moment given, or now. An invocation's metrics are one line with one moment:
    what is counted last dates them all.
    """
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    # set_timestamp would compare it with the machine's clock, and warn
    metrics.provider.timestamp = (days.now_us() if at_us is None else at_us) // 1000
