"""GET /v1/insights: what happened in some days, as data and as sentences."""

from typing import Any

from pulse.reports import moving, worst_run
from pulse.reports.moving import Answers, Contributor, Head, Mover, Place, TopContributor
from pulse.reports.surveys import SEGMENT_NAMES
from pulse.reports.worst_run import score_of
from pulse.serve.insights.finding import Cost, Findings, Headline, Moved, Worst, find
from pulse.serve.insights.insights_query import InsightsQuery
from pulse.serve.insights.reading import MOST_VALUES, Reader, not_compared
from pulse.serve.insights.telling import NameOf, Phrase, Sentence, sentences_of
from pulse.serve.insights.values import Named, names_of, two
from pulse.serve.meta import meta_of
from pulse.serve.plan import Plan


def insights(reader: Reader, plan: Plan, asked: InsightsQuery, names: Named) -> dict[str, Any]:
    """The reply's members. The plan is the query's. Raises what Years.read raises."""
    findings = find(reader, plan)
    name_of = names_of(asked, names, [tenant.id for tenant in reader.tenants])
    return {
        "meta": _meta(findings),
        "headlines": [_headline(one) for one in findings.headlines],
        "worst": _worst(findings.worst, name_of) if findings.worst else None,
        "movers": _moved(findings.moved, name_of) if findings.moved else None,
        "language": asked.language.name,
        "sentences": [_sentence(one) for one in sentences_of(findings, asked, name_of)],
    }


def _meta(findings: Findings) -> dict[str, Any]:
    meta = meta_of(findings.plan, findings.objects, findings.figures)
    warnings = [*meta["warnings"], *not_compared(findings.left_out)]
    if findings.cut:
        message = (
            f"Of {', '.join(findings.cut)} only the {MOST_VALUES:,} values with the most answers "
            "are compared."
        )
        warnings.append({"code": "groups_left_out", "message": message})
    formulas = [*meta["formulas"], "interval@1", worst_run.FORMULA, moving.TOP_FORMULA]
    return {
        **meta,
        "formulas": [*formulas, moving.FORMULA],
        "warnings": warnings,
    }


def _headline(found: Headline) -> dict[str, Any]:
    return {**found.row, "surveys": found.surveys}


def _worst(found: Worst, name_of: NameOf) -> dict[str, Any]:
    run = found.run
    return {
        "metric": found.measure.metric,
        "scale": found.measure.scale,
        "start_date": run.first.isoformat(),
        "end_date": run.last.isoformat(),
        "days": run.days,
        "responses": run.within.n,
        "score": two(score_of(run.within)),
        "responses_others": run.others.n,
        "score_others": two(score_of(run.others)),
        "z": two(run.z),
        "points": two(run.points),
        "top_contributor": _top(found.top, found.within, name_of) if found.top else None,
        "cost": _cost(found.cost, found.measure.metric) if found.cost else None,
    }


def _top(found: TopContributor, within: TopContributor | None, name_of: NameOf) -> dict[str, Any]:
    return {
        **_group(found.mover, name_of),
        "share_of_change_pct": two(100 * found.share),
        "within": _place(within.mover.place, name_of) if within else None,
    }


def _cost(found: Cost, metric: str) -> dict[str, Any]:
    contacts = found.contacts
    return {
        "responses": found.answers,
        "responses_previous": found.answers_before,
        "bad": SEGMENT_NAMES[metric]["bad"],
        "bad_responses": found.bad,
        "bad_responses_previous": found.bad_before,
        "contacts": contacts
        and {
            "entered": contacts.entered,
            "entered_previous": contacts.entered_before,
            "accept_service_level_pct": contacts.accepted_pct,
            "accept_service_level_pct_previous": contacts.accepted_pct_before,
        },
        "revenue": [
            {"currency": one.currency, "revenue": one.amount, "revenue_change": one.change}
            for one in found.revenue
        ],
    }


def _moved(found: Moved, name_of: NameOf) -> dict[str, Any]:
    headline = found.headline
    return {
        "metric": headline.measure.metric,
        "scale": headline.measure.scale,
        "change": two(headline.now.mean - headline.before.mean),
        "groups": found.groups,
        "rows": [_head(one, name_of) for one in found.heads],
    }


def _head(found: Head, name_of: NameOf) -> dict[str, Any]:
    return {
        **_group(found.contributor, name_of),
        "significant": found.contributor.sure,
        "within": [_place(one.place, name_of) for one in found.within],
    }


def _group(found: Mover | Contributor, name_of: NameOf) -> dict[str, Any]:
    return {
        **_place(found.place, name_of),
        "points": None if found.points is None else two(found.points),
        **_answers("", found.now),
        **_answers("_previous", found.before),
    }


def _answers(when: str, found: Answers) -> dict[str, Any]:
    estimate = found.estimate
    return {
        f"responses{when}": found.n,
        f"score{when}": estimate.value if estimate else None,
        f"ci_low{when}": estimate.low if estimate else None,
        f"ci_high{when}": estimate.high if estimate else None,
    }


def _place(place: Place, name_of: NameOf) -> dict[str, Any]:
    return {"dimension": place.dimension, "value": place.value, "name": name_of(place)}


def _sentence(found: Sentence) -> dict[str, Any]:
    return {
        "text": "".join(phrase.text for phrase in found),
        "phrases": [_phrase(phrase) for phrase in found],
    }


def _phrase(phrase: Phrase) -> dict[str, Any]:
    evidence = phrase.evidence
    return {
        "text": phrase.text,
        "report": evidence.report if evidence else None,
        "query": evidence.query if evidence else None,
    }
