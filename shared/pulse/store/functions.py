"""Invokes Lambda functions for commands."""

import json
from typing import Any

from botocore.exceptions import ClientError

from pulse.errors import FunctionFailedError, SettingsError
from pulse.store.clients import client


def start(function: str) -> None:
    """Invoke the function with an empty event, without waiting for its end."""
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")


def call(function: str) -> Any:
    """Invoke the function with an empty event; return its result, after up to 15 minutes.

    It is never invoked again if it fails. Raises FunctionFailedError with the function's own error.
    """
    reply = client("lambda", lasting=True).invoke(FunctionName=function, Payload=b"{}")
    result = json.loads(reply["Payload"].read())
    if "FunctionError" in reply:
        raise FunctionFailedError(f"{result.get('errorType')}: {result.get('errorMessage')}")
    return result


def function_of(stack: str, logical_id: str) -> str:
    """The name of the function with this logical id in the stack's template.

    Raises SettingsError if the stack has none.
    """
    try:
        found = client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise SettingsError(f"the stack {stack!r} has no function {logical_id}") from error
    return str(found["StackResourceDetail"]["PhysicalResourceId"])
