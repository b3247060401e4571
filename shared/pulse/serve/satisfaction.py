"""Scores of answers in the place of satisfactions that interactions lack.

A tenant names a survey by its setting `satisfaction_from`. An answer to it that is linked to an
interaction without a satisfaction of its own counts as that interaction's, on the day on which this
entered (docs/metrics.md, "Satisfaction from answers"). So rows of the table of experience become
rows of the table of interactions, which count no interaction and add satisfactions.
"""

from dataclasses import dataclass, replace

import numpy as np

from pulse import lake
from pulse.filters import BOTS, PEOPLE, Filters, among
from pulse.reports.metrics import DECIMAL_UNIT
from pulse.serve.block import Block, Columns, CountsInMemory, SparseColumn
from pulse.serve.encoding import Encoded, constant
from pulse.tenants.rules import is_on_scale
from pulse.tenants.tenant import Tenant

ENTERED_ON = "entered_on"
SCALE = "scale"

_SHIFT = 4
_UNIT = DECIMAL_UNIT >> _SHIFT
"""A satisfaction of 1 in the table of interactions is _UNIT << _SHIFT."""


def filters(tenant: Tenant) -> Filters:
    """Which rows of the table of experience have a score that stands for a satisfaction.

    Those of bots have none, as they count in no report that does not ask for them. Those whose
    scale is another one have none either: see `satisfactions`.
    """
    return {
        "survey": among([tenant.satisfaction_from]),
        "was_rated": among(["no"]),
        lake.DEVICE: PEOPLE,
    }


def satisfactions(block: Block, tenant: Tenant, asked: Filters) -> Block:
    """Rows of the table of experience as rows of the table of interactions.

    `asked` are those of the `filters` that some of the rows may fail.

    The sums of satisfactions stay far below 2**53, as a SparseColumn's must: there would have to be
    a million million answers in one year.
    """
    block = _on_scale(block, tenant, asked)
    scored = [
        (score, column)
        for score, name in enumerate(lake.SCORE_COUNTS)
        for column in block.counts.of([name], slice(None))[0]
    ]
    sums = {
        "with_satisfaction": [column for _, column in scored],
        "satisfaction": [
            SparseColumn(
                column.rows,
                column.amounts.astype(np.int64) * (score * _UNIT),
                column.shift + _SHIFT,
            )
            for score, column in scored
            if score
        ],
    }
    return replace(
        block,
        table=lake.INTERACTIONS,
        columns=_OfInteractions(block.columns, len(block.day)),
        counts=CountsInMemory(sums),
    )


def of_bots(block: Block, tenant: Tenant) -> Block:
    """The rows that are left out because a bot gave the score."""
    return _on_scale(block, tenant, {**filters(tenant), lake.DEVICE: BOTS})


def _on_scale(block: Block, tenant: Tenant, asked: Filters) -> Block:
    """The rows that pass, with scores on the scale of the tenant's satisfactions."""
    scales = among(
        str(label)
        for label in block.columns[SCALE].values
        if label is not None and is_on_scale(str(label), tenant.satisfaction_scale)
    )
    return block.only(None, {**asked, SCALE: scales})


@dataclass(frozen=True)
class _OfInteractions:
    """The dimensions of interactions, those that answers do not know without a value."""

    stored: Columns
    rows: int

    def __getitem__(self, name: str) -> Encoded:
        return self.stored[name] if name in self.stored else constant(None, self.rows)

    def __contains__(self, name: str) -> bool:
        return name in self.stored or name in lake.INTERACTIONS.dimensions

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return self.stored.nbytes
