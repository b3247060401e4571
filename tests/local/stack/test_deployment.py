"""Templates that can be deployed and that cannot, inside this process's moto."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws

from local.deployment import Deployment, DeploymentError, deploy
from local.template import TemplateError
from tests.local.stack.conftest import APP


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def deployment(account: None) -> Deployment:
    return deploy(APP, stack_name="app", parameters={})


def write(folder: Path, resources: dict[str, Any], **sections: Any) -> Path:
    path = folder / "template.yaml"
    body = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, **sections}
    path.write_text(yaml.safe_dump(body))
    return path


def refused(folder: Path, resources: dict[str, Any], **sections: Any) -> str:
    """Why a template with these resources is not deployed."""
    with pytest.raises((TemplateError, DeploymentError)) as caught:
        deploy(write(folder, resources, **sections), stack_name="app", parameters={})
    return str(caught.value)


def test_functions_come_with_everything_it_takes_to_run_them(deployment: Deployment) -> None:
    echo = deployment.functions["Echo"]
    assert echo.name == deployment.resources["Echo"]
    assert (echo.handler, echo.timeout, echo.memory_mb) == ("app.handler", 20, 256)
    assert echo.environment["BUCKET"] == deployment.outputs["BucketName"]
    assert echo.role_arn.startswith("arn:aws:iam::123456789012:role/")
    assert [path.name for path in echo.code_dirs] == ["echo", "code"]
    assert (echo.retries, deployment.functions["Worker"].retries) == (2, 1)


def test_resources_moto_lacks_really_exist(deployment: Deployment) -> None:
    region = "eu-central-1"
    table = boto3.client("glue", region).get_table(DatabaseName="app_lake", Name="readings")[
        "Table"
    ]
    bucket = deployment.outputs["BucketName"]
    assert table["StorageDescriptor"]["Location"] == f"s3://{bucket}/readings/"
    group = boto3.client("athena", region).get_work_group(WorkGroup="app-queries")["WorkGroup"]
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    versioning = boto3.client("s3", region).get_bucket_versioning(Bucket=bucket)
    assert versioning["Status"] == "Enabled"


def test_references_are_resolved_in_what_the_runtime_reads(deployment: Deployment) -> None:
    [poller] = deployment.of_type("AWS::Lambda::EventSourceMapping").values()
    assert poller.properties["EventSourceArn"].startswith("arn:aws:sqs:eu-central-1:123456789012:")
    assert poller.properties["FunctionName"] == deployment.functions["Worker"].name


SHOWN = {"Fn::Sub": "${Edition}-{{resolve:secretsmanager:${Key}:SecretString:secret}}"}
KEY = {
    "Type": "AWS::SecretsManager::Secret",
    "Properties": {
        "GenerateSecretString": {
            "SecretStringTemplate": '{"user": "api"}',
            "GenerateStringKey": "secret",
            "PasswordLength": 40,
            "ExcludePunctuation": True,
        }
    },
}


def test_a_secret_is_generated_and_resolved_where_it_is_used(account: None, tmp_path: Path) -> None:
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": SHOWN}}
    edition = {"Edition": {"Type": "String", "Default": "1"}}
    path = write(tmp_path, {"Key": KEY, "Bus": bus}, Parameters=edition)
    first = deploy(path, stack_name="first", parameters={})
    second = deploy(path, stack_name="second", parameters={"Edition": "2"})
    shown = [d.resolved["Bus"].properties["Name"] for d in (first, second)]
    stored = [
        json.loads(
            boto3.client("secretsmanager", "eu-central-1").get_secret_value(
                SecretId=d.resources["Key"]
            )["SecretString"]
        )
        for d in (first, second)
    ]
    assert shown == [f"1-{stored[0]['secret']}", f"2-{stored[1]['secret']}"]
    assert stored[0]["secret"] != stored[1]["secret"]
    assert [secret["user"] for secret in stored] == ["api", "api"]


def test_a_condition_decides_whether_a_resource_is_made(account: None) -> None:
    without = deploy(APP, stack_name="without", parameters={})
    made = deploy(APP, stack_name="made", parameters={"WithDashboard": "true"})
    assert "Dashboard" not in without.resources
    assert "Dashboard" in made.resources
    cloudformation = boto3.client("cloudformation", "eu-central-1")
    listed = cloudformation.describe_stack_resources(StackName="without")["StackResources"]
    assert {resource["LogicalResourceId"] for resource in listed} >= {"Table"}
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stack_resource(StackName="without", LogicalResourceId="Dashboard")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"Nothing": "1"}, "no parameter Nothing"), ({"WithDashboard": "maybe"}, "true, false")],
)
def test_a_wrong_parameter_is_refused(
    account: None, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        deploy(APP, stack_name="app", parameters=parameters)


def test_what_is_no_yaml_is_refused(account: None, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources: [Topic\n")
    with pytest.raises(TemplateError, match="expected ',' or ']'"):
        deploy(path, stack_name="app", parameters={})


def test_a_parameter_without_a_value_is_refused(account: None, tmp_path: Path) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    assert "Mail" in refused(tmp_path, topic, Parameters={"Mail": {"Type": "String"}})


def test_two_stacks_do_not_share_what_has_one_name(account: None, tmp_path: Path) -> None:
    database = {"Type": "AWS::Glue::Database", "Properties": {"DatabaseInput": {"Name": "d"}}}
    path = write(tmp_path, {"Database": database})
    deploy(path, stack_name="first", parameters={})
    with pytest.raises(DeploymentError, match="already exists"):
        deploy(path, stack_name="second", parameters={})


def test_a_type_that_nobody_supports_is_named(account: None, tmp_path: Path) -> None:
    cluster = {"Cluster": {"Type": "AWS::MSK::Cluster", "Properties": {}}}
    assert "AWS::MSK::Cluster" in refused(tmp_path, cluster)


def test_a_rest_api_is_refused_rather_than_not_served(account: None, tmp_path: Path) -> None:
    api = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a"}}}
    assert "HttpApi" in refused(tmp_path, api)


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Missing"},
        {"Fn::GetAtt": ["Missing", "Arn"]},
        {"Fn::Sub": "arn:${Missing}"},
        {"Fn::Sub": "arn:${Missing.Arn}"},
        {"Fn::If": ["Missing", "a", "b"]},
    ],
)
def test_a_reference_to_nothing_is_refused(
    account: None, tmp_path: Path, reference: dict[str, Any]
) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": reference}}}
    assert "Missing" in refused(tmp_path, topic)


@pytest.mark.parametrize("kind", ["DependsOn", "Condition"])
def test_depending_on_nothing_is_refused(account: None, tmp_path: Path, kind: str) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic", kind: "Missing"}}
    assert "Missing" in refused(tmp_path, topic)


def test_an_attribute_that_a_resource_lacks_is_refused(account: None, tmp_path: Path) -> None:
    database = {"Type": "AWS::Glue::Database", "Properties": {"DatabaseInput": {"Name": "d"}}}
    name = {"Fn::GetAtt": ["Database", "Colour"]}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}
    assert "Colour" in refused(tmp_path, {"Database": database, "Topic": topic})


def test_code_that_is_not_there_is_refused(account: None, tmp_path: Path) -> None:
    properties = {"CodeUri": "nowhere/", "Handler": "app.handler", "Runtime": "python3.13"}
    function = {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    assert "nowhere/ is not a folder" in refused(tmp_path, function)


def test_what_the_sam_transform_refuses_is_told(account: None, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "code/"}}
    assert "F" in refused(tmp_path, {"F": function})
