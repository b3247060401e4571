"""The columns of an object, read under the names of a tenant's own dimensions."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulse.serve.block import Columns
from pulse.serve.encoding import Encoded, constant


@dataclass(frozen=True)
class OwnColumns:
    """An object's dimensions, those of a tenant's own under their keys."""

    stored: Columns
    own: Mapping[str, str | None]
    rows: int

    def __getitem__(self, name: str) -> Encoded:
        """The column of that name; without a value in any row where the tenant lacks the key."""
        if name not in self.own:
            return self.stored[name]
        column = self.own[name]
        return constant(None, self.rows) if column is None else self.stored[column]

    def __contains__(self, name: str) -> bool:
        """True for what the question calls a dimension, and for those of the object."""
        return name in self.own or name in self.stored

    @property
    def nbytes(self) -> int:
        """The memory that the object's columns take."""
        return self.stored.nbytes
