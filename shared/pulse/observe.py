"""Logs and metrics of the functions: one JSON line a fact, never an event's body.

No caller may pass a body, an address or a key here; tests grep the logs for them.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="pulse")
metrics = Metrics(namespace="Pulse", service="pulse")


def count(name: str, value: int = 1) -> None:
    """Add `value` to the CloudWatch metric `name` of this invocation."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
