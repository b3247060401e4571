"""EventBridge's schedules, rate() and cron(): calls functions as the template declares them."""

from __future__ import annotations

import heapq
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from croniter import croniter

from local.deployment import Deployment
from local.template import ACCOUNT_ID

LONGEST_SLEEP = 30.0
"""After so many seconds the clock is read again: it may have jumped, as after a laptop's sleep."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_AT = re.compile(r"at\((.+)\)")


class ScheduleError(Exception):
    """An expression that EventBridge would refuse."""


NextTime = Callable[[datetime], datetime | None]
"""Returns the first time of a schedule after a moment (both in UTC), or None."""


def parse_expression(expression: str, zone: str = "UTC") -> NextTime:
    """The times of an expression. Raises ScheduleError if it is none."""
    text = expression.strip()
    if found := _RATE.fullmatch(text):
        step = timedelta(**{f"{found[2]}s": int(found[1])})
        if not step:
            raise ScheduleError(f"{expression}: the rate must be at least one")
        return lambda after: after + step
    if found := _CRON.fullmatch(text):
        return _cron(found[1].split(), ZoneInfo(zone), expression)
    if found := _AT.fullmatch(text):
        once = datetime.fromisoformat(found[1]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        return lambda after: once if once > after else None
    raise ScheduleError(f"{expression} is neither rate(…), cron(…) nor at(…)")


def _cron(fields: list[str], zone: ZoneInfo, expression: str) -> NextTime:
    if len(fields) != 6:
        raise ScheduleError(f"{expression}: six fields are needed, there are {len(fields)}")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ScheduleError(f"{expression}: either the day of month or the day of week must be ?")
    translated = f"{minute} {hour} {day} {month} {_weekday(weekday)} 0 {year}".replace("?", "*")
    if not croniter.is_valid(translated):
        raise ScheduleError(f"{expression} is not a cron expression of EventBridge")

    def next_time(after: datetime) -> datetime | None:
        try:
            found = croniter(translated, after.astimezone(zone)).get_next(datetime)
        except ValueError:  # there is no time any more: the years of the expression are over
            return None
        moment: datetime = found.astimezone(UTC)
        return moment

    return next_time


def _weekday(field: str) -> str:
    """A field of weekdays for croniter, which counts 0-6 from Sunday, and EventBridge 1-7."""
    if last := re.fullmatch(r"(\d)L", field):
        return f"L{int(last[1]) - 1}"
    return re.sub(r"(?<![#/\d])\d", lambda digit: str(int(digit[0]) - 1), field)


@dataclass(frozen=True)
class Schedule:
    """A schedule: which function is called, when, and with which event."""

    name: str
    function: str
    next_time: NextTime
    payload: Callable[[datetime], Any]
    """Makes the event for a call at a moment."""


def read_schedules(deployment: Deployment, region: str) -> list[Schedule]:
    """Every enabled schedule of the deployment. Raises ScheduleError."""
    by_arn = {config.arn: logical_id for logical_id, config in deployment.functions.items()}
    schedules = []
    for logical_id, resource in deployment.of_type("AWS::Scheduler::Schedule").items():
        settings = resource.properties
        target = settings["Target"]
        if settings.get("State") != "DISABLED" and target["Arn"] in by_arn:
            zone = settings.get("ScheduleExpressionTimezone", "UTC")
            arn = f"arn:aws:scheduler:{region}:{ACCOUNT_ID}:schedule/default/{resource.physical_id}"
            schedules.append(
                Schedule(
                    name=logical_id,
                    function=by_arn[target["Arn"]],
                    next_time=parse_expression(settings["ScheduleExpression"], zone),
                    payload=_payload(target.get("Input"), "aws.scheduler", arn, region),
                )
            )
    for logical_id, resource in deployment.of_type("AWS::Events::Rule").items():
        settings = resource.properties
        if "ScheduleExpression" not in settings or settings.get("State") == "DISABLED":
            continue
        arn = f"arn:aws:events:{region}:{ACCOUNT_ID}:rule/{resource.physical_id}"
        schedules += [
            Schedule(
                name=logical_id,
                function=by_arn[target["Arn"]],
                next_time=parse_expression(settings["ScheduleExpression"]),
                payload=_payload(target.get("Input"), "aws.events", arn, region),
            )
            for target in settings.get("Targets", ())
            if target["Arn"] in by_arn
        ]
    return schedules


def _payload(given: str | None, source: str, arn: str, region: str) -> Callable[[datetime], Any]:
    def make(moment: datetime) -> Any:
        time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        if given is not None:
            return json.loads(given.replace("<aws.scheduler.scheduled-time>", time))
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": source,
            "account": ACCOUNT_ID,
            "time": time,
            "region": region,
            "resources": [arn],
            "detail": "{}" if source == "aws.scheduler" else {},
        }

    return make


class Target(Protocol):
    """What a schedule calls; local.functions.Function is one."""

    def submit_event(self, event: Any) -> None:
        """Call the function with the event, without waiting for the result."""
        ...


class Clock:
    """Calls each schedule's function at the schedule's times, until it is stopped."""

    def __init__(self, schedules: list[Schedule], functions: Mapping[str, Target]) -> None:
        self._functions = functions
        self._stopping = threading.Event()
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, Schedule]] = []
        now = datetime.now(UTC)
        for schedule in schedules:
            self._plan(schedule, now)
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop: after this no function is called any more."""
        self._stopping.set()
        self._thread.join()

    def _plan(self, schedule: Schedule, after: datetime) -> None:
        moment = schedule.next_time(after)
        if moment is not None:
            heapq.heappush(self._due, (moment, next(self._order), schedule))

    def _run(self) -> None:
        while self._due and not self._stopping.wait(self._seconds_to_next()):
            now = datetime.now(UTC)
            while self._due and self._due[0][0] <= now:
                moment, _, schedule = heapq.heappop(self._due)
                self._functions[schedule.function].submit_event(schedule.payload(moment))
                self._plan(schedule, now)

    def _seconds_to_next(self) -> float:
        remaining = (self._due[0][0] - datetime.now(UTC)).total_seconds()
        return min(max(remaining, 0.0), LONGEST_SLEEP)
