"""Imports moto's EC2, which moto's CloudFormation imports, in a fraction of its time.

Nothing here has an instance. While it is imported, moto

- asks boto3 three times for EC2's regions, and each time boto3 reads the whole model of EC2, the
  largest of all, for one word: the name under which botocore's file of endpoints has the service.
  EC2's is "ec2";
- reads what types of instances there are in each region, which are ninety files.
"""

from typing import Any
from unittest.mock import patch

import boto3
from moto.utilities import utils

_INSTANCE_TYPES = "ec2/resources/instance_type"
_read = utils.load_resource


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


def _but_instance_types(resource: str) -> Any:
    """What is in one of moto's files, but no type of an instance."""
    return {} if resource.startswith(_INSTANCE_TYPES) else _read(resource)


with (
    patch.object(boto3.Session, "get_available_regions", _available),
    patch.object(utils, "load_resource", _but_instance_types),
):
    import moto.ec2  # noqa: F401
