"""`pulse check` finds lost events: others are stored, set aside, waiting or dead letters."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import boto3
import pytest

from local.metrics import put
from pulse import days, lake
from pulse.checks import CheckResult
from pulse.conservation import events_conserved
from pulse.store.erasures import Erasures
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.queue import Queue, depth, redrive
from pulse.store.stack import StackOutputs
from pulse.tenants.rules import Rule
from pulse.tombstones import Erasure, customer_hash
from tests.driver import Driver

NOONS = (datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC) + timedelta(weeks=2 * n) for n in count())
"""When the stories begin: of one there is nothing left to be seen in the next."""


class Story:
    """Things happen to a Pulse, at moments that the story says; CloudWatch reads along."""

    def __init__(self, driver: Driver, printed: Callable[[], str]) -> None:
        self.driver = driver
        self.moment = next(NOONS)
        self.oldest: datetime | None = self.moment
        """When what waits in the queue began to wait; None: CloudWatch tells nothing."""
        self._printed = printed
        self._cloudwatch = boto3.client("cloudwatch")

    def later(self, **passed: float) -> None:
        self.moment += timedelta(**passed)

    def answers(self, *ids: str, **more: Any) -> None:
        """Accepted answers, in one request."""
        at = (self.moment - timedelta(hours=1)).isoformat()
        given = [
            {"survey_id": "email", "score": 9, "response_id": i, "answered_at": at, **more}
            for i in ids
        ]
        assert self.driver.post("acme", given).status == 202

    def check(self, after: timedelta = timedelta(minutes=10)) -> CheckResult:
        """What is said of the responses, some time later."""
        self.moment += after
        return self.check_all()["responses"]

    def check_all(self) -> Mapping[str, CheckResult]:
        """What is said of each stream now."""
        lines = self._printed().encode().splitlines()
        put(lines, self._cloudwatch)
        if self.oldest:
            self._tell_age((self.moment - self.oldest).total_seconds())
        outputs = replace(StackOutputs.of("pulse"), metrics_namespace="Pulse")
        return {r.name.partition(":")[0]: r for r in events_conserved(outputs)}

    def junk(self, messages: int) -> None:
        """Somebody's messages wait in the queue."""
        self.oldest = self.moment
        for number in range(messages):
            Queue(self.driver.deployment.outputs["QueueUrl"]).send(f"junk {number}", {})

    def _tell_age(self, seconds: float) -> None:
        """As SQS tells CloudWatch, two minutes ago at the latest."""
        queue = self.driver.deployment.outputs["QueueUrl"].rsplit("/", 1)[1]
        self._cloudwatch.put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": self.moment - timedelta(minutes=2),
                    "Value": max(0, seconds - 120),
                }
            ],
        )

    def forget_what_was_printed(self) -> None:
        """The process died before CloudWatch had it."""
        self._printed()

    def taken_off_the_queue(self) -> list[dict[str, Any]]:
        """What waited, as records; nobody else will see it."""
        return self.driver.messages()


@pytest.fixture(scope="module")
def acme(driver: Driver) -> Driver:
    driver.tenant("acme", "Europe/Berlin")
    driver.survey("acme", "email", Rule.make("nps", 0, 10))
    return driver


@pytest.fixture
def story(acme: Driver, capsys: pytest.CaptureFixture[str]) -> Iterator[Story]:
    story = Story(acme, lambda: capsys.readouterr().out)
    with days.clock(lambda: story.moment):
        yield story
    story.taken_off_the_queue()


def test_what_was_written_balances_for_every_stream(story: Story) -> None:
    story.answers("a", "b")
    story.later(hours=30)
    story.answers("c")
    at = story.moment.isoformat()
    calls = [{"interaction_id": i, "media_type": "voice", "entered_at": at} for i in "xy"]
    assert story.driver.post_interactions("acme", calls).status == 202
    story.driver.write()
    story.later(minutes=10)
    results = story.check_all()
    assert {name: result.state for name, result in results.items()} == {
        "responses": "ok",
        "interactions": "ok",
        "sessions": "ok",
    }
    assert "3 accepted until 18:07 UTC, 3 in raw, 0 set aside: none missing" in (
        results["responses"].detail
    )
    assert "2 accepted" in results["interactions"].detail


def test_an_event_that_is_nowhere_is_lost(story: Story) -> None:
    story.answers("a", "b")
    story.driver.write()
    story.answers("c", "d", "e")
    assert len(story.taken_off_the_queue()) == 1
    result = story.check()
    assert (result.state, result.ok) == ("failed", False)
    assert result.detail.endswith("5 accepted until 12:07 UTC, 2 in raw, 0 set aside: 3 are lost")
    assert result.rows[0]["missing"] == 3


def test_copies_do_not_stand_in_for_what_is_lost(story: Story) -> None:
    story.answers("a", "b")
    records = story.driver.messages()
    story.driver.write(records)
    story.driver.write(records)
    story.answers("c")
    story.taken_off_the_queue()
    result = story.check()
    assert result.state == "failed"
    assert (result.rows[0]["written"], result.rows[0]["copies"]) == (2, 2)


def test_the_same_answer_sent_twice_was_accepted_twice(story: Story) -> None:
    story.answers("a")
    story.later(seconds=1)
    story.answers("a")
    story.driver.write()
    assert "2 accepted until 12:07 UTC, 2 in raw" in story.check().detail


def test_what_waits_in_the_queue_is_not_lost(story: Story) -> None:
    story.answers("a", "b")
    waiting = story.check()
    assert (waiting.state, waiting.ok) == ("waiting", True)
    assert waiting.detail.endswith("2 are in the queue")


def test_junk_in_the_queue_does_not_stand_in_for_what_was_lost_before(story: Story) -> None:
    story.answers("a", "b", "c")
    story.taken_off_the_queue()
    story.later(minutes=20)
    story.junk(6)
    result = story.check()
    assert (result.state, result.ok) == ("failed", False)
    assert result.detail.endswith("3 are lost")
    assert result.rows[0]["accepted_since_oldest"] == 0


def test_the_queue_holds_no_more_than_was_accepted_since_its_oldest_message(story: Story) -> None:
    story.answers("a", "b", "c")
    story.taken_off_the_queue()
    story.later(minutes=20)
    story.junk(6)
    story.answers("d", "e")
    result = story.check()
    assert (result.state, result.rows[0]["missing"]) == ("failed", 5)
    assert result.detail.endswith("3 are lost")


def test_a_backlog_of_hours_is_no_loss(story: Story) -> None:
    story.answers("a", "b", "c")
    story.later(hours=3, minutes=12)
    story.answers("d", "e")
    result = story.check()
    assert (result.state, result.rows[0]["accepted_since_oldest"]) == ("waiting", 5)


def test_messages_younger_than_what_is_compared_explain_nothing(story: Story) -> None:
    story.answers("a")
    story.taken_off_the_queue()
    story.later(minutes=10)
    story.junk(6)
    story.later(minutes=2)
    assert story.check_all()["responses"].state == "failed"


def test_while_nobody_tells_how_old_the_queue_is_nothing_is_called_lost(story: Story) -> None:
    story.answers("a")
    story.taken_off_the_queue()
    story.junk(1)
    story.oldest = None
    result = story.check()
    assert (result.state, result.ok) == ("look", True)
    assert result.detail.endswith("1 may be in the queue, whose age is not known yet")


def test_what_lies_among_the_dead_letters_is_to_be_looked_at(story: Story) -> None:
    story.answers("a", "b")
    (record,) = story.taken_off_the_queue()
    outputs = story.driver.deployment.outputs
    Queue(outputs["DeadLetterQueueUrl"]).send(record["body"], {})
    result = story.check()
    assert (result.state, result.rows[0]["in_dead_letters"]) == ("look", 2)
    assert redrive(outputs["DeadLetterQueueUrl"], outputs["QueueUrl"]) == 1
    assert story.driver.write() == []
    assert story.check().detail.endswith("2 in raw, 0 set aside: none missing")


def test_a_dead_letter_stands_in_for_its_own_events_alone(story: Story) -> None:
    story.answers("a", "b")
    story.answers("c", "d", "e")
    small, _ = story.taken_off_the_queue()
    outputs = story.driver.deployment.outputs
    for body in (small["body"], small["body"], "junk", "[" * 100_000, '{"v": 1}'):
        Queue(outputs["DeadLetterQueueUrl"]).send(body, {})
    result = story.check()
    assert (result.state, result.rows[0]["in_dead_letters"]) == ("failed", 2)
    assert result.detail.endswith("3 are lost")
    assert depth(outputs["DeadLetterQueueUrl"]) == 5
    assert redrive(outputs["DeadLetterQueueUrl"], outputs["QueueUrl"]) == 5


def test_what_was_set_aside_is_counted_once_however_often_it_came(story: Story) -> None:
    story.answers("a", "b", "c")
    (record,) = story.taken_off_the_queue()
    message = json.loads(record["body"])
    message["items"][0]["score"] = "nine"  # as a bug of ours would have it
    spoilt = record | {"body": json.dumps(message)}
    story.driver.write([spoilt])
    story.driver.write([spoilt])
    result = story.check()
    assert result.state == "ok"
    assert "3 accepted until 12:07 UTC, 2 in raw, 1 set aside" in result.detail


def test_a_message_that_was_set_aside_whole_counts_its_events(story: Story) -> None:
    story.answers("a", "b", "c")
    (record,) = story.taken_off_the_queue()
    message = json.loads(record["body"]) | {"tenant": "gone"}
    story.driver.write([record | {"body": json.dumps(message)}])
    assert "0 in raw, 3 set aside: none missing" in story.check().detail


def test_what_grew_too_old_on_its_way_is_told_apart(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (story.moment - timedelta(days=3)).isoformat()
    story.answers("a", "b", answered_at=old)
    story.answers("c")
    records = story.taken_off_the_queue()
    with monkeypatch.context() as patched:
        patched.setenv("PULSE_RAW_RETENTION_DAYS", "2")
        story.driver.forget()
        story.driver.write(records)
    story.driver.forget()
    result = story.check()
    assert result.state == "ok"
    assert "1 in raw, 2 set aside (2 older than what is kept): none missing" in result.detail


def test_a_count_that_is_short_is_told(story: Story) -> None:
    """A process that dies after the queue has taken its message has not counted it."""
    story.answers("a", "b")
    story.driver.write()
    story.check_all()
    story.answers("c")
    story.forget_what_was_printed()
    story.driver.write()
    result = story.check()
    assert (result.state, result.ok) == ("look", True)
    assert result.detail.endswith("1 more than were counted")


def test_the_last_minutes_and_what_is_older_than_a_week_are_left_out(story: Story) -> None:
    story.answers("a")
    story.taken_off_the_queue()  # lost, but nobody knows yet
    story.later(minutes=2)
    assert story.check_all()["responses"].state == "ok"
    assert story.check(timedelta(minutes=2)).state == "failed"
    assert story.check(timedelta(days=8)).state == "ok"


def test_the_last_item_of_a_batch_may_lie_beyond_the_minute(story: Story) -> None:
    """The items of a batch count as received one microsecond after another."""
    story.moment = story.moment.replace(second=59, microsecond=999_999)
    story.answers("a", "b", "c")
    story.driver.write()
    story.later(seconds=0.000_001)
    assert story.check(timedelta(minutes=3)).detail.startswith("3 accepted until 12:01 UTC, 3 in")


def test_erased_rows_are_accounted_for(story: Story) -> None:
    story.answers("a", "b", "c")
    story.driver.write()
    lake_objects = Objects(story.driver.settings.lake_bucket)
    lake_objects.delete_all("raw/responses/")
    receipt = {"removed": {"responses": 1, "interactions": 5}, "quarantine_lines": 1}
    lake_objects.put(lake.erasure_key(lake.ulid()), json.dumps(receipt).encode())
    result = story.check()
    assert (result.state, result.rows[0]["missing"]) == ("failed", 1)


def test_what_was_left_out_as_erased_is_accounted_for(story: Story) -> None:
    story.answers("a", "b", customer_id="eve")
    story.later(seconds=1)
    person = customer_hash("acme", "eve")
    tombstone = Erasure("acme", person, frozenset({person}), days.now_us(), ())
    Erasures(story.driver.settings.table).add(tombstone)
    story.driver.write()
    result = story.check()
    assert (result.state, result.rows) == ("ok", ())
    assert result.detail.endswith("0 in raw, 0 set aside, up to 2 erased: none missing")


def test_what_may_have_gone_with_an_expired_day_is_not_called_lost(story: Story) -> None:
    """This test is the last of its file, since the day stays expired."""
    story.answers("a")
    story.driver.write()
    ledger = Ledger(story.driver.settings.table)
    day = days.local_day(days.now_us(), "Europe/Berlin")
    assert ledger.expire("responses", day, ledger.entries("responses")[day].version)
    Objects(story.driver.settings.lake_bucket).delete_all(lake.raw_prefix("responses", day))
    result = story.check()
    assert (result.state, result.rows[0]["missing"]) == ("look", 1)
    assert result.rows[0]["expired_days"] == 1
