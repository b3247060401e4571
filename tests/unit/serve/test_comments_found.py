"""Which comments a question finds, against a plain search of the same answers."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.days import DateRange
from pulse.errors import UnprocessableError
from pulse.reports.declarations import Dimension
from pulse.serve.comments import comments_query, found
from pulse.serve.comments.found import read
from pulse.store.objects import Objects
from pulse.tenants.keys import Key

FIRST = date(2026, 11, 28)
RULES = {("nps", "0-10"): (9, 6), ("csat", "1-5"): (4, 2)}
"""Where good begins and bad ends (docs/metrics.md)."""
Row = dict[str, Any]

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ago": st.integers(0, 40),
            "rule": st.sampled_from(sorted(RULES)),
            "score": st.integers(1, 5),
            "agent": st.sampled_from([None, "mia", "tom"]),
            "channel": st.sampled_from(["chat", "ticket"]),
            "comment": st.sampled_from(["slow app", "app", "great", "Slow!"]),
        }
    ),
    max_size=30,
)


class Lake(Objects):
    """Months in memory."""

    def __init__(self) -> None:
        super().__init__("lake")
        self.bodies: dict[str, bytes] = {}

    def get_unless_gone(self, key: str) -> bytes | None:
        return self.bodies.get(key)


def answers(drawn: Sequence[Row]) -> list[Row]:
    made = []
    for number, one in enumerate(drawn):
        day = FIRST + timedelta(days=one["ago"])
        metric, scale = one["rule"]
        row = {"day": day, "answered_us": days.noon(day, "UTC") + number}
        row |= {"response_id": f"r{number}", "key_kind": "secret", "survey": "email"}
        row |= {"metric": metric, "scale": scale}
        made.append(row | {name: one[name] for name in ("score", "agent", "channel", "comment")})
    return made


def lake_of(rows: Sequence[Row]) -> Lake:
    months: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        months[lake.comments_key("acme", row["day"])].append(row)
    made = Lake()
    for key, some in months.items():
        month = Month(pa.Table.from_pylist(some, SCHEMA), {some[0]["day"]: 1})
        made.bodies[key] = month.encode()
    return made


def narrow(
    tenant: str,
    keys: Sequence[str],
    dates: DateRange,
    asked: comments_query.CommentsQuery,
    most: int,
) -> found.Narrowed:
    """Stands for Athena, which finds too many."""
    raise found.too_many(most)


def segment(row: Row) -> str:
    good, bad = RULES[row["metric"], row["scale"]]
    return "good" if row["score"] >= good else "bad" if row["score"] <= bad else "neutral"


@given(
    drawn=ROWS,
    start=st.integers(0, 40),
    length=st.integers(1, 40),
    channel=st.sampled_from([None, "chat", "!chat"]),
    agent=st.sampled_from([None, "mia", "(none)"]),
    of=st.sampled_from([None, "bad", "good,neutral"]),
    slow=st.booleans(),
    least=st.integers(0, 4),
)
def test_what_is_found_is_what_a_plain_reading_finds(
    drawn: list[Row],
    start: int,
    length: int,
    channel: str | None,
    agent: str | None,
    of: str | None,
    slow: bool,
    least: int,
) -> None:
    rows = answers(drawn)
    first = FIRST + timedelta(days=start)
    last = first + timedelta(days=length - 1)
    query = [("start_date", str(first)), ("end_date", str(last))]
    query += [("channel", channel)] if channel else []
    query += [("agent", agent)] if agent else []
    query += [("segment", of)] if of else []
    query += [("q", "slow")] if slow else []
    asked = comments_query.parse(query, comments_query.COMMENTS, Key("0" * 64, "secret", "acme", 0))
    shown = read(lake_of(rows), "acme", DateRange(first, last), asked, least, narrow)

    left = [row for row in rows if first <= row["day"] <= last]
    if channel:
        left = [row for row in left if (row["channel"] == "chat") != channel.startswith("!")]
    if agent:
        left = [row for row in left if row["agent"] == (None if agent == "(none)" else agent)]
    told_of = {one for one in ("mia", "tom") if sum(row["agent"] == one for row in left) >= least}
    few = [row for row in left if row["agent"] not in (None, *told_of)]
    if agent:
        left = [row for row in left if row not in few]
    if of:
        left = [row for row in left if segment(row) in of.split(",")]
    if slow:
        left = [row for row in left if "slow" in row["comment"].lower()]
    left.sort(key=lambda row: row["answered_us"], reverse=True)
    assert shown.rows["response_id"].to_pylist() == [row["response_id"] for row in left]
    assert shown.rows["agent"].to_pylist() == [None if row in few else row["agent"] for row in left]
    assert shown.withheld == (len(few) if agent else 0)


def test_of_scores_that_are_equally_bad_the_newest_stands_first_whatever_their_scales() -> None:
    asked = comments_query.parse([], comments_query.COMMENTS, Key("0" * 64, "secret", "acme", 0))
    one: Row = {"ago": 0, "agent": None, "channel": "chat", "comment": "slow"}
    rows = answers(  # a sixth of the scale, each
        [
            one | {"rule": ("csat", "1-7"), "score": 2},
            one | {"rule": ("ces", "1-7:low"), "score": 6},
            one | {"rule": ("csat", "1-7"), "score": 2},
        ]
    )
    found = read(lake_of(rows), "acme", DateRange(FIRST, FIRST), asked, 0, narrow)
    assert found.lowest_first()["response_id"].to_pylist() == ["r2", "r1", "r0"]


def test_too_many_are_refused() -> None:
    asked = comments_query.parse([], comments_query.COMMENTS, Key("0" * 64, "secret", "acme", 0))
    one: Row = {"ago": 0, "rule": ("nps", "0-10"), "score": 1, "agent": None, "channel": "chat"}
    rows = answers([one | {"comment": "app"}] * 2)
    with pytest.raises(UnprocessableError, match="more than 1 comments"):
        read(lake_of(rows), "acme", DateRange(FIRST, FIRST), asked, 0, narrow, most=1)


TAGS = st.dictionaries(
    st.sampled_from(["team", "plan"]),
    st.sampled_from(
        ["north", " north\t", "e\u0301", "\u00e9", "", " ", "(none)", "(other)", "Nord"]
    ),
)


@given(st.lists(st.one_of(st.none(), TAGS), max_size=12), st.sampled_from(["north", "\u00e9"]))
def test_a_tag_is_filtered_by_what_each_answer_brought(
    brought: list[dict[str, str] | None], value: str
) -> None:
    one: Row = {"ago": 0, "rule": ("nps", "0-10"), "score": 1, "agent": None, "channel": "chat"}
    rows = answers([one | {"comment": "app"}] * len(brought))
    rows = [row | {"tags": tags} for row, tags in zip(rows, brought, strict=True)]
    team = Dimension("team", "Team", "The tag team.")
    key = Key("0" * 64, "secret", "acme", 0)

    def shown(text: str) -> set[str]:
        asked = comments_query.parse([("team", text)], comments_query.COMMENTS, key, (team,))
        read_rows = read(lake_of(rows), "acme", DateRange(FIRST, FIRST), asked, 0, narrow).rows
        return {str(one) for one in read_rows["response_id"].to_pylist()}

    ids = {
        row["response_id"]: unicodedata.normalize(
            "NFC", (row["tags"] or {}).get("team", "").strip()
        )
        for row in rows
    }
    assert shown(value) == {one for one, team_of in ids.items() if team_of == value}
    without = {one for one, team_of in ids.items() if team_of in ("", "(none)", "(other)")}
    assert shown("(none)") == without
