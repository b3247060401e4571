"""A stack on which events are erased, for tests of erasures, purges and deletions."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.checks import run_checks
from pulse.erasure.deletion import Deletion
from pulse.erasure.erase import Erase
from pulse.erasure.person import Person
from pulse.erasure.receipt import Receipt
from pulse.erasure.sought import Sought
from pulse.ingest.message import Message
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.records import Records
from pulse.tenant_years.folding import Folding
from pulse.tenants.rules import Rule
from pulse.tenants.tenant import Tenant
from tests.driver import Driver

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GONE, OTHER = "C-1042", "C-10421"
"""The person who is erased, and another one whose id begins with the same characters."""
Item = dict[str, Any]


@dataclass
class World:
    """A stack, its clock, and the messages of an erasure."""

    driver: Driver
    now: datetime = TODAY
    said: list[str] = field(default_factory=list)
    meanwhile: list[Callable[[], Any]] = field(default_factory=list)
    """Jobs that happen while the erasure waits: one at each pause."""

    # -- events

    def day(self, ago: int) -> str:
        return f"{(TODAY - timedelta(days=ago)).date()}"

    def response(self, ago: int = 1, *, id: str, tenant: str = "acme", **more: Any) -> None:
        at = f"{self.day(ago)}T10:00:00Z"
        item = {"survey_id": "email", "score": 9, "answered_at": at, "response_id": id, **more}
        assert self.driver.post(tenant, [item]).status == 202
        self.pass_by()

    def page(self, ago: int = 1, *, id: str, **more: Any) -> None:
        """Send a response with a publishable key, which every visitor of the page has."""
        at = f"{self.day(ago)}T10:00:00Z"
        item = {"survey_id": "email", "score": 9, "answered_at": at, "response_id": id, **more}
        key = self.driver.key("acme", "publishable")
        reply = self.driver.call("POST", "/v1/responses", key=key, body=json.dumps(item))
        assert reply.status == 202
        self.pass_by()

    def interaction(self, ago: int = 1, *, id: str, tenant: str = "acme", **more: Any) -> None:
        at = f"{self.day(ago)}T09:00:00Z"
        item = {"interaction_id": id, "media_type": "voice", "entered_at": at, **more}
        assert self.driver.post_interactions(tenant, [item]).status == 202
        self.pass_by()

    def session(self, ago: int = 1, *, id: str, tenant: str = "acme") -> None:
        seconds = {"active_seconds": 60, "engaged_seconds": 30}
        item = {"session_id": id, "agent_id": "a", "media_type": "voice", "day": self.day(ago)}
        assert self.driver.post_sessions(tenant, [item | seconds]).status == 202
        self.pass_by()

    def flood(self, key: str, *ids: str, ago: int = 1) -> None:
        """Send responses with a publishable key, each about another agent."""
        at = f"{self.day(ago)}T10:00:00Z"
        for id in ids:
            item = {"survey_id": "email", "score": 0, "answered_at": at, "response_id": id}
            body = json.dumps(item | {"agent_id": f"agent-{id}"})
            reply = self.driver.call("POST", "/v1/responses", key=key, body=body)
            assert reply.status == 202
        self.pass_by()

    def pass_by(self) -> None:
        self.now += timedelta(seconds=1)

    # -- erasing

    @property
    def stage(self) -> Erase:
        settings, outputs = self.driver.settings, self.driver.deployment.outputs
        made = Erase.from_settings(settings, outputs["DeadLetterQueueUrl"], self.said.append)
        return Erase(**vars(made) | {"pause": self.pause, "settle_s": 0})

    def pause(self, seconds: float) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def erase(self, customer: str = GONE, tenant: str = "acme") -> Receipt:
        found = self.driver.tenants.get(tenant)
        assert found
        return self.remove(Person(tenant, customer, found.timezone, days.now_us()))

    def remove(self, sought: Sought) -> Receipt:
        key, receipt = self.stage.run(sought, rebuild=self.rebuild_erased)
        assert json.loads(self.driver.read(key)) == receipt.shown()
        self.pass_by()
        return receipt

    def rebuild(self) -> None:
        self.driver.build_daily()
        self.driver.build_reports()
        self.driver.forget()

    def rebuild_erased(self) -> None:
        """Build as after an erasure: no older report objects are left (cli/building.py)."""
        self.rebuild()
        Folding.from_settings(self.driver.settings).fold("acme")

    @property
    def acme(self) -> Tenant:
        """The tenant, which must exist."""
        found = self.driver.tenants.get("acme")
        assert found
        return found

    @property
    def deletion(self) -> Deletion:
        """The stage that deletes a tenant, with this stack's erasure."""
        outputs = self.driver.deployment.outputs
        made = Deletion.from_settings(
            self.driver.settings,
            outputs["DeadLetterQueueUrl"],
            outputs["FinanceBucket"],
            self.said.append,
        )
        return replace(made, erase=self.stage)

    # -- looking

    def rows(self, stream: str) -> list[Item]:
        found: list[Item] = []
        for key in self.driver.objects(f"raw/{stream}/"):
            body = pa.BufferReader(self.driver.read(key))
            found += ParquetFile(body).read().to_pylist()
        return found

    def ids(self) -> tuple[list[str], list[str]]:
        """The ids that raw holds, copies included: of responses, of interactions."""
        return (
            sorted(row["response_id"] for row in self.rows("responses")),
            sorted(row["interaction_id"] for row in self.rows("interactions")),
        )

    def responses(self, tenant: str = "acme") -> int:
        totals = self.driver.report(tenant, "nps", "preset=all_time")["totals"]
        return sum(row["responses"] for row in totals)

    def revenue(self) -> dict[str, str]:
        rows = self.driver.report("acme", "revenue", "preset=all_time&granularity=total")["rows"]
        return {row["currency"]: row["revenue"] for row in rows}

    def check(self) -> None:
        results = run_checks(self.driver.settings)
        assert [r for r in results if r.state not in ("ok", "look")] == []

    def texts(self) -> dict[str, str]:
        """The text of every object of the lake, older versions too, by key and version."""
        objects, found = Objects(self.driver.settings.lake_bucket), {}
        for version in objects.versions(""):
            if version.is_deletion:
                continue
            body, key = objects.get_version(version) or b"", version.key
            name = key if version.is_latest else f"{key} {version.id}"
            found[name] = body.decode(errors="replace")
            if key.startswith("raw/"):
                found[name] = repr(ParquetFile(pa.BufferReader(body)).read().to_pylist())
        return found

    def holders(self, text: str) -> list[str]:
        """Every object of the lake that holds the text as a word."""
        return [key for key, body in self.texts().items() if re.search(rf"\b{text}\b", body)]


def start_anew(driver: Driver) -> None:
    """Reset a stack as if it had just been deployed, which takes a tenth of the time."""
    for bucket in (driver.settings.lake_bucket, driver.finance_settings.finance_bucket):
        Objects(bucket).wipe("")
    table = driver.settings.table
    for item in client("dynamodb").scan(TableName=table)["Items"]:
        client("dynamodb").delete_item(
            TableName=table, Key={name: item[name] for name in ("pk", "sk")}
        )
    where = {"DatabaseName": driver.settings.database}
    for dataset in lake.DAILY_TABLES:
        where |= {"TableName": dataset.daily_table}
        found = client("glue").get_partitions(**where)["Partitions"]
        values = [{"Values": partition["Values"]} for partition in found]
        if values:
            client("glue").batch_delete_partition(**where, PartitionsToDelete=values)
    drain(driver.deployment.outputs["DeadLetterQueueUrl"])
    driver.messages()
    driver.forget()
    driver.keys.clear()
    for tenant in ("acme", "umbrella"):
        driver.tenant(tenant, "UTC")
        driver.survey(tenant, "email", Rule.make("nps", 0, 10))


def forget_erasures(driver: Driver) -> None:
    """Remove everything from the lake, and from the table what an erasure changes."""
    Objects(driver.settings.lake_bucket).wipe("")
    records = Records(driver.settings.table)
    for pk in ("ERASURES", "EXPORTS#acme"):
        keys = [{"pk": pk, "sk": record["sk"]} for record in records.query(pk)]
        if keys:
            records.delete(*keys)
    drain(driver.deployment.outputs["DeadLetterQueueUrl"])


def drain(url: str) -> None:
    sqs = client("sqs")
    while letters := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for letter in letters:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])


def dead(world: World, body: str, **attributes: str) -> None:
    given = {name: {"DataType": "String", "StringValue": v} for name, v in attributes.items()}
    url = world.driver.deployment.outputs["DeadLetterQueueUrl"]
    client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=given)


def dead_letters(world: World) -> list[tuple[Item, dict[str, str]]]:
    """The bodies and attributes of dead letters, which stay in their queue."""
    letters = client("sqs").receive_message(
        QueueUrl=world.driver.deployment.outputs["DeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        VisibilityTimeout=0,
    )
    return [
        (
            json.loads(letter["Body"]),
            {n: a["StringValue"] for n, a in letter.get("MessageAttributes", {}).items()},
        )
        for letter in letters.get("Messages", ())
    ]


def message(world: World, stream: str, *items: Item, tenant: str = "acme", **more: Any) -> str:
    return Message(
        **{
            "stream": stream,
            "tenant": tenant,
            "key_kind": "secret",
            "received_us": days.to_us(world.now),
            "request_id": "made-up",
            "items": items,
            **more,
        }
    ).encode()


def answer(id: str, **more: Any) -> Item:
    """A response as it stands in a message."""
    at = days.to_us(TODAY - timedelta(days=1))
    return {
        "survey": "email",
        "metric": "nps",
        "scale": "0-10",
        "response_id": id,
        "answered_us": at,
        "score": 9,
        "channel": "chat",
        **more,
    }


def update(id: str, **more: Any) -> Item:
    """An update of an interaction as it stands in a message."""
    at = days.to_us(TODAY - timedelta(days=1))
    return {
        "interaction_id": id,
        "media_type": "voice",
        "entered_us": at,
        "updated_us": at,
        **more,
    }


def record(body: str) -> Item:
    return {"messageId": "made-up", "body": body, "attributes": {}, "messageAttributes": {}}


def do_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let erasures not wait for invocations of write_raw: there are none."""
    made = Erase.from_settings
    monkeypatch.setattr(Erase, "from_settings", lambda *given: replace(made(*given), settle_s=0))
