"""How reports on interactions are drawn on a terminal: figures, nesting, widths."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console, Group

from pulse.cli.drawing import report_tables

DIMENSIONS = ("tenant", "media_type", "period", "customer_segment", "service_type")
METRICS = {
    "entered": "count",
    "accepted": "count",
    "response_ratio": "ratio",
    "accept_due": "count",
    "accept_met": "count",
    "accept_service_level_pct": "percent",
    "first_response_service_level_pct": "percent",
    "finished_service_level_pct": "percent",
    "avg_accept_time": "seconds",
    "avg_accept_time_fmt": "time",
    "avg_first_response_time": "seconds",
    "avg_first_response_time_fmt": "time",
    "avg_finish_response_time": "seconds",
    "avg_finish_response_time_fmt": "time",
    "with_satisfaction": "count",
    "avg_satisfaction": "satisfaction",
    "interactions_with_revenue": "count",
    "avg_revenue": "money",
}
FIGURES: dict[str, Any] = {
    "entered": 1234,
    "accepted": 1200,
    "response_ratio": 1.07,
    "accept_due": 26,
    "accept_met": 9,
    "accept_service_level_pct": 34.62,
    "first_response_service_level_pct": 23.08,
    "finished_service_level_pct": 100.0,
    "avg_accept_time": 65.5,
    "avg_accept_time_fmt": "00:01:06",
    "avg_first_response_time": 65.5,
    "avg_first_response_time_fmt": "00:01:06",
    "avg_finish_response_time": 360000,
    "avg_finish_response_time_fmt": "100:00:00",
    "with_satisfaction": 0,
    "avg_satisfaction": None,
    "interactions_with_revenue": 3,
    "avg_revenue": {"CHF": "1045.9000", "EUR": "51.2483"},
}
SHOWN = "1,234 1.07 34.62 23.08 100.00 00:01:06 00:01:06 100:00:00 – "


def column(name: str, unit: str | None = None, kind: str = "metric") -> dict[str, Any]:
    return {"name": name, "kind": kind} | ({"unit": unit} if unit else {})


def labels(*names: str) -> list[dict[str, Any]]:
    return [column(name, kind="period" if name == "period" else "dimension") for name in names]


def nested(values: Sequence[Sequence[str | None]], path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Rows as the interface gives them: a subtotal before the rows that it sums up."""
    left_out = [None] * (len(DIMENSIONS) - len(path))
    group = dict(zip(DIMENSIONS, (*path, *left_out), strict=True))
    yield group | {"level": len(path)} | FIGURES
    for value in values[0] if values else ():
        yield from nested(values[1:], (*path, value))


def reply(
    columns: list[dict[str, Any]], rows: list[Any], totals: list[Any] | None = None
) -> dict[str, Any]:
    dates = {"start_date": "2026-10-01", "end_date": "2026-10-31", "timezone": "UTC"}
    return {
        "report": "customer-perspective",
        "meta": {"date_range": dates, "as_of": "2026-11-21T00:20:11Z"},
        "columns": columns,
        "rows": rows,
        "totals": totals or [],
    }


def perspective(*values: Sequence[str | None]) -> dict[str, Any]:
    columns = [*labels(*DIMENSIONS), column("level", kind="level")]
    columns += [column(name, unit) for name, unit in METRICS.items()]
    rows = list(nested(values))
    return reply(columns, rows, [rows[0]])


MONTH = perspective(
    ["demo"],
    ["chat", "voice"],
    ["2026-10-01", "2026-10-02"],
    ["Business", None],
    ["Delivery", "Returns"],
)


def drawn(told: dict[str, Any], width: int = 160) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(Group(*report_tables("demo", told)), markup=False, highlight=False)
    return [line.rstrip() for line in captured.get().splitlines()]


def words(told: dict[str, Any], width: int = 160) -> list[str]:
    return [" ".join(line.split()) for line in drawn(told, width)]


def test_the_ten_figures_are_shown_and_not_what_they_are_made_of() -> None:
    found = words(MONTH)
    rule = next(at for at, line in enumerate(found) if line.startswith("─"))
    title = " ".join(found[2:rule])
    for shown in ("entered", "ratio", "accept", "finished", "avg", "satisf.", "revenue"):
        assert shown in title
    for left_out in ("accepted", "due", "met", "interact.", "seconds", "fmt"):
        assert left_out not in title.split()
    assert f"demo total {SHOWN}" not in found  # the grand total says it already
    assert any(line.startswith(f"Delivery {SHOWN}1,045.90 CHF") for line in found)


def test_repeated_names_are_blank_and_every_level_has_its_total() -> None:
    rows = [line for line in drawn(MONTH) if "1,234" in line]
    beginnings = [" ".join(line.partition("1,234")[0].split()) for line in rows]
    assert beginnings[:11] == [
        "demo total",
        "chat total",
        "2026-10-01 total",
        "Business total",
        "Delivery",
        "Returns",
        "– total",
        "Delivery",
        "Returns",
        "2026-10-02 total",
        "Business total",
    ]
    assert beginnings[-1] == "grand total"
    assert beginnings.count("grand total") == 1
    places = [line.index(name) for name, line in zip(("demo", "chat", "2026"), rows, strict=False)]
    assert places == sorted(set(places))


def test_each_currency_has_its_line() -> None:
    lines = drawn(MONTH)
    at = next(at for at, line in enumerate(lines) if line.startswith("grand total"))
    assert lines[at].endswith(" 1,045.90 CHF")
    assert lines[at + 1].strip() == "51.25 EUR"
    assert len(lines[at + 1]) == len(lines[at])


@pytest.mark.parametrize("width", [1000, 160, 120, 100])
def test_it_fits_and_every_figure_stays_whole(width: int) -> None:
    lines = drawn(MONTH, width)
    assert max(map(len, lines[1:])) <= min(width, 160)
    assert len([line for line in words(MONTH, width) if SHOWN in line]) == len(MONTH["rows"])


def test_a_narrow_terminal_has_an_outline() -> None:
    lines = drawn(MONTH, 100)
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    assert lines[2:4] == ["tenant", " media type"]
    begun = [line.partition("1,234")[0].rstrip() for line in lines[rule + 1 :] if "1,234" in line]
    assert begun[:6] == [
        "demo",
        " chat",
        "  2026-10-01",
        "   Business",
        "    Delivery",
        "    Returns",
    ]
    assert begun[-1] == "grand total"


@pytest.mark.parametrize("width", [80, 60, 40])
def test_where_an_outline_is_too_wide_several_have_some_of_the_figures_each(width: int) -> None:
    lines = drawn(MONTH, width)[2:]
    assert max(map(len, lines)) <= width
    for figure in (*SHOWN.split(), "1,045.90 CHF", "51.25 EUR"):
        assert len([line for line in lines if figure in line]) >= len(MONTH["rows"]), figure
    beginnings = [line for line in lines if line.startswith("grand total")]
    assert len(beginnings) == len([line for line in lines if line.startswith("─")]) > 1


@pytest.mark.parametrize(("width", "names_end"), [(160, 53), (100, 13)])
def test_a_name_stays_one_name_whatever_is_in_it(width: int, names_end: int) -> None:
    told = perspective(["demo"], ["chat"], ["2026-10-01"], ["Gold"], ["a\nb", "ab\u202ecd"])
    names = "".join(line[:names_end].strip() for line in drawn(told, width))
    assert names.endswith(r"a\nbab\u202ecdgrand total")


def test_an_outline_names_what_a_row_belongs_to_where_no_subtotal_does() -> None:
    flat = [row for row in MONTH["rows"] if row["level"] == 5][:2]
    columns = [one for one in MONTH["columns"] if one["kind"] != "level"]
    lines = drawn(reply(columns, [{**row, "level": None} for row in flat]), 100)
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    names = [line[:15].rstrip() for line in lines[rule + 1 :] if line[:15].strip()]
    assert names == ["demo", " chat", "  2026-10-01", "   Business", "    Delivery", "    Returns"]


def test_long_names_wrap_where_they_are_indented() -> None:
    told = perspective(["demo"], ["chat"], ["2026-10-01"], ["Private"], ["Delivery abroad"])
    lines = [line.partition("1,234")[0].rstrip() for line in drawn(told, 100)]
    begin = lines.index("   Private") + 1
    wrapped = [line[:13].rstrip() for line in lines[begin : begin + 4]]
    assert [name for name in wrapped if name] == ["    Delivery", "    abroad"]


def test_without_subtotals_every_row_stands_for_itself() -> None:
    columns = [*labels("agent", "media_type"), column("handled", "count")]
    columns += [column("active_seconds", "seconds"), column("active_seconds_fmt", "time")]
    columns += [column("engaged_pct", "percent")]
    rows = [
        {"agent": "Zoë [x]", "media_type": medium, "handled": 3, "active_seconds": 90000,
         "active_seconds_fmt": "25:00:00", "engaged_pct": None}
        for medium in ("chat", "voice")
    ]  # fmt: skip
    total = {**rows[0], "agent": None, "media_type": None, "handled": 6}
    found = words(reply(columns, rows, [total]))
    assert found[2] == "agent media type handled active engaged %"
    assert found[4:6] == ["Zoë [x] chat 3 25:00:00 –", "Zoë [x] voice 3 25:00:00 –"]
    assert found[-1] == "total 6 25:00:00 –"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("12.5000", "12.50"),
        ("0.0000", "0.00"),
        ("-1234567.8900", "-1,234,567.89"),
        ("1.2340", "1.234"),
        ("99999999999999.9999", "99,999,999,999,999.9999"),
        (None, "–"),
    ],
)
def test_money_is_shown_to_its_last_decimal(amount: str | None, shown: str) -> None:
    columns = [*labels("period", "currency"), column("interactions_with_revenue", "count")]
    columns += [column("revenue", "money")]
    row = {"period": "2026-10-01", "currency": "EUR", "interactions_with_revenue": 1}
    assert words(reply(columns, [row | {"revenue": amount}]))[-1] == f"2026-10-01 EUR 1 {shown}"


def test_a_change_of_money_is_shown_by_currency() -> None:
    columns = [
        *labels("period"),
        column("interactions_with_revenue", "count"),
        column("revenue", "money"),
        column("revenue_previous", "money", "previous") | {"metric": "revenue"},
        column("revenue_change", "money", "change") | {"metric": "revenue"},
    ]
    row = {
        "period": "2026-10-01",
        "interactions_with_revenue": 2,
        "revenue": {"CHF": "1.0000", "EUR": "2.0000"},
        "revenue_previous": {"EUR": "4.5000"},
        "revenue_change": {"CHF": "1.0000", "EUR": "-2.5000", "PLN": "0.0000"},
    }
    found = words(reply(columns, [row]))
    assert found[-3:] == [
        "2026-10-01 2 1.00 CHF ▲ +1.00 CHF",
        "2.00 EUR ▼ -2.50 EUR",
        "= +0.00 PLN",
    ]


def test_a_name_stands_beside_the_id_that_it_belongs_to() -> None:
    columns = [*labels("agent"), column("agent_name", kind="name"), column("entered", "count")]
    rows = [
        {"agent": "a1", "agent_name": "Ada", "entered": 3},
        {"agent": "a2", "agent_name": None, "entered": 1},
    ]
    console = Console(width=100)
    with console.capture() as captured:
        console.print(Group(*report_tables("bank", reply(columns, rows))), highlight=False)
    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert "a1 Ada 3" in lines
    assert "a2 – 1" in lines
