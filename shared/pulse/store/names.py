"""The names of agents in the table.

    pk                              sk        record
    NAMES#tenant#agent#secret       agent id  name, version, noted (how often)
    NAMES#tenant#agent#publishable  agent id  the same
    NAMES#tenant#agent              agent id  the same, of either kind: from before there were two
    NAMES#tenant                    kind      names (how many agents of that kind have one)

Events give their agent's id and may give a name. Reports use the ids; the latest name is for people
who choose among agents.

Anybody can take a publishable key from a page. Names that came with one are stored separately, so
that invented agents take no place from those that a secret key has named.
"""

from dataclasses import dataclass
from itertools import islice

from pulse.errors import ConflictError
from pulse.store.records import Records

MOST_AGENTS = 10_000
"""The most names of a tenant that are stored and read of each kind: a page or two of DynamoDB."""


@dataclass(frozen=True)
class Naming:
    """The name that an event gives an agent. The naming with the greatest version counts.

    A `trusted` naming came with a secret key; others cannot rename an agent that it has named.
    Among namings of one kind the later event counts, so that an import of old events does not bring
    old names back; for events of the same moment the one received last.
    """

    tenant: str
    agent: str
    name: str
    trusted: bool
    happened_us: int
    received_us: int

    @property
    def version(self) -> str:
        """A text by which namings are compared: trusted, then moment of the event, then receipt."""
        return f"{self.trusted:d}-{self.happened_us:017}-{self.received_us:017}"

    @property
    def kind(self) -> str:
        """The kind of key that it came with."""
        return "secret" if self.trusted else "publishable"


class Names:
    """Reads and writes names; `fail_fast` if a caller waits."""

    def __init__(self, table: str, *, fail_fast: bool = False) -> None:
        self._records = Records(table, fail_fast=fail_fast)
        self._full: set[tuple[str, str]] = set()

    def note(self, naming: Naming) -> None:
        """Store the name, unless one with a greater version is stored.

        If MOST_AGENTS of that kind have a name, only agents that have one are renamed.
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
            return  # a name with a greater version is stored, or there is no place left
        if record["noted"] == 1:
            self._count(naming)

    def _count(self, naming: Naming) -> None:
        """Count one more agent with a name. The process remembers when there are MOST_AGENTS.

        There may be a few more than MOST_AGENTS: one for each process.
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
        """The names of the tenant's agents by their ids, at most MOST_AGENTS of each kind."""
        known: dict[str, tuple[str, str]] = {}
        for partition in _partitions(tenant):
            for record in islice(self._records.query(partition), MOST_AGENTS):
                word = record["version"], record["name"]
                known[record["sk"]] = max(word, known.get(record["sk"], word))
        return {agent: name for agent, (_, name) in known.items()}

    def remove(self, tenant: str) -> int:
        """Delete all names of a tenant and their counts; return how many names there were."""
        removed = sum(map(self._records.clear, _partitions(tenant)))
        self._records.clear(f"NAMES#{tenant}")
        return removed


def _partitions(tenant: str) -> tuple[str, ...]:
    """The partition keys of the names of a tenant's agents."""
    every = _agents_of(tenant)
    return f"{every}#secret", f"{every}#publishable", every


def _agents_of(tenant: str) -> str:
    return f"NAMES#{tenant}#agent"
