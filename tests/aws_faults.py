"""Makes calls of AWS fail: they are refused, throttled, or done without a reply.

This happens below botocore's retries, in place of the network, for every client. Calls that moto
and the embedded Athena make themselves do not fail.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.retries.standard import ExponentialBackoff
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

REFUSED, THROTTLED, UNANSWERED = "refused", "throttled", "unanswered"


class AwsFaults:
    """Lets a share of all requests fail in ways after which botocore tries again.

    A further share of calls, `hopeless`, fails at every try.
    """

    def __init__(self, share: float, *, hopeless: float = 0.0, seed: int = 1) -> None:
        self.share = share
        self.hopeless = hopeless
        self.met: Counter[str] = Counter()
        self.requests = 0
        self._chance = Random(seed)
        self._lost: dict[str, bool] = {}
        """By call, whether it fails for good."""
        self._lock = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within the block requests meet faults."""
        real = BotocoreStubber.__call__

        def answer(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
            if getattr(self._inside, "moto", False):
                return real(stubber, event_name, request, **given)
            fault = self._fault(request)
            if fault and fault != UNANSWERED:
                return _answer(request, fault)
            self._inside.moto = True
            try:
                done = real(stubber, event_name, request, **given)
            finally:
                self._inside.moto = False
            return _answer(request, fault) if fault else done

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(BotocoreStubber, "__call__", answer)
            yield

    def _fault(self, request: AWSPreparedRequest) -> str | None:
        call = str(request.headers["amz-sdk-invocation-id"])  # the same for every try
        with self._lock:
            self.requests += 1
            if call not in self._lost:
                self._lost[call] = self._chance.random() < self.hopeless
            if not self._lost[call] and self._chance.random() >= self.share:
                return None
            fault = self._chance.choice((REFUSED, THROTTLED, UNANSWERED))
            self.met[fault] += 1
            return fault


@contextmanager
def without_pauses() -> Iterator[None]:
    """Within the block botocore tries again at once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)
        yield


def _answer(request: AWSPreparedRequest, fault: str) -> AWSResponse:
    if "X-Amz-Target" in request.headers:
        status, name = (400, "ThrottlingException") if fault == THROTTLED else (503, "Unavailable")
        body = f'{{"__type": "{name}", "message": "by the test"}}'
    else:
        status, name = 503, "SlowDown" if fault == THROTTLED else "ServiceUnavailable"
        body = f"<Error><Code>{name}</Code><Message>by the test</Message></Error>"
    raw: Any = MockRawResponse(body)
    return AWSResponse(request.url, status, HTTPHeaders(), raw)
