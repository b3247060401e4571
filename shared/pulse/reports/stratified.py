"""What a figure is made of that takes all rows of a question at once (declarations.Among)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulse.reports.arrays import Integers
from pulse.reports.declarations import Label


@dataclass(frozen=True)
class Stratified:
    """All rows of a question and their sums by stratum, in columns.

    `groups` names the dimensions of each row, `frame` is the number of its frame: rows of one
    tenant, one period and one value of each required dimension have the same. A line of `sums` has
    the counts of a row in a stratum, whose numbers are `row` and `stratum`; a stratum is a
    combination of values of the strata's dimensions in one frame.
    """

    groups: Sequence[Mapping[str, Label]]
    frame: Integers
    row: Integers
    stratum: Integers
    sums: Integers
