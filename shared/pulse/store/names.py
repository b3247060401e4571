"""What agents are called, in the table.

    pk                  sk        record
    NAMES#tenant#agent  agent id  name, version

Events name their agent by an id and, if they like, by a name. Reports keep to the ids, which
are told apart whatever they are called; the latest name is for people who choose among them.
"""

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from pulse.errors import ConflictError
from pulse.store.records import Records

MOST_AGENTS = 10_000
"""So many names of a tenant are read at most: two or three pages of DynamoDB."""


@dataclass(frozen=True)
class Naming:
    """An event's word on what an agent is called; the one with the greatest version holds.

    Anybody can take a publishable key from a page: what came with one never renames an agent that
    a secret key has named. Among equals the later event has it, so that an import of old events
    does not bring old names back, and of one event what was received last.
    """

    tenant: str
    agent: str
    name: str
    trusted: bool
    happened_us: int
    received_us: int

    @property
    def version(self) -> str:
        """Sorts as the words' weights do."""
        return f"{self.trusted:d}-{self.happened_us:017}-{self.received_us:017}"


class Names:
    """Reads and writes names. `hurried` where a caller waits."""

    def __init__(self, table: str, *, hurried: bool = False) -> None:
        self._records = Records(table, hurried=hurried)

    def note(self, naming: Naming) -> None:
        """The agent is called so from now on, unless a word of greater version is known."""
        with suppress(ConflictError):  # a greater word is known
            self._records.update(
                _agents_of(naming.tenant),
                naming.agent,
                "SET #name = :name, version = :version",
                names={"#name": "name"},  # a reserved word
                values={":name": naming.name, ":version": naming.version},
                condition="attribute_not_exists(version) OR version <= :version",
            )

    def agents(self, tenant: str) -> dict[str, str]:
        """The tenant's agents' names by their ids, at most MOST_AGENTS."""
        records = self._records.query(_agents_of(tenant))
        return {record["sk"]: record["name"] for record in islice(records, MOST_AGENTS)}

    def remove(self, tenant: str) -> int:
        """Forget all names of a tenant; how many there were."""
        return self._records.clear(_agents_of(tenant))


def _agents_of(tenant: str) -> str:
    return f"NAMES#{tenant}#agent"
