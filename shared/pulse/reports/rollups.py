"""The roll-ups: which sums over fewer dimensions lie beside the cube of every dimension.

A roll-up holds the sums of the same daily rows over the dimensions that it leaves out. Sums add up,
so every question that names only its dimensions gets the same answer from it as from the cube, out
of a fraction of the rows. Builder and reader both go by this one list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pulse import lake
from pulse.tenants.tenant import CUBE

Grain = Literal["day", "month"]


@dataclass(frozen=True)
class Rollup:
    """Sums by these dimensions and by day, or by month named by its first day."""

    name: str
    dimensions: tuple[str, ...]
    grain: Grain = "day"


ROLLUPS: Mapping[str, tuple[Rollup, ...]] = {
    dataset.name: (Rollup(CUBE, dataset.dimensions),) for dataset in lake.DATASETS
}
"""By the name of the dataset, the cube first."""
