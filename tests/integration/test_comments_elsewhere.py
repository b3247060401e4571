"""Comments that Athena narrows, against the same months read whole: both ways find the same.

The statement runs on the embedded Athena over the template's own table.
"""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.days import DateRange
from pulse.errors import UnavailableError, UnprocessableError
from pulse.reports.declarations import Dimension
from pulse.serve.comments import comments_query, found
from pulse.serve.comments.comments_query import CommentsQuery
from pulse.serve.comments.elsewhere import Elsewhere
from pulse.serve.comments.found import FoundComments, read
from pulse.serve.statements import Statements
from pulse.store.executions import Executions
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.store.tenants import Tenants
from pulse.tenant_years.folding import Folding
from pulse.tenants.keys import Key
from tests.driver import Driver, running

FIRST = date(2025, 12, 20)
SPAN_DAYS = 60
KEY = Key("0" * 64, "secret", "acme", 0)
OWN = (Dimension("team", "team", "A tag."), Dimension("plan", "plan", "A tag."))
WORDS = (
    *("app", "App", "APP's", "zu", "lange", "Straße", "STRASSE", "strasse", "Ärger", "arger"),
    *("cafe\u0301", "café", "CAFÉ", "ﬁnal", "final", "σοφός", "ΣΟΦΟΣ", "ёлка", "Ёлка", "елка"),
    *(
        "遅い",
        "ガ",
        "か\u3099",
        "한국",
        "ไม่ดี",
        "سيئة",
        "👍",
        "👍🏽",
        "☹️",
        "½",
        "Ⅷ",
        "x²",
        "İstanbul",
    ),
    *("can't", "can’t", "don't", "'", '"', "\\", "%", "_", "?", ":days", "--", "\u00a0", "\u212a"),
    *("a\tb", "line\nbreak", "\u200d", "\u0345", "ǆ", "Ǆ", "ŉ", "(none)", "naïve", "nai\u0308ve"),
    "İstanbul",
)
SEARCHED = (*WORDS, '"zu lange"', "-app", "-Straße", '"app zu"', "ss", "s", "e", "fi", "ı", "k")
NAMES = (None, "ada", "O'Neil", "Ümit; --", "-")
TAGS: tuple[dict[str, str] | None, ...] = (
    None,
    {},
    {"team": " north "},
    {"team": "north"},
    {"team": "(none)", "plan": ""},
)
ALL_SCORES = ",".join(map(str, range(11)))


@dataclass
class World:
    pulse: Driver = field(repr=False)
    admitted: list[int] = field(default_factory=list, repr=False)
    moments: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def elsewhere(self) -> Elsewhere:
        settings = self.pulse.settings
        statements = Statements(
            Executions(settings.database, settings.workgroup),
            Questions(settings.table),
            Objects(settings.lake_bucket),
        )
        return Elsewhere(statements, lambda: self.admitted.append(1))

    def lay(self, tenant: str, rows: Sequence[dict[str, Any]]) -> None:
        """Let these be all comments of the tenant.

        Months none of whose rows tells of an interaction are as former versions have written them.
        """
        objects = Objects(self.pulse.settings.lake_bucket)
        months: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            months[lake.comments_key(tenant, row["day"])].append(row)
        for key in self.pulse.objects(lake.COMMENTS):
            if key.endswith(f"tenant={tenant}.parquet"):
                objects.delete(key)
        for key, some in months.items():
            moments = {row["day"]: next(self.moments) for row in some}
            body = Month(pa.Table.from_pylist(some, SCHEMA), moments).encode()
            objects.put(key, body if any("accept" in row for row in some) else as_before(body))

    def both(
        self, asked: CommentsQuery, dates: DateRange, least: int = 0
    ) -> tuple[FoundComments, FoundComments]:
        """What the months tell, and what Athena does."""
        objects = Objects(self.pulse.settings.lake_bucket)
        narrow = self.elsewhere().narrowed
        whole = read(objects, "acme", dates, asked, least, narrow)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(found, "_bodies", lambda objects, keys, most: None)
            return whole, read(objects, "acme", dates, asked, least, narrow)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running() as driver:
        yield World(driver)


def as_before(body: bytes) -> bytes:
    """A month's object without the columns of what an interaction tells."""
    rows = pq.read_table(pa.BufferReader(body))
    sink = pa.BufferOutputStream()
    pq.write_table(rows.drop_columns([*lake.COMMENT_EXPERIENCE]), sink, compression=lake.CODEC)
    return sink.getvalue().to_pybytes()


def gone_through(chance: random.Random) -> dict[str, Any]:
    """What a linked interaction tells, and of others nothing."""
    if chance.random() < 0.3:
        return dict.fromkeys(lake.COMMENT_EXPERIENCE)
    return {
        "media_type": chance.choice(("chat", "voice")),
        "customer_segment": chance.choice((None, "O'Neil", "-")),
        "handled_by": chance.choice(NAMES),
        "accept": chance.choice(("in_time", "late", None)),
        "wait": chance.choice(("0-10s", "5-15min", None)),
        "was_abandoned": chance.choice(("yes", "no")),
        "entered_on": chance.choice(("2025-12-19", "2025-12-24")),
    }


def invented(chance: random.Random, size: int) -> list[dict[str, Any]]:
    rows = []
    for number in range(size):
        day = FIRST + timedelta(days=chance.randrange(SPAN_DAYS))
        metric, scale, score = chance.choice((("nps", "0-10", 10), ("csat", "1-5", 5)))
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 5))]
        rows.append(
            {
                "day": day,
                "answered_us": days.noon(day, "UTC") + number,
                "score": chance.randint(1, score),
                "response_id": f"r{number}",
                "key_kind": "secret",
                "survey": chance.choice(("email", "o'clock")),
                "metric": metric,
                "scale": scale,
                "channel": chance.choice(("chat", "ticket")),
                "agent": chance.choice(NAMES),
                "country": chance.choice((None, "DE")),
                "interaction": chance.choice((None, f"i{number}")),
                "comment": chance.choice((" ", " ", "", ", ")).join(words),
                "tags": chance.choice(
                    (None, {}, {"team": " north "}, {"team": "(none)", "plan": ""})
                ),
                **(gone_through(chance) if day.month != FIRST.month else {}),
            }
        )
    return rows


def question(**given: str) -> CommentsQuery:
    return comments_query.parse([*given.items()], comments_query.COMMENTS, KEY, OWN)


def shown(told: FoundComments) -> Any:
    return told.rows.to_pylist(), told.content, told.withheld


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "q": st.lists(st.sampled_from(SEARCHED), min_size=1, max_size=3).map(" ".join),
        "agent": st.sampled_from(("ada", "!ada", "(none)", "!(none)", "O'Neil,-", "%C3%9Cmit; --")),
        "team": st.sampled_from(("north", "!north", "(none)")),
        "plan": st.sampled_from(("(none)", "!(none)")),
        "score": st.sampled_from(("1", "2,5", ALL_SCORES)),
        "segment": st.sampled_from(("bad", "good,neutral")),
        "survey": st.sampled_from(("o'clock", "!email")),
        "country": st.sampled_from(("DE", "(none)")),
        "media_type": st.sampled_from(("chat", "(none)", "!(none)")),
        "customer_segment": st.sampled_from(("O'Neil", "!-")),
        "handled_by": st.sampled_from(("ada", "!ada", "(none)", "O'Neil,-")),
        "accept": st.sampled_from(("late", "!in_time", "late,(none)")),
        "wait": st.sampled_from(("5-15min", "!(none)")),
        "was_abandoned": st.sampled_from(("yes", "!yes")),
        "entered_on": st.sampled_from(("2025-12-24", "!2025-12-24")),
    },
)


@pytest.mark.only_whole
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(0, 60),
    asked=QUERIES,
    start=st.integers(-5, SPAN_DAYS),
    length=st.integers(1, SPAN_DAYS),
    least=st.integers(0, 12),
)
def test_what_athena_narrows_is_what_the_months_tell(
    world: World,
    seed: int,
    size: int,
    asked: dict[str, str],
    start: int,
    length: int,
    least: int,
) -> None:
    chance = random.Random(seed)
    world.lay("acme", invented(chance, size))
    world.lay("globex", invented(chance, 20))
    first = FIRST + timedelta(days=start)
    dates = DateRange(first, first + timedelta(days=length - 1))
    whole, narrowed = world.both(question(**{"score": ALL_SCORES} | asked), dates, least)
    assert shown(narrowed) == shown(whole)
    assert (whole.by_athena, narrowed.by_athena) == (False, True)


def test_equal_questions_share_a_statement_until_a_month_changes(world: World) -> None:
    rows = invented(random.Random(1), 40)
    world.lay("acme", rows)
    dates = DateRange(FIRST, FIRST + timedelta(days=SPAN_DAYS))
    asked = question(q="app")
    before = len(world.admitted)
    first, _ = world.both(asked, dates)
    world.both(asked, dates)
    assert len(world.admitted) == before + 1
    gone = first.rows["response_id"].to_pylist()[0]
    world.lay("acme", [row for row in rows if row["response_id"] != gone])
    whole, narrowed = world.both(asked, dates)
    assert len(world.admitted) == before + 2
    assert shown(narrowed) == shown(whole)
    assert len(whole.rows) == len(first.rows) - 1


def test_a_month_that_changes_while_athena_reads_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = invented(random.Random(2), 20)
    world.lay("acme", rows)
    dates = DateRange(FIRST, FIRST + timedelta(days=SPAN_DAYS))
    look = Executions.look

    def look_late(executions: Executions, execution: str) -> Any:
        world.lay("acme", rows)  # the same rows, as of another moment
        return look(executions, execution)

    with monkeypatch.context() as patched:
        patched.setattr(Executions, "look", look_late)
        with pytest.raises(UnavailableError, match="just changed"):
            world.both(question(q="lange"), dates)
    whole, narrowed = world.both(question(q="lange"), dates)
    assert shown(narrowed) == shown(whole)


def test_what_is_left_out_by_nothing_is_refused_without_a_statement(world: World) -> None:
    world.lay("acme", invented(random.Random(3), 20))
    before = len(world.admitted)
    with pytest.raises(UnprocessableError, match="tags and excluded words not counted"):
        world.both(question(segment="bad"), DateRange(FIRST, FIRST + timedelta(days=9)))
    with pytest.raises(UnprocessableError, match="leaves more than"):
        world.both(question(q="-app"), DateRange(FIRST, FIRST + timedelta(days=9)))
    assert len(world.admitted) == before


def test_more_than_can_be_held_is_refused(world: World) -> None:
    world.lay("acme", invented(random.Random(4), 60))
    dates = DateRange(FIRST, FIRST + timedelta(days=SPAN_DAYS))
    keys = [lake.comments_key("acme", day) for day in (FIRST, date(2026, 1, 1), date(2026, 2, 1))]
    with pytest.raises(UnprocessableError, match="leaves more than 5 "):
        world.elsewhere().narrowed("acme", keys, dates, question(score=ALL_SCORES), 5)


def test_an_erasure_removes_what_athena_has_written_of_comments(world: World) -> None:
    """`pulse erase` and `pulse purge` end by folding each tenant that they were about."""
    world.lay("acme", invented(random.Random(5), 20))
    dates = DateRange(FIRST, FIRST + timedelta(days=SPAN_DAYS))
    world.both(question(q="app"), dates)
    below = lake.questions_prefix("acme")
    assert world.pulse.objects(below)
    settings = world.pulse.settings
    objects = Objects(settings.lake_bucket)
    Folding(objects, Tenants(settings.table), Questions(settings.table)).fold("acme")
    assert world.pulse.objects(below) == {}
    assert [*objects.versions(below)] == []
    before = len(world.admitted)
    whole, narrowed = world.both(question(q="app"), dates)
    assert len(world.admitted) == before + 1
    assert shown(narrowed) == shown(whole)
