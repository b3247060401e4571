"""`pulse quarantine` shows rows that were set aside, and resends them once, unchanged."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.metrics import put
from pulse import days
from pulse.checks import CheckResult
from pulse.conservation import events_conserved
from pulse.raw.parquet import decode
from pulse.store.erasures import Erasures
from pulse.store.objects import Objects
from pulse.store.queue import Queue, depth
from pulse.store.stack import StackOutputs
from pulse.streams import STREAMS
from pulse.tenants.rules import Rule
from pulse.tombstones import Erasure, customer_hash
from tests.shell import Shell

NOONS = (datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC) + timedelta(weeks=2 * n) for n in count())
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
VIENNA = "193.171.1.1"
names = (f"acme-{number}" for number in count())


class Story:
    """A tenant, answers of which something went wrong, and an operator."""

    def __init__(self, shell: Shell, printed: Callable[[], str]) -> None:
        self.shell, self.driver = shell, shell.driver
        self.moment = next(NOONS)
        self.tenant = next(names)
        self.printed = printed

    def answers(self, *ids: str, **more: Any) -> list[dict[str, Any]]:
        """Accepted answers from a page; each comes in a message of its own, which is not stored."""
        key = self.driver.key(self.tenant, "publishable")
        for name in ids:
            at = days.iso(days.now_us())
            item = {"survey_id": "email", "score": 9, "response_id": name, "answered_at": at}
            answer = self.driver.call(
                "POST",
                "/v1/responses",
                key=key,
                body=json.dumps(item | more),
                headers={"user-agent": FIREFOX},
                source_ip=VIENNA,
            )
            assert answer.status == 202, answer.body
            self.moment += timedelta(seconds=1)
        return self.driver.messages()

    def spoil(self, records: list[dict[str, Any]], **fields: Any) -> None:
        """A bug of ours has these fields of every item wrong; what it makes is set aside."""
        for record in records:
            message = json.loads(record["body"])
            message["items"] = [item | fields for item in message["items"]]
            assert self.driver.write([record | {"body": json.dumps(message)}]) == []

    def resend(self, *more: str, code: int = 0) -> Any:
        arguments = ("resend", "--tenant", self.tenant, "--wait", "0", *more)
        return self.shell.json("quarantine", *arguments, code=code)

    def listed(self, *more: str) -> Any:
        return self.shell.json("quarantine", "list", "--tenant", self.tenant, *more)

    def rows(self) -> list[dict[str, Any]]:
        """What raw holds of the tenant, copies included."""
        found: list[dict[str, Any]] = []
        for key in self.driver.objects("raw/responses/"):
            found += decode(self.driver.read(key), STREAMS["responses"].columns).to_pylist()
        return [row for row in found if row["tenant"] == self.tenant]

    def check(self) -> CheckResult:
        """Whether everything is somewhere, ten minutes later."""
        self.moment += timedelta(minutes=10)
        put(self.printed().encode().splitlines(), boto3.client("cloudwatch"))
        self.tell_age()
        outputs = replace(StackOutputs.of("pulse"), metrics_namespace="Pulse")
        return events_conserved(outputs)[0]

    def tell_age(self) -> None:
        """CloudWatch knows of nothing that waits in the queue."""
        queue = self.driver.deployment.outputs["QueueUrl"].rsplit("/", 1)[1]
        boto3.client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": self.moment - timedelta(minutes=1),
                    "Value": 0,
                }
            ],
        )


@pytest.fixture
def story(shell: Shell, capsys: pytest.CaptureFixture[str]) -> Iterator[Story]:
    story = Story(shell, lambda: capsys.readouterr().out)
    with days.clock(lambda: story.moment):
        shell.driver.tenant(story.tenant, "Europe/Vienna")
        shell.driver.survey(story.tenant, "email", Rule.make("nps", 0, 10))
        yield story
        story.driver.messages()
        Objects(shell.driver.settings.lake_bucket).delete_all("quarantine/")


def test_a_row_comes_back_as_what_it_was(story: Story) -> None:
    good = story.answers("good", comment="naïve 😀", agent_id="A-7")
    assert story.driver.write(good) == []
    (expected,) = story.rows()
    records = story.answers("late", comment="naïve 😀", agent_id="A-7")
    received_us = json.loads(records[0]["body"])["received_us"]
    story.spoil(records, score="nine")
    story.moment += timedelta(hours=3)
    assert story.resend("--set", "score=9")["events"] == 1
    assert story.driver.write() == []
    (made,) = (row for row in story.rows() if row["response_id"] == "late")
    assert (made["country"], made["browser"], made["key_kind"]) == ("AT", "Firefox", "publishable")
    assert made["received_us"] == received_us
    own = {name: made[name] for name in ("response_id", "answered_us", "received_us")}
    assert made == expected | own | {"content_hash": made["content_hash"]}
    assert story.check().state == "ok"
    assert story.listed()["lines"] == 0
    assert not story.driver.objects("quarantine/")


def test_what_was_sent_again_is_not_sent_again(story: Story) -> None:
    story.spoil(story.answers("a", "b"), score="nine")
    assert story.resend("--set", "score=9", "--dry-run")["lines"] == 2
    assert story.resend("--set", "score=9")["lines"] == 2
    assert story.resend("--set", "score=9")["lines"] == 0
    assert story.driver.write() == []
    assert sorted(row["response_id"] for row in story.rows()) == ["a", "b"]
    assert "2 accepted" in story.check().detail


def test_whoever_dies_after_sending_counts_nothing_twice(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.spoil(story.answers("a"), score="nine")
    with monkeypatch.context() as patched:
        patched.setattr(Objects, "delete", lambda *_: 1 / 0)
        story.shell.run(
            *("quarantine", "resend", "--tenant", story.tenant, "--set", "score=9"), code=1
        )
    assert story.driver.write() == []
    assert len(story.rows()) == 1
    assert [line["being_resent"] for line in story.listed()["shown"]] == [True]
    assert story.check().state == "ok"  # it is in raw, and no longer counts as set aside

    assert story.resend("--set", "score=9")["lines"] == 1
    assert story.driver.write() == []
    assert len(story.rows()) == 2
    story.driver.build()
    (total,) = story.driver.report(story.tenant, "nps", "preset=all_time")["totals"]
    assert total["responses"] == 1
    result = story.check()
    assert (result.state, result.detail.split(",")[0]) == ("ok", "1 accepted until 12:17 UTC")


def test_whoever_dies_before_sending_has_lost_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.spoil(story.answers("a"), score="nine")
    with monkeypatch.context() as patched:
        patched.setattr(Queue, "send", lambda *_: 1 / 0)
        story.shell.run(
            *("quarantine", "resend", "--tenant", story.tenant, "--set", "score=9"), code=1
        )
    result = story.check()
    assert (result.state, result.ok, result.rows[0]["being_resent"]) == ("look", True, 1)
    assert result.detail.endswith("1 were being sent again: run pulse quarantine resend")
    assert story.resend("--set", "score=9")["lines"] == 1
    assert story.driver.write() == []
    assert story.check().state == "ok"


def test_what_cannot_be_stored_again_is_set_aside_again(story: Story) -> None:
    story.spoil(story.answers("a"), score="nine")
    before = story.listed()["shown"]
    assert story.resend()["lines"] == 1
    assert story.driver.write() == []
    after = story.listed()["shown"]
    assert [line["reason"] for line in after] == ["score must be a int"]
    assert after[0] | {"object": ""} == before[0] | {"object": ""}
    assert story.check().state == "ok"


def test_whoever_was_erased_meanwhile_does_not_come_back(story: Story) -> None:
    """The rows are resent between an erasure's first search and its last one."""
    story.spoil(story.answers("a", customer_id="eve"), score="nine")
    story.moment += timedelta(seconds=1)
    person = customer_hash(story.tenant, "eve")
    gone = Erasure(story.tenant, person, frozenset({person}), days.now_us())
    Erasures(story.driver.settings.table).add(gone)
    assert story.resend("--set", "score=9")["lines"] == 1
    assert story.driver.write() == []
    assert story.rows() == []


def test_a_message_of_a_tenant_that_there_was_not_comes_back_whole(story: Story) -> None:
    records = story.answers("a", "b")
    for record in records:
        body = json.dumps(json.loads(record["body"]) | {"tenant": f"{story.tenant}-later"})
        assert story.driver.write([record | {"body": body}]) == []
    story.tenant = f"{story.tenant}-later"
    assert story.listed()["reasons"][0]["reason"] == f"there is no tenant {story.tenant!r}"
    story.driver.tenant(story.tenant)
    story.driver.forget()
    assert story.resend("--stream", "responses")["events"] == 2
    assert story.driver.write() == []
    assert {(row["response_id"], row["country"]) for row in story.rows()} == {
        ("a", "AT"),
        ("b", "AT"),
    }


def test_lines_are_mended_in_a_file(story: Story, tmp_path: Path) -> None:
    story.spoil(story.answers("a", "b"), score="nine")
    listed = story.listed("--full", "--reason", "score must")
    mended, left = listed["shown"]
    mended["row"]["item"]["score"] = 3
    file = tmp_path / "mended.json"
    file.write_text(json.dumps([mended, mended | {"id": "0" * 16}]))
    result = story.resend("--mended", str(file), code=3)
    assert (result["lines"], result["not_found"]) == (1, ["0" * 16])
    assert story.driver.write() == []
    assert [(row["response_id"], row["score"]) for row in story.rows()] == [(*mended["events"], 3)]
    assert [line["id"] for line in story.listed()["shown"]] == [left["id"]]
    file.write_text("[5]")
    story.shell.run("quarantine", "resend", "--mended", str(file), code=2)


def test_what_is_no_message_stays_and_is_told(story: Story) -> None:
    Queue(story.driver.deployment.outputs["QueueUrl"]).send("no message", {})
    assert story.driver.write() == []
    result = story.shell.json("quarantine", "resend", "--wait", "0", code=3)
    assert (result["lines"], result["unsendable_lines"]) == (0, 1)
    assert depth(story.driver.deployment.outputs["QueueUrl"]) == 0
    assert story.driver.objects("quarantine/unknown/")


def test_a_list_tells_reasons_and_nothing_that_somebody_wrote(story: Story) -> None:
    story.spoil(story.answers("a", "b", comment="my secret", customer_id="C-1042"), score="nine")
    story.spoil(story.answers("c"), metric="joy")
    result = story.shell.run("quarantine", "list", "--limit", "1")
    assert "score must be a int" in result.stdout
    assert "metric must be one of csat, nps, ces" in result.stdout
    assert "and 2 more" in result.stdout
    assert story.listed("--reason", "metric")["lines"] == 1
    assert story.listed("--day", "2020-01-01")["lines"] == 0
    assert story.listed("--day", f"{story.moment.date()}")["lines"] == 3
    for text in (result.stdout, json.dumps(story.listed())):
        assert "secret" not in text
        assert "C-1042" not in text
    assert "my secret" in json.dumps(story.listed("--full"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--stream", "clicks"),
        ("list", "--day", "yesterday"),
        ("list", "--full"),
        ("resend", "--set", "score"),
        ("resend", "--set", "colour=red"),
        ("resend", "--mended", "nowhere.json"),
    ],
)
def test_a_wrong_command_is_told_so(story: Story, arguments: tuple[str, ...]) -> None:
    story.shell.run("quarantine", *arguments, code=2)
