"""Every report of answers by tags that are dimensions, against tests/oracle.py.

Questions pass the whole of serve_reports: keys, queries, report objects with their roll-ups.
"""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from tests import oracle
from tests.calendar_oracle import Calendar
from tests.oracle import Part
from tests.unit.serve.events import SCALES
from tests.unit.serve.served import Served, invented
from tests.unit.serve.test_insights_oracle import FILTERS, NOW, passing
from tests.unit.serve.test_oracle import asked, rows_of

FIRST = date(2026, 6, 1)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([200, 40, 3]),
    scales=st.lists(st.sampled_from(SCALES), min_size=1, max_size=3, unique=True),
    report=st.sampled_from(sorted(oracle.COLUMNS)),
    by=st.lists(st.sampled_from(["team", "plan"]), unique=True, min_size=1),
    beside=st.sampled_from([(), ("channel",), ("agent",), ("country",)]),
    granularity=st.sampled_from(days.GRANULARITIES),
    length=st.sampled_from([27, 90, 0]),
    compare=st.sampled_from(["previous_period", None]),
    filters=st.sampled_from([one for one in FILTERS if "metric=" not in one]),
    subtotals=st.booleans(),
)
def test_reports_by_tags_are_those_of_the_single_answers(
    seed: int,
    size: int,
    scales: list[tuple[str, str]],
    report: str,
    by: list[str],
    beside: tuple[str, ...],
    granularity: str,
    length: int,
    compare: str | None,
    filters: str,
    subtotals: bool,
) -> None:
    dates = FIRST, FIRST + timedelta(days=length)
    answers = invented(seed, size, FIRST - timedelta(days=length + 3), dates[1], scales)
    question, query = asked(report, (*by, *beside), granularity, subtotals=subtotals)
    query = f"start_date={dates[0]}&end_date={dates[1]}&limit=10000{query}&{filters}"
    query += f"&compare={compare}" if compare else ""
    with days.clock(lambda: NOW):
        reply = Served(answers).ask(f"/v1/reports/{report}", query)
    part = Part(passing(answers, filters), Calendar(dates, compare))
    assert rows_of(reply) == oracle.reply(question, [part])
