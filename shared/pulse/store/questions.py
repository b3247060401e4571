"""Records of the roll-ups that Athena makes for queries of large tenants, in the table.

pk                sk        record
QUESTIONS#tenant  name      run, execution, state, objects; `expires_s`: DynamoDB deletes it some
                            time after
QUESTIONS#tenant  (turn)    of the one statement of the tenant that runs: name, run, execution,
                            until_us

Only one statement of a tenant runs at a time. It takes the turn before it starts, and gives the
turn back when a request finds that it has ended; if none does, the turn ends by itself. `(turn)`
is no query's name, since these are hexadecimal.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pulse import days, lake
from pulse.errors import ConflictError
from pulse.store.objects import Objects
from pulse.store.records import Record, Records

_TURN = "(turn)"
KEEP_US = 20 * 3600 * days.SECOND
"""How long a roll-up is used. The lake's lifecycle rule removes it a day after it was made."""
KEEP_FAILED_US = 60 * days.SECOND
"""How long a statement that failed is not tried again."""
BEGIN_US = 60 * days.SECOND
"""How long a turn lasts while it is not known whether its statement has started."""
RUN_US = 30 * 60 * days.SECOND
"""How long a statement may run: Athena's DML query timeout."""

State = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class StatementRun:
    """A statement that runs for readers or has, and its state."""

    tenant: str
    name: str
    """The statement's name. Equal queries over equal rows have the same one."""
    run: str
    """The run that its rows are stored under (lake.question_prefix)."""
    execution: str | None = None
    """Athena's id of it; None while it is being started."""
    state: State = "running"
    objects: int = 0
    """How many objects have its rows, once it is done."""


class Questions:
    """Reads and writes these records."""

    def __init__(self, table: str) -> None:
        self._records = Records(table, fail_fast=True)

    def get(self, tenant: str, name: str) -> StatementRun | None:
        """The statement of that name; None if there is none or it has expired."""
        record = self._records.get(_pk(tenant), name, consistent=True)
        if record is None or record["expires_s"] * days.SECOND <= days.now_us():
            return None
        return _statement(tenant, name, record)

    def turn(self, tenant: str) -> StatementRun | None:
        """The tenant's statement that runs; None if none is known to run."""
        record = self._records.get(_pk(tenant), _TURN, consistent=True)
        if record is None or record["until_us"] <= days.now_us():
            return None
        return _statement(tenant, record["name"], record)

    def take_turn(self, statement: StatementRun) -> bool:
        """Let this be the tenant's running statement; False, and nothing changes, if one runs."""
        now = days.now_us()
        try:
            self._records.update(
                _pk(statement.tenant),
                _TURN,
                "SET #name = :name, run = :run, execution = :none, until_us = :until",
                names={"#name": "name"},
                values={
                    ":name": statement.name,
                    ":run": statement.run,
                    ":none": None,
                    ":until": now + BEGIN_US,
                    ":now": now,
                },
                condition="attribute_not_exists(until_us) OR until_us <= :now OR run = :run",
            )
        except ConflictError:
            return False
        self._put(statement, BEGIN_US)
        return True

    def note_begun(self, statement: StatementRun) -> None:
        """Note the execution of the statement whose turn it is."""
        with suppress(ConflictError):  # the turn has ended: the query's own record has the state
            self._records.update(
                _pk(statement.tenant),
                _TURN,
                "SET execution = :execution, until_us = :until",
                values={
                    ":execution": statement.execution,
                    ":until": days.now_us() + RUN_US,
                    ":run": statement.run,
                },
                condition="run = :run",
            )
        self._put(statement, RUN_US)

    def end(self, statement: StatementRun) -> None:
        """Note that a statement is done or has failed, and give its turn back."""
        self._put(statement, KEEP_US if statement.state == "done" else KEEP_FAILED_US)
        with suppress(ConflictError):
            self._records.update(
                _pk(statement.tenant),
                _TURN,
                "SET until_us = :over",
                values={":over": 0, ":run": statement.run},
                condition="run = :run",
            )

    def forget(self, statement: StatementRun) -> None:
        """Delete a statement's record and end its turn: it did not start, or its rows are gone."""
        self.end(statement)
        self._records.delete({"pk": _pk(statement.tenant), "sk": statement.name})

    def remove(self, tenant: str, objects: Objects) -> int:
        """Delete the records of all statements of a tenant, and all versions of their rows.

        An erasure does so at its end, when the tenant's record names other rows, and so does the
        deletion of a tenant. Returns how many records and versions there were.
        """
        records = self._records.clear(_pk(tenant))
        return records + objects.wipe(lake.questions_prefix(tenant))

    def _put(self, statement: StatementRun, keep_us: int) -> None:
        """Store the statement, unless a statement of another run has been stored meanwhile."""
        now = days.now_us()
        with suppress(ConflictError):
            self._records.update(
                _pk(statement.tenant),
                statement.name,
                "SET run = :run, execution = :execution, #state = :state, #objects = :objects, "
                "expires_s = :expires",
                names={"#state": "state", "#objects": "objects"},
                values={
                    ":run": statement.run,
                    ":execution": statement.execution,
                    ":state": statement.state,
                    ":objects": statement.objects,
                    ":expires": (now + keep_us) // days.SECOND,
                    ":now": now // days.SECOND,
                },
                condition="attribute_not_exists(run) OR run = :run OR expires_s <= :now",
            )


def _pk(tenant: str) -> str:
    return f"QUESTIONS#{tenant}"


def _statement(tenant: str, name: str, record: Record) -> StatementRun:
    """The statement of a record. That of a turn has no state: a turn ends with its statement."""
    return StatementRun(
        tenant=tenant,
        name=name,
        run=record["run"],
        execution=record["execution"],
        state=record.get("state", "running"),
        objects=record.get("objects", 0),
    )
