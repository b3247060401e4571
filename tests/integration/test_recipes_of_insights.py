"""docs/recipes.md's "Why a score fell": its blocks from curl and pandas, against a running Pulse.

They are programs of their own, so the functions are served to them over HTTP.
"""

import csv
import io
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pulse import days
from pulse.tenants.rules import Rule
from tests.driver import Driver, running
from tests.recipes import blocks
from tests.shell import Shell

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = date(2026, 9, 26)
"""56 days: last_28_days, and those before."""
CRASHED = "app crashed again"
GOOD = "friendly and quick"
BASH = shutil.which("bash") or "bash"
RESULTS = """
import json
print("RESULTS")
print(json.dumps({
    "movers": moved[["dimension", "value", "significant"]].to_dict("records"),
    "drivers": drivers["explains_pct"].to_dict(),
    "worse": worse.index.get_level_values(0).tolist()[:1] + worse["value"].tolist()[:1],
    "linked": linked,
    "accepted": accepted[["responses", "score"]].T.to_dict("list"),
    "teams": teams[["team", "plan", "responses", "csat_pct"]].values.tolist(),
    "bad": bad[["team", "comment"]].values.tolist(),
    "late": late[["experience.media_type", "experience.accept"]].values.tolist(),
    "waited": waited["size"].to_dict(),
    "words": words.loc["first", ["term", "first", "second"]].values.tolist(),
}))
"""


@dataclass(frozen=True)
class Call:
    """A call that a customer was asked about."""

    id: str
    accepted_s: int | None
    """After how many seconds it was accepted, if it was. 20 seconds are in time."""

    @property
    def accept(self) -> str:
        """How it was accepted."""
        if self.accepted_s is None:
            return "never"
        return "in_time" if self.accepted_s <= 20 else "late"


@dataclass(frozen=True)
class Given:
    """One answer of the tenant's only survey."""

    day: date
    score: int
    team: str
    plan: str
    call: Call | None
    """The call that it names, if any."""

    @property
    def comment(self) -> str:
        """What its customer wrote."""
        return CRASHED if self.score <= 2 else GOOD


def invented() -> list[Given]:
    """The team of the south has bad days in the last 28; everybody else is as ever."""
    chance = random.Random(8)
    found = []
    for number in range(900):
        day = FIRST + timedelta(days=number % 56)
        team = chance.choice(("north", "south", "west"))
        is_bad = team == "south" and day >= FIRST + timedelta(days=28)
        # every fifth answer is about no call, and of the calls every fourth was not accepted
        call = Call(f"i-{number}", (5, 20, 21, None)[number % 4]) if number % 5 else None
        found.append(
            Given(
                day,
                chance.choice((1, 2, 5) if is_bad else (5, 5, 4, 4, 3, 1)),
                team,
                chance.choice(("free", "pro")),
                call,
            )
        )
    return found


ANSWERS = invented()
SHOWN = [one for one in ANSWERS if one.day >= FIRST + timedelta(days=28)]


@pytest.fixture(scope="module")
def environment() -> Iterator[Mapping[str, str]]:
    """What the recipe's reader has: the address of a built tenant, and a key."""
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("demo")
        driver.survey("demo", "support", Rule.make("csat", 1, 5))
        declare, make_key = "".join(blocks("Why a score fell", "sh")).splitlines()[:2]
        Shell(driver).run(*shlex.split(declare)[1:])
        key = Shell(driver).run(*shlex.split(make_key)[1:]).stdout.strip()
        for some in (ANSWERS[:450], ANSWERS[450:]):
            assert driver.post("demo", [_sent(one) for one in some]).status == 202
            calls = [_called(one.day, one.call) for one in some if one.call]
            assert driver.post_interactions("demo", calls).status == 202
        driver.build()
        driver.forget()
        server = HTTPServer(("127.0.0.1", 0), _handler(driver))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        own = {name: text for name, text in os.environ.items() if "AWS" not in name}
        yield {**own, "API": f"http://127.0.0.1:{server.server_port}", "KEY": key}
        server.shutdown()
        server.server_close()


def _sent(one: Given) -> dict[str, Any]:
    tags = {"team": one.team, "plan": one.plan}
    return {
        "survey_id": "support",
        "score": one.score,
        "answered_at": f"{one.day}T09:00:00Z",
        "comment": one.comment,
        "tags": tags,
        "interaction_id": one.call.id if one.call else None,
    }


def _called(day: date, call: Call) -> dict[str, Any]:
    entered = datetime.combine(day, time(8, 50), UTC)
    told = {"interaction_id": call.id, "media_type": "voice", "entered_at": entered.isoformat()}
    if call.accepted_s is not None:
        accepted = entered + timedelta(seconds=call.accepted_s)
        told["accepted_at"] = accepted.isoformat()
    return told


def _handler(driver: Driver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The functions behind the address."""

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            headers.pop("accept-encoding", None)
            found = driver.call("GET", self.path, headers=headers)
            body = found.body.encode()
            self.send_response(found.status)
            for name in ("Content-Type", "ETag", "Link"):
                if name in found.headers:
                    self.send_header(name, found.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def by_team_and_plan() -> dict[tuple[str, str], tuple[int, float]]:
    """How many answers each pair has, and how many in a hundred are good."""
    answers = Counter((one.team, one.plan) for one in SHOWN)
    good = Counter((one.team, one.plan) for one in SHOWN if one.score >= 4)
    return {pair: (n, round(100 * good[pair] / n, 2)) for pair, n in answers.items()}


def by_accept() -> dict[str, tuple[int, float]]:
    """How many answers name calls that were accepted so, and how many in a hundred are good."""
    scores: dict[str, list[int]] = {}
    for one in SHOWN:
        if one.call:
            scores.setdefault(one.call.accept, []).append(one.score)
    return {
        accept: (len(some), round(100 * sum(score >= 4 for score in some) / len(some), 2))
        for accept, some in scores.items()
    }


def badly_accepted() -> list[Given]:
    """The bad answers about calls that were accepted late or never."""
    return [
        one for one in SHOWN if one.call and one.score <= 2 and one.call.accept in ("late", "never")
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_is_answered_what_was_sent(environment: Mapping[str, str]) -> None:
    [program] = blocks("From curl", "sh")
    lines = program.splitlines()
    assert all(line.startswith("curl ") for line in lines)
    said = [
        subprocess.run(
            [BASH, "-c", line.replace("curl ", "curl --silent --show-error --fail ", 1)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in lines
    ]
    insights, drivers, comments, bad_words, of_a_team = (
        json.loads(text) for text in (*said[:2], *said[3:6])
    )
    assert insights["headlines"][0]["responses"] == len(SHOWN)
    assert (insights["movers"]["rows"][0]["value"], insights["language"]) == ("south", "en")
    assert drivers["drivers"][0]["dimension"] == "team"
    rows = csv.DictReader(io.StringIO(said[2], newline=""))
    assert {
        (row["team"], row["plan"]): (int(row["responses"]), float(row["csat_pct"])) for row in rows
    } == by_team_and_plan()
    crashed = [one for one in SHOWN if one.score <= 2 and one.team == "south"]
    assert comments["count"] == len(crashed)
    assert {one["tags"]["team"] for one in comments["comments"]} == {"south"}
    pro = [one for one in SHOWN if one.plan == "pro" and one.score != 3]
    assert bad_words["first"]["comments"] == sum(one.score <= 2 for one in pro)
    assert bad_words["first"]["words"][0]["first"] == sum(one.score <= 2 for one in pro)
    assert of_a_team["first"]["comments"] == sum(one.team == "south" for one in SHOWN)
    assert "app crashed" in [one["term"] for one in of_a_team["first"]["words"]]
    experienced = csv.DictReader(io.StringIO(said[6], newline=""))
    assert {
        row["accept"]: (int(row["responses"]), float(row["score"])) for row in experienced
    } == by_accept()
    waited = json.loads(said[7])
    assert waited["count"] == len(badly_accepted())
    assert waited["meta"]["linked"] == {"comments": waited["count"], "of": waited["count"]}
    assert {one["experience"]["accept"] for one in waited["comments"]} == {"late", "never"}
    assert {one["experience"]["media_type"] for one in waited["comments"]} == {"voice"}


def test_pandas_has_the_same(environment: Mapping[str, str]) -> None:
    program = "\n".join(blocks("From pandas", "python")) + RESULTS
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    sentences, _, text = said.stdout.partition("RESULTS\n")
    assert sentences.startswith("Customer satisfaction was ")
    linked = sum(one.call is not None for one in SHOWN)
    assert f"{linked} of {len(SHOWN)} answers are linked to an interaction\n" in sentences
    told = json.loads(text)
    assert told["movers"][0] == {"dimension": "team", "value": "south", "significant": True}
    assert max(told["drivers"], key=told["drivers"].get) == "team"
    assert told["worse"] == ["team", "south"]
    assert {
        (team, plan): (responses, csat_pct) for team, plan, responses, csat_pct in told["teams"]
    } == by_team_and_plan()
    assert told["linked"] == {"responses": linked, "of": len(SHOWN)}
    assert {accept: tuple(row) for accept, row in told["accepted"].items()} == by_accept()
    assert list(told["accepted"]) == ["in_time", "late", "never"]
    scores = [csat_pct for *_, csat_pct in told["teams"]]
    assert scores == sorted(scores)
    assert Counter(map(tuple, told["bad"])) == Counter(
        (one.team, one.comment) for one in SHOWN if one.score <= 2
    )
    late = sum(one.call.accept == "late" for one in badly_accepted() if one.call)
    assert told["late"] == [["voice", "late"]] * late
    assert told["waited"] == {"10-30s": late}
    south = [one for one in SHOWN if one.team == "south"]
    [crashed] = [one for one in told["words"] if one[0] == "app crashed"]
    assert crashed[1:] == [
        sum(one.comment == CRASHED for one in some)
        for some in (south, [one for one in SHOWN if one.team != "south"])
    ]
