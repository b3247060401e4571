"""The query that `pulse report` sends, as docs/http.md describes it, and its table."""

import json
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import pytest
from rich.console import Console, Group

from pulse.cli.api import Api, HttpReply
from pulse.cli.drawing import report_tables
from pulse.cli.exits import WrongUseError
from pulse.cli.reporting import _csv, _reply, report_query


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ([], {}),
        (["channel=chat"], {"channel": "chat"}),
        (["channel=chat", "channel=ticket"], {"channel": "chat,ticket"}),
        (["agent=Müller, Hans"], {"agent": "M%C3%BCller%2C%20Hans"}),
        (["channel=!chat"], {"channel": "!chat"}),
        (["channel=!chat", "channel=!ticket"], {"channel": "!chat,ticket"}),
        (["agent=(none)"], {"agent": "%28none%29"}),
        (["agent=a=b&c", "country=DE"], {"agent": "a%3Db%26c", "country": "DE"}),
        (["agent=50 %!"], {"agent": "50%20%25%21"}),
        ([r"agent=\!x", "agent=y"], {"agent": "%21x,y"}),
        ([r"agent=!\!x"], {"agent": "!%21x"}),
        ([r"agent=\\!x"], {"agent": "%5C%21x"}),
        ([r"agent=\\server"], {"agent": "%5C%5Cserver"}),
    ],
)
def test_filters_are_written_as_the_interface_reads_them(
    filters: list[str], query: dict[str, str]
) -> None:
    assert report_query({}, filters) == query


def test_what_was_not_asked_is_not_in_the_query() -> None:
    query = {"preset": None, "group_by": "channel,agent", "format": "csv"}
    asked = {"group_by": "channel,agent", "format": "csv", "country": "DE"}
    assert report_query(query, ["country=DE"]) == asked


def test_a_filter_is_either_negated_or_not() -> None:
    with pytest.raises(WrongUseError, match=r"all values with ! or none"):
        report_query({}, ["channel=!chat", "channel=ticket"])


def test_a_filter_without_a_value_is_refused() -> None:
    with pytest.raises(WrongUseError, match=r"--filter takes NAME=VALUE"):
        report_query({}, ["channel"])


@dataclass(frozen=True)
class Pages:
    """An interface that has two pages, and notes how it was asked for them."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def get(self, path: str, query: str) -> HttpReply:
        return self._answer("GET", dict(parse_qsl(query, strict_parsing=True)))

    def post(self, path: str, body: bytes) -> HttpReply:
        members = json.loads(body)
        return self._answer("POST", {name: unquote(text) for name, text in members.items()})

    def _answer(self, method: str, query: dict[str, str]) -> HttpReply:
        self.asked.append((method, query))
        if query["format"] == "csv":
            following = {} if "cursor" in query else {"x-next-cursor": "b+c"}
            return HttpReply(200, f"agent\r\n{len(self.asked)}\r\n".encode(), following)
        cursor = None if "cursor" in query else "b+c"
        reply = {"rows": [len(self.asked)], "next_cursor": cursor}
        return HttpReply(200, json.dumps(reply).encode(), {})


@pytest.mark.parametrize(
    ("filters", "method"), [(["agent=a+b"], "GET"), ([f"agent=é {n}" for n in range(900)], "POST")]
)
def test_a_query_that_no_address_holds_is_posted(filters: list[str], method: str) -> None:
    agents = ",".join(text.removeprefix("agent=") for text in filters)
    pages = Pages()
    query = report_query({"format": "csv"}, filters)
    csv = _csv(cast(Api, pages), "/v1/reports/agents", query, whole=True)
    assert csv == "agent\r\n1\r\n2\r\n"
    asked = {"format": "csv", "agent": agents}
    assert pages.asked == [(method, asked), (method, asked | {"cursor": "b+c"})]
    pages = Pages()
    query = report_query({"format": "json"}, filters)
    reply = _reply(cast(Api, pages), "/v1/reports/agents", query, whole=True)
    assert (reply["rows"], reply["next_cursor"]) == ([1, 2], None)
    assert [how for how, _ in pages.asked] == [method, method]


def test_of_some_rows_one_page_is_asked_for() -> None:
    pages = Pages()
    query = report_query({"format": "json"}, [])
    reply = _reply(cast(Api, pages), "/v1/reports/agents", query, whole=False)
    assert (reply["rows"], reply["next_cursor"]) == ([1], "b+c")
    query = report_query({"format": "csv"}, [])
    assert _csv(cast(Api, pages), "/v1/reports/agents", query, whole=False) == "agent\r\n2\r\n"
    assert len(pages.asked) == 2


REPLY: dict[str, Any] = {
    "report": "source",
    "meta": {
        "date_range": {
            "preset": "last_30_days",
            "start_date": "2026-10-22",
            "end_date": "2026-11-20",
            "timezone": "Europe/Berlin",
        },
        "as_of": "2026-11-21T00:20:11Z",
    },
    "columns": [
        {"name": "metric", "kind": "dimension"},
        {"name": "channel", "kind": "dimension"},
        {"name": "responses", "kind": "metric", "unit": "count"},
        {"name": "share_pct", "kind": "metric", "unit": "percent"},
        {"name": "score", "kind": "metric", "unit": "points"},
        {"name": "ci_low", "kind": "metric", "unit": "points"},
        {"name": "ci_high", "kind": "metric", "unit": "points"},
    ],
    "rows": [
        {"metric": "csat", "channel": "chat [x]", "responses": 1234, "share_pct": 41.2,
         "score": 86.67, "ci_low": 79.44, "ci_high": 91.6},
        {"metric": "csat", "channel": None, "responses": 0, "share_pct": None,
         "score": None, "ci_low": None, "ci_high": None},
    ],
    "totals": [
        {"metric": "csat", "channel": None, "responses": 1234, "share_pct": 100,
         "score": 86.67, "ci_low": 79.44, "ci_high": 91.6},
    ],
    "breakdown": [{"metric": "csat", "score_value": 5, "responses": 1000, "share_pct": 81.04}],
    "next_cursor": None,
}  # fmt: skip


def test_a_table_shows_units_intervals_and_totals() -> None:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(Group(*report_tables("bank", REPLY)), markup=False, highlight=False)
    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert lines[0] == (
        "source of bank, 2026-10-22 to 2026-11-20 (Europe/Berlin), as of 2026-11-21 00:20 UTC"
    )
    assert "metric channel responses share % score (points) 95 % interval" in lines
    assert "csat chat [x] 1,234 41.20 86.67 79.44 … 91.60" in lines
    assert "csat – 0 – – –" in lines
    assert "csat total 1,234 100 86.67 79.44 … 91.60" in lines
    assert "csat 5 1,000 81.04" in lines


def lines_of(reply: dict[str, Any]) -> list[str]:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(Group(*report_tables("bank", reply)), markup=False, highlight=False)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_a_comparison_shows_arrows_for_the_count_and_the_headline() -> None:
    figure = {"kind": "metric", "unit": "points"}
    reply = REPLY | {
        "meta": REPLY["meta"]
        | {"compare": {"start_date": "2026-09-22", "end_date": "2026-10-21"}},
        "columns": [
            {"name": "channel", "kind": "dimension"},
            {"name": "responses", "kind": "metric", "unit": "count"},
            {"name": "responses_previous", "kind": "previous", "metric": "responses"},
            {"name": "responses_change", "kind": "change", "metric": "responses"},
            {"name": "average", **figure, "unit": "scale"},
            {"name": "average_change", "kind": "change", "metric": "average"},
            {"name": "score", **figure},
            {"name": "score_change", "kind": "change", "metric": "score"},
            {"name": "score_significant", "kind": "significant", "metric": "score"},
        ],
        "rows": [
            {"channel": "chat", "responses": 1200, "responses_previous": 1210,
             "responses_change": -10, "average": 4.1, "average_change": 1.1,
             "score": 80.0, "score_change": 3.5, "score_significant": True},
            {"channel": "ticket", "responses": 3, "responses_previous": 0,
             "responses_change": None, "average": 4.0, "average_change": None,
             "score": 50.0, "score_change": 0.0, "score_significant": None},
        ],
        "totals": [],
        "breakdown": None,
    }  # fmt: skip
    lines = lines_of(reply)
    assert "against 2026-09-22 to 2026-10-21" in lines[0]
    assert "channel responses change average score (points) change" in lines
    assert "chat 1,200 ▼ -10 4.10 80.00 ▲ +3.50" in lines
    assert "ticket 3 – 4.00 50.00 = +0.00" in lines


def test_colours_mark_who_differs_and_not_who_changed_where_a_report_tells_both() -> None:
    columns = [
        {"name": "agent", "kind": "dimension"},
        {"name": "responses", "kind": "metric", "unit": "count"},
        {"name": "score", "kind": "metric", "unit": "points"},
        {"name": "score_change", "kind": "change", "metric": "score"},
        {"name": "score_significant", "kind": "significant", "metric": "score"},
        {"name": "differs", "kind": "metric", "unit": "side"},
    ]
    fine = {"responses": 100, "score": 38.0, "score_change": -20.0, "score_significant": True}
    rows = [{"agent": "a", **fine, "differs": None}, {"agent": "b", **fine, "differs": "below"}]
    reply = REPLY | {"columns": columns, "rows": rows, "totals": [], "breakdown": None}
    assert [line for line in lines_of(reply) if line.startswith(("a ", "b "))] == [
        "a 100 38.00 ▼ -20.00 –",
        "b 100 38.00 ▼ -20.00 below",
    ]
    console = Console(width=200, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        console.print(Group(*report_tables("bank", reply)))
    red = "\x1b[1;31m"
    assert f"{red}below" in captured.get()
    assert f"{red}▼" not in captured.get()


def test_a_subtotal_is_marked_where_it_leaves_a_dimension_out_and_not_where_none_was_given() -> (
    None
):
    reply = REPLY | {
        "columns": [
            {"name": "metric", "kind": "dimension"},
            {"name": "country", "kind": "dimension"},
            {"name": "channel", "kind": "dimension"},
            {"name": "level", "kind": "level"},
            {"name": "responses", "kind": "metric", "unit": "count"},
        ],
        "rows": [
            {"metric": "csat", "country": None, "channel": None, "level": 1, "responses": 3},
            {"metric": "csat", "country": None, "channel": "chat", "level": 2, "responses": 3},
        ],
        "totals": [],
        "breakdown": None,
    }
    lines = lines_of(reply)
    assert "metric country channel responses" in lines
    assert "csat – total 3" in lines
    assert "chat 3" in lines  # what stands above is not repeated


def test_a_report_of_linked_answers_says_how_many_these_are_and_by_which_day() -> None:
    meta = REPLY["meta"] | {"date_basis": "answered", "linked": {"responses": 57, "of": 1234}}
    lines = lines_of(REPLY | {"meta": meta})
    assert "57 of 1,234 responses are linked to an interaction." in lines
    assert "entered" not in lines[0]
    lines = lines_of(REPLY | {"meta": meta | {"date_basis": "entered"}})
    assert "(Europe/Berlin), by the day on which interactions entered, as of" in lines[0]
    none = meta | {"linked": {"responses": 0, "of": 0}}
    assert not any("linked" in line for line in lines_of(REPLY | {"meta": none}))


def test_rows_that_are_the_totals_are_shown_once() -> None:
    (total,) = REPLY["totals"]
    lines = lines_of(REPLY | {"rows": [total], "breakdown": None})
    assert len([line for line in lines if "1,234" in line]) == 1


def test_a_report_without_rows_says_so_instead_of_showing_a_bare_header() -> None:
    lines = lines_of(REPLY | {"rows": [], "totals": [], "breakdown": []})
    assert "Nothing in these days." in lines
    assert not any("responses" in line for line in lines)


def test_an_operators_heading_names_the_tenants_and_the_days_of_one() -> None:
    def heading(*tenants: str) -> str:
        dates = REPLY["meta"]["date_range"]
        each = [{"tenant": tenant, **dates} for tenant in tenants]
        return lines_of(REPLY | {"meta": REPLY["meta"] | {"date_range": {"tenants": each}}})[0]

    assert heading("bank").startswith("source of bank, 2026-10-22 to 2026-11-20 (Europe/Berlin),")
    assert heading("bank", "shop").startswith("source of bank, shop, as of")
