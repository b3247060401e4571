"""Imports moto's EC2, which moto's CloudFormation imports, in a fraction of its time.

moto asks boto3 three times for EC2's regions while it is imported, and each time boto3 reads the
whole model of EC2, the largest of all, for one word: the name under which botocore's file of
endpoints has the service. EC2's is "ec2".
"""

from typing import Any
from unittest.mock import patch

import boto3


def _available(
    self: boto3.Session,
    service_name: str,
    partition_name: str = "aws",
    allow_non_regional: bool = False,
) -> list[str]:
    """What boto3 replies for a service that botocore's file of endpoints calls by its own name."""
    session: Any = self._session
    endpoints = session._get_internal_component("endpoint_resolver")
    found: list[str] = endpoints.get_available_endpoints(
        service_name, partition_name, allow_non_regional
    )
    return found


with patch.object(boto3.Session, "get_available_regions", _available):
    import moto.ec2  # noqa: F401
