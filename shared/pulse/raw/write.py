"""Stores a batch of messages as objects of the lake, one for each stream and day.

Rows of people who were erased while their message waited are left out (tombstones.py).

First the objects are written, then the days are counted as changed in the ledger, then builders
are told that there is something new (for a tenant's first events one is invoked at once), then the
messages are acknowledged. If the process dies in between, the same rows are written again, and
builders count each identity once. A message fails if any of its rows could not be stored; the other
messages of the batch do not.
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

_AT_ONCE = 8  # objects written at the same time; an import of a year has hundreds of days


@dataclass(eq=False)
class NewObject:
    """An object to be written: rows of a day, or, without a day, lines of the quarantine."""

    stream: str
    day: date | None
    rows: list[Row] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    """Ids of the messages whose items it holds."""


class Batch:
    """The targets of the messages read so far, at most one for each stream and day."""

    def __init__(self, tombstones: Tombstones) -> None:
        self._tombstones = tombstones
        self._targets: dict[tuple[str, date | None], NewObject] = {}
        self.left_out = 0
        """How many items were left out, since their person or source was erased or purged."""

    def leave_out(self, message: Message, item: Any) -> bool:
        """Whether the unreadable item is covered by a tombstone; then it counts as left out."""
        tenant, received_us = message.tenant, message.received_us
        erased = self._tombstones.name(tenant, item, received_us) or self._tombstones.purged(
            tenant, message.stream, message.key_id, received_us
        )
        self.left_out += erased
        return erased

    def leave_out_whole(self, message: Message) -> bool:
        """Whether the whole message was purged; then its items count as left out."""
        purged = self._tombstones.purged(
            message.tenant, message.stream, message.key_id, message.received_us
        )
        self.left_out += len(message.items) * purged
        return purged

    def add_row(self, stream: str, day: date, row: Row, message_id: str) -> None:
        """Add a row to its day's target, unless a tombstone covers it."""
        if self._tombstones.cover(stream, row, day):
            self.left_out += 1
            return
        target = self._target(stream, day, message_id)
        target.rows.append(row)

    def set_aside(self, stream: str, line: str, message_id: str) -> None:
        """Add a line to the stream's target in the quarantine."""
        target = self._target(stream, None, message_id)
        target.lines.append(line)

    @property
    def targets(self) -> list[NewObject]:
        """All objects to be written."""
        return list(self._targets.values())

    def _target(self, stream: str, day: date | None, message_id: str) -> NewObject:
        target = self._targets.get((stream, day))
        if target is None:
            target = self._targets[stream, day] = NewObject(stream, day)
        target.messages.add(message_id)
        return target


class WriteRaw:
    """The stage; `write` stores the messages of one SQS event."""

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
        """The stage over the stack that the settings name.

        Raises SettingsError if the country database cannot be read.
        """
        for service in ("dynamodb", "s3"):
            client(service, fail_fast=False)  # before there are threads, which botocore needs
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
        """Store the messages of an SQS event; return the ids of those that failed."""
        try:
            batch = Batch(self._erasures.tombstones())
        except Exception as error:  # nothing may be written without knowing who was erased
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
        """Add a message's items to the batch; False if the message failed."""
        try:
            self._sort(record, batch)
        except Exception as error:  # whatever it is, only this message fails
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
        except Exception as error:  # whatever is wrong with this item, the others are stored
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
        """The country of an unreadable item, which is kept in place of its address."""
        if origin.message.stream != "responses" or not isinstance(item, Mapping):
            return None
        known = {name: item[name] for name in ("country", "ip") if type(item.get(name)) is str}
        return country_of(known, origin, self._countries)

    def _refuse(self, record: Mapping[str, Any], reason: str, batch: Batch) -> None:
        """Set a whole message aside with the reason."""

        def found(address: Any) -> str | None:
            return self._countries.of(address) if isinstance(address, str) else None

        ip = _client_ip(record)
        line = quarantine.message_line(reason, _sent_us(record), record["body"], ip, found)
        batch.set_aside(quarantine.UNKNOWN_STREAM, line, record["messageId"])

    # -- storing

    def _store(self, target: NewObject) -> NewObject | None:
        """Write one target; return None, or the target if that failed."""
        try:
            if target.day is None:
                self._store_aside(target)
            else:
                self._store_rows(target, target.day)
        except Exception as error:  # the messages whose items it holds fail
            _log("object not stored", error, stream=target.stream, day=str(target.day))
            return target
        return None

    def _store_rows(self, target: NewObject, day: date) -> None:
        stream = ROWS[target.stream].stream
        rows = sorted(target.rows, key=ROWS[target.stream].sort_key)
        key = lake.raw_key(target.stream, day, lake.ulid())
        self._objects.put(key, parquet.encode(rows, stream.columns))
        if self._ledger.add(target.stream, day, tell=False).expired:
            self._set_aside(target, day)

    def _tell(self, stored: Sequence[NewObject]) -> list[NewObject]:
        """Tell builders what is stored, once for each stream; return the targets that they miss."""
        untold: list[NewObject] = []
        for stream in dict.fromkeys(target.stream for target in stored if target.day):
            try:
                self._ledger.changes.tell(stream)
            except Exception as error:  # no builder would read them, so their messages fail
                _log("builders not told", error, stream=stream)
                untold += [one for one in stored if one.day and one.stream == stream]
        return untold

    def _wake_for_first(self, stored: Sequence[NewObject]) -> None:
        """Invoke a builder at once for a tenant's first events: somebody tries Pulse and waits.

        Later events wait for the schedule. If this call fails, so do the first ones.
        """
        begun = self._zones.begun.intersection(row["tenant"] for t in stored for row in t.rows)
        if not begun:
            return
        self._zones.begun -= begun
        try:
            self._events.announce("first events written")
        except Exception as error:
            _log("builders not woken", error)

    def _set_aside(self, target: NewObject, day: date) -> None:
        """Also keep the rows of an expired day as lines of the quarantine: no build counts them.

        A day can expire after its row was made, if the stack's retention was shortened. housekeep
        removes the object with the rows.
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

    def _store_aside(self, target: NewObject) -> None:
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
    """When SQS received the message (UTC, microseconds)."""
    sent_ms = record.get("attributes", {}).get("SentTimestamp")
    return int(sent_ms) * 1000 if sent_ms else days.now_us()


def _log(text: str, error: Exception, **extra: str) -> None:
    """Log only the kind of an error: its text could quote an event."""
    logger.error(text, extra={"error": type(error).__name__, **extra})
