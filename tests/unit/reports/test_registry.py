"""The registry is closed, whole, and contradicts neither itself nor the lake."""

import pytest

from pulse import days, lake
from pulse.reports import registry
from pulse.reports.registry import REPORTS, SURVEY, Facts, Metric, Report


def facts(metric: str, scale: str, counts: dict[int, int], whole: int = 0) -> Facts:
    sums = [counts.get(score, 0) for score in range(11)]
    return Facts({"metric": metric, "scale": scale}, sums, whole or sum(sums))


def every_metric() -> list[Metric]:
    found = {id(metric): metric for report in REPORTS.values() for metric in report.metrics}
    segments = (metric for three in registry.SEGMENT_METRICS.values() for metric in three)
    return [*found.values(), *registry.HEADLINES.values(), *segments]


def test_the_survey_family_has_the_dimensions_and_counts_of_its_table() -> None:
    assert SURVEY.dimension_names == lake.SCORE_DIMENSIONS
    assert SURVEY.counts == lake.SCORE_COUNTS


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_names_each_column_once(report: Report) -> None:
    columns = ["period", "tenant", *(dimension.name for dimension in report.dimensions)]
    columns += [metric.name for metric in report.metrics]
    assert len(columns) == len(set(columns))
    assert report.granularity in days.GRANULARITIES
    assert report.metrics


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_each_percentage_comes_with_its_counts_and_each_score_with_its_interval(
    report: Report,
) -> None:
    names = {metric.name for metric in report.metrics}
    assert "responses" in names
    for metric in report.metrics:
        if metric.unit == "percent" and metric.name != "share_pct":
            assert {metric.numerator, metric.denominator} <= names
    headlines = [metric for metric in report.metrics if metric.significant]
    assert len(headlines) <= 1
    assert ({"ci_low", "ci_high"} <= names) == bool(headlines)


def test_the_reports_have_the_columns_that_the_interface_promises() -> None:
    scored = ["average", "median", "score", "ci_low", "ci_high"]
    columns = {name: [m.name for m in report.metrics] for name, report in REPORTS.items()}
    assert list(columns) == [
        *("geo", "daily", "csat", "nps", "ces", "source", "rates", "browsers", "agents")
    ]
    assert columns["daily"] == ["responses", *scored]
    for name in ("geo", "source", "browsers", "agents"):
        assert columns[name] == ["responses", "share_pct", *scored]
    assert columns["rates"] == ["responses", "share_pct"]
    for name, segments in (
        ("csat", ("satisfied", "neutral", "dissatisfied")),
        ("ces", ("easy", "neutral", "difficult")),
    ):
        assert columns[name] == [
            *("responses", "average", "median"),
            *(part for segment in segments for part in (segment, f"{segment}_pct")),
            *(f"{name}_pct", "ci_low", "ci_high"),
        ]
    assert columns["nps"] == [
        "responses",
        "promoters",
        "promoters_pct",
        "passives",
        "passives_pct",
        "detractors",
        "detractors_pct",
        "nps",
        "ci_low",
        "ci_high",
    ]


@pytest.mark.parametrize("metric", every_metric(), ids=lambda metric: metric.name)
@pytest.mark.parametrize(("name", "scale"), [("nps", "0-10"), ("csat", "1-5"), ("ces", "1-7")])
def test_an_empty_group_yields_what_the_metric_declares(
    metric: Metric, name: str, scale: str
) -> None:
    value = metric.compute(facts(name, scale, {}))
    assert value == (0 if metric.empty == "0" else None)
    assert metric.empty == ("0" if metric.unit == "count" else "null")


def test_the_score_is_the_headline_of_each_metric() -> None:
    for name, scale in (("nps", "0-10"), ("csat", "1-5"), ("ces", "1-7:low")):
        given = facts(name, scale, {1: 3, 4: 2, 5: 7})
        assert registry.SCORE.compute(given) == registry.HEADLINES[name].compute(given)
        assert SURVEY.formulas(given) == (registry.HEADLINES[name].formula,)


def test_the_distribution_has_every_score_of_the_scale() -> None:
    rows = registry.DISTRIBUTION.rows(facts("csat", "1-5", {5: 3, 1: 1}))
    assert [row["score_value"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["responses"] for row in rows] == [1, 0, 0, 0, 3]
    assert [row["segment"] for row in rows] == [
        "dissatisfied",
        "dissatisfied",
        "neutral",
        "satisfied",
        "satisfied",
    ]


def test_a_figure_about_one_scale_says_nothing_of_several() -> None:
    everything = Facts({"metric": registry.ALL, "scale": None}, [0, 1, 2, *[0] * 8], 4)
    shown = {metric.name: metric.of(everything) for metric in every_metric()}
    assert shown.pop("responses") == 3
    assert shown.pop("share_pct") == 75
    assert set(shown.values()) == {None}


def test_what_would_judge_a_person_by_too_few_is_not_shown() -> None:
    few = Facts({"metric": "csat", "scale": "1-5"}, [0, 1, 2, *[0] * 8], 4, too_few=True)
    assert registry.SCORE.of(few) is None
    assert registry.RESPONSES.of(few) == 3
    assert all(metric.of(few) is None for metric in REPORTS["rates"].metrics)


def test_an_entry_with_a_dimension_that_its_family_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="media_type"):
        Report(
            name="wrong",
            title="",
            text="",
            family=SURVEY,
            metrics=(registry.RESPONSES,),
            group_by=("media_type",),
        )
