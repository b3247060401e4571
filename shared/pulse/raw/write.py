"""A batch of messages → objects of the lake, one for each stream and day.

Whom an erasure names is left out, wherever the message has waited (tombstones.py).

First the objects, then the ledger's days, then the word to builders that there is something new
(a tenant's first events wake one at once), then the acknowledgement: a process that dies in between
writes the same rows again, and builders count each identity once. A message has failed if any of
its rows could not be stored; the others of the batch are done.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from pulse import days, lake
from pulse.ingest.message import ATTRIBUTE, Message
from pulse.observe import count, logger
from pulse.raw import parquet, quarantine
from pulse.raw.countries import Countries
from pulse.raw.names import AgentNames
from pulse.raw.rows import ROWS, Origin, Row, country_of, row_of
from pulse.raw.zones import Zones
from pulse.retention import expired, first_kept_day
from pulse.settings import WriteRawSettings
from pulse.store.clients import client
from pulse.store.erasures import Erasures
from pulse.store.events import Events
from pulse.store.ledger import Ledger
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tombstones import Tombstones

_AT_ONCE = 8  # objects in flight; an import of a year touches hundreds of days


@dataclass(eq=False)
class Target:
    """One object to be: rows of a day, or, without a day, lines to set aside."""

    stream: str
    day: date | None
    rows: list[Row] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    """Ids of the messages that have something in it."""


class Batch:
    """What the messages read so far come to: at most one target a stream and day."""

    def __init__(self, tombstones: Tombstones) -> None:
        self._tombstones = tombstones
        self._targets: dict[tuple[str, date | None], Target] = {}
        self.left_out = 0
        """Items of persons that have been erased, and what was purged."""

    def leave_out(self, message: Message, item: Any) -> bool:
        """Is the item, which cannot be read, nothing to keep? Then it counts as left out."""
        tenant, received_us = message.tenant, message.received_us
        erased = self._tombstones.name(tenant, item, received_us) or self._tombstones.purged(
            tenant, message.stream, message.key_id, received_us
        )
        self.left_out += erased
        return erased

    def leave_out_whole(self, message: Message) -> bool:
        """Was all of the message purged? Then its items count as left out."""
        purged = self._tombstones.purged(
            message.tenant, message.stream, message.key_id, message.received_us
        )
        self.left_out += len(message.items) * purged
        return purged

    def add_row(self, stream: str, day: date, row: Row, message_id: str) -> None:
        """A row to store, unless it is an erased person's."""
        if self._tombstones.cover(stream, row, day):
            self.left_out += 1
            return
        target = self._target(stream, day, message_id)
        target.rows.append(row)

    def set_aside(self, stream: str, line: str, message_id: str) -> None:
        """A line for the quarantine."""
        target = self._target(stream, None, message_id)
        target.lines.append(line)

    @property
    def targets(self) -> list[Target]:
        """Everything to be stored."""
        return list(self._targets.values())

    def _target(self, stream: str, day: date | None, message_id: str) -> Target:
        target = self._targets.get((stream, day))
        if target is None:
            target = self._targets[stream, day] = Target(stream, day)
        target.messages.add(message_id)
        return target


class WriteRaw:
    """Stores events as they come."""

    def __init__(
        self,
        objects: Objects,
        ledger: Ledger,
        zones: Zones,
        countries: Countries,
        names: AgentNames,
        erasures: Erasures,
        events: Events,
        retention_days: int = 0,
    ) -> None:
        self._objects = objects
        self._ledger = ledger
        self._zones = zones
        self._countries = countries
        self._names = names
        self._erasures = erasures
        self._events = events
        self._retention_days = retention_days

    @classmethod
    def from_settings(cls, settings: WriteRawSettings) -> Self:
        """write_raw on what template.yaml names.

        Raises SettingsError for a country database that cannot be read.
        """
        for service in ("dynamodb", "s3"):
            client(service, fail_fast=False)  # here: botocore cannot make them in two threads
        objects = Objects(settings.lake_bucket)
        return cls(
            objects,
            Ledger(settings.table),
            Zones(Tenants(settings.table)),
            _countries(settings.country_database, objects),
            AgentNames(Names(settings.table, fail_fast=True)),
            Erasures(settings.table),
            Events(settings.event_source),
            settings.retention_days,
        )

    def write(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Store the messages of an SQS event; the ids of those that have to come again."""
        try:
            batch = Batch(self._erasures.tombstones())
        except Exception as error:  # without knowing whom to leave out nothing may be written
            _log("erasures not read", error)
            count("MessagesFailed", len(records))
            return [record["messageId"] for record in records]
        failed = {record["messageId"] for record in records if not self._read(record, batch)}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            lost = list(filter(None, pool.map(self._store, batch.targets)))
        lost += self._tell([target for target in batch.targets if target not in lost])
        stored = [target for target in batch.targets if target not in lost]
        failed.update(*(target.messages for target in lost))
        self._wake_for_first(stored)
        self._names.note((t.day, row) for t in stored if t.day for row in t.rows)
        count("RowsWritten", sum(len(target.rows) for target in stored))
        count("RowsSetAside", sum(len(target.lines) for target in stored))
        count("RowsErased", batch.left_out)
        count("MessagesFailed", len(failed))
        return [record["messageId"] for record in records if record["messageId"] in failed]

    # -- reading

    def _read(self, record: Mapping[str, Any], batch: Batch) -> bool:
        """Add what a message holds to the batch; False if it has to come again for that."""
        try:
            self._sort(record, batch)
        except Exception as error:  # whatever it is: only this message comes again
            _log("message not read", error, message_id=record["messageId"])
            return False
        return True

    def _sort(self, record: Mapping[str, Any], batch: Batch) -> None:
        try:
            message = Message.decode(record["body"])
        except ValueError as error:
            self._refuse(record, str(error), batch)
            return
        if message.stream not in ROWS:
            self._refuse(record, f"there is no stream {message.stream!r}", batch)
            return
        zone = self._zones.of(message.tenant)
        if zone is None:
            if batch.leave_out_whole(message):  # the tenant has been deleted
                return
            self._refuse(record, f"there is no tenant {message.tenant!r}", batch)
            return
        origin = Origin(message, _client_ip(record), zone)
        for index, item in enumerate(message.items):
            self._add(item, index, origin, batch, record["messageId"])

    def _add(self, item: Any, index: int, origin: Origin, batch: Batch, message_id: str) -> None:
        message = origin.message
        try:
            day, row = row_of(item, index, origin, self._countries)
            if day < first_kept_day(self._retention_days):
                raise ValueError(expired(day))
        except Exception as error:  # a row may be wrong in any way; the others are good
            if batch.leave_out(message, item):
                return
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            content = {
                "tenant": message.tenant,
                "key_kind": message.key_kind,
                "key_id": message.key_id,
                "user_agent": message.user_agent,
                "country": self._country(item, origin),
                "item": item,
            }
            line = quarantine.row_line(reason, message.stream, message.received_us + index, content)
            batch.set_aside(message.stream, line, message_id)
        else:
            batch.add_row(message.stream, day, row, message_id)

    def _country(self, item: Any, origin: Origin) -> str | None:
        """The country of an item that cannot be read; its address is not kept."""
        if origin.message.stream != "responses" or not isinstance(item, Mapping):
            return None
        known = {name: item[name] for name in ("country", "ip") if type(item.get(name)) is str}
        return country_of(known, origin, self._countries)

    def _refuse(self, record: Mapping[str, Any], reason: str, batch: Batch) -> None:
        """Set a whole message aside."""

        def found(address: Any) -> str | None:
            return self._countries.of(address) if isinstance(address, str) else None

        ip = _client_ip(record)
        line = quarantine.message_line(reason, _sent_us(record), record["body"], ip, found)
        batch.set_aside(quarantine.UNKNOWN_STREAM, line, record["messageId"])

    # -- storing

    def _store(self, target: Target) -> Target | None:
        """Store one target; the target itself if that failed."""
        try:
            if target.day is None:
                self._store_aside(target)
            else:
                self._store_rows(target, target.day)
        except Exception as error:  # the messages that have rows in it come again
            _log("object not stored", error, stream=target.stream, day=str(target.day))
            return target
        return None

    def _store_rows(self, target: Target, day: date) -> None:
        stream = ROWS[target.stream].stream
        rows = sorted(target.rows, key=ROWS[target.stream].sort_key)
        key = lake.raw_key(target.stream, day, lake.ulid())
        self._objects.put(key, parquet.encode(rows, stream.columns))
        if self._ledger.add(target.stream, day, tell=False).expired:
            self._set_aside(target, day)

    def _tell(self, stored: Sequence[Target]) -> list[Target]:
        """Tell builders of what is stored, once a stream; the targets of which that failed."""
        untold: list[Target] = []
        for stream in dict.fromkeys(target.stream for target in stored if target.day):
            try:
                self._ledger.changes.tell(stream)
            except Exception as error:  # no builder would look: the messages come again
                _log("builders not told", error, stream=stream)
                untold += [one for one in stored if one.day and one.stream == stream]
        return untold

    def _wake_for_first(self, stored: Sequence[Target]) -> None:
        """Have a tenant's first events built at once: somebody tries it out and waits for them.

        Later ones wait for the schedule, as these do where the word is lost.
        """
        begun = self._zones.begun.intersection(row["tenant"] for t in stored for row in t.rows)
        if not begun:
            return
        self._zones.begun -= begun
        try:
            self._events.announce("first events written")
        except Exception as error:
            _log("builders not woken", error)

    def _set_aside(self, target: Target, day: date) -> None:
        """Store as lines the rows of a day that expired while raw was to be kept less long.

        No build would count them; housekeep removes the object.
        """
        for row in target.rows:
            content = {
                "tenant": row["tenant"],
                "key_kind": row.get("key_kind"),
                "key_id": row["key_id"],
                "item": row,
            }
            line = quarantine.row_line(expired(day), target.stream, row["received_us"], content)
            target.lines.append(line)
        target.rows.clear()
        self._store_aside(target)

    def _store_aside(self, target: Target) -> None:
        now = days.now()
        key = lake.quarantine_key(target.stream, now.date(), lake.ulid(now))
        self._objects.put(key, "".join(line + "\n" for line in target.lines).encode())


def _countries(key: str, objects: Objects) -> Countries:
    if not key:
        return Countries.built_in()
    return Countries.from_bytes(objects.get(key), f"s3://{objects.bucket}/{key}")


def _client_ip(record: Mapping[str, Any]) -> str | None:
    attribute = record.get("messageAttributes", {}).get(ATTRIBUTE, {})
    value: str | None = attribute.get("stringValue")
    return value


def _sent_us(record: Mapping[str, Any]) -> int:
    """When SQS took the message, for one that does not say it itself."""
    sent_ms = record.get("attributes", {}).get("SentTimestamp")
    return int(sent_ms) * 1000 if sent_ms else days.now_us()


def _log(text: str, error: Exception, **extra: str) -> None:
    """Log the kind of an error alone: its text could hold what an event held."""
    logger.error(text, extra={"error": type(error).__name__, **extra})
