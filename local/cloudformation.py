"""Adds to moto's CloudFormation the resource types that a SAM application needs and moto lacks.

It runs in moto's process; `install()` is called before the first stack is made. After that a stack
is either made completely, or fails with the name of what is not supported. moto alone would log a
warning and leave the resource out.

There are three kinds of types:
- made: Glue databases and tables, Athena workgroups, secrets and bucket versioning exist in moto;
- noted: what the embedded stack runs itself (the HTTP API, schedules, queue pollers), and what has
  no meaning on one machine (alarms, CDN, lifecycle rules, resource policies). Ref and GetAtt work;
- refused: what moto would accept and the embedded stack would not run.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import local.ec2  # noqa: F401 - before moto's CloudFormation, which imports EC2

# isort: split
from moto.athena.models import athena_backends
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.glue.models import glue_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends
from werkzeug.exceptions import HTTPException

from local import versions

Properties = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a resource is made: account, region, and the name that CloudFormation generated."""

    account: str
    region: str
    generated_name: str

    def arn(self, service: str, tail: str) -> str:
        """The ARN of a resource made here; `tail` is what follows the account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{tail}"


@dataclass(frozen=True)
class Made:
    """A resource that was made: `ref` is what Ref gives, `attributes` what Fn::GetAtt gives."""

    ref: str
    attributes: dict[str, str] = field(default_factory=dict)


Maker = Callable[[Properties, Place], Made]


class ExtraResource(CloudFormationModel):
    """A resource of a type that moto lacks. Each type is a subclass; moto calls the methods."""

    make: ClassVar[Maker]

    def __init__(self, made: Made) -> None:
        self.made = made
        self.type = ""

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.made.ref

    def get_cfn_attribute(self, attribute: str) -> str:
        """What Fn::GetAtt gives. Raises moto's exception if the type has no such attribute."""
        if attribute not in self.made.attributes:
            raise UnformattedGetAttTemplateException
        return self.made.attributes[attribute]

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Always true: get_cfn_attribute refuses unknown attributes once the resource exists."""
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> ExtraResource:
        """Make the resource. Raises ValidationError if its properties are not accepted."""
        place = Place(account_id, region_name, resource_name)
        try:
            return cls(cls.make(cloudformation_json["Properties"], place))
        except (HTTPException, KeyError) as error:
            # the service's own error, which a caller of CloudFormation could not read
            reason = getattr(error, "message", f"property {error} is missing")
            raise ValidationError(message=f"{cls.cloudformation_type()}: {reason}") from error

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, *_: Any, **__: Any
    ) -> ExtraResource:
        """Raise ValidationError: a change of the template needs a new stack."""
        raise ValidationError(message="The embedded stack is never updated: start it again")

    @classmethod
    def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
        """Do nothing: all of moto ends with the stack."""

    def is_created(self) -> bool:
        """Always true: `make` returns when the resource is there."""
        return True


def _glue_database(properties: Properties, place: Place) -> Made:
    definition = properties["DatabaseInput"]
    backend = glue_backends[place.account][place.region]
    backend.create_database(definition["Name"], definition)
    return Made(definition["Name"])


def _glue_table(properties: Properties, place: Place) -> Made:
    table = properties["TableInput"]
    backend = glue_backends[place.account][place.region]
    backend.create_table(properties["DatabaseName"], table["Name"], table)
    return Made(table["Name"])


def _athena_workgroup(properties: Properties, place: Place) -> Made:
    backend = athena_backends[place.account][place.region]
    made = backend.create_work_group(
        name=properties["Name"],
        configuration=properties.get("WorkGroupConfiguration", {}),
        description=properties.get("Description", ""),
        tags=properties.get("Tags", []),
    )
    if made is None:
        raise ValidationError(message=f"there is a workgroup {properties['Name']} already")
    return Made(properties["Name"])


def _secret(properties: Properties, place: Place) -> Made:
    backend = secretsmanager_backends[place.account][place.region]
    text = properties.get("SecretString")
    if text is None:
        text = _generated(backend, properties.get("GenerateSecretString", {}))
    name = properties.get("Name", place.generated_name)
    described = json.loads(
        backend.create_secret(
            name=name,
            secret_string=text,
            secret_binary=None,
            description=properties.get("Description"),
            tags=[],
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
    )
    return Made(described["ARN"], {"Id": described["ARN"]})


def _generated(backend: SecretsManagerBackend, asked: Properties) -> str:
    """Generate a secret's text by its GenerateSecretString."""
    drawn = json.loads(
        backend.get_random_password(
            password_length=int(asked.get("PasswordLength", 32)),
            exclude_characters=asked.get("ExcludeCharacters", ""),
            exclude_numbers=asked.get("ExcludeNumbers", False),
            exclude_punctuation=asked.get("ExcludePunctuation", False),
            exclude_uppercase=asked.get("ExcludeUppercase", False),
            exclude_lowercase=asked.get("ExcludeLowercase", False),
            include_space=asked.get("IncludeSpace", False),
            require_each_included_type=asked.get("RequireEachIncludedType", True),
        )
    )["RandomPassword"]
    if "GenerateStringKey" not in asked:
        return str(drawn)
    template = json.loads(asked["SecretStringTemplate"])
    return json.dumps(template | {asked["GenerateStringKey"]: drawn})


def _http_api(properties: Properties, place: Place) -> Made:
    api_id = uuid.uuid4().hex[:10]
    endpoint = f"https://{api_id}.execute-api.{place.region}.amazonaws.com"
    return Made(api_id, {"ApiId": api_id, "ApiEndpoint": endpoint})


def _layer(properties: Properties, place: Place) -> Made:
    # moto's own gives an object of Python for Ref
    name = properties.get("LayerName", place.generated_name)
    return Made(place.arn("lambda", f"layer:{name}:1"))


def _stage(properties: Properties, place: Place) -> Made:
    return Made(properties["StageName"])


def _queue_poller(properties: Properties, place: Place) -> Made:
    # moto's own poller would receive each message and start Docker
    mapping = str(uuid.uuid4())
    return Made(mapping, {"Id": mapping})


def _schedule(properties: Properties, place: Place) -> Made:
    name = properties.get("Name", place.generated_name)
    group = properties.get("GroupName", "default")
    return Made(name, {"Arn": place.arn("scheduler", f"schedule/{group}/{name}")})


def _alarm(properties: Properties, place: Place) -> Made:
    name = properties.get("AlarmName", place.generated_name)
    return Made(name, {"Arn": place.arn("cloudwatch", f"alarm:{name}")})


def _distribution(properties: Properties, place: Place) -> Made:
    identity = f"E{uuid.uuid4().hex[:13].upper()}"
    domain = f"{uuid.uuid4().hex[:14]}.cloudfront.net"
    return Made(identity, {"Id": identity, "DomainName": domain})


def _edge_function(properties: Properties, place: Place) -> Made:
    arn = f"arn:aws:cloudfront::{place.account}:function/{place.generated_name}"
    return Made(arn, {"FunctionARN": arn})


def _noted(properties: Properties, place: Place) -> Made:
    """A resource that does nothing here: Ref and GetAtt of Id give its name."""
    return Made(place.generated_name, {"Id": place.generated_name})


MAKERS: dict[str, Maker] = {
    "AWS::Glue::Database": _glue_database,
    "AWS::Glue::Table": _glue_table,
    "AWS::Athena::WorkGroup": _athena_workgroup,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::ApiGatewayV2::Api": _http_api,
    "AWS::ApiGatewayV2::Stage": _stage,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::LayerVersionPermission": _noted,
    "AWS::Lambda::Permission": _noted,
    "AWS::Lambda::EventSourceMapping": _queue_poller,
    "AWS::Lambda::EventInvokeConfig": _noted,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _noted,
    "AWS::Budgets::Budget": _noted,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _alarm,
    "AWS::Logs::MetricFilter": _noted,
    "AWS::Logs::QueryDefinition": _noted,
    "AWS::S3::BucketPolicy": _noted,
    "AWS::SQS::QueuePolicy": _noted,
    "AWS::SNS::TopicPolicy": _noted,
    "AWS::SNS::Subscription": _noted,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::Function": _edge_function,
    "AWS::CloudFront::CachePolicy": _noted,
    "AWS::CloudFront::OriginAccessControl": _noted,
    "AWS::CloudFront::OriginRequestPolicy": _noted,
    "AWS::CloudFront::ResponseHeadersPolicy": _noted,
}

REFUSED = {
    "AWS::ApiGateway::RestApi": "a REST API is not served, use AWS::Serverless::HttpApi",
    "AWS::CloudFormation::Stack": "nested stacks are not deployed",
}


class Bucket(FakeBucket):
    """moto's bucket, with the versioning that the template asks for.

    Lifecycle rules are accepted and never applied; a bucket with notifications is refused.
    """

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> FakeBucket:
        """Make the bucket. Raises ValidationError if it has notifications."""
        properties = cloudformation_json.get("Properties", {})
        if "NotificationConfiguration" in properties:
            raise ValidationError(message=f"Bucket {resource_name}: notifications are not served")
        bucket = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        if status := properties.get("VersioningConfiguration", {}).get("Status"):
            s3_backends[account_id]["aws"].put_bucket_versioning(bucket.name, status)
        return bucket


def install() -> None:
    """Add the types above to the moto of this process. To call it again changes nothing."""
    models: dict[str, Any] = parsing.get_model_map()
    if "AWS::Glue::Table" in models:
        return
    for name, maker in MAKERS.items():
        body = {
            "make": staticmethod(maker),
            "cloudformation_type": staticmethod(lambda name=name: name),
        }
        models[name] = type(name.replace("::", ""), (ExtraResource,), body)
    models["AWS::S3::Bucket"] = Bucket
    versions.install()
    parser: Any = parsing
    parser.resource_class_from_type = _resource_class
    api: Any = CloudFormationResponse
    api.get_template = _get_template
    stack: Any = Stack
    stack.parse_template = staticmethod(_parse_template)
    stack.stack_resources = property(_stack_resources)


def _resource_class(resource_type: str) -> type[CloudFormationModel] | None:
    if resource_type in REFUSED:
        raise ValidationError(message=f"{resource_type}: {REFUSED[resource_type]}")
    if resource_type in parsing.NULL_MODELS:
        return None
    models = parsing.get_model_map()
    if resource_type not in models:
        raise ValidationError(
            message=f"{resource_type} is supported neither by moto nor by the embedded stack"
        )
    return models[resource_type]


def _stack_resources(stack: Stack) -> list[type[CloudFormationModel]]:
    """The stack's resources without moto's None for those whose condition is false."""
    return [resource for resource in stack.resource_map.values() if resource is not None]


_moto_parse_template = Stack.parse_template


def _parse_template(template: str) -> dict[str, Any]:
    """Read JSON as JSON: moto reads every template as YAML, which takes a second for ours."""
    try:
        body: dict[str, Any] = json.loads(template)
    except ValueError:
        return _moto_parse_template(template)
    return body


_moto_get_template = CloudFormationResponse.get_template


def _get_template(self: CloudFormationResponse) -> ActionResult:
    """GetTemplate. Its Processed stage, which moto lacks, has `resolved_resources`."""
    if self._get_param("TemplateStage") != "Processed":
        return _moto_get_template(self)
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    return ActionResult({"TemplateBody": json.dumps(resolved_resources(stack))})


def resolved_resources(stack: Stack) -> dict[str, Any]:
    """Logical id → Type, PhysicalResourceId and Properties with every reference resolved.

    Resources whose condition is false are not in it.
    """
    resolved: dict[str, Any] = {}
    for logical_id, definition in stack.template_dict["Resources"].items():
        resource = stack.resource_map[logical_id]
        if resource is not None:
            resolved[logical_id] = {
                "Type": definition["Type"],
                # a few of moto's own resources have no physical id
                "PhysicalResourceId": getattr(resource, "physical_resource_id", logical_id),
                "Properties": _with_secrets(
                    parsing.clean_json(definition.get("Properties", {}), stack.resource_map)
                ),
            }
    return resolved


_SECRET = re.compile(
    r"\{\{resolve:secretsmanager:(?P<arn>arn:[^:]+:secretsmanager:(?P<region>[^:]+):"
    r"(?P<account>\d+):secret:[^:}]+):SecretString:(?P<member>[^:}]+)\}\}"
)


def _with_secrets(value: Any) -> Any:
    """The value with references to secrets replaced by the secrets, which moto does not do."""
    if isinstance(value, dict):
        return {key: _with_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_secrets(item) for item in value]
    return _SECRET.sub(_secret_member, value) if isinstance(value, str) else value


def _secret_member(reference: re.Match[str]) -> str:
    backend = secretsmanager_backends[reference["account"]][reference["region"]]
    found = backend.get_secret_value(
        secret_id=reference["arn"], version_id="", version_stage="AWSCURRENT"
    )
    return str(json.loads(found["SecretString"])[reference["member"]])
