"""Several questions about the same tenants, as one key asks them, by one reading of the reports."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from operator import sub

from pulse import lake
from pulse.filters import Filters, among
from pulse.reports.adjusting import Tally
from pulse.reports.declarations import Dimension, Label
from pulse.reports.metrics import segments
from pulse.reports.moving import Answers, Group, Place
from pulse.reports.registry import REPORTS
from pulse.serve.aggregate import Aggregate, aggregate
from pulse.serve.folding import folds, ways_to_ask_less
from pulse.serve.groups import TooManyGroupsError
from pulse.serve.own import names_told, own_dimensions, with_own
from pulse.serve.plan import Plan, TenantDays, needs_of, plan_of
from pulse.serve.query import Query
from pulse.serve.reading import Readable, read
from pulse.serve.years import Admit, Piece, TenantYears
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.tenant import Tenant

MOST_BYTES = 64 * 2**20
"""What can be left out is left out where more would have to be read for it."""
MOST_VALUES = 2_000
"""Of a dimension so many values are compared, those of the most answers."""

Counts = Sequence[int]
"""How often each score was given."""
NOTHING: Counts = [0] * len(lake.SCORE_COUNTS)


@dataclass(frozen=True)
class Measure:
    """A survey metric on a scale: what figures belong together."""

    metric: str
    scale: str

    @property
    def rule(self) -> Rule:
        """How its scores are judged."""
        return Rule.parse(self.metric, self.scale)

    @property
    def filters(self) -> Filters:
        """What leaves its answers alone."""
        return {"metric": among([self.metric]), "scale": among([self.scale])}


@dataclass(frozen=True)
class Counted:
    """The answers to one measure by the values of a dimension, now and before.

    Scores of fewer than `least` are withheld.
    """

    measure: Measure
    dimension: str
    values: Mapping[Label, tuple[Counts, Counts]]
    least: int = 0

    def groups(self) -> list[Group]:
        """The values' answers; of more than MOST_VALUES the largest, in order of their values."""
        size = {value: sum(now) + sum(before) for value, (now, before) in self.values.items()}
        named = (value for value in size if value != lake.REST)
        largest = sorted(named, key=lambda value: (-size[value], value is None, str(value)))
        return [self.group(value) for value in largest[:MOST_VALUES]]

    @property
    def is_cut(self) -> bool:
        """Are there values that are not among the groups?"""
        return len(self.values) > MOST_VALUES or lake.REST in self.values

    def group(self, value: Label) -> Group:
        """The answers of one value, of which there may be none."""
        now, before = self.values.get(value, (NOTHING, NOTHING))
        return Group(Place(self.dimension, value), self._answers(now), self._answers(before))

    def whole(self) -> tuple[Counts, Counts]:
        """The answers of all values together."""
        now, before = ([*map(sum, zip(*some, strict=True))] for some in self._sides())
        return now or NOTHING, before or NOTHING

    def without(self, others: "Counted", value: Label) -> Group:
        """The answers of one value less those among them that others are."""
        (now, before), (less_now, less_before) = (
            some.values.get(value, (NOTHING, NOTHING)) for some in (self, others)
        )
        left = [*map(sub, now, less_now)], [*map(sub, before, less_before)]
        least = max(self.least, others.least)
        return replace(self, values={value: left}, least=least).group(value)

    def tally(self, value: Label) -> Tally:
        """What the answers of one value come to now."""
        now, _ = self.values.get(value, (NOTHING, NOTHING))
        return Tally.of(segments(now, self.measure.rule), self.measure.metric)

    def _sides(self) -> tuple[list[Counts], list[Counts]]:
        return [now for now, _ in self.values.values()], [b for _, b in self.values.values()]

    def _answers(self, counts: Counts) -> Answers:
        return Answers.of(counts, self.measure.rule, least=self.least)


def counted(plan: Plan, found: Aggregate, dimension: str) -> dict[Measure, Counted]:
    """What a question grouped by the dimension counts, by measure."""
    names = plan.query.group_by
    metric, scale, at = (names.index(name) for name in ("metric", "scale", dimension))
    values: dict[Measure, dict[Label, list[Counts]]] = defaultdict(dict)
    for side, groups in enumerate((found.now, found.before)):
        if groups is None:
            continue
        for key, sums in zip(groups.keys, groups.sums.tolist(), strict=True):
            measure = Measure(str(key[metric]), str(key[scale]))
            values[measure].setdefault(key[at], [NOTHING, NOTHING])[side] = sums
    return {
        measure: Counted(
            measure, dimension, {v: (now, b) for v, (now, b) in some.items()}, plan.min_sample
        )
        for measure, some in values.items()
    }


@dataclass(frozen=True)
class Reader:
    """Asks questions about tenants as a key may ask them."""

    tenants: Sequence[Tenant]
    key: Key
    years: Readable
    admit: Admit

    @cached_property
    def own(self) -> tuple[Dimension, ...]:
        """The dimensions that the tenants have declared themselves."""
        return own_dimensions(self.tenants)

    def plan(self, report: str, query: Query) -> Plan:
        """The question. Raises ForbiddenError where the report lacks what the key is bound to."""
        return plan_of(with_own(REPORTS[report], self.own), query, self.tenants, self.key)

    def apart(self, names: Sequence[str], filters: Filters, report: str = "daily") -> list[str]:
        """Of these dimensions and the tenants' own that a report has, those without a filter."""
        told = with_own(REPORTS[report], self.own)
        every = dict.fromkeys((*names, *(dimension.name for dimension in told.own)))
        meant = names_told(told, self.own)
        return [name for name in every if name in meant and name not in filters]

    def rows(self, plans: Sequence[Plan]) -> list[TenantYears]:
        """What each of the questions needs, fetched at once. Raises what Years.read raises."""
        return read(self.years, plans, self.admit)

    def is_at_hand(self, plan: Plan) -> bool:
        """Can it be answered from a few report objects, with no statement of Athena's?"""
        weights = [self.years.weight(needs) for needs in needs_of(plan)]
        return None not in weights and sum(filter(None, weights)) <= MOST_BYTES

    def by(self, query: Query, dimensions: Iterable[str]) -> dict[str, dict[Measure, Counted]]:
        """The answers by each of the dimensions that are at hand, read together.

        Those with too many groups are left out, too.
        """
        asked = {
            name: self.plan("daily", replace(query, group_by=("metric", "scale", name)))
            for name in dimensions
        }
        asked = {name: plan for name, plan in asked.items() if self.is_at_hand(plan)}
        return {
            name: counted(plan, found, name)
            for (name, plan), found in zip(asked.items(), self.sums([*asked.values()]), strict=True)
            if found
        }

    def sums(self, plans: Sequence[Plan]) -> Iterator[Aggregate | None]:
        """What questions about the same days and filters count; None of one with too many groups.

        Of an object that several of them read, the rows that count are looked for once.
        """
        known: dict[int, Piece] = {}

        def cut(plan: Plan, tenant: TenantDays, piece: Piece) -> Piece:
            # each question has the columns under names of its own: an object is told by its days
            object_read = id(piece.block.day)
            if object_read not in known:
                known[object_read] = piece.only(tenant.ranges, plan.all_filters)
            return known[object_read]

        for plan, rows in zip(plans, self.rows(plans), strict=True):
            few = {
                one.tenant.id: [
                    replace(year, pieces=[cut(plan, one, piece) for piece in year.pieces])
                    for year in rows[one.tenant.id]
                ]
                for one in plan.tenants
            }
            try:
                found = aggregated(plan, few)
            except TooManyGroupsError:  # even when folded
                found = None
            yield found


def not_compared(dimensions: Sequence[str]) -> list[dict[str, str]]:
    """The warning that groups of these dimensions are left out, none if there are no such."""
    if not dimensions:
        return []
    message = (
        f"Groups by {', '.join(dimensions)} are not compared: with these filters that takes more "
        "than the reports that are at hand, or makes too many groups."
    )
    return [{"code": "not_compared", "message": message}]


def aggregated(plan: Plan, objects: TenantYears) -> Aggregate:
    """The question's sums; if there are too many groups, of the largest and of the rest.

    Raises TooManyGroupsError if even these are too many.
    """
    with suppress(TooManyGroupsError):
        return aggregate(plan, objects)
    for fold, _ in folds(plan, objects):
        with suppress(TooManyGroupsError):
            return aggregate(plan, objects, fold)
    raise TooManyGroupsError(*ways_to_ask_less(plan.query))
