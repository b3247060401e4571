"""The routes of ingest: they check the key, then the body, then every item.

The reply is a 202 once the accepted items are in the queue. Each route replies within DEADLINE_S.
docs/http.md#writing is the contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pulse import days
from pulse.errors import (
    BadRequestError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    PayloadTooLargeError,
    UnauthorizedError,
    UnprocessableError,
)
from pulse.http import Call, Door, Reply, Route, decode
from pulse.ingest import fields
from pulse.ingest.body import read_body
from pulse.ingest.deadline import within
from pulse.ingest.interactions import InteractionReader
from pulse.ingest.message import ATTRIBUTE, Event, Message
from pulse.ingest.origins import require_origin, require_origin_if_shown
from pulse.ingest.pages import FRESH_S, page
from pulse.ingest.reader import ItemReader
from pulse.ingest.responses import ResponseReader
from pulse.ingest.sessions import SessionReader
from pulse.ingest.viewer import viewer_address
from pulse.observe import count
from pulse.settings import IngestSettings
from pulse.store.clients import AGAIN, client, unavailable_on_failure
from pulse.store.queue import MESSAGE_LIMIT, Queue
from pulse.store.tenants import Tenants
from pulse.streams.fields import NAME_LIMIT
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.keys import Key
from pulse.tenants.limits import Limits
from pulse.tenants.uses import LastUses

DEADLINE_S = 3.0
ONE_LIMIT = 64 * 1024  # bytes: a comment of 4,000 characters takes 48,000 if written as \u escapes
BATCH_LIMIT = 256 * 1024
BATCH_ITEMS = 500
AGAIN_WITH_ID = (
    "It may have been stored all the same. What carries response_id (or Idempotency-Key) and "
    "answered_at can be sent again and counts once; what does not may then count twice."
)
"""The advice of a 503 for responses, which are the only events whose id is optional."""
_ATTRIBUTES_ROOM = 1_024  # bytes that a message needs beside its body

_SHOWN = 10  # the limit of reading surveys is so many times the limit of sending responses
_NOTHING_ACCEPTED = "nothing_accepted"


@dataclass(frozen=True)
class Verdict:
    """The result of reading a request's items: for each index an event or a fault."""

    events: Mapping[int, Event]
    faults: Mapping[int, FieldError]

    def summary(self) -> dict[str, Any]:
        """The members of the reply (docs/http.md#writing)."""
        size = len(self.events) + len(self.faults)
        shown: dict[str, Any] = {
            "accepted": len(self.events),
            "rejected": _listed(self.faults),
            "ids": [
                self.events[index].id if index in self.events else None for index in range(size)
            ],
        }
        return shown | ({"warnings": _listed(self.warnings)} if self.warnings else {})

    @property
    def warnings(self) -> Mapping[int, FieldError]:
        """What was left out of accepted events, by index."""
        return {index: event.warning for index, event in self.events.items() if event.warning}


def _times(verdict: Verdict, items: Sequence[object]) -> dict[str, Any]:
    """The times of responses that were sent with their age, in the order of the ids.

    A page that sends such a response again sends this time, so that the response keeps its day.
    """
    times = [
        days.iso(event["answered_us"])
        if (event := verdict.events.get(index))
        and isinstance(item, Mapping)
        and fields.value_of(item, "age_ms") is not None
        else None
        for index, item in enumerate(items)
    ]
    return {"answered_at": times} if any(times) else {}


def _listed(faults: Mapping[int, FieldError]) -> list[dict[str, Any]]:
    return [
        {"index": index, "field": fault.field, "code": fault.code, "message": fault.message}
        for index, fault in faults.items()
    ]


class Ingest:
    """The stage: it takes events, and gives surveys to the pages that show them."""

    def __init__(
        self,
        directory: Directory,
        queue: Queue,
        *,
        door: Door,
        deadline_s: float = DEADLINE_S,
        retention_days: int = 0,
    ) -> None:
        self._directory = directory
        self._queue = queue
        self._door = door
        self._deadline_s = deadline_s
        self._retention_days = retention_days

    @classmethod
    def from_settings(cls, settings: IngestSettings) -> Self:
        """The stage over the stack that the settings name."""
        for service in ("dynamodb", "sqs"):
            client(service, fail_fast=True)  # made now: it takes too long for a caller's 3 s
        key, tenant = settings.writes
        limits = {
            "POST": Limits.per_minute(key, tenant),
            "GET": Limits.per_minute(_SHOWN * key, _SHOWN * tenant),
        }
        tenants = Tenants(settings.table, fail_fast=True)
        uses = LastUses(tenants.note_key_use)
        directory = Directory(tenants, settings.remember_us, limits, uses=uses)
        queue = Queue(settings.queue_url, fail_fast=True)
        return cls(
            directory,
            queue,
            door=Door.from_settings(settings),
            retention_days=settings.retention_days,
        )

    @property
    def routes(self) -> Mapping[str, Route]:
        """The functions by API Gateway's route keys. For all other paths pulse.http replies."""
        return {
            "POST /v1/responses": self._bounded(self._take_one, AGAIN_WITH_ID),
            "POST /v1/batch/responses": self._bounded(self._take_batch, AGAIN_WITH_ID),
            "POST /v1/interactions": self._bounded(self._taking(InteractionReader)),
            "POST /v1/agent-sessions": self._bounded(self._taking(SessionReader)),
            "GET /v1/surveys/{id}": self._bounded(self._show_survey),
            "OPTIONS /{proxy+}": _allow,
        }

    def _bounded(self, route: Route, advice: str = AGAIN) -> Route:
        def bounded(call: Call) -> Reply:
            return within(self._deadline_s, lambda: _with_outages(route, call, advice), advice)

        return bounded

    # -- writing

    def _take_one(self, call: Call) -> Reply:
        reader = self._reader(ResponseReader, call, "publishable", "secret")
        given = read_body(call, ONE_LIMIT)
        return self._take(call, reader, [given], own_ids=[_idempotency_key(call)])

    def _take_batch(self, call: Call) -> Reply:
        reader = self._reader(ResponseReader, call, "secret")
        items = _batch_items(read_body(call, BATCH_LIMIT), reader.stream.name)
        base = _idempotency_key(call, longest_suffix=f":{len(items) - 1}")
        own_ids = [f"{base}:{index}" if base else None for index in range(len(items))]
        return self._take(call, reader, items, own_ids)

    def _taking(self, kind: type[ItemReader]) -> Route:
        """The route that takes items of a stream from a server: one, or a batch."""

        def take(call: Call) -> Reply:
            reader = self._reader(kind, call, "secret")
            body = read_body(call, BATCH_LIMIT)
            name = reader.stream.name
            items = _batch_items(body, name) if name in body else [body]
            return self._take(call, reader, items, own_ids=[None] * len(items))

        return take

    def _reader(self, kind: type[ItemReader], call: Call, *key_kinds: str) -> ItemReader:
        """The reader for a request. Raises if its key is of another kind or from another origin."""
        key = authenticate(call, self._directory, in_query=("publishable",))
        require_kind(key, *key_kinds)
        require_origin(call, key)
        return kind(self._directory, key, _tenant(key), days.now_us(), self._retention_days)

    def _take(
        self, call: Call, reader: ItemReader, items: Sequence[object], own_ids: Sequence[str | None]
    ) -> Reply:
        verdict = _judge(reader, items, own_ids)
        counted = reader.stream.name.capitalize()
        count(f"{counted}Rejected", len(verdict.faults), at_us=reader.received_us)
        if not verdict.events:
            raise _nothing_accepted(verdict)
        self._send(call, reader, list(verdict.events.values()))
        count(f"{counted}Accepted", len(verdict.events), at_us=reader.received_us)
        dropped = [one for one in verdict.warnings.values() if one.field == "agent_id"]
        if dropped:
            count("AgentsDropped", len(dropped), at_us=reader.received_us)
        return Reply.json(202, verdict.summary() | _times(verdict, items))

    def _send(self, call: Call, reader: ItemReader, events: Sequence[Event]) -> None:
        """Put the events in the queue, with the caller's address unless the key is secret."""
        own = reader.key.kind == "publishable"
        body = Message(
            stream=reader.stream.name,
            tenant=reader.tenant,
            key_kind=reader.key.kind,
            received_us=reader.received_us,
            request_id=call.request_id,
            items=tuple(event.values for event in events),
            user_agent=call.headers.get("user-agent") if own else None,
            key_id=reader.key.id,
        ).encode()
        if len(body) > MESSAGE_LIMIT - _ATTRIBUTES_ROOM:
            raise PayloadTooLargeError(
                "message_too_large",
                "With what is stored beside every item the batch is too large: "
                "send fewer at a time.",
            )
        viewer = viewer_address(call, self._door) if own else ""
        self._queue.send(body, {ATTRIBUTE: viewer} if viewer else {})

    # -- reading

    def _show_survey(self, call: Call) -> Reply:
        key = authenticate(call, self._directory, in_query=("publishable",))
        require_kind(key, "publishable")
        require_origin_if_shown(call, key)
        name = call.path_parameters["id"]
        if key.surveys and name not in key.surveys:
            raise ForbiddenError("survey_not_allowed", "This key is for other surveys.")
        short = 0 < len(name) <= NAME_LIMIT
        tenant = self._directory.tenant(_tenant(key)) if short else None
        survey = self._directory.survey(tenant.id, name) if tenant else None
        if tenant is None or survey is None:
            raise NotFoundError("survey_unknown", "There is no such survey.")
        if survey.closed_us is not None:
            raise NotFoundError("survey_closed", "The survey is closed.")
        wanted = [decode(raw) for name, raw in call.query if name == "lang"]
        headers = {
            "Cache-Control": f"public, max-age={FRESH_S}",
            "Vary": "Authorization, X-Api-Key, Origin",  # two tenants may have surveys of one id
        }
        return Reply.json(200, page(tenant, survey, wanted[-1] if wanted else None), headers)


def _allow(call: Call) -> Reply:
    """The reply to a CORS preflight of any path. API Gateway adds the headers that allow it."""
    return Reply(204)


def _with_outages(route: Route, call: Call, advice: str) -> Reply:
    with unavailable_on_failure(advice):
        return route(call)


def _tenant(key: Key) -> str:
    if key.tenant is None:  # an operator key, which no route here accepts
        raise UnauthorizedError("invalid_key", "The key belongs to no tenant.")
    return key.tenant


def _idempotency_key(call: Call, longest_suffix: str = "") -> str | None:
    """The value of the header Idempotency-Key; with the suffix it must be a valid response_id."""
    key = call.headers.get("idempotency-key")
    if key is not None and len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]  # a string of structured fields (RFC 8941); an id needs no escapes
    if key is not None and not (key and fields.is_id(key + longest_suffix)):
        raise BadRequestError(
            "idempotency_key_invalid",
            "Idempotency-Key must be 1 to 64 characters of A-Za-z0-9._:-, in a batch "
            f"{longest_suffix or ':index'} included.",
        )
    return key


def _batch_items(body: Mapping[str, Any], stream: str) -> list[object]:
    unknown = sorted(body.keys() - {stream})
    items = body.get(stream)
    if unknown:
        raise BadRequestError(
            "unknown_field", f"A batch has the member {stream} alone, not {unknown[0][:64]!r}."
        )
    if not isinstance(items, list):
        raise BadRequestError(f"{stream}_not_list", f"{stream} must be a list of {stream}.")
    if not items:
        raise UnprocessableError(
            f"{stream}_empty", f"{stream} is empty.", extra=Verdict({}, {}).summary()
        )
    if len(items) > BATCH_ITEMS:
        raise PayloadTooLargeError(
            "too_many_items", f"There are {len(items)} {stream}; at most {BATCH_ITEMS}."
        )
    return items


def _judge(reader: ItemReader, items: Sequence[object], own_ids: Sequence[str | None]) -> Verdict:
    events: dict[int, Event] = {}
    faults: dict[int, FieldError] = {}
    for index, (given, own_id) in enumerate(zip(items, own_ids, strict=True)):
        try:
            events[index] = reader.read(given, own_id)
        except fields.RejectedError as error:
            faults[index] = error.fault
    return Verdict(events, faults)


def _nothing_accepted(verdict: Verdict) -> UnprocessableError:
    """The 422 that lists every fault. Its code is that of the faults if they all have the same."""
    faults = list(verdict.faults.values())
    codes = {fault.code for fault in faults}
    if len(faults) == 1:
        detail = faults[0].message
    else:
        detail = f"None of the {len(faults)} items can be accepted."
    return UnprocessableError(
        codes.pop() if len(codes) == 1 else _NOTHING_ACCEPTED,
        detail,
        errors=faults if len(faults) == 1 else (),
        extra=verdict.summary(),
    )
