"""What is reported about a function that was invoked by hand."""

import io
from typing import Any

import pytest

from pulse.errors import FunctionFailedError
from pulse.store import functions


class Lambda:
    """AWS Lambda, whose every function ends with one reply."""

    def __init__(self, payload: bytes, **more: str) -> None:
        self.reply = {"StatusCode": 200, "Payload": io.BytesIO(payload), **more}
        self.called: list[dict[str, Any]] = []

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.called.append(call)
        return self.reply


def put_in_place(patch: pytest.MonkeyPatch, fake: Lambda) -> None:
    patch.setattr(functions, "client", lambda service, *, lasting: fake)


def test_a_call_gives_what_the_function_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Lambda(b'{"finished": true}')
    put_in_place(monkeypatch, fake)
    assert functions.call("housekeep") == {"finished": True}
    assert fake.called == [{"FunctionName": "housekeep", "Payload": b"{}"}]


def test_a_function_that_fails_is_an_error_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b'{"errorType": "AthenaError", "errorMessage": "out of time"}'
    put_in_place(monkeypatch, Lambda(said, FunctionError="Unhandled"))
    with pytest.raises(FunctionFailedError, match="AthenaError: out of time"):
        functions.call("build_daily")
