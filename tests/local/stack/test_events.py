"""Events between functions follow EventBridge's rules."""

from local.events import target_payload
from local.stack import Stack
from tests.local.stack.conftest import Bucket

EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "thing.done",
    "source": "app",
    "account": "123456789012",
    "time": 1_790_000_000.5,
    "region": "eu-central-1",
    "resources": [],
    "detail": {"day": "2026-01-02"},
    "ingestion-time": 1_790_000_000.5,
}


def announce(stack: Stack, **changes: object) -> None:
    event = {"do": "announce", "source": "app.pulse", "type": "thing.done", "detail": {"n": 1}}
    assert stack.invoke("Echo", event | changes) == 0
    stack.wait_until_idle(10)


def test_an_event_reaches_the_function_of_its_rule(stack: Stack, bucket: Bucket) -> None:
    announce(stack)
    [event] = bucket.read("events")
    assert event["source"] == "app.pulse"
    assert event["detail-type"] == "thing.done"
    assert event["detail"] == {"n": 1}
    assert event["account"] == "123456789012"
    assert event["time"].endswith("Z")
    assert "ingestion-time" not in event


def test_an_event_that_no_pattern_fits_goes_nowhere(stack: Stack, bucket: Bucket) -> None:
    announce(stack, source="app.another-stack")
    announce(stack, type="other.thing")
    assert bucket.read("events") == []


def test_an_event_whose_function_fails_is_tried_again(stack: Stack, bucket: Bucket) -> None:
    announce(stack, detail={"fail": True})
    assert len(bucket.read("events")) == 2


def test_target_gets_the_event_its_input_a_part_or_a_template_of_it() -> None:
    assert target_payload({}, EVENT)["time"] == "2026-09-21T14:13:20Z"
    assert target_payload({"Input": '{"a": 1}'}, EVENT) == {"a": 1}
    assert target_payload({"InputPath": "$.detail.day"}, EVENT) == "2026-01-02"
    transformer = {
        "InputPathsMap": {"day": "$.detail.day"},
        "InputTemplate": '{"start": "<day>"}',
    }
    assert target_payload({"InputTransformer": transformer}, EVENT) == {"start": "2026-01-02"}
