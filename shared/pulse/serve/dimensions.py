"""GET /v1/dimensions/{name}: the values that a dimension has, for a filter to offer.

It is asked as a report grouped by the dimension would be, with the same days, filters and keys:
a filter then offers what the reports beside it show, and tells nothing that they do not.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pulse.errors import NotFoundError
from pulse.observe import logger
from pulse.reports.registry import FAMILIES, TENANT, Dimension, Report
from pulse.serve import query as queries
from pulse.serve.columns import NAMED
from pulse.serve.formats import PAGE_BYTES, fill, to_json
from pulse.serve.meta import meta_of
from pulse.serve.own import with_own
from pulse.serve.plan import Plan
from pulse.serve.query import Query, refusal
from pulse.serve.tally import tally_of
from pulse.serve.years import TenantYears
from pulse.store.names import Names
from pulse.tenants.access import Directory
from pulse.texts import plain_form

MOST_VALUES = 10_000
_META_BYTES = 200_000
"""What a reply has beside its values takes less."""

_DAYS = ("preset", "start_date", "end_date")
PARAMETERS: Mapping[str, str] = {
    "family": "Whose values, where several families have the dimension: survey by default.",
    "q": "Values alone that contain this text, or whose names do, whatever the case and accents.",
    **{name: queries.PARAMETERS[name] for name in _DAYS},
}
"""What every dimension takes, besides its family's dimensions as filters."""

_Value = str | None


@dataclass(frozen=True)
class DisplayNames:
    """What tenants call the values of their dimensions, for people to read; kept for 60 s."""

    directory: Directory
    names: Names

    def of(self, dimension: str, tenant: str) -> Mapping[str, str]:
        """Names by value: an agent's latest, a survey's question; of other dimensions none."""
        finders = {"agent": self.names.agents, "survey": self._questions}
        if (find := finders.get(dimension)) is None:
            return {}
        return self.directory.remember(("names", dimension, tenant), lambda: find(tenant))

    def known(self, dimension: str, tenants: Sequence[str]) -> dict[str, str] | None:
        """Names by value; if several tenants name a value, the first one's.

        Names are a nicety: None where they cannot be read.
        """
        found: dict[str, str] = {}
        try:
            for tenant in reversed(tenants):
                found |= self.of(dimension, tenant)
        except Exception as error:  # whatever it is: the values and counts are there
            logger.error("names not read", extra={"error": type(error).__name__})
            return None
        return found

    def told(self, plan: Plan) -> Plan:
        """The plan with the names of what it groups by, where these are asked for."""
        asked = [name for name in NAMED if plan.query.names and name in plan.query.group_by]
        tenants = [one.tenant.id for one in plan.tenants]
        found = {name: self.known(name, tenants) for name in asked}
        names = {name: known or {} for name, known in found.items()}
        return replace(plan, names=names, lacks_names=None in found.values())

    def _questions(self, tenant: str) -> dict[str, str]:
        """What each survey asks in its default language."""
        return {
            survey.id: survey.texts[survey.default_language].question
            for survey in self.directory.tenants.surveys(tenant)
            if survey.default_language in survey.texts
        }


@dataclass(frozen=True)
class ValueSearch:
    """Which values of a dimension are asked for: those that `report` and `query` leave.

    Of these the ones that contain `text`, or whose names do.
    """

    dimension: Dimension
    report: Report
    query: Query
    text: str

    @classmethod
    def parse(
        cls,
        name: str,
        pairs: Sequence[tuple[str, str]],
        *,
        across_tenants: bool = False,
        own: tuple[Dimension, ...] = (),
    ) -> "ValueSearch":
        """What (name, raw value) pairs ask of the dimension `name`, which may be one of `own`.

        Raises NotFoundError for an unknown dimension, BadRequestError for the first thing wrong
        with the query.
        """
        found = [with_own(one, own) for one in _each_family(name)]
        report = _told_by(found, name, queries.once("family", pairs))
        tenant = [TENANT.name] if across_tenants else []
        allowed = (*PARAMETERS, *tenant, *report.filter_names)
        for given, _ in pairs:
            if given not in allowed:
                reason = "There is no such parameter."
                raise refusal(given[:64], "unknown_parameter", reason, allowed)
        others = [(given, raw) for given, raw in pairs if given not in ("q", "family")]
        return cls(
            dimension=next(one for one in report.filters if one.name == name),
            report=report,
            query=queries.parse(others, report, across_tenants=across_tenants),
            text=queries.once("q", pairs) or "",
        )

    def answer(self, plan: Plan, objects: TenantYears, names: DisplayNames) -> dict[str, Any]:
        """The reply's members: at most MOST_VALUES values, or 3.8 MB, the most frequent first.

        `plan` is this search's, as a key asks it. The text is looked for among all values,
        however many there are.
        """
        known, warnings = self._names(plan, names)
        wanted = (
            (value, count)
            for value, count in self._counts(plan, objects)
            if self._is_wanted(value, known.get(value or ""))
        )
        # one more than is shown, to know whether there are more
        largest = heapq.nsmallest(MOST_VALUES + 1, wanted, key=_rank)
        found = [
            {"value": value, "name": None if value is None else known.get(value), "count": count}
            for value, count in largest
        ]
        room = PAGE_BYTES - _META_BYTES
        shown = len(fill(map(to_json, found), limit=MOST_VALUES, room=room))
        meta = meta_of(plan, objects)
        return {
            "dimension": self.dimension.name,
            "title": self.dimension.title,
            "meta": {**meta, "warnings": [*meta["warnings"], *warnings]},
            "values": found[:shown],
            "truncated": len(found) > shown,
        }

    def _counts(self, plan: Plan, objects: TenantYears) -> Iterator[tuple[_Value, int]]:
        """Each value with how many it counts for."""
        tally = tally_of(plan, objects, [self.dimension.name])
        for (value,), (count, _) in zip(tally.keys, tally.sums.tolist(), strict=True):
            yield None if value is None else str(value), count

    def _names(
        self, plan: Plan, names: DisplayNames
    ) -> tuple[dict[str, str], list[dict[str, str]]]:
        """(names by value, warnings)."""
        known = names.known(self.dimension.name, [one.tenant.id for one in plan.tenants])
        if known is None:
            message = "Display names cannot be read just now; q has searched the values alone."
            return {}, [{"code": "names_unavailable", "message": message}]
        return known, []

    def _is_wanted(self, *shown: str | None) -> bool:
        """Does one of them contain the text? Where there is no text, everything is wanted."""
        wanted = plain_form(self.text)
        return not wanted or any(wanted in plain_form(text) for text in shown if text is not None)


def _rank(counted: tuple[_Value, int]) -> tuple[int, bool, str]:
    """The greatest count first, None last of its equals."""
    value, count = counted
    return -count, value is None, value or ""


def _each_family(dimension: str) -> list[Report]:
    """The question for a dimension's values, of each family."""
    name = f"dimensions/{dimension}"
    return [Report(name, "", "", family, metrics=()) for family in FAMILIES.values()]


def _told_by(reports: Sequence[Report], dimension: str, asked: str | None) -> Report:
    """That of the family asked for, if it has the dimension, or of the first one that has."""
    if asked is not None and asked not in FAMILIES:
        raise refusal("family", "unknown_family", "There is no such family.", tuple(FAMILIES))
    reports = [one for one in reports if asked in (None, one.family.name)]
    for report in reports:
        if dimension in report.filter_names:
            return replace(report, group_by=(dimension,))
    known = dict.fromkeys(name for report in reports for name in report.filter_names)
    raise NotFoundError(
        "unknown_dimension", f"There is no such dimension. There are: {', '.join(known)}."
    )
