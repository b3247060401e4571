"""What was found, as sentences: what the score is, when it went wrong, for whom, what it cost.

Every phrase that states a figure names its evidence: a report, and the query that shows it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from pulse import days
from pulse.lake import NOT_GIVEN
from pulse.reports.moving import Answers, Place, TopContributor
from pulse.reports.surveys import SEGMENT_NAMES
from pulse.reports.worst_run import WorstRun, score_of
from pulse.serve.insights.finding import Contacts, Cost, Findings, Headline, Revenue, Worst
from pulse.serve.insights.insights_query import MOVED_BY, InsightsQuery
from pulse.serve.insights.language import NOTHING, Language
from pulse.serve.insights.reading import Measure
from pulse.serve.plan import Plan


@dataclass(frozen=True)
class Evidence:
    """A report and the query that show a figure."""

    report: str
    query: str


@dataclass(frozen=True)
class Phrase:
    """A piece of a sentence, and what proves it, if it states a figure."""

    text: str
    evidence: Evidence | None = None


Sentence = Sequence[Phrase]
NameOf = Callable[[Place], str]
"""What a place is called."""
Given = Mapping[str, str]
"""A query's raw values by parameter."""

_NAMES = {
    "csat": "Customer satisfaction",
    "nps": "The net promoter score",
    "ces": "Customer effort",
}
_EVIDENCE = {
    "country": "geo",
    "channel": "source",
    "agent": "agents",
    "browser": "browsers",
    "os": "browsers",
    "device": "browsers",
}
"""The report that shows a dimension's groups; else `daily` does."""
_WHO_EXPLAINS = {
    "channel": "Answers by {who} explain {part}: {score} ({answers}), after {before} ({n}) in the "
    "{days}{within}.",
    "survey": "Answers to {who} explain {part}: {score} ({answers}), after {before} ({n}) in the "
    "{days}{within}.",
}
_EXPLAINS = (
    "Answers from {who} explain {part}: {score} ({answers}), after {before} ({n}) in the "
    "{days}{within}."
)
_NEARLY_ALL = 95
_PLACES = re.compile(r"\{(\w+)\}")


def sentences_of(findings: Findings, asked: InsightsQuery, name_of: NameOf) -> list[Sentence]:
    """The sentences, none where nothing was answered."""
    return _Teller(findings, asked, name_of).sentences()


@dataclass(frozen=True)
class _Teller:
    findings: Findings
    asked: InsightsQuery
    name_of: NameOf

    @property
    def language(self) -> Language:
        return self.asked.language

    def sentences(self) -> list[Sentence]:
        if not self.findings.headlines:
            return []
        first, *others = self.findings.headlines
        found = [self._leading(first)]
        if self.findings.worst:
            found += self._worst(self.findings.worst)
        if others:
            found.append(self._following(others))
        return found

    # -- the headlines

    def _leading(self, headline: Headline) -> Sentence:
        measure, given = headline.measure, self._of_scale(headline.measure)
        return self._pieces(
            "{name} was {score} ({answers}){change}.",
            name=_linked(self._name(measure), measure.metric, given),
            score=_linked(
                self._estimate(headline.now, measure), "daily", {**given, "metric": measure.metric}
            ),
            answers=self._answers(headline.now.n),
            change=self._change(headline),
        )

    def _change(self, headline: Headline) -> str:
        by, before = headline.change, headline.before.estimate
        if by is None or before is None:
            return ""
        text, compared = self.language.text, self._compared(self.findings.plan)
        if by == 0:
            return text(", as in {compared}", compared=compared)
        points = self.language.fixed(abs(by), 1)
        which = "lower" if by < 0 else "higher"
        if headline.significant is None:
            return text(
                f", {{points}} points {which} than in {{compared}}",
                points=points,
                compared=compared,
            )
        doubt = "more than chance explains" if headline.significant else "which may be chance"
        return text(
            f", {{points}} points {which} than in {{compared}} ({{before}}), {{doubt}}",
            points=points,
            compared=compared,
            before=self._score(before.value, headline.measure),
            doubt=text(doubt),
        )

    def _following(self, others: Sequence[Headline]) -> Sentence:
        found: list[Phrase] = []
        for headline in others:
            measure = headline.measure
            pattern = "{name} was {score}"
            if headline.change is not None:
                doubtful = headline.significant is False
                pattern += " ({change}, which may be chance)" if doubtful else " ({change})"
            by = headline.change
            found += [
                *([Phrase("; ")] if found else []),
                *self._pieces(
                    pattern,
                    name=_linked(self._name(measure), measure.metric, self._of_scale(measure)),
                    score=self._estimate(headline.now, measure),
                    change="" if by is None else self.language.signed(by, 1),
                ),
            ]
        return [*found, Phrase(".")]

    def _compared(self, plan: Plan) -> str:
        """What the days are compared with, in words."""
        text, one = self.language.text, plan.tenants[0]
        if plan.query.compare == "previous_year":
            return text("the same days a year before")
        if plan.query.tenants is not None or one.compared is None:
            return text("the period before")  # each tenant's own
        if one.compared.end + days.ONE_DAY != one.dates.start:
            between = self.language.days(one.compared.start, one.compared.end)
            return text("the days {days}", days=between)
        if one.compared.days == 1:
            return text("the day before")
        return text("the {n} days before", n=str(one.compared.days))

    # -- the worst days

    def _worst(self, worst: Worst) -> list[Sentence]:
        run = worst.run
        whole = self._of_scale(worst.measure)
        given = {**whole, "metric": worst.measure.metric}
        in_run = {name: raw for name, raw in given.items() if name not in ("preset", "compare")} | {
            "start_date": run.first.isoformat(),
            "end_date": run.last.isoformat(),
            "compare": "previous_period",
        }
        found = [self._when(worst, given, in_run)]
        if worst.top:
            found.append(self._for_whom(worst.top, worst.within, worst, in_run))
        if worst.cost:
            found += self._costs(worst.cost, worst, whole, in_run)
        return found

    def _when(self, worst: Worst, given: Given, in_run: Given) -> Sentence:
        run, day = worst.run, self.language.day
        if run.first == run.last:
            when = self.language.text("on {day}", day=day(run.first))
        else:
            when = self.language.text(
                "from {start} to {end}", start=day(run.first), end=day(run.last)
            )
        return self._pieces(
            "It went wrong {days}: {score}, against {others} on the other days.",
            days=_linked(when, "daily", given),
            score=_linked(self._score(score_of(run.within), worst.measure), "daily", in_run),
            others=self._score(score_of(run.others), worst.measure),
        )

    def _for_whom(
        self, top: TopContributor, within: TopContributor | None, worst: Worst, in_run: Given
    ) -> Sentence:
        place, measure = top.mover.place, worst.measure
        now, before = top.mover.now, top.mover.before
        share = round(100 * top.share)
        who = self.name_of(place)
        mostly: Sentence = []
        if within:
            inside = within.mover.place
            mostly = self._pieces(
                ", mostly by {within}",
                within=_linked(
                    self.language.in_sentence(self.name_of(inside)),
                    _report_of(inside),
                    {**in_run, place.dimension: _raw(place)},
                ),
            )
        # by other dimensions the report is grouped already
        is_asked = place.dimension in ("os", "device") or place.dimension not in MOVED_BY
        grouped = {"group_by": quote(place.dimension, safe="")} if is_asked else {}
        return self._pieces(
            _WHO_EXPLAINS.get(place.dimension, _EXPLAINS),
            who=_linked(
                self.language.in_sentence(who) if place.dimension == "channel" else who,
                _report_of(place),
                {**in_run, **grouped},
            ),
            part=self.language.text("nearly all of it")
            if share >= _NEARLY_ALL
            else self.language.text("{share} of it", share=self.language.percent(share, 0)),
            score=_linked(
                self._estimate(now, measure), "daily", {**in_run, place.dimension: _raw(place)}
            ),
            answers=self._answers(now.n),
            before=self._estimate(before, measure),
            n=self.language.count(before.n),
            days=self._before_run(worst.run),
            within=mostly,
        )

    # -- what they cost

    def _costs(self, cost: Cost, worst: Worst, given: Given, in_run: Given) -> list[Sentence]:
        text, count = self.language.text, self.language.count
        metric = worst.measure.metric
        points = text("{points} points", points=self.language.fixed(worst.run.points, 1))
        extra = cost.answers - cost.answers_before
        # fewer bad answers than before, after worse days, are no cost
        more = max(0, (cost.bad or 0) - cost.bad_before) if cost.bad_before is not None else 0
        if not more:
            pattern = "The cost: {points} of the score of all these days."
        elif extra > 0:
            pattern = (
                "The cost: {bad} than in the {days} ({now} after {before}), {n} more answers in "
                "all, and {points} of the score of all these days."
            )
        else:
            pattern = (
                "The cost: {bad} than in the {days} ({now} after {before}), and {points} of the "
                "score of all these days."
            )
        bad = text(SEGMENT_NAMES[metric]["bad"])
        found = [
            self._pieces(
                pattern,
                bad=_linked(text("{n} more {bad} answers", n=count(more), bad=bad), metric, in_run),
                days=self._before_run(worst.run),
                now=count(cost.bad or 0),
                before=count(cost.bad_before or 0),
                n=count(extra),
                points=_linked(points, metric, given),
            )
        ]
        if cost.contacts:
            found.append(self._contacts(cost.contacts, in_run))
        if cost.revenue:
            found.append(self._revenue(cost.revenue, worst.run, in_run))
        return found

    def _contacts(self, found: Contacts, in_run: Given) -> Sentence:
        text = self.language.text
        extra = found.entered - found.entered_before
        size = self.language.count(abs(extra))
        return self._pieces(
            "{centre} had {n} contacts in these days, {change}, and accepted {now} of those with "
            "a threshold in time, after {before}.",
            centre=_linked(text("The contact centre"), "customer-perspective", _days_of(in_run)),
            n=self.language.count(found.entered),
            change=text("{n} fewer" if extra < 0 else "{n} more", n=size),
            now=self.language.percent(found.accepted_pct, 1),
            before=self.language.percent(found.accepted_pct_before, 1),
        )

    def _revenue(self, found: Sequence[Revenue], run: WorstRun, in_run: Given) -> Sentence:
        first, *others = found
        pattern = "{revenue} was {amount} in these days, {change} than in the {days}"
        return self._pieces(
            pattern + ("; {others}." if others else "."),
            revenue=_linked(self.language.text("Revenue"), "revenue", _days_of(in_run)),
            amount=self.language.money(first.amount, first.currency),
            change=self._difference(first),
            days=self._before_run(run),
            others=self.language.listed([*map(self._difference, others)]) if others else "",
        )

    def _difference(self, found: Revenue) -> str:
        amount = self.language.money(abs(found.change), found.currency)
        return self.language.text(
            "{amount} less" if found.change < 0 else "{amount} more", amount=amount
        )

    def _before_run(self, run: WorstRun) -> str:
        if run.days == 1:
            return self.language.text("day before")
        return self.language.text("{n} days before", n=self.language.count(run.days))

    # -- words and links

    def _pieces(self, english: str, **values: "str | Phrase | Sentence") -> Sentence:
        """The text in the reader's language, values in the places of their {names}."""
        found: list[Phrase] = []
        for at, part in enumerate(_PLACES.split(self.language.text(english))):
            value = values[part] if at % 2 else part
            if isinstance(value, str):
                found += [Phrase(value)] if value else []
            else:
                found += [value] if isinstance(value, Phrase) else value
        return found

    def _name(self, measure: Measure) -> str:
        """A metric that is measured on several scales is told with its scale."""
        called = self.language.text(_NAMES[measure.metric])
        return f"{called} ({measure.scale})" if self._has_several_scales(measure) else called

    def _of_scale(self, measure: Measure) -> dict[str, str]:
        """The question's own days and filters; where a metric has several scales, of the one."""
        given: dict[str, str] = {}
        for name, raw in self.asked.pairs:
            given[name] = f"{given[name]},{raw.removeprefix('!')}" if name in given else raw
        if self.findings.plan.query.compare:
            given["compare"] = self.findings.plan.query.compare
        if self._has_several_scales(measure):
            given["scale"] = quote(measure.scale, safe="")
        return given

    def _has_several_scales(self, measure: Measure) -> bool:
        same = [one for one in self.findings.headlines if one.measure.metric == measure.metric]
        return len(same) > 1

    def _answers(self, n: int) -> str:
        return self.language.counted(n, "{n} answer", "{n} answers")

    def _estimate(self, answers: Answers, measure: Measure) -> str:
        """Their score as every page shows it, rounded from two decimals."""
        return self._score(answers.estimate.value, measure) if answers.estimate else NOTHING

    def _score(self, value: Decimal | float, measure: Measure) -> str:
        if measure.metric == "nps":
            return self.language.fixed(value, 1)
        return self.language.percent(value, 1)


def _linked(text: str, report: str, given: Given) -> Phrase:
    query = "&".join(f"{quote(name, safe='')}={raw}" for name, raw in given.items())
    return Phrase(text, Evidence(report, query))


def _report_of(place: Place) -> str:
    return _EVIDENCE.get(place.dimension, "daily")


def _raw(place: Place) -> str:
    """A value as a filter has it."""
    return quote(NOT_GIVEN if place.value is None else str(place.value), safe="")


def _days_of(given: Given) -> dict[str, str]:
    """Without the filters, which the contact centre's reports do not know."""
    names = ("start_date", "end_date", "compare", "tenant")
    return {name: given[name] for name in names if name in given}
