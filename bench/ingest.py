"""Measures ingest's handler beside one that writes a Parquet object for each request.

Both check the same request with the same code. Ours then sends a message to SQS; the other does
at once what write_raw would: country and browser, one row, one Parquet object, one PUT. AWS
answers at once in this process (botocore builds, signs and reads every call), so that it is code
that is compared and not two networks.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench import messages
from bench.account import CONTEXT, deployed
from bench.measure import Goal, Scale, Section, Times, milliseconds
from functions.ingest import app
from pulse import days, lake
from pulse.http import Door, Route, reply_to
from pulse.ingest.message import Message
from pulse.ingest.routes import Ingest
from pulse.observe import count, logger, metrics
from pulse.raw import parquet
from pulse.raw.countries import Countries
from pulse.raw.rows import Origin, row_of
from pulse.settings import IngestSettings
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.queue import Queue
from pulse.store.tenants import Tenants
from pulse.streams import STREAMS
from pulse.tenants.access import Directory

_ADDRESS = "client_ip"


class ParquetAtOnce(Queue):
    """Stands for the queue: it stores each message as objects of the lake before the reply."""

    def __init__(self, bucket: str) -> None:
        """The objects are put into that bucket."""
        super().__init__("", fail_fast=True)
        self._objects = Objects(bucket, fail_fast=True)
        self._countries = Countries.built_in()

    def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Store the message's items as one object for each day."""
        message = Message.decode(body)
        origin = Origin(message, attributes.get(_ADDRESS), "UTC")
        for number, item in enumerate(message.items):
            day, row = row_of(item, number, origin, self._countries)
            key = lake.raw_key(message.stream, day, lake.ulid())
            self._objects.put(key, parquet.encode([row], STREAMS[message.stream].columns))


def run(scale: Scale) -> Section:
    """Measure how many requests fit into a second of CPU, and how long each takes."""
    requests = scale.messages
    with deployed() as account:
        account.tenant("acme", survey="support")
        key = account.key("acme", "publishable")
        settings = IngestSettings.from_environment(account.environment("Ingest"))
        bucket = account.environment("WriteRaw")["PULSE_LAKE_BUCKET"]
        _answer_at_once()
        directory = Directory(Tenants(settings.table, fail_fast=True), settings.remember_us)
        other = Ingest(directory, ParquetAtOnce(bucket), door=Door.from_settings(settings))
        events = [_event(number, key) for number in range(requests)]
        handlers = {
            "ingest": lambda event: app.handler(event, CONTEXT),
            "a Parquet object for each request": _handler(other.routes),
        }
        taken = _in_turns(handlers, events)
    rates = {name: requests / cpu for name, (_, cpu) in taken.items()}
    ours, theirs = rates.values()
    return Section(
        title="ingest: requests",
        about=f"{requests:,} requests of one answer each through either handler in turns of a "
        "hundred; AWS answers at once in the same process. Rates are for a second of one core's "
        "CPU time.",
        header=("handler", "requests/s/core", "p50", "p99"),
        rows=tuple(
            (
                name,
                f"{rates[name]:,.0f}",
                milliseconds(times.median),
                milliseconds(times.quantile(0.99)),
            )
            for name, (times, _) in taken.items()
        ),
        goals=(
            Goal(
                "ingest takes more requests than a handler that writes Parquet",
                f"{ours / theirs:.1f} times as many",
                ours > theirs,
            ),
        ),
    )


def _handler(routes: Mapping[str, Route]) -> Any:
    """A handler over these routes that logs and counts as ingest's own does."""

    @logger.inject_lambda_context
    @metrics.log_metrics
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        count("Requests")
        return reply_to(routes, event, Door(""))

    return lambda event: handle(event, CONTEXT)


def _in_turns(handlers: Mapping[str, Any], events: list[Any]) -> dict[str, tuple[Times, float]]:
    """By handler, how long each request took, and the CPU time of all of them."""
    wall: dict[str, list[float]] = {name: [] for name in handlers}
    cpu = dict.fromkeys(handlers, 0.0)
    for handle in handlers.values():
        for event in events[:100]:
            handle(event)
    for start in range(0, len(events), 100):
        for name, handle in handlers.items():
            cpu_before = time.process_time()
            for event in events[start : start + 100]:
                before = time.perf_counter()
                status = handle(event)["statusCode"]
                wall[name].append(time.perf_counter() - before)
                if status != 202:
                    raise RuntimeError(f"{name} answered {status}")
            cpu[name] += time.process_time() - cpu_before
    return {name: (Times(tuple(wall[name])), cpu[name]) for name in handlers}


class _Body:
    """A reply's body as urllib3 hands it over."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> list[bytes]:
        return [self._content]


def _answer_at_once() -> None:
    """From now on requests to SQS and S3 succeed at once, without a network."""

    def sent(request: Any, **_: Any) -> AWSResponse:
        found = {"MessageId": "1", "MD5OfMessageBody": "", "MD5OfMessageAttributes": ""}
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(json.dumps(found).encode()))

    def put(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(b""))

    client("sqs", fail_fast=True).meta.events.register_first("before-send.sqs.SendMessage", sent)
    client("s3", fail_fast=True).meta.events.register_first("before-send.s3.PutObject", put)


def _event(number: int, key: str) -> dict[str, Any]:
    """A page's request, as API Gateway hands it over."""
    return {
        "version": "2.0",
        "routeKey": "POST /v1/responses",
        "rawPath": "/v1/responses",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "authorization": f"Bearer {key}",
            "origin": "https://www.example.com",
            "user-agent": messages.user_agent(number),
        },
        "body": json.dumps(messages.answer(number)),
        "isBase64Encoded": False,
        "requestContext": {
            "http": {
                "method": "POST",
                "path": "/v1/responses",
                "sourceIp": f"203.0.{number // 256 % 256}.{number % 256}",
            },
            "requestId": f"{days.EPOCH:%Y}-{number}",
        },
    }
