"""Deploys a SAM template on moto and reads the stack back with all references resolved.

    deployment = deploy(Path("template.yaml"), stack_name="shop", parameters={})

The embedded stack uses it on moto's server, tests within mock_aws in their own process.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws import Account
from local.template import TemplateError, Translated, translate

LAMBDA_RETRIES = 2


class DeploymentError(Exception):
    """CloudFormation did not create the stack."""


@dataclass(frozen=True)
class Resource:
    """A resource that was made."""

    type: str
    physical_id: str
    properties: Mapping[str, Any]
    """Its properties, with every Ref, GetAtt, Sub and If resolved."""


@dataclass(frozen=True)
class FunctionConfig:
    """What is needed to run a function."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout: int
    """In seconds."""
    memory_mb: int
    role_arn: str
    code_dirs: tuple[Path, ...]
    """The function's own folder, then those of its layers in the template."""
    reserved_concurrency: int | None = None
    retries: int = LAMBDA_RETRIES
    """How often a failed asynchronous call is tried again."""
    failure_queue_url: str | None = None
    """The queue to which events go whose calls have all failed; None if there is none."""


@dataclass(frozen=True)
class Deployment:
    """A stack that was created; its parts are found by their logical ids."""

    stack_name: str
    resources: Mapping[str, str]
    """Logical id → physical id."""
    outputs: Mapping[str, str]
    functions: Mapping[str, FunctionConfig]
    template: Mapping[str, Any]
    """What the SAM transform made of the template."""
    resolved: Mapping[str, Resource]

    def of_type(self, resource_type: str) -> dict[str, Resource]:
        """Logical id → resource, for one type."""
        return {k: r for k, r in self.resolved.items() if r.type == resource_type}


def deploy(
    template: Path,
    *,
    stack_name: str,
    parameters: Mapping[str, str],
    region: str = "eu-central-1",
    account: Account | None = None,
) -> Deployment:
    """Create the stack of a template.

    Without `account` it is created where the environment says: on a moto server
    (AWS_ENDPOINT_URL), which must be that of local.moto_server, or on the moto of this process.
    Raises TemplateError for a wrong template, and DeploymentError if the stack cannot be created.
    """
    bucket = f"code-of-{stack_name}"
    translated = translate(template, parameters, bucket=bucket, region=region)
    account = account or Account(region)
    if account.endpoint_url is None:
        from local import cloudformation

        cloudformation.install()
    return create_stack(translated, account, stack_name=stack_name, bucket=bucket)


def create_stack(
    translated: Translated, account: Account, *, stack_name: str, bucket: str
) -> Deployment:
    """As `deploy`, for a template that has been translated for `bucket`."""
    _put_code(translated, account, bucket)
    stacks = account.client("cloudformation")
    try:
        stacks.create_stack(
            StackName=stack_name,
            TemplateBody=json.dumps(translated.body),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in translated.parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        found = stacks.get_template(StackName=stack_name, TemplateStage="Processed")
        (stack,) = stacks.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        raise DeploymentError(error.response["Error"]["Message"]) from error
    resolved = {
        logical_id: Resource(r["Type"], r["PhysicalResourceId"], r["Properties"])
        for logical_id, r in found["TemplateBody"].items()
    }
    return Deployment(
        stack_name=stack_name,
        resources={logical_id: r.physical_id for logical_id, r in resolved.items()},
        outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        functions=_functions(resolved, translated.code, account),
        template=translated.body,
        resolved=resolved,
    )


def _put_code(translated: Translated, account: Account, bucket: str) -> None:
    """Put an empty archive for each folder: CloudFormation asks for one, and nothing reads it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("local.txt", "runs from its folder")
    storage = account.client("s3")
    if account.region == "us-east-1":  # S3 refuses this region as a constraint
        storage.create_bucket(Bucket=bucket)
    else:
        place = {"LocationConstraint": account.region}
        storage.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    for key in translated.code:
        storage.put_object(Bucket=bucket, Key=key, Body=archive.getvalue())


def _functions(
    resolved: Mapping[str, Resource], code: Mapping[str, Path], account: Account
) -> dict[str, FunctionConfig]:
    layers = {
        r.physical_id: _layer_path(code[r.properties["Content"]["S3Key"]])
        for r in resolved.values()
        if r.type == "AWS::Lambda::LayerVersion"
    }
    events = {
        r.properties["FunctionName"]: r.properties
        for r in resolved.values()
        if r.type == "AWS::Lambda::EventInvokeConfig"
    }
    queues = {
        r.physical_id.rsplit("/", 1)[1]: r.physical_id
        for r in resolved.values()
        if r.type == "AWS::SQS::Queue"
    }
    functions = {}
    for logical_id, resource in resolved.items():
        if resource.type != "AWS::Lambda::Function":
            continue
        name, settings = resource.physical_id, resource.properties
        used = [layers[arn] for arn in settings.get("Layers", []) if arn in layers]
        variables = settings.get("Environment", {}).get("Variables", {})
        reserved = settings.get("ReservedConcurrentExecutions")
        functions[logical_id] = FunctionConfig(
            name=name,
            arn=f"arn:aws:lambda:{account.region}:{_account_of(settings['Role'])}:function:{name}",
            handler=settings["Handler"],
            environment={key: _as_text(value) for key, value in variables.items()},
            timeout=int(settings.get("Timeout", 3)),
            memory_mb=int(settings.get("MemorySize", 128)),
            role_arn=settings["Role"],
            code_dirs=(code[settings["Code"]["S3Key"]], *used),
            reserved_concurrency=None if reserved is None else int(reserved),
            retries=int(events.get(name, {}).get("MaximumRetryAttempts", LAMBDA_RETRIES)),
            failure_queue_url=_failure_queue(events.get(name, {}), queues),
        )
    return functions


def _failure_queue(events: Mapping[str, Any], queues: Mapping[str, str]) -> str | None:
    """The address of the queue to which events of asynchronous calls go after the last failure.

    Raises DeploymentError for a destination that is no queue of the template.
    """
    settings = events.get("DestinationConfig", {})
    destination = settings.get("OnFailure", {}).get("Destination")
    if destination is None:
        return None
    name = destination.rsplit(":", 1)[1]
    if "OnSuccess" in settings or ":sqs:" not in destination or name not in queues:
        raise DeploymentError(f"{destination}: only queues are told, and of failures alone")
    return queues[name]


def _layer_path(folder: Path) -> Path:
    """The folder of a layer that is on the path: `python`, or all of it if SAM builds it there."""
    return folder / "python" if (folder / "python").is_dir() else folder


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _as_text(value: Any) -> str:
    """The text of an environment variable: YAML's true is "true" in Lambda."""
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["Deployment", "DeploymentError", "FunctionConfig", "Resource", "TemplateError", "deploy"]
