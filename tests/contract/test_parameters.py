"""What the template's parameters change: a stack with all optional parts, and one with none."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from moto import mock_aws

from local.deployment import Deployment, deploy
from tests.contract.test_template import ROOT, TEMPLATE, of_type

TOPIC = "arn:aws:sns:eu-central-1:123456789012:operations"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"
LAYER = "arn:aws:lambda:eu-central-1:336392948345:layer:AWSSDKPandas-Python313-Arm64:9"
GIVEN = {
    "AlarmTopic": TOPIC,
    "OkTopic": f"{TOPIC}-over",
    "BudgetAmount": "50",
    "BytesScannedCutoffPerQuery": "10000000000",
    "IngestConcurrency": "20",
    "ServeReportsConcurrency": "15",
    "WriteRawConcurrency": "10",
    "PagesDomain": "feedback.example.com",
    "PagesCertificateArn": CERTIFICATE,
    "PandasLayer": LAYER,
}


@pytest.fixture(scope="module")
def stacks() -> Iterator[tuple[Deployment, Deployment]]:
    """With what GIVEN says, and with nothing given."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        template = ROOT / "template.yaml"
        yield (
            deploy(template, stack_name="given", parameters=GIVEN),
            deploy(template, stack_name="plain", parameters={}),
        )


@pytest.fixture(scope="module")
def given(stacks: tuple[Deployment, Deployment]) -> Deployment:
    return stacks[0]


@pytest.fixture(scope="module")
def plain(stacks: tuple[Deployment, Deployment]) -> Deployment:
    return stacks[1]


def workgroup(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = deployment.resolved["Workgroup"].properties["WorkGroupConfiguration"]
    return found


def test_athena_cuts_off_what_reads_too_much_where_that_is_asked_for(
    given: Deployment, plain: Deployment
) -> None:
    assert workgroup(given)["BytesScannedCutoffPerQuery"] == "10000000000"
    assert "BytesScannedCutoffPerQuery" not in workgroup(plain)


def test_concurrency_is_reserved_where_that_is_asked_for(
    given: Deployment, plain: Deployment
) -> None:
    reserved = {n: f.reserved_concurrency for n, f in given.functions.items()}
    assert {n: kept for n, kept in reserved.items() if kept is not None} == {
        "Ingest": 20,
        "ServeReports": 15,
        "WriteRaw": 10,
    }
    assert {f.reserved_concurrency for f in plain.functions.values()} == {None}


def test_write_raw_reserves_no_less_than_its_queue_uses() -> None:
    """Lambda would throttle the others, and each throttled try counts towards the dead letters."""
    (mapping,) = of_type("AWS::Lambda::EventSourceMapping").values()
    pattern = TEMPLATE["Parameters"]["WriteRawConcurrency"]["AllowedPattern"]
    allowed = [n for n in range(1, 200) if re.search(pattern, str(n))]
    assert min(allowed) == mapping["ScalingConfig"]["MaximumConcurrency"]


def test_every_alarm_tells_of_its_beginning_and_its_end(
    given: Deployment, plain: Deployment
) -> None:
    alarms = given.of_type("AWS::CloudWatch::Alarm").values()
    assert {tuple(a.properties["AlarmActions"]) for a in alarms} == {(TOPIC,)}
    assert {tuple(a.properties["OKActions"]) for a in alarms} == {(f"{TOPIC}-over",)}
    for alarm in plain.of_type("AWS::CloudWatch::Alarm").values():
        assert not {"AlarmActions", "OKActions"} & set(alarm.properties)


def test_a_budget_tells_of_what_is_spent_and_what_is_forecast(
    given: Deployment, plain: Deployment
) -> None:
    budget = given.resolved["Budget"].properties
    assert budget["Budget"] == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "50", "Unit": "USD"},
    }
    told = {
        n["Notification"]["NotificationType"]: (
            n["Notification"]["ComparisonOperator"],
            n["Notification"]["Threshold"],
            n["Notification"]["ThresholdType"],
            n["Subscribers"],
        )
        for n in budget["NotificationsWithSubscribers"]
    }
    by_topic = [{"SubscriptionType": "SNS", "Address": TOPIC}]
    asked = ("GREATER_THAN", 100, "PERCENTAGE", by_topic)
    assert told == {"ACTUAL": asked, "FORECASTED": asked}
    assert "Budget" not in plain.resolved


def test_a_budget_says_what_the_service_understands(given: Deployment) -> None:
    shapes = Loader().load_service_model("budgets", "service-2")["shapes"]
    budget = given.resolved["Budget"].properties
    assert budget["Budget"]["BudgetType"] in shapes["BudgetType"]["enum"]
    assert budget["Budget"]["TimeUnit"] in shapes["TimeUnit"]["enum"]
    for notification in budget["NotificationsWithSubscribers"]:
        for name in ("NotificationType", "ComparisonOperator", "ThresholdType"):
            assert notification["Notification"][name] in shapes[name]["enum"]
        for subscriber in notification["Subscribers"]:
            assert subscriber["SubscriptionType"] in shapes["SubscriptionType"]["enum"]


def test_a_domain_of_ones_own_has_a_certificate_and_tls_1_2(
    given: Deployment, plain: Deployment
) -> None:
    pages = given.resolved["Pages"].properties["DistributionConfig"]
    assert pages["Aliases"] == ["feedback.example.com"]
    assert pages["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    shapes = Loader().load_service_model("cloudfront", "service-2")["shapes"]
    assert "TLSv1.2_2021" in shapes["MinimumProtocolVersion"]["enum"]
    without = plain.resolved["Pages"].properties["DistributionConfig"]
    assert not {"Aliases", "ViewerCertificate"} & set(without)


def test_the_address_that_is_handed_out_is_the_domains(
    given: Deployment, plain: Deployment
) -> None:
    assert given.outputs["PagesUrl"] == "https://feedback.example.com"
    assert given.outputs["PagesTarget"].endswith(".cloudfront.net")
    assert plain.outputs["PagesUrl"] == f"https://{plain.outputs['PagesTarget']}"


def test_the_pandas_layer_is_awss_or_our_own(given: Deployment, plain: Deployment) -> None:
    users = {
        name
        for name, function in TEMPLATE["Resources"].items()
        if "PandasLayer" in json.dumps(function.get("Properties", {}).get("Layers", []))
    }
    assert "WriteRaw" in users
    assert "Ingest" not in users
    # SAM adds a hash to the logical id of a layer
    (own,) = (arn for name, arn in plain.resources.items() if name.startswith("PandasOwnLayer"))
    assert not [name for name in given.resources if name.startswith("PandasOwnLayer")]
    for deployment, layer in ((given, LAYER), (plain, own)):
        for name, function in deployment.of_type("AWS::Lambda::Function").items():
            assert (layer in function.properties["Layers"]) == (name in users), name


def test_our_own_layer_holds_what_the_tests_run_with() -> None:
    """Only numpy differs: its newest version needs a newer Python than the tests may have."""
    tested, own = (
        dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / path).read_text(), re.MULTILINE))
        for path in ("requirements.txt", "layers/pandas/requirements.txt")
    )
    for package in ("awswrangler", "pandas", "pyarrow"):
        assert own[package] == tested[package]
    assert not {"boto3", "botocore"} & set(own)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("BytesScannedCutoffPerQuery", ["", "10000000"], ["0", "9999999", "1e9"]),
        ("IngestConcurrency", ["", "1", "500"], ["0", "-1", "ten"]),
        ("BudgetAmount", ["", "5", "1000"], ["0", "-5", "5 USD"]),
        ("BudgetEmail", ["", "ops@example.com"], ["ops", "a b@example.com"]),
        ("OkTopic", ["", TOPIC], ["operations", "arn:aws:sqs:eu-central-1:123456789012:q"]),
        ("AlarmTopic", ["", TOPIC], ["operations"]),
        ("PagesDomain", ["", "a.example", "x-1.b.co.uk"], ["https://a.example", "a", "A.example"]),
        (
            "PagesCertificateArn",
            ["", CERTIFICATE],
            ["a", CERTIFICATE.replace("us-east-1", "eu-central-1")],
        ),
        ("FinanceExternalId", ["", "acme:42"], ["a", "a b"]),
        ("PandasLayer", ["own", LAYER], ["", "aws", LAYER.removesuffix(":9")]),
    ],
)
def test_a_mistyped_parameter_is_refused(name: str, good: list[str], bad: list[str]) -> None:
    pattern = TEMPLATE["Parameters"][name]["AllowedPattern"]
    assert [text for text in good if not re.search(pattern, text)] == []
    assert [text for text in bad if re.search(pattern, text)] == []


def test_what_is_given_by_halves_is_refused() -> None:
    """CloudFormation refuses it before it makes anything."""
    rules = TEMPLATE["Rules"]
    told = {name: json.dumps(rule["Assertions"]) for name, rule in rules.items()}
    assert "BudgetEmail" in told["BudgetTellsSomebody"]
    assert "AlarmTopic" in told["BudgetTellsSomebody"]
    assert "PagesCertificateArn" in told["DomainHasCertificate"]
    assert "PagesDomain" in told["CertificateHasDomain"]


def test_the_default_of_what_can_do_harm_is_none_and_says_why() -> None:
    for name in ("BytesScannedCutoffPerQuery", "IngestConcurrency"):
        declared = TEMPLATE["Parameters"][name]
        assert declared["Default"] == ""
        assert "because" in declared["Description"]


def test_operations_tells_of_each_parameter_that_is_off_by_default() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in (*GIVEN, "BudgetEmail") if name not in text] == []


def choices(node: Any) -> Iterator[tuple[str, Any]]:
    """(condition, what holds where it is true) of every Fn::If below `node`."""
    if isinstance(node, dict):
        if "Fn::If" in node:
            yield node["Fn::If"][0], node["Fn::If"][1]
        for inner in node.values():
            yield from choices(inner)
    if isinstance(node, list):
        for inner in node:
            yield from choices(inner)


def test_what_depends_on_a_parameter_uses_that_parameter() -> None:
    """A stack with all parameters set could not show that two conditions were mixed up."""
    asked_of = {
        name: condition["Fn::Not"][0]["Fn::Equals"][0]["Ref"]
        for name, condition in TEMPLATE["Conditions"].items()
        if "Fn::Not" in condition
    }
    found = list(choices([TEMPLATE["Resources"], TEMPLATE["Outputs"]]))
    assert {name for name, _ in found} >= {"HasBytesScannedCutoff", "HasPagesDomain", "HasWebAcl"}
    for name, value in found:
        if name in asked_of and value != "EMAIL":  # BudgetEmail's kind stands beside its address
            used = re.search(
                rf'"Ref": "{asked_of[name]}"|\$\{{{asked_of[name]}\}}', json.dumps(value)
            )
            assert used, f"{name} chooses {value}"
