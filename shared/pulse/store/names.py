"""What agents are called, in the table.

    pk                              sk        record
    NAMES#tenant#agent#secret       agent id  name, version, noted (how often)
    NAMES#tenant#agent#publishable  agent id  the same
    NAMES#tenant#agent              agent id  the same, of either kind: from before there were two
    NAMES#tenant                    kind      names (how many agents of that kind have one)

Events name their agent by an id and, if they like, by a name. Reports keep to the ids, which
are told apart whatever they are called; the latest name is for people who choose among them.

Anybody can take a publishable key from a page. What came with one stands apart, so that however
many agents it makes up, it takes no place from those that a secret key has named.
"""

from dataclasses import dataclass
from itertools import islice

from pulse.errors import ConflictError
from pulse.store.records import Records

MOST_AGENTS = 10_000
"""So many names of a tenant are kept and read of each kind: a page or two of DynamoDB."""


@dataclass(frozen=True)
class Naming:
    """An event's word on what an agent is called; the one with the greatest version holds.

    A `trusted` one came with a secret key: no other renames an agent that it has named. Among
    equals the later event has it, so that an import of old events does not bring old names back,
    and of one event what was received last.
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

    @property
    def kind(self) -> str:
        """What kind of key it came with."""
        return "secret" if self.trusted else "publishable"


class Names:
    """Reads and writes names. `fail_fast` where a caller waits."""

    def __init__(self, table: str, *, fail_fast: bool = False) -> None:
        self._records = Records(table, fail_fast=fail_fast)
        self._full: set[tuple[str, str]] = set()

    def note(self, naming: Naming) -> None:
        """The agent is called so from now on, unless a word of greater version is known.

        Nor is it where MOST_AGENTS of that kind have a name: then known agents alone are renamed.
        """
        is_full = (naming.tenant, naming.kind) in self._full
        try:
            record = self._records.update(
                f"{_agents_of(naming.tenant)}#{naming.kind}",
                naming.agent,
                "SET #name = :name, version = :version, noted = if_not_exists(noted, :none) + :one",
                names={"#name": "name"},  # a reserved word
                values={":name": naming.name, ":version": naming.version, ":none": 0, ":one": 1},
                condition="version <= :version"
                if is_full
                else "attribute_not_exists(version) OR version <= :version",
            )
        except ConflictError:
            return  # a greater word is known, or no place is left
        if record["noted"] == 1:
            self._count(naming)

    def _count(self, naming: Naming) -> None:
        """One more agent has a name; this process remembers where there are enough.

        So there may be a few more than MOST_AGENTS: one for each process.
        """
        counted = self._records.update(
            f"NAMES#{naming.tenant}",
            naming.kind,
            "ADD #names :one",
            names={"#names": "names"},
            values={":one": 1},
        )
        if counted["names"] >= MOST_AGENTS:
            self._full.add((naming.tenant, naming.kind))

    def agents(self, tenant: str) -> dict[str, str]:
        """The tenant's agents' names by their ids, of each kind at most MOST_AGENTS."""
        known: dict[str, tuple[str, str]] = {}
        for partition in _partitions(tenant):
            for record in islice(self._records.query(partition), MOST_AGENTS):
                word = record["version"], record["name"]
                known[record["sk"]] = max(word, known.get(record["sk"], word))
        return {agent: name for agent, (_, name) in known.items()}

    def remove(self, tenant: str) -> int:
        """Delete all names of a tenant and their counts; how many names there were."""
        removed = sum(map(self._records.clear, _partitions(tenant)))
        self._records.clear(f"NAMES#{tenant}")
        return removed


def _partitions(tenant: str) -> tuple[str, ...]:
    """Where names of the tenant's agents stand."""
    every = _agents_of(tenant)
    return f"{every}#secret", f"{every}#publishable", every


def _agents_of(tenant: str) -> str:
    return f"NAMES#{tenant}#agent"
