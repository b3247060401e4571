"""Each stage is killed after each change that it makes, and after pairs; the next run repairs it.

A stage keeps nothing but what lies in the account, so a death is known by the state that it leaves
there. After each one a reader sees, of everything that is replaced in one step, the old or the new;
and the next run ends as one does that nothing befell. Pairs are deaths of that next run as well.
Deaths are tried after the first call and after those that change something: a death after a call
that changed nothing leaves what a death before it leaves, so that has been tried already. That a
call changes nothing is told by its name, and each test checks it against the state. For the second
death of a pair no process is killed: what it would leave is taken down while the next run, which
nothing befalls, passes that call.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from math import inf
from typing import Any

import pytest
from pyarrow import parquet

from pulse import days, lake
from pulse.daily import comments as keep
from pulse.daily.comments import KeepComments, KeepResult
from pulse.finance.export import LEASE_US
from pulse.finance.folder import sha256
from pulse.raw import write
from pulse.store.athena import Athena
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.account_state import Account, State
from tests.aws_calls import AwsCalls, changes
from tests.books import Books, interaction
from tests.driver import Driver, running
from tests.sampling import some

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Look = Mapping[Hashable, Any]
"""What readers see, by what is replaced in one step; what is not there is None."""


@dataclass
class Scene:
    """A stage with work before it."""

    account: Account
    run: Callable[[], object]
    look: Callable[[State], Look]
    rest: Callable[[], object] = lambda: None
    """What happens between a death and the next run."""
    rewind: Callable[[], object] = lambda: None
    """Puts back what the test itself keeps beside the account."""
    later: Callable[[], object] = lambda: None
    """What is checked once a run has come to its end, however the one before ended."""
    between: Callable[[Hashable, Any], bool] = lambda part, seen: False
    """May a reader see that in a part, though it is neither the old nor the new?"""
    pairs: bool = True
    """Is the next run killed, too? Not where another scene kills the same steps in pairs."""


def die_everywhere(scene: Scene, calls: AwsCalls) -> None:
    """Kill the stage at each cut point that differs from the one before, and at pairs."""
    scene.look(scene.account.state())  # the first look notes that its keys are in use
    begin = scene.account.state()
    old = scene.look(begin)
    made = _uncrashed(scene, calls, begin)
    new = scene.look(scene.account.state())
    assert new != old
    scene.later()

    def begin_from(state: State) -> None:
        scene.account.put_back(state)
        scene.rewind()

    def is_dead() -> None:
        _check_whole(scene, old, scene.look(scene.account.state()), new)
        scene.rest()

    def recover(passed: list[State] | None = None) -> None:
        """Run to the end; with `passed`, add the state after each change that the run makes."""

        def note() -> None:
            if passed is not None and changes(calls.made[-1]):
                passed.append(scene.account.state())

        calls.after_each = note
        assert calls.run(scene.run)
        calls.after_each = None
        assert scene.look(scene.account.state()) == new

    cuts = some([n for n, call in enumerate(made, 1) if n == 1 or changes(call)], 12)
    in_pairs = some(cuts, 5) if scene.pairs else []
    for first in cuts:
        begin_from(begin)
        assert not calls.run(scene.run, kill_after=first)
        is_dead()
        passed: list[State] = []
        recover(passed)
        scene.later()
        for second in passed if first in in_pairs else ():
            begin_from(second)
            scene.rest()
            is_dead()
            recover()


def _uncrashed(scene: Scene, calls: AwsCalls, begin: State) -> list[str]:
    """The calls of a run that nothing befalls; those that are said to change nothing do not."""
    states = [begin]
    calls.after_each = lambda: states.append(scene.account.state())
    assert calls.run(scene.run)
    calls.after_each = None
    for call, before, after in zip(calls.made, states, states[1:], strict=False):
        assert changes(call) or before == after, call
    assert sum(map(changes, calls.made)) > 1
    return calls.made


def _check_whole(scene: Scene, old: Look, seen: Look, new: Look) -> None:
    for part in {*old, *seen, *new}:
        found = seen.get(part)
        assert found in (old.get(part), new.get(part)) or scene.between(part, found), part


# -- from the queue to the reports


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """Two tenants in two zones, with a published day each."""
    with days.clock(lambda: TODAY), running() as driver:
        for tenant, zone in (("acme", "Europe/Berlin"), ("globex", "America/New_York")):
            driver.tenant(tenant, zone)
            driver.survey(tenant, "email", Rule.make("nps", 0, 10))
            assert driver.post(tenant, [answer(9)]).status == 202
        driver.build()
        yield driver


@pytest.fixture
def account(pulse: Driver) -> Account:
    return Account((pulse.settings.lake_bucket,), pulse.settings.table, pulse.settings.database)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> AwsCalls:
    return AwsCalls(monkeypatch)


def answer(score: int, *, ago: int = 1, number: int = 0, **more: Any) -> dict[str, Any]:
    """An answer given some days ago at noon; equal numbers are one identity."""
    at = (TODAY - timedelta(days=ago)).isoformat()
    known = {"response_id": f"r{number}-{ago}", "answered_at": at}
    return {"survey_id": "email", "score": score, **known, **more}


@cache
def rows_of(body: bytes) -> list[dict[str, Any]]:
    """An object's rows. Most states have the same objects as the ones before."""
    found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(body)).to_pylist()
    return found


def daily(state: State) -> Look:
    """By table and day, the rows that the partition points at: what analysts query."""
    found: dict[Hashable, Any] = {}
    for place, partition in state.partitions.items():
        where = partition["StorageDescriptor"]["Location"].split("/", 3)[3]
        found[place] = Counter(str(row) for _, body in state.below(where) for row in rows_of(body))
    return found


def events(state: State) -> Look:
    """By identity, the rows of raw; and every line that was set aside."""
    found: dict[Hashable, Any] = {}
    for key, body in state.below("raw/"):
        for row in rows_of(body):
            name = row.get("response_id") or row.get("interaction_id")
            found.setdefault((key.split("/")[1], row["tenant"], name), set()).add(str(row))
    lines = (line for _, body in state.below("quarantine/") for line in body.splitlines())
    return found | dict.fromkeys(lines, "set aside")


def batch(pulse: Driver) -> list[dict[str, Any]]:
    """Messages of every kind: two days, two streams, an agent's name, and a row to set aside."""
    named = {"agent_id": "a1", "agent_name": "Ada"}
    pulse.post("acme", [answer(3, number=1), answer(5, number=2, ago=3, **named)])
    call = {"interaction_id": "i1", "media_type": "voice"}
    pulse.post_interactions("globex", [call | {"entered_at": TODAY.isoformat()}])
    records = pulse.messages()
    spoilt = json.loads(records[0]["body"])
    spoilt["items"].append("no response")
    return [records[0] | {"body": json.dumps(spoilt)}, *records[1:]]


@pytest.mark.sampled
def test_write_raw(
    pulse: Driver, account: Account, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "_AT_ONCE", 1)  # so that a cut is the same one in every run
    scene = Scene(account, writing(pulse, batch(pulse)), events)
    die_everywhere(scene, calls)


@pytest.mark.only_whole
def test_write_raw_with_a_builder_at_work_after_any_of_its_calls(
    pulse: Driver, account: Account, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next build builds what came too late for that one: the ledger counts it afterwards."""
    monkeypatch.setattr(write, "_AT_ONCE", 1)
    run = writing(pulse, batch(pulse))
    begin = account.state()
    assert calls.run(run)
    cuts = calls.changing
    pulse.build_daily()
    new = daily(account.state())
    for cut in cuts:
        account.put_back(begin)
        assert calls.run(run, meanwhile={cut: pulse.build_daily})
        pulse.build_daily()
        assert daily(account.state()) == new, cut


def writing(pulse: Driver, records: Sequence[Mapping[str, Any]]) -> Callable[[], None]:
    """A new process of write_raw, which is given the whole batch: nothing of it was settled."""

    def run() -> None:
        pulse.forget()
        assert pulse.write(records) == []

    return run


@pytest.mark.sampled
def test_build_daily(pulse: Driver, account: Account, calls: AwsCalls) -> None:
    """One day is new and one has changed."""
    pulse.post("acme", [answer(3, number=1), answer(5, ago=3)])
    pulse.write()
    die_everywhere(Scene(account, pulse.build_daily, daily), calls)


@pytest.mark.sampled
def test_build_experience(
    pulse: Driver, account: Account, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day's answer is linked to an interaction that came late; the sums are built already."""
    call = {"interaction_id": "i1", "media_type": "voice"}
    pulse.post("acme", [answer(4, number=1, interaction_id="i1")])
    pulse.post_interactions("globex", [call | {"entered_at": TODAY.isoformat()}])
    pulse.write()
    pulse.build_daily()
    pulse.post_interactions("acme", [call | {"entered_at": answer(4)["answered_at"]}])
    pulse.write()
    with monkeypatch.context() as patched:
        patched.setattr(lake, "DAILY_TABLES", lake.DATASETS)
        pulse.build_daily()
    die_everywhere(Scene(account, pulse.build_daily, daily, pairs=False), calls)
    day = (TODAY - timedelta(days=1)).date()
    seen = daily(account.state())[lake.EXPERIENCE.daily_table, str(day)]
    assert sum("'media_type': 'voice'" in row for row in seen) == 1


@pytest.mark.sampled
def test_keep_comments(
    pulse: Driver, account: Account, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One day has got one more comment and a link, and another day's comment was taken back."""
    monkeypatch.setattr(keep, "_AT_ONCE", 1)  # so that a cut is the same one in every run
    stays = answer(3, comment="stays", interaction_id="i1")
    pulse.post("acme", [answer(9, ago=2, comment="gone soon"), stays])
    pulse.write()
    pulse.build_daily()
    with days.clock(lambda: TODAY + timedelta(seconds=1)):  # later than the one that it replaces
        pulse.post("acme", [answer(9, ago=2), answer(5, number=1, comment="new")])
        call = {"interaction_id": "i1", "media_type": "voice", "entered_at": stays["answered_at"]}
        pulse.post_interactions("acme", [call])
    pulse.write()
    with monkeypatch.context() as patched:
        patched.setattr(KeepComments, "run", lambda *_, **__: KeepResult())
        pulse.build_daily()

    def run() -> None:
        ledger = Ledger(pulse.settings.table)
        objects = Objects(pulse.settings.lake_bucket)
        athena = Athena(pulse.settings.database, pulse.settings.workgroup)
        KeepComments(objects, ledger, athena, link_days=35).run(remaining_s=lambda: inf)

    def shown(state: State) -> Look:
        return {
            key: sorted((row["comment"], row["media_type"]) for row in rows_of(body))
            for key, body in state.below(lake.COMMENTS)
        }

    die_everywhere(Scene(account, run, shown), calls)
    assert list(shown(account.state()).values()) == [[("new", None), ("stays", "voice")]]


@pytest.mark.sampled
def test_build_reports(pulse: Driver, account: Account, calls: AwsCalls) -> None:
    """One tenant's year is replaced, one comes out the same, and one is new."""
    pulse.post("acme", [answer(3, number=1)])
    pulse.tenant("initech")
    pulse.survey("initech", "email", Rule.make("nps", 0, 10))
    pulse.post("initech", [answer(7, ago=2)])
    pulse.write()
    pulse.build_daily()

    keys = {tenant: pulse.key(tenant, "report") for tenant in ("acme", "globex", "initech")}

    def shown(state: State) -> Look:
        pulse.forget()
        query = "preset=last_30_days"
        return {tenant: pulse.report(tenant, "daily", query)["rows"] for tenant in keys}

    die_everywhere(Scene(account, pulse.build_reports, shown), calls)


@pytest.mark.sampled
def test_housekeep(pulse: Driver, account: Account, calls: AwsCalls) -> None:
    """There are two replaced runs to remove, and what a dead build_reports has left."""
    for number in (1, 2):
        pulse.post("acme", [answer(3, number=number)])
        pulse.write()
        pulse.build_daily()
    cut = 0
    while not any("staging/" in key for key, _ in account.state().below("")):
        assert not calls.run(pulse.build_reports, kill_after=(cut := cut + 1))
    pulse.build_reports()  # the daily runs are kept until its reports are built
    published = daily(account.state())
    end = "not yet"

    def look(state: State) -> Look:
        runs = {key.split("/dt=")[0].split("/tenant=")[0] for key, _ in state.below("")}
        left = {run for run in runs if "run=" in run}
        return {"published": daily(state), "left": left if len(left) == 1 else end}

    def run() -> None:
        with days.clock(lambda: TODAY + timedelta(days=2)):
            pulse.housekeep()

    assert any("staging/" in key for key, _ in account.state().below(""))
    die_everywhere(Scene(account, run, look), calls)
    assert daily(account.state()) == published


# -- finance

MONTHS = ("2026-10", "2026-11")
BETWEEN = "new files beside the manifest of the old"


def month_as_read(state: State, month: str) -> Any:
    """What somebody makes of a month who checks the files against the manifest, as told."""
    prefix = lake.revenue_prefix("acme", month)
    files = {key.removeprefix(prefix): body for key, body in state.below(prefix)}
    if "manifest.json" not in files:
        return None
    manifest = json.loads(files["manifest.json"])
    revenue = Decimal(0)
    for listed in [*manifest["files"], *manifest["adjustments"]]:
        body = files[listed["name"]]
        if sha256(body) != listed["sha256"]:
            return BETWEEN
        if listed["name"].endswith(".csv"):
            lines = csv.DictReader(io.StringIO(body.decode(), newline=""))
            revenue += sum(Decimal(line["revenue"]) for line in lines)
    return manifest["state"], revenue


@pytest.mark.sampled
@pytest.mark.parametrize("case", ["first and closed", "closing", "closed"])
def test_export_revenue(books: Books, calls: AwsCalls, case: str) -> None:
    """October and November have changed; October is open, to be closed, or closed already."""
    books.record(interaction("2026-10-31", "1"), interaction("2026-11-01", "4"))
    if case != "first and closed":
        if case == "closed":
            books.wait(days=3)
        books.export()
        books.record(interaction("2026-10-31", "5"), interaction("2026-11-01", "2"))
    if case != "closed":
        books.wait(days=3)
    account = Account(("lake", "finance"), books.settings.table)
    begin, rows = books.now, deepcopy(books.rows)

    def look(state: State) -> Look:
        return {month: month_as_read(state, month) for month in MONTHS}

    def between(month: Hashable, seen: Any) -> bool:
        return seen == BETWEEN and (month, case) != ("2026-10", "closed")

    def rewind() -> None:
        books.now, books.rows = begin, deepcopy(rows)

    def later() -> None:
        """What changes afterwards comes once, and what is closed stays as it is."""
        closed = closed_files(account.state())
        books.record(interaction("2026-10-30", "0.25"), interaction("2026-11-02", "3"))
        assert books.export().finished
        assert closed is None or closed_files(account.state()) == closed
        for month in MONTHS:
            truth = sum(
                row["revenue"] for row in books.rows["acme"] if str(row["day"])[:7] == month
            )
            assert books.sums(month)["EUR"][1] == truth
        assert books.export().exported == ()

    def rest() -> None:
        books.wait(seconds=LEASE_US / days.SECOND)

    die_everywhere(Scene(account, books.export, look, rest, rewind, later, between), calls)


def closed_files(state: State) -> dict[str, bytes] | None:
    """October's files if it is closed."""
    found = month_as_read(state, "2026-10")
    if found is None or found[0] != "closed":
        return None
    return {
        key: body
        for key, body in state.below(lake.revenue_prefix("acme", "2026-10"))
        if key.split("/")[-1].startswith("revenue.")
    }
