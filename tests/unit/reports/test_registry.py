"""The registry of reports is complete and contradicts neither itself nor the lake."""

import pytest

from pulse import days, lake
from pulse.reports import interactions, surveys
from pulse.reports.registry import (
    ALL,
    FAMILIES,
    INTERACTION,
    REPORTS,
    SURVEY,
    Family,
    GroupSums,
    Metric,
    Report,
)
from pulse.reports.sums import Layout


def summed(metric: str, scale: str, counts: dict[int, int], whole: int = 0) -> GroupSums:
    sums = [counts.get(score, 0) for score in range(11)]
    return GroupSums({"metric": metric, "scale": scale}, sums, whole or sum(sums))


def metrics_of(family: Family) -> list[Metric]:
    reports = [report for report in REPORTS.values() if report.family == family]
    found = {id(metric): metric for report in reports for metric in report.metrics}
    return list(found.values())


def every_survey_metric() -> list[Metric]:
    segments = (metric for three in surveys.SEGMENT_METRICS.values() for metric in three)
    return [*metrics_of(SURVEY), *surveys.HEADLINES.values(), *segments]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_family_has_the_dimensions_and_measures_of_its_table(family: Family) -> None:
    shared = set(family.dataset.dimensions) - set(family.dataset.slots)
    assert set(family.dimension_names) == shared
    assert {*family.required} <= {*family.dimension_names}
    assert {*family.by_currency} <= {*family.dataset.measures}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_the_tables_of_a_report_share_no_measure(report: Report) -> None:
    measures = [name for table in report.tables for name in table.measures]
    assert len(measures) == len(set(measures))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_names_each_column_once(report: Report) -> None:
    columns = ["period", *dict.fromkeys(["tenant", *(one.name for one in report.dimensions)])]
    columns += [metric.name for metric in report.metrics]
    assert len(columns) == len(set(columns))
    assert report.granularity in days.GRANULARITIES
    assert report.metrics


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_each_percentage_comes_with_its_counts_and_each_score_with_its_interval(
    report: Report,
) -> None:
    names = {metric.name for metric in report.metrics}
    assert names & {"responses", "entered", "handled", "interactions_with_revenue"}
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
        *("geo", "daily", "csat", "nps", "ces", "source", "rates", "browsers", "agents"),
        *("customer-perspective", "agent-activity", "revenue"),
        "experience",
    ]
    assert columns["daily"] == ["responses", *scored]
    for name in ("geo", "source", "browsers", "experience"):
        assert columns[name] == ["responses", "share_pct", *scored]
    beside = ["adjusted_score", "differs"]
    assert columns["agents"] == ["responses", "share_pct", *scored, *beside]
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


def test_the_interaction_reports_have_the_columns_that_the_interface_promises() -> None:
    columns = {name: [m.name for m in report.metrics] for name, report in REPORTS.items()}
    assert columns["customer-perspective"] == [
        *("entered", "offered", "accepted", "responded", "finished", "abandoned", "replies"),
        "response_ratio",
        *("accept_due", "accept_met", "accept_service_level_pct"),
        *("first_response_due", "first_response_met", "first_response_service_level_pct"),
        *("finish_due", "finish_met", "finished_service_level_pct"),
        *("accept_timed", "avg_accept_time", "avg_accept_time_fmt"),
        *("first_response_timed", "avg_first_response_time", "avg_first_response_time_fmt"),
        *("finished_responded", "finish_timed"),
        *("avg_finish_response_time", "avg_finish_response_time_fmt"),
        *("with_satisfaction", "avg_satisfaction", "interactions_with_revenue", "avg_revenue"),
    ]
    assert columns["agent-activity"] == [
        *("handled", "handle_timed", "avg_handle_time", "avg_handle_time_fmt"),
        *("active_seconds", "active_seconds_fmt", "engaged_seconds", "engaged_seconds_fmt"),
        *("engaged_pct", "with_satisfaction", "avg_satisfaction"),
    ]
    assert columns["revenue"] == ["interactions_with_revenue", "revenue", "avg_revenue"]


@pytest.mark.parametrize("metric", metrics_of(INTERACTION), ids=lambda metric: metric.name)
def test_no_interactions_yield_what_the_metric_declares(metric: Metric) -> None:
    layout = Layout((lake.INTERACTIONS, lake.SESSIONS), INTERACTION.by_currency, ("EUR",))
    value = metric.compute(GroupSums({"currency": "EUR"}, [0] * layout.width, 0, layout=layout))
    assert value == (0 if metric.empty == "0" else None)
    over_all = metric.compute(GroupSums({}, [0] * layout.width, 0, layout=layout))
    assert over_all == (None if metric.unit == "money" else value)


def test_a_sum_whose_table_does_not_know_the_group_is_none() -> None:
    layout = Layout((lake.INTERACTIONS,))
    given = GroupSums({}, [0] * layout.width, 0, layout=layout)
    activity = REPORTS["agent-activity"].metrics
    unknown = [metric.name for metric in activity if metric.empty == "0" and not metric.of(given)]
    assert unknown == [metric.name for metric in activity if metric.empty == "0"]
    assert interactions.ENTERED.of(given) == 0
    assert {metric.of(given) for metric in activity if "seconds" in metric.name} == {None}


@pytest.mark.parametrize("metric", every_survey_metric(), ids=lambda metric: metric.name)
@pytest.mark.parametrize(("name", "scale"), [("nps", "0-10"), ("csat", "1-5"), ("ces", "1-7")])
def test_an_empty_group_yields_what_the_metric_declares(
    metric: Metric, name: str, scale: str
) -> None:
    value = metric.compute(summed(name, scale, {}))
    assert value == (0 if metric.empty == "0" else None)
    assert metric.empty == ("0" if metric.unit == "count" else "null")


def test_the_score_is_the_headline_of_each_metric() -> None:
    for name, scale in (("nps", "0-10"), ("csat", "1-5"), ("ces", "1-7:low")):
        given = summed(name, scale, {1: 3, 4: 2, 5: 7})
        assert surveys.SCORE.compute(given) == surveys.HEADLINES[name].compute(given)
        assert SURVEY.formulas(given) == (surveys.HEADLINES[name].formula,)


def test_the_distribution_has_every_score_of_the_scale() -> None:
    rows = surveys.DISTRIBUTION.rows(summed("csat", "1-5", {5: 3, 1: 1}))
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
    everything = GroupSums({"metric": ALL, "scale": None}, [0, 1, 2, *[0] * 8], 4)
    shown = {metric.name: metric.of(everything) for metric in every_survey_metric()}
    assert shown.pop("responses") == 3
    assert shown.pop("share_pct") == 75
    assert set(shown.values()) == {None}


def test_what_would_judge_a_person_by_too_few_is_not_shown() -> None:
    few = GroupSums({"metric": "csat", "scale": "1-5"}, [0, 1, 2, *[0] * 8], 4, too_few=True)
    assert surveys.SCORE.of(few) is None
    assert surveys.RESPONSES.of(few) == 3
    assert all(metric.of(few) is None for metric in REPORTS["rates"].metrics)


def test_an_entry_with_a_dimension_that_its_family_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="media_type"):
        Report(
            name="wrong",
            title="",
            text="",
            family=SURVEY,
            metrics=(surveys.RESPONSES,),
            group_by=("media_type",),
        )


def test_a_report_takes_the_measures_of_its_figures_alone() -> None:
    activity = REPORTS["agent-activity"]
    assert {*activity.measures_of(lake.INTERACTIONS)} == {
        "entered",  # how many events there are, for shares and samples
        "handled",
        "handle_timed",
        "handle_us",
        "with_satisfaction",
        "satisfaction",
    }
    assert {*activity.measures_of(lake.SESSIONS)} >= {"active_us", "engaged_us"}
    for report in REPORTS.values():
        if any(metric.measures is None for metric in report.metrics):
            assert report.measures_of(report.family.dataset) == report.family.dataset.measures
