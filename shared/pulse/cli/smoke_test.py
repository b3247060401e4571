"""`pulse smoke`: tries a deployed stack, from a customer's answer to the figure in a report.

It does everything as other clients do: through the interface and the pages' address, with keys, to
the deployed functions with their own roles. The tenant `smoke` is only for this. The events of each
run name an agent of their own, so that events of earlier runs do not matter.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from pulse import days, lake
from pulse.cli import output
from pulse.cli.api import Api, HttpReply, refusal
from pulse.cli.exits import FailedError
from pulse.cli.keyring import passing_key
from pulse.cli.target import StackName, Target, find_target
from pulse.errors import ConflictError, PulseError
from pulse.store import functions, queue
from pulse.store.stack import aws_refusal
from pulse.tenants.keys import new_key_text
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant

TENANT = Tenant("smoke", "Smoke test (pulse smoke)", "UTC", min_sample=0)
SURVEY = Survey(
    TENANT.id,
    "smoke",
    ((0, Rule.make("csat", 1, 5)),),
    texts={"en": Texts("Does it work?", "Thank you.")},
)
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "csat": {"responses": 4, "csat_pct": 75.0},
    "customer-perspective": {"entered": 1, "accepted": 1, "avg_accept_time": 20},
    "agent-activity": {"active_seconds": 600, "engaged_seconds": 300, "engaged_pct": 50.0},
}
"""The figures of one run's events, by report."""

_KEYS_LAST_LONGER_S = 600
"""How much longer keys last than storing and building may take. Those of a killed run expire."""
_ASK_EVERY_S = 1.0
_BUILD_EVERY_S = 60.0
"""How often a build is started: one that began before the last event was stored lacks it."""

Attempt = tuple[str, Callable[[], str]]
"""A step: its name, and a function that returns what was found, or raises if it fails."""


@dataclass(frozen=True)
class Step:
    """The result of one step."""

    name: str
    ok: bool
    seconds: float
    found: str


@dataclass(frozen=True)
class Keys:
    """The keys of a run, which are removed at its end."""

    publishable: str
    secret: str
    report: str


def smoke(
    wait: Annotated[
        int,
        typer.Option(min=0, metavar="SECONDS", help="How long storing and building may take."),
    ] = 900,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Try a stack as a whole: post events, have them built, and read the reports back.

    It ends at the first step that fails, with exit code 1. Its keys are gone then; the tenant
    `smoke`, its survey and six events a run stay.

    Example:

        pulse smoke --stack pulse
    """
    target = find_target(stack)
    steps: list[Step] = []
    with closing(_attempts(target, lake.ulid(), wait)) as attempts:
        for name, attempt in attempts:
            steps.append(_tried(name, attempt))
            output.say(f"{steps[-1].seconds:6.1f} s  {name}: {steps[-1].found}")
            if not steps[-1].ok:
                break
    rows = [["ok" if s.ok else "failed", s.name, f"{s.seconds:.1f}", s.found] for s in steps]
    table = output.table(["", "step", "seconds", "found"], rows, right=["seconds"])
    output.show([vars(step) for step in steps], table, as_json=as_json)
    if not steps[-1].ok:
        raise FailedError(f"{steps[-1].name}: {steps[-1].found}")


def _tried(name: str, attempt: Callable[[], str]) -> Step:
    """Try a step; return its result. Raises errors that no step expects."""
    began = time.monotonic()
    try:
        ok, found = True, attempt()
    except Exception as error:
        refused = aws_refusal(error)
        if refused is None and not isinstance(error, PulseError):
            raise
        ok, found = False, refused.message if refused else str(error)
    return Step(name, ok, round(time.monotonic() - began, 1), found)


def _attempts(target: Target, run: str, wait_s: int) -> Generator[Attempt, None, None]:
    """The steps in order. The keys exist from the first step until the last one is over."""
    yield "tenant", lambda: _make_tenant(target)
    with _keys(target, (wait_s + _KEYS_LAST_LONGER_S) * days.SECOND) as keys:
        attempt = _Smoke(target, keys, run, days.today(TENANT.timezone))
        give_up = time.monotonic() + wait_s
        yield "unknown key", attempt.unknown_key_is_refused
        yield "bad answer", attempt.bad_answer_is_refused
        yield "pages", attempt.pages_are_there
        yield "post", attempt.post
        yield "store", lambda: attempt.wait_until_stored(give_up)
        yield "build and read", lambda: attempt.wait_until_reported(give_up)


def _make_tenant(target: Target) -> str:
    try:
        target.tenants.create(TENANT)
    except ConflictError as error:
        there = target.tenants.get(TENANT.id)
        if there is None or there.name != TENANT.name:
            raise FailedError(
                f"There is a tenant {TENANT.id!r} that is none of this command's."
            ) from error
    target.tenants.put_survey(SURVEY)
    return f"the tenant {TENANT.id!r} and its survey are there"


@contextmanager
def _keys(target: Target, lasting_us: int) -> Iterator[Keys]:
    kinds = ("publishable", "secret", "report")
    with ExitStack() as made:
        yield Keys(
            *(
                made.enter_context(
                    passing_key(target.tenants, kind, TENANT.id, lasting_us=lasting_us)
                )
                for kind in kinds
            )
        )


@dataclass(frozen=True)
class _Smoke:
    """One run."""

    target: Target
    keys: Keys
    run: str
    day: date
    """When it began."""

    @property
    def agent(self) -> str:
        """The agent of this run's events."""
        return f"smoke-{self.run}"

    def unknown_key_is_refused(self) -> str:
        nobody = Api(self.target.api_url, new_key_text("secret"))
        reply = nobody.post("/v1/responses", _json(self._answer(1)))
        return _expect(reply, 401, "POST /v1/responses")

    def bad_answer_is_refused(self) -> str:
        reply = self._api(self.keys.secret).post("/v1/responses", _json(self._answer(9)))
        return _expect(reply, 422, "POST /v1/responses")

    def pages_are_there(self) -> str:
        pages = Api(self.target.pages_url, self.keys.publishable)
        for path in ("/", f"/s/{self.keys.publishable}"):
            reply = pages.get(path, accept="text/html")
            if reply.status != 200 or b"<html" not in reply.body[:2000].lower():
                raise FailedError(
                    f"{self.target.pages_url} answers {reply.status}, and no page: "
                    "pulse pages publish puts them there"
                )
        reply = pages.get(f"/v1/surveys/{SURVEY.id}")
        _expect(reply, 200, "GET /v1/surveys")
        return "the dashboard, the survey page, and its survey"

    def post(self) -> str:
        """Post four responses, one of them as a page does, an interaction and a session."""
        now = days.now()
        entered, accepted = now - timedelta(seconds=60), now - timedelta(seconds=40)
        interaction = {
            "interaction_id": self.run,
            "media_type": "voice",
            "agent_id": self.agent,
            "entered_at": entered.isoformat(),
            "accepted_at": accepted.isoformat(),
        }
        session = {
            "session_id": self.run,
            "media_type": "voice",
            "agent_id": self.agent,
            "day": self.day.isoformat(),
            "active_seconds": 600,
            "engaged_seconds": 300,
        }
        page = Api(self.target.pages_url, self.keys.publishable)
        _expect(page.post("/v1/responses", _json(self._answer(5))), 202, "POST /v1/responses")
        server = self._api(self.keys.secret)
        batch = {"responses": [self._answer(score) for score in (5, 4, 1)]}
        for path, body in (
            ("/v1/batch/responses", batch),
            ("/v1/interactions", interaction),
            ("/v1/agent-sessions", session),
        ):
            _expect(server.post(path, _json(body)), 202, f"POST {path}")
        return "four answers, an interaction and a session accepted"

    def wait_until_stored(self, give_up: float) -> str:
        url = self.target.outputs.queue_url
        while left := queue.depth(url):
            if time.monotonic() >= give_up:
                raise FailedError(f"about {left:,} messages are still in the queue")
            time.sleep(_ASK_EVERY_S)
        return "the queue is empty"

    def wait_until_reported(self, give_up: float) -> str:
        build_at = time.monotonic()
        while differences := self._differences():
            now = time.monotonic()
            if now >= give_up:
                raise FailedError("; ".join(differences))
            if now >= build_at:
                functions.start(self.target.outputs.build_daily)
                build_at = now + _BUILD_EVERY_S
            time.sleep(_ASK_EVERY_S)
        return f"as expected: {', '.join(EXPECTED)}"

    def _differences(self) -> list[str]:
        """Sentences about figures of reports that are not as expected."""
        found = []
        for report, expected in EXPECTED.items():
            totals = self._totals(report)
            found += [
                f"{report} says {column} {totals.get(column)}, not {value}"
                for column, value in expected.items()
                if totals.get(column) != value
            ]
        return found

    def _totals(self, report: str) -> Mapping[str, Any]:
        query = {
            "start_date": (self.day - days.ONE_DAY).isoformat(),  # the run may pass midnight
            "end_date": days.today(TENANT.timezone).isoformat(),
            "agent": self.agent,
        }
        reply = self._api(self.keys.report).get(f"/v1/reports/{report}", urlencode(query))
        _expect(reply, 200, f"GET /v1/reports/{report}")
        totals: list[Mapping[str, Any]] = reply.json()["totals"]
        return totals[0] if totals else {}

    def _answer(self, score: int) -> dict[str, Any]:
        return {"survey_id": SURVEY.id, "score": score, "agent_id": self.agent}

    def _api(self, key: str) -> Api:
        return Api(self.target.api_url, key)


def _expect(reply: HttpReply, status: int, asked: str) -> str:
    """What was found, as text. Raises FailedError for another status."""
    if reply.status != status:
        raise FailedError(f"{asked} was answered {reply.status}, not {status}: {refusal(reply)}")
    return f"{asked} was answered {status}"


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()
