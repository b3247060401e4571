"""Runs Pulse in one process: the template's resources on moto, the handlers called as by Lambda.

The driver acts as API Gateway, SQS's poller and EventBridge; nothing of Pulse is replaced. Athena
is the embedded one, so that every statement is executed.
"""

import base64
import gzip
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from math import inf
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from functions.export_rows import app as export_rows
from functions.ingest import app as ingest
from functions.order_exports import app as order_exports
from functions.serve_reports import app as serve_reports
from functions.write_raw import app as write_raw
from local import cloudformation, glue
from local.athena import install
from local.aws import Account
from local.deployment import Deployment, create_stack
from local.routes import HttpApi, read_http_api
from local.template import Translated, translate
from pulse import days
from pulse.daily.build import BuildDaily, DailyResult
from pulse.export_orders import MOST_ORDERS
from pulse.finance.export import ExportRevenue, RevenueResult
from pulse.housekeep import Housekeep
from pulse.raw.compact import CompactRaw, CompactResult
from pulse.settings import (
    BuildDailySettings,
    CompactRawSettings,
    ExportRevenueSettings,
    HousekeepSettings,
)
from pulse.store.clients import client
from pulse.store.tenants import Tenants
from pulse.tenant_years.build import BuildReports, ReportsResult
from pulse.tenants import uses
from pulse.tenants.keys import Key, new_key_text, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from tests import silence

ROOT = Path(__file__).parents[1]
REGION = "eu-central-1"
WITHOUT_LIMITS = {
    f"{whose}{what}PerMinute": "0"
    for whose in ("Key", "Tenant")
    for what in ("Writes", "Reads", "Exports")
}
"""Higher limits: a test makes many requests in a minute, often while its clock stands still."""
APPS: Mapping[str, ModuleType] = {
    "Ingest": ingest,
    "ServeReports": serve_reports,
    "OrderExports": order_exports,
}
"""The functions behind the routes, by their logical ids."""
CODE = "code"
"""The bucket of the functions' code."""
CONTEXT = SimpleNamespace(
    function_name="pulse-test",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:pulse-test",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
    get_remaining_time_in_millis=lambda: 900_000,
)


@dataclass(frozen=True)
class Reply:
    """A reply as a caller of the API gets it."""

    status: int
    headers: Mapping[str, str]
    body: str

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Driver:
    """A running Pulse. Handlers remember nothing from an earlier driver."""

    deployment: Deployment
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    link_days: int | None = None
    """So long before an answer its interaction may have entered; None: as the template says."""

    # -- set-up

    @property
    def settings(self) -> BuildDailySettings:
        environment = self.deployment.functions["BuildDaily"].environment
        return BuildDailySettings.from_environment(environment)

    @property
    def finance_settings(self) -> ExportRevenueSettings:
        environment = self.deployment.functions["ExportRevenue"].environment
        return ExportRevenueSettings.from_environment(environment)

    @property
    def tenants(self) -> Tenants:
        return Tenants(self.settings.table)

    def tenant(self, tenant: str, timezone: str = "UTC", **settings: Any) -> Tenant:
        made = Tenant(tenant, tenant.title(), timezone, **settings)
        self.tenants.create(made)
        return made

    def survey(self, tenant: str, survey: str, *rules: Rule | tuple[int, Rule]) -> None:
        dated = tuple(rule if isinstance(rule, tuple) else (0, rule) for rule in rules)
        texts = {"en": Texts("How was it?", "Thank you.")}
        self.tenants.put_survey(Survey(tenant, survey, dated, texts=texts))

    def key(self, tenant: str | None, kind: str, **limits: Any) -> str:
        """A key's text. The key is made at the first call, or at each call with limits."""
        name = (tenant or "", kind)
        if limits or name not in self.keys:
            text = new_key_text(kind)
            self.tenants.add_key(Key(sha256(text), kind, tenant, days.now_us(), **limits))
            if limits:
                return text
            self.keys[name] = text
        return self.keys[name]

    # -- the API

    @cached_property
    def _api(self) -> HttpApi:
        """The routes that the template declares."""
        api = read_http_api(self.deployment)
        assert api
        return api

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        source_ip: str = "203.0.113.7",
    ) -> Reply:
        """Send one request to the function of its route, as API Gateway does."""
        path, _, query = path.partition("?")
        sent = {"content-type": "application/json", **(headers or {})}
        if key:
            sent["authorization"] = f"Bearer {key}"
        silence.sending(body)
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body or b""
        route, parameters = self._api.find(method, path) or (None, {})
        assert route, f"the template has no route for {method} {path}"
        event = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": sent,
            "pathParameters": parameters,
            "body": base64.b64encode(raw).decode(),
            "isBase64Encoded": True,
            "requestContext": {
                "http": {
                    "method": method,
                    "path": path,
                    "sourceIp": source_ip,
                    "userAgent": sent.get("user-agent", ""),
                },
                "requestId": "JKJaXmPLvHcESHA=",
            },
        }
        reply = APPS[route.function].handler(event, CONTEXT)
        return _reply(reply, with_body=method != "HEAD")

    def post(self, tenant: str, responses: Sequence[Mapping[str, Any]]) -> Reply:
        """Send responses through the batch route, with the tenant's secret key."""
        return self._post(tenant, "/v1/batch/responses", "responses", responses)

    def post_interactions(self, tenant: str, interactions: Sequence[Mapping[str, Any]]) -> Reply:
        """Interactions as a batch, with the tenant's secret key."""
        return self._post(tenant, "/v1/interactions", "interactions", interactions)

    def post_sessions(self, tenant: str, sessions: Sequence[Mapping[str, Any]]) -> Reply:
        """Agent sessions as a batch, with the tenant's secret key."""
        return self._post(tenant, "/v1/agent-sessions", "sessions", sessions)

    def _post(
        self, tenant: str, path: str, stream: str, items: Sequence[Mapping[str, Any]]
    ) -> Reply:
        body = json.dumps({stream: list(items)})
        return self.call("POST", path, key=self.key(tenant, "secret"), body=body)

    def report(self, tenant: str, report: str, query: str = "", kind: str = "report") -> Any:
        """A report's JSON; fails the test unless the status is 200."""
        key = self.key(tenant, kind)
        answer = self.call("GET", f"/v1/reports/{report}?{query}", key=key)
        assert answer.status == 200, answer.body
        return answer.json

    def export(self, tenant: str, **wanted: str) -> Any:
        """Order an export and let it be made; return its state."""
        key = self.key(tenant, "secret")
        ordered = self.call("POST", "/v1/exports", key=key, body=json.dumps(wanted))
        assert ordered.status == 202, ordered.body
        for _ in range(MOST_ORDERS):  # earlier orders in line come first
            self.make_export(tenant)
            told = self.call("GET", ordered.headers["Location"], key=key).json
            if told["state"] != "waiting":
                break
        return told

    def make_export(self, tenant: str, event_id: str = "") -> Any:
        """Send an order's event, as EventBridge does, for the tenant's first order in line."""
        event = {
            "id": event_id or str(uuid.uuid4()),
            "detail-type": "export requested",
            "source": self.settings.event_source,
            "detail": {"tenant": tenant},
        }
        return export_rows.handler(event, CONTEXT)

    # -- the flow

    def messages(self) -> list[dict[str, Any]]:
        """Receive and delete all messages of the queue, as records of a Lambda event."""
        sqs = client("sqs")
        url = self.deployment.outputs["QueueUrl"]
        records = []
        while batch := sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for message in batch:
                records.append(_record(message))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return records

    def write(self, records: Sequence[Mapping[str, Any]] | None = None) -> list[str]:
        """Let write_raw store the records (by default the queue's); return the ids that failed."""
        records = self.messages() if records is None else records
        if not records:
            return []
        for record in records:
            silence.sending(record["body"])
        reply = write_raw.handler({"Records": list(records)}, CONTEXT)
        return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]

    def build_daily(self, start: date | None = None, end: date | None = None) -> DailyResult:
        stage = BuildDaily.from_settings(self.settings)
        if self.link_days is not None:
            stage = replace(stage, link_days=self.link_days)
        return stage.run(start, end, remaining_s=lambda: inf)

    def build_reports(self) -> ReportsResult:
        return BuildReports.from_settings(self.settings).run(remaining_s=lambda: inf)

    def export_revenue(self) -> RevenueResult:
        return ExportRevenue.from_settings(self.finance_settings).run(remaining_s=lambda: inf)

    def build(self) -> tuple[DailyResult, ReportsResult]:
        """Build everything that waits, from the queue to the reports."""
        assert self.write() == []
        built = self.build_daily(), self.build_reports()
        self.forget()
        return built

    def housekeep(self) -> tuple[str, ...]:
        """Run housekeep; return what was removed."""
        environment = self.deployment.functions["Housekeep"].environment
        stage = Housekeep.from_settings(HousekeepSettings.from_environment(environment))
        return stage.run(remaining_s=lambda: inf).removed

    def compact(self) -> CompactResult:
        environment = self.deployment.functions["CompactRaw"].environment
        stage = CompactRaw.from_settings(CompactRawSettings.from_environment(environment))
        return stage.run(remaining_s=lambda: inf)

    def forget(self) -> None:
        """Let every function start cold, with nothing remembered."""
        for app in (*APPS.values(), write_raw, export_rows):
            app.stage.cache_clear()
        for app in APPS.values():
            app.door.cache_clear()

    # -- looking

    def objects(self, prefix: str) -> dict[str, str]:
        """The ETags of the lake's objects, by key."""
        pages = (
            client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.settings.lake_bucket, Prefix=prefix)
        )
        return {o["Key"]: o["ETag"] for page in pages for o in page.get("Contents", ())}

    def read(self, key: str) -> bytes:
        body: bytes = (
            client("s3").get_object(Bucket=self.settings.lake_bucket, Key=key)["Body"].read()
        )
        return body


class Awaited(ThreadPoolExecutor):
    """Whoever submits waits for the end: what is noted beside requests is there after them."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        wait([future])
        return future


@contextmanager
def running(**parameters: str) -> Iterator[Driver]:
    """Within the block the template is deployed in a new account."""
    before = dict(os.environ)
    with mock_aws(), patch.object(uses, "ThreadPoolExecutor", Awaited):
        install()
        glue.install()
        deployment = _deployed(**(WITHOUT_LIMITS | parameters))
        for function in deployment.functions.values():
            os.environ.update({k: v for k, v in function.environment.items() if "PULSE" in k})
        _unplug_events()
        driver = Driver(deployment)
        driver.forget()
        try:
            yield driver
        finally:
            driver.forget()
            os.environ.clear()
            os.environ.update(before)


def _deployed(**parameters: str) -> Deployment:
    cloudformation.install()
    translated = _translated(tuple(parameters.items()))
    return create_stack(translated, _account(), stack_name="pulse", bucket=CODE)


@cache
def _account() -> Account:
    return Account(REGION)


@cache
def _translated(parameters: tuple[tuple[str, str], ...]) -> Translated:
    """The template, which takes a second to read and is the same for hundreds of tests."""
    return translate(ROOT / "template.yaml", dict(parameters), bucket=CODE, region=REGION)


def _unplug_events() -> None:
    """Let moto's EventBridge call no function, which it cannot: the driver invokes them itself."""
    events = client("events")
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        events.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets])


def _reply(reply: Mapping[str, Any], *, with_body: bool) -> Reply:
    """The reply that a caller's HTTP library makes of API Gateway's."""
    text: str = reply["body"]
    headers = dict(reply["headers"])
    if reply["isBase64Encoded"]:
        assert headers.pop("Content-Encoding") == "gzip"
        text = gzip.decompress(base64.b64decode(text)).decode()
    return Reply(reply["statusCode"], headers, text if with_body else "")


def _record(message: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:pulse-Queue",
        "awsRegion": "eu-central-1",
    }
