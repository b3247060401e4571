"""Functions run as on Lambda: their environment, isolation, limits and rights."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from local.stack import FunctionError, Stack
from tests.local.stack.conftest import Bucket, eventually

APP = Path(__file__).with_name("app")


def test_a_function_sees_only_what_lambda_gives_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = stack.invoke("Echo", {"do": "about"})
    config = stack.deployment.functions["Echo"]
    environment = about["environment"]
    assert environment["GREETING"] == "hello"
    assert environment["BUCKET"] == stack.deployment.outputs["BucketName"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == config.name
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_ENDPOINT_URL"] == stack.endpoint_url
    assert environment["AWS_SESSION_TOKEN"]
    assert environment["TZ"] == ":UTC"
    callers = {"VIRTUAL_ENV", "PYTEST_CURRENT_TEST", "PWD", "USER", "SHELL"}
    assert not callers & environment.keys()
    assert about["cwd"] == str(APP / "functions" / "echo")
    assert about["path"][:2] == [str(APP / "functions" / "echo"), str(APP / "layers" / "code")]
    assert str(Path(sys.modules["local"].__path__[0]).parent) not in about["path"]


def test_layer_of_the_template_is_on_the_path_and_others_are_ignored(stack: Stack) -> None:
    assert stack.invoke("Echo", {"do": "about"})["layer"] == "from the layer"
    assert len(stack.deployment.functions["Echo"].code_dirs) == 2


def test_context_is_lambdas(stack: Stack) -> None:
    about = stack.invoke("Echo", {"do": "about"})
    config = stack.deployment.functions["Echo"]
    assert about["context"] == [config.name, "256", config.arn]
    assert 15_000 < about["remaining"] <= 20_000
    assert len(about["request_id"]) == 36


def test_what_a_handler_prints_is_in_its_log_and_not_in_its_reply(
    stack: Stack, log_dir: Path
) -> None:
    stack.invoke("Echo", {"do": "about"})
    log = (log_dir / "Echo.log").read_text()
    assert "printed by the handler" in log
    assert "written to the file descriptor" in log


def test_an_exception_is_a_function_error_with_its_type_and_trace(
    stack: Stack, log_dir: Path
) -> None:
    with pytest.raises(FunctionError, match="as asked") as caught:
        stack.invoke("Echo", {"do": "fail"})
    assert caught.value.error_type == "ValueError"
    assert "app.py" in "".join(caught.value.error["stackTrace"])
    assert "ValueError: as asked" in (log_dir / "Echo.log").read_text()


def test_parquet_knows_no_other_codecs_than_on_lambda(stack: Stack) -> None:
    assert stack.invoke("Echo", {"do": "parquet", "codec": "snappy"}) == "snappy"
    with pytest.raises(FunctionError, match="Support for codec 'zstd' not built") as caught:
        stack.invoke("Echo", {"do": "parquet", "codec": "zstd"})
    assert caught.value.error_type == "ArrowNotImplementedError"


def test_a_crash_is_a_function_error_and_the_next_call_works(stack: Stack) -> None:
    with pytest.raises(FunctionError, match="exited") as caught:
        stack.invoke("Echo", {"do": "exit"})
    assert caught.value.error_type == "Runtime.ExitError"
    assert stack.invoke("Echo", {"do": "about"})["layer"]


def test_a_reply_that_is_not_json_is_a_marshal_error(stack: Stack) -> None:
    with pytest.raises(FunctionError) as caught:
        stack.invoke("Echo", {"do": "unserialisable"})
    assert caught.value.error_type == "Runtime.MarshalError"


def test_a_reply_over_6_mb_is_an_error(stack: Stack) -> None:
    with pytest.raises(FunctionError) as caught:
        stack.invoke("Echo", {"do": "large"})
    assert caught.value.error_type == "Function.ResponseSizeTooLarge"


def test_a_timeout_kills_the_process_and_the_next_call_works(stack: Stack) -> None:
    started = time.monotonic()
    with pytest.raises(FunctionError, match=r"timed out after 2\.00 seconds"):
        stack.invoke("Worker", {"do": "sleep"})
    assert 1.9 < time.monotonic() - started < 4
    assert stack.invoke("Worker", {"do": "anything"}) == {"stored": True}


def test_calls_run_at_the_same_time_in_processes_of_their_own(stack: Stack) -> None:
    pids: list[int] = []
    event = {"do": "sleep", "seconds": 0.8}
    calls = [
        threading.Thread(target=lambda: pids.append(stack.invoke("Echo", event))) for _ in range(3)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert len(set(pids)) == 3


def test_an_idle_process_that_died_is_replaced_without_an_error(stack: Stack) -> None:
    pid = stack.invoke("Echo", {"do": "about"})["pid"]
    os.kill(pid, 9)
    time.sleep(0.1)
    assert stack.invoke("Echo", {"do": "about"})["pid"] != pid


def test_a_granted_call_works(stack: Stack, bucket: Bucket) -> None:
    bucket.put("open/hello.txt", "hello")
    assert stack.invoke("Echo", {"do": "read", "key": "open/hello.txt"}) == "hello"
    assert stack.invoke("Echo", {"do": "get_item"}) is None


@pytest.mark.parametrize("event", [{"do": "read", "key": "closed/hello.txt"}, {"do": "put_item"}])
def test_a_call_that_the_role_does_not_allow_is_access_denied(
    stack: Stack, bucket: Bucket, event: dict[str, str]
) -> None:
    bucket.put("closed/hello.txt", "hello")
    with pytest.raises(FunctionError, match="AccessDenied"):
        stack.invoke("Echo", event)


def test_without_the_right_to_list_a_missing_object_is_denied(stack: Stack, bucket: Bucket) -> None:
    with pytest.raises(FunctionError, match="AccessDenied"):
        stack.invoke("Echo", {"do": "read", "key": "open/missing.txt"})


def test_a_function_calls_another_and_waits(stack: Stack, bucket: Bucket) -> None:
    worker = stack.deployment.functions["Worker"].name
    call = {"do": "call", "function": worker, "type": "RequestResponse", "payload": {"n": 1}}
    assert stack.invoke("Echo", call) == [200, None, '{"stored": true}']
    failing = call | {"payload": {"do": "fail"}}
    status, error, payload = stack.invoke("Echo", failing)
    assert (status, error) == (200, "Unhandled")
    assert "as asked" in payload


def test_an_asynchronous_call_is_accepted_and_tried_again_when_it_fails(
    stack: Stack, bucket: Bucket
) -> None:
    worker = stack.deployment.functions["Worker"].name
    event = {"do": "fail", "for": "this test alone"}
    call = {"do": "call", "function": worker, "type": "Event", "payload": event}
    assert stack.invoke("Echo", call) == [202, None, ""]
    assert not stack.idle()
    assert eventually(stack.idle)
    assert bucket.read("events") == [event] * 2  # MaximumRetryAttempts: 1
    given_up = stack.client("sqs").receive_message(
        QueueUrl=stack.deployment.resources["GivenUp"], MaxNumberOfMessages=10
    )["Messages"]
    records = [json.loads(message["Body"]) for message in given_up]  # of other tests as well
    (told,) = (record for record in records if record["requestPayload"] == event)
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["requestContext"]["functionArn"].endswith(f":function:{worker}:$LATEST")
    assert told["responsePayload"]["errorType"] == "RuntimeError"


def test_a_function_may_not_call_what_its_role_does_not_name(stack: Stack) -> None:
    itself = stack.deployment.functions["Echo"].name
    call = {"do": "call", "function": itself, "type": "Event", "payload": {}}
    with pytest.raises(FunctionError, match="lambda:InvokeFunction"):
        stack.invoke("Echo", call)
