"""docs/metrics.md and the code agree about which formulas there are, and what they compute."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from pulse import days
from pulse.comments import contrast
from pulse.reports import driving, metrics, moving, worst_run
from pulse.reports.adjusting import Tally
from pulse.reports.declarations import Label
from pulse.reports.registry import REPORTS
from pulse.tenants.rules import DEFAULTS, Rule
from tests import dealing

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
FORMULA = re.compile(r"`([a-z_]+@\d+)`")


def _tables() -> Iterator[list[list[str]]]:
    """The page's tables, as rows of cells, each with its head."""
    for block in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.split("\n")
        ]
        yield [row for row in rows if row != [""] and not row[0].startswith("---")]


def _table(*head: str) -> list[list[str]]:
    (found,) = [table[1:] for table in _tables() if tuple(table[0]) == head]
    return found


def test_every_formula_is_defined_and_every_definition_is_of_a_formula() -> None:
    tables = (table[1:] for table in _tables() if table[0] == ["formula", "is"])
    defined = {formula for rows in tables for row in rows for formula in FORMULA.findall(row[0])}
    used = {m.formula for report in REPORTS.values() for m in report.metrics if m.formula}
    used |= {
        m.formula
        for report in REPORTS.values()
        if report.breakdown
        for m in report.breakdown.metrics
        if m.formula
    }
    insights = {moving.FORMULA, moving.TOP_FORMULA, worst_run.FORMULA}
    insights |= {driving.FORMULA, driving.DIFFERENCE_FORMULA}
    assert defined == used | insights | {"score@1", "interval@1", contrast.FORMULA}


def test_the_default_cut_offs_are_those_of_the_code() -> None:
    def scores(text: str) -> set[int]:
        ends = [int(end) for end in re.findall(r"\d+", text)]
        return set(range(ends[0], ends[-1] + 1)) if ends else set()

    told = _table("metric", "scale", "good", "neutral", "bad")
    assert {(row[0], row[1]) for row in told} == {(rule.metric, rule.label) for rule in DEFAULTS}
    for metric, scale, *parts in told:
        rule = Rule.parse(metric, scale)
        for segment, text in zip(("good", "neutral", "bad"), parts, strict=True):
            assert {s for s in rule.scores if rule.segment(s) == segment} == scores(text), scale


_FORMULAS: dict[str, Callable[[list[int], Rule], object]] = {
    "nps@1": metrics.nps,
    "csat_pct@1": metrics.csat_pct,
    "ces_pct@1": metrics.ces_pct,
    "score@1": metrics.score,
    "interval@1": lambda counts, rule: " .. ".join(map(str, metrics.interval(counts, rule) or ())),
    "average@1": lambda counts, _: metrics.average(counts),
    "median@1": lambda counts, _: metrics.median(counts),
}


@pytest.mark.parametrize(
    ("formula", "of", "answers", "result"),
    _table("formula", "metric and scale", "answers", "result"),
)
def test_the_examples_come_out(formula: str, of: str, answers: str, result: str) -> None:
    counts = [0] * 11
    for given in answers.split():
        score, number = given.split("×")
        counts[int(score)] += int(number)
    assert str(_FORMULAS[formula.strip("`")](counts, Rule.parse(*of.split()))) == result


def _tallies(text: str) -> dict[str, Tally]:
    """AT 20 of 80 good, DE 18 of 20"""
    found = re.findall(r"(\w+) (\d+) of (\d+)", text)
    return {country: Tally(int(n), int(good), int(good)) for country, good, n in found}


@pytest.mark.parametrize(
    ("own", "others", "score", "adjusted", "z", "differs"),
    _table(
        "an agent's answers, csat",
        "the others'",
        "own score",
        "`adjusted_score@1`",
        "z",
        "`differs@1`",
    ),
)
def test_the_examples_of_agents_come_out(
    own: str, others: str, score: str, adjusted: str, z: str, differs: str
) -> None:
    dealt = _tallies(own)
    whole = sum(dealt.values(), Tally())
    assert str(metrics.share_pct(whole.total, whole.n)) == score
    found = dealing.adjusted({"own": dealt}, [_tallies(others)])["own"]
    assert (str(found.score), f"{found.z:.2f}") == (adjusted, z)
    assert found.differs == (None if differs == "–" else differs)


def _groups(text: str) -> driving.Grouped:
    """a: voice 81 of 90, email 2 of 10; b: …, or without strata: in time 300 of 400 good, late …"""
    found: dict[Label, dict[tuple[Label, ...], list[int]]] = {}
    parts = (
        [part.partition(": ") for part in text.split("; ")] if ": " in text else [("", "", text)]
    )
    for group, _, strata in parts:
        for name, good, of in re.findall(r"([a-z ]+?) (\d+) of (\d+)", strata):
            counts = [0, int(of) - int(good), 0, 0, 0, int(good), 0, 0, 0, 0, 0]
            found.setdefault(group or name.strip(), {})[(name,) if group else ()] = counts
    return dealing.grouped(found)


def _driver(text: str) -> driving.Driver:
    rule = Rule.parse("csat", "1-5")
    found = driving.driver("d", _groups(text), rule, stratified=";" in text, most=20)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("groups", "explains", "statistic", "p"),
    _table("a dimension's groups", "`explains_pct@1`", "chi²", "p"),
)
def test_the_examples_of_drivers_come_out(
    groups: str, explains: str, statistic: str, p: str
) -> None:
    found = _driver(groups)
    assert f"{found.explains_pct:.2f} {found.statistic:.2f} {found.p:.1e}" == (
        f"{explains} {statistic} {p}"
    )
    first = found.parts[0]
    assert (
        f"{first.difference:.2f} points above the rest ({first.low:.2f} to {first.high:.2f})"
        in (PAGE)
    )
    assert f"= {first.points:.2f} points of the whole" in PAGE


@pytest.mark.parametrize(
    ("groups", "group", "difference", "adjusted"),
    _table("answers by group and stratum", "group", "difference", "`adjusted_difference@1`"),
)
def test_the_examples_of_adjusted_differences_come_out(
    groups: str, group: str, difference: str, adjusted: str
) -> None:
    (found,) = [one for one in _driver(groups).parts if one.value == group]
    assert f"{found.difference:.2f} {found.adjusted:.2f}" == f"{difference} {adjusted}"


@pytest.mark.parametrize(("preset", "first", "last"), _table("preset", "first day", "last day"))
def test_the_presets_mean_what_the_page_says(preset: str, first: str, last: str) -> None:
    found = days.resolve_preset(preset.strip("`"), date(2026, 11, 21))
    assert (str(found.start), str(found.end)) == (first, last)


def test_every_preset_is_named() -> None:
    section = PAGE.split("\n## Days")[1].split("\n## ")[0]
    for preset in days.PRESETS:
        unit = re.fullmatch(
            r"(?:this|last)_(month|quarter|year)|(month|quarter|year)_to_date", preset
        )
        assert f"`{preset}`" in section or (unit and f"`{unit[1] or unit[2]}`" in section), preset
