"""The template keeps the promises that the architecture makes of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.template import translate
from pulse import lake, settings

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
SETTINGS = {
    "Ingest": settings.IngestSettings,
    "WriteRaw": settings.WriteRawSettings,
    "BuildDaily": settings.BuildDailySettings,
    "BuildReports": settings.BuildSettings,
    "ServeReports": settings.ServeReportsSettings,
    "ExportRevenue": settings.ExportRevenueSettings,
    "OrderExports": settings.OrderExportsSettings,
    "ExportRows": settings.BuildSettings,
    "CompactRaw": settings.CompactRawSettings,
    "Housekeep": settings.HousekeepSettings,
}


def folder(logical_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", logical_id).lower()


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {k: r["Properties"] for k, r in RESOURCES.items() if r["Type"] == kind}


def test_functions_and_folders_are_one_to_one() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert {folder(name) for name in FUNCTIONS} == folders


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_folder_events_log_and_alarm(name: str) -> None:
    function = FUNCTIONS[name]
    assert function["CodeUri"] == f"functions/{folder(name)}/"
    assert list((ROOT / "events" / folder(name)).glob("*.json"))
    log = RESOURCES[function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
    assert "RetentionInDays" in log
    watched = [
        dimension["Value"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", ())
    ]
    assert {"Ref": name} in watched


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_told_what_its_settings_ask_for(name: str) -> None:
    given = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    given = given | FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    asked = {f"PULSE_{field.name.upper()}" for field in fields(SETTINGS[name])}
    assert {variable for variable in given if variable.startswith("PULSE_")} == asked


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """(whose, what) of everything that the template's roles allow."""
    for name, function in FUNCTIONS.items():
        for policy in function["Policies"]:
            yield from ((name, statement) for statement in policy["Statement"])
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role["Policies"]:
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_role_names_its_actions_and_resources() -> None:
    for name, statement in statements():
        assert not [action for action in as_list(statement["Action"]) if "*" in action], name
        for resource in as_list(statement["Resource"]):
            text = resource if isinstance(resource, str) else json.dumps(resource)
            # a part of something named: an object below a prefix, a table of the database
            assert re.search(r"\}/[a-z_][a-z_/]*\*\"", text) or "*" not in text, (name, text)


def test_a_function_reads_no_records_but_those_of_its_own_kinds() -> None:
    """One table has keys, tenants and the ledger, so every right names the partitions it is for."""
    for name, statement in statements():
        if any(action.startswith("dynamodb:") for action in as_list(statement["Action"])):
            partitions = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            named = re.compile(r"[A-Z_]+(#(\*|CHANGES|NOTICES))?")
            assert all(map(named.fullmatch, partitions)), name


def transformed() -> dict[str, dict[str, Any]]:
    """The resources as CloudFormation gets them."""
    made = translate(ROOT / "template.yaml", {}, bucket="code", region="eu-central-1").body
    resources: dict[str, dict[str, Any]] = made["Resources"]
    return resources


MANAGED = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",  # logs
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",  # traces
}
"""What SAM gives every function's role."""


def test_no_managed_policy_widens_a_role() -> None:
    """The test reads the template that SAM makes, since SAM adds policies of its own to roles."""
    roles = {n: r for n, r in transformed().items() if r["Type"] == "AWS::IAM::Role"}
    assert len(roles) > len(FUNCTIONS)
    for name, role in roles.items():
        assert set(role["Properties"].get("ManagedPolicyArns", ())) <= MANAGED, name


def test_write_raw_takes_from_its_one_queue() -> None:
    """Its role has the actions that Lambda's guide lists for functions that read a queue."""
    (mapping,) = of_type("AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionName"] == {"Ref": "WriteRaw"}
    queues = [s for n, s in statements() if n == "WriteRaw" and "sqs:" in str(s["Action"])]
    assert [(set(s["Action"]), s["Resource"]) for s in queues] == [
        (
            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
            mapping["EventSourceArn"],
        )
    ]


BY_TLS_ALONE = {"Bool": {"aws:SecureTransport": "false"}}


def test_queues_and_buckets_take_tls_only() -> None:
    guarded = {
        json.dumps(resource)
        for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")
        for policy in of_type(kind).values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == BY_TLS_ALONE
        if statement["Principal"] == "*" and statement["Action"] in ("s3:*", "sqs:*")
        for resource in as_list(statement["Resource"])
    }
    made = [*of_type("AWS::SQS::Queue"), *of_type("AWS::S3::Bucket")]
    assert len(made) == 6
    assert {json.dumps({"Fn::GetAtt": [name, "Arn"]}) for name in made} <= guarded
    for policy in of_type("AWS::SQS::QueuePolicy").values():
        (queue,), (statement,) = policy["Queues"], policy["PolicyDocument"]["Statement"]
        assert statement["Resource"] == {"Fn::GetAtt": [queue["Ref"], "Arn"]}


def test_what_is_kept_goes_with_a_first_deployment_that_fails() -> None:
    """DeletionPolicy Retain would keep it; UpdateReplacePolicy knows only Delete and Retain.

    Looked for in what SAM makes of the template: it retains layers unless told otherwise.
    """
    kept = {}
    for name, resource in transformed().items():
        assert resource.get("DeletionPolicy", "Delete") in ("Delete", "RetainExceptOnCreate"), name
        assert resource.get("UpdateReplacePolicy", "Delete") in ("Delete", "Retain"), name
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            kept[name] = resource["UpdateReplacePolicy"]
    assert kept == dict.fromkeys(["FinanceBucket", "LakeBucket", "Table", "PagesBucket"], "Retain")


def routes() -> dict[str, str]:
    """The API's routes by their keys, each with the function that answers it."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": name
        for name, function in FUNCTIONS.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    }


def test_what_get_answers_head_answers_too() -> None:
    """An HTTP API has no route for HEAD where only GET has one."""
    by_method = {
        method: {
            route.partition(" ")[2]: function
            for route, function in routes().items()
            if route.startswith(f"{method} ")
        }
        for method in ("GET", "HEAD")
    }
    assert by_method["HEAD"] == by_method["GET"]


def test_preflights_do_not_go_to_the_route_of_unknown_paths() -> None:
    """ingest answers them: of the functions with routes it starts fastest."""
    assert routes()["OPTIONS /{proxy+}"] == "Ingest"


def test_every_function_with_routes_can_be_held_to_the_pages_address() -> None:
    """The web ACL protects the distribution alone, not the API's own address."""
    shown = FUNCTIONS["Ingest"]["Environment"]["Variables"]["PULSE_ORIGIN_SECRET"]
    for name in set(routes().values()):
        told = FUNCTIONS[name]["Environment"]["Variables"]
        assert told["PULSE_ORIGIN_SECRET"] == shown, name
        assert told["PULSE_ONLY_THROUGH_PAGES"] == {"Ref": "OnlyThroughPages"}, name
    pages = TEMPLATE["Outputs"]["PagesUrl"]["Value"]
    assert TEMPLATE["Outputs"]["ApiUrl"]["Value"]["Fn::If"][:2] == ["IsOnlyThroughPages", pages]


def test_no_route_is_so_narrow_that_a_few_requests_without_a_key_close_it_for_all() -> None:
    own = RESOURCES["Api"]["Properties"]["RouteSettings"]
    assert own["POST /v1/exports"] == own["POST /v1/batch/responses"]


def test_an_event_that_fails_each_time_is_told_of() -> None:
    """Lambda drops an event after its third failure unless it has a destination for it."""
    targets = {
        r["Target"]["Arn"]["Fn::GetAtt"][0] for r in of_type("AWS::Scheduler::Schedule").values()
    }
    woken = targets | {
        name
        for name, function in FUNCTIONS.items()
        for event in function.get("Events", {}).values()
        if event["Type"] in ("EventBridgeRule", "ScheduleV2")
    }
    queue = {"Fn::GetAtt": ["FailedEvents", "Arn"]}
    told = {
        config["FunctionName"]["Ref"]
        for config in of_type("AWS::Lambda::EventInvokeConfig").values()
        if config["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    }
    may_tell = {
        name
        for name, statement in statements()
        if (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
    }
    assert woken == told == may_tell
    assert len(woken) >= 6


def test_the_queue_of_failed_events_takes_tls_alone() -> None:
    (policy,) = [
        policy["PolicyDocument"]["Statement"]
        for policy in of_type("AWS::SQS::QueuePolicy").values()
        if {"Ref": "FailedEvents"} in policy["Queues"]
    ]
    assert [statement for statement in policy if statement["Effect"] == "Deny"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": {"Fn::GetAtt": ["FailedEvents", "Arn"]},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_every_route_has_a_throttle() -> None:
    properties = RESOURCES["Api"]["Properties"]
    own = properties["RouteSettings"]
    assert set(own) <= set(routes())
    assert {route for route in routes() if route.startswith("POST")} <= set(own)
    for throttle in (properties["DefaultRouteSettings"], *own.values()):
        for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
            value = throttle[limit]
            if isinstance(value, dict):
                value = TEMPLATE["Parameters"][value["Ref"]]["Default"]
            assert 0 < value <= 1000


def test_the_documented_limits_are_the_templates() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    for name in ("WriteRate", "BatchRate", "ReadRate"):
        assert f"`{name}`, {TEMPLATE['Parameters'][name]['Default']} a second" in text
    for what in ("Writes", "Reads", "Exports"):
        key, tenant = (
            f"{TEMPLATE['Parameters'][f'{whose}{what}PerMinute']['Default']:,}"
            for whose in ("Key", "Tenant")
        )
        assert f"`Key{what}PerMinute`, {key}; `Tenant{what}PerMinute`, {tenant}" in text


def test_a_dashboard_may_be_opened_by_several_people_at_once() -> None:
    overview = 12  # reads: three requests, one of which is for insights (docs/http.md)
    parameters = TEMPLATE["Parameters"]
    assert parameters["KeyReadsPerMinute"]["Default"] >= 20 * overview
    for what in ("Writes", "Reads", "Exports"):
        key, tenant = (
            parameters[f"{whose}{what}PerMinute"]["Default"] for whose in ("Key", "Tenant")
        )
        assert 0 < key < tenant


def test_the_finance_role_reads_revenue_and_does_nothing_else() -> None:
    (policy,) = RESOURCES["FinanceRole"]["Properties"]["Policies"]
    rights = {s["Action"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert set(rights) == {"s3:GetObject", "s3:ListBucket"}
    assert rights["s3:GetObject"]["Resource"]["Fn::Sub"].endswith("${FinanceBucket}/revenue/*")
    assert rights["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": "revenue/*"}}


def test_the_finance_role_asks_for_an_external_id_where_one_is_agreed() -> None:
    (trust,) = RESOURCES["FinanceRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    asked = {"StringEquals": {"sts:ExternalId": {"Ref": "FinanceExternalId"}}}
    none = {"Ref": "AWS::NoValue"}
    assert trust["Condition"] == {"Fn::If": ["HasFinanceExternalId", asked, none]}
    assert TEMPLATE["Parameters"]["FinanceExternalId"]["Default"] == ""


def test_athenas_callers_have_what_its_guide_asks_for() -> None:
    """The guide is "Configure access to databases and tables in the AWS Glue Data Catalog"."""
    for name, function in FUNCTIONS.items():
        allowed = [s for policy in function["Policies"] for s in policy["Statement"]]
        if any("athena:StartQueryExecution" in as_list(s["Action"]) for s in allowed):
            (default,) = (s for s in allowed if "database/default" in json.dumps(s["Resource"]))
            asked = {"glue:GetDatabase", "glue:GetDatabases", "glue:CreateDatabase"}
            assert set(default["Action"]) == asked, name


def test_a_handler_is_an_adapter() -> None:
    for path in (ROOT / "functions").glob("*/app.py"):
        assert len(path.read_text().splitlines()) <= 45, path


def test_every_parameter_and_output_is_described() -> None:
    for kind in ("Parameters", "Outputs"):
        for name, declared in TEMPLATE[kind].items():
            assert declared.get("Description"), name


def columns(table: dict[str, Any]) -> dict[str, str]:
    listed = table["TableInput"]["StorageDescriptor"]["Columns"]
    return {column["Name"]: column["Type"] for column in listed}


@pytest.mark.parametrize("dataset", lake.DATASETS, ids=lambda dataset: dataset.name)
def test_glue_knows_the_tables_as_the_lake_declares_them(dataset: lake.Dataset) -> None:
    tables = {t["TableInput"]["Name"]: t for t in of_type("AWS::Glue::Table").values()}
    assert columns(tables[dataset.raw_table]) == dataset.raw_columns
    assert columns(tables[dataset.daily_table]) == dataset.daily_columns
    assert columns(tables[dataset.runs_table]) == dataset.daily_columns
    of_one_tenant = {k: v for k, v in dataset.daily_columns.items() if k != "tenant"}
    assert columns(tables[dataset.large_table]) == of_one_tenant
    for name, prefix in (
        (dataset.raw_table, dataset.raw_prefix),
        (dataset.daily_table, dataset.daily_prefix),
        (dataset.runs_table, dataset.daily_prefix),
        (dataset.large_table, dataset.large_prefix),
    ):
        location = tables[name]["TableInput"]["StorageDescriptor"]["Location"]
        assert location == {"Fn::Sub": f"s3://${{LakeBucket}}/{prefix}"}


def test_glue_knows_the_table_of_comments_as_the_lake_declares_it() -> None:
    tables = {t["TableInput"]["Name"]: t for t in of_type("AWS::Glue::Table").values()}
    table = tables[lake.COMMENTS_TABLE]
    assert columns(table) == lake.COMMENT_COLUMNS
    assert [one["Name"] for one in table["TableInput"]["PartitionKeys"]] == ["month"]
    template = table["TableInput"]["Parameters"]["storage.location.template"]["Fn::Sub"]
    month = lake.comments_prefix(date(2026, 1, 31))
    assert template.replace("${!month}", "2026-01") == f"s3://${{LakeBucket}}/{month}"


def test_no_link_may_span_more_days_than_readers_look_behind() -> None:
    assert TEMPLATE["Parameters"]["LinkDays"]["MaxValue"] == lake.LONGEST_LINK_DAYS


def test_glue_knows_the_table_of_experience_as_the_lake_declares_it() -> None:
    tables = {t["TableInput"]["Name"]: t for t in of_type("AWS::Glue::Table").values()}
    table = lake.EXPERIENCE
    of_one_tenant = {k: v for k, v in table.daily_columns.items() if k != "tenant"}
    for name, kept, prefix in (
        (table.daily_table, table.daily_columns, table.daily_prefix),
        (table.runs_table, table.daily_columns, table.daily_prefix),
        (table.large_table, of_one_tenant, table.large_prefix),
    ):
        assert columns(tables[name]) == kept
        location = tables[name]["TableInput"]["StorageDescriptor"]["Location"]
        assert location == {"Fn::Sub": f"s3://${{LakeBucket}}/{prefix}"}


def test_two_stacks_in_one_account_do_not_meet() -> None:
    for name, resource in RESOURCES.items():
        fixed = [
            key
            for key, value in resource["Properties"].items()
            if key in ("Name", "FunctionName", "BucketName", "TableName", "QueueName", "RoleName")
            and isinstance(value, str)
        ]
        assert not fixed, name
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                assert event["Properties"]["OmitName"] is True
            if event["Type"] == "EventBridgeRule":
                source = event["Properties"]["Pattern"]["source"]
                assert source == [{"Fn::Sub": "pulse.${AWS::StackName}"}]


@pytest.mark.parametrize("retention", [True, False])
def test_raw_keeps_its_versions_for_a_week_and_nothing_else_longer_than_a_day(
    retention: bool,
) -> None:
    bucket = RESOURCES["LakeBucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    written = bucket["LifecycleConfiguration"]["Rules"]
    rules = [one["Fn::If"][1 if retention else 2] if "Fn::If" in one else one for one in written]
    ending = {
        rule.get("Prefix", ""): rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in rules
        if "NoncurrentVersionExpiration" in rule
    }
    source = Path(lake.__file__).read_text()
    prefixes = {f"{name}/" for name in re.findall(r'f?"([a-z]+)/', source)} - {"revenue/"}
    assert ending == dict.fromkeys({*prefixes, "config/"}, 1) | {"raw/": 7}
    # S3 takes one kind of expiration a prefix; with days the marks of deletions expire too
    for rule in rules:
        if "Prefix" in rule:
            assert ("ExpirationInDays" in rule) != ("ExpiredObjectDeleteMarker" in rule)
    assert len({rule["Id"] for rule in rules}) == len(rules)
