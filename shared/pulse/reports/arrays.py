"""Sums as NumPy's arrays, and how those are added up by groups."""

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[Any]
"""Of whichever width holds them; Python's own integers where 64 bits do not."""


def added(amounts: Integers, numbers: Integers, groups: int) -> Integers:
    """The sums of each row of amounts by the numbers of the groups that they belong to, from 0."""
    sums: Integers = np.zeros((len(amounts), groups), amounts.dtype)
    for its, row in zip(sums, amounts, strict=True):
        np.add.at(its, numbers, row)
    return sums
