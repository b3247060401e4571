"""Tenants, surveys and keys in the table.

pk              sk         record
TENANTS         tenant     settings, `TABLE.YEAR.parts` → what that year is made of, and
                           `behind`: by table what is not as raw has it
SURVEYS#tenant  survey     rules with their beginnings, texts by language, the secret of its links
KEY#sha256      KEY        the key
KEYS#tenant     key id     its sha256, for listing (`KEYS#` for operator keys)
KEY_IDS         key id     its sha256, for revoking
KEY_USES#tenant key id     the day (UTC) on which it was last used (`KEY_USES#` for operator keys)

The three records of a key that is made for one command have `expires_s`, so that DynamoDB deletes
them if the command dies before it does.

Versions of Pulse without parts store the state of a year under `TABLE.YEAR` and ignore the other
name. This version removes that attribute when it writes its own. So if a record has both, an older
version was deployed again and has built the year since.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from typing import Any

from pulse import days
from pulse.days import DateRange
from pulse.errors import ConflictError, NewerFormatError, SettingsError
from pulse.lake import INTERACTIONS
from pulse.observe import count, logger
from pulse.store.records import Check, Record, Records, Update
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import DEFAULT_LANGUAGE, Display, Survey, Texts
from pulse.tenants.tenant import ADJUSTABLE, CUBE, Behind, Part, TableState, Tenant, YearState
from pulse.tenants.thresholds import Timeline
from pulse.unbuilt import Unbuilt

_TENANTS = "TENANTS"
_PARTS = ".parts"
"""The ending of the names of attributes that hold states of years."""
_SETTINGS = (
    "name",
    "timezone",
    "week_start",
    "min_sample",
    "started",
    "satisfaction_scale",
    "satisfaction_from",
    "synchronous_media",
    "thresholds",
    "adjust_for",
    "dimensions",
    "targets",
    "display_name",
    "logo_url",
    "privacy_url",
)

_MERGED = {"thresholds", "targets", "dimensions"}
"""Settings of several values, which a change adds to."""


def _alarm(error: SettingsError) -> None:
    """Log which tenant's record cannot be read, and count it in the metric of the alarm."""
    logger.error("tenant not read", extra={"error": str(error)})
    count("TenantsUnreadable")


class Tenants:
    """Reads and writes tenants, surveys and keys; `fail_fast` if a caller waits.

    Reads are consistent, because callers remember their result for a minute, also that there is
    no such key, and a key is often used right after it was made.
    """

    def __init__(
        self,
        table: str,
        *,
        fail_fast: bool = False,
        skipped: Callable[[SettingsError], None] = _alarm,
    ) -> None:
        """`skipped` is called with the error of each tenant that `all` leaves out."""
        self._records = Records(table, fail_fast=fail_fast)
        self._skipped = skipped

    # -- tenants

    def create(self, tenant: Tenant) -> None:
        """Store a new tenant. Raises ConflictError if the id is taken."""
        self._records.create({"pk": _TENANTS, "sk": tenant.id, **_settings(tenant, _SETTINGS)})

    def get(self, tenant: str) -> Tenant | None:
        """The tenant, or None if there is none. Raises SettingsError if it cannot be read."""
        record = self._records.get(_TENANTS, tenant, consistent=True)
        return _tenant(record) if record else None

    def all(self) -> Iterator[Tenant]:
        """Every tenant, in order of id.

        A tenant whose record cannot be read is left out, so that it does not stop the others;
        `skipped` is called for it.
        """
        for record in self._records.query(_TENANTS, consistent=True):
            try:
                yield _tenant(record)
            except SettingsError as error:
                self._skipped(error)

    def set(self, tenant: Tenant, **settings: Any) -> Tenant:
        """Change settings; return the tenant as it is afterwards.

        Raises ValueError for a value that no tenant can have or a setting that is fixed already,
        and ConflictError if its first event came, or thresholds, targets or dimensions changed, in
        between.
        """
        changed = replace(tenant, **settings)
        conditions = ["attribute_exists(pk)"]
        written = _settings(changed, settings)
        values = {f":{name}": value for name, value in written.items()}
        if changed.timezone != tenant.timezone:
            if tenant.started:
                raise ValueError("the time zone is fixed since the tenant's first event")
            conditions.append("started = :not_started")
            values[":not_started"] = False
        rescaled = changed.satisfaction_scale != tenant.satisfaction_scale
        if rescaled and tenant.table(INTERACTIONS.name).published_years:
            raise ValueError("satisfaction_scale is fixed since reports have interactions")
        for name, before in _settings(tenant, {*settings} & _MERGED).items():
            conditions.append(f"(#{name} = :{name}_before OR attribute_not_exists(#{name}))")
            values[f":{name}_before"] = before
        sets = ", ".join(f"#{name} = :{name}" for name in written)
        record = self._records.update(
            _TENANTS,
            tenant.id,
            f"SET {sets}",
            names={f"#{name}": name for name in written},
            values=values,
            condition=" AND ".join(conditions),
        )
        return _tenant(record)

    def start(self, tenant: Tenant) -> Tenant:
        """Fix the tenant's time zone before its first event is written.

        Raises ConflictError if the zone has changed since `tenant` was read.
        """
        if tenant.started:
            return tenant
        record = self._records.update(
            _TENANTS,
            tenant.id,
            "SET started = :yes",
            names={"#zone": "timezone"},
            values={":yes": True, ":zone": tenant.timezone},
            condition="#zone = :zone",
        )
        return _tenant(record)

    def remove(self, tenant: str) -> None:
        """Delete a tenant, if it is there. Delete its surveys and keys before."""
        self._records.delete({"pk": _TENANTS, "sk": tenant})

    # -- the state of report tables

    def set_year(
        self,
        tenant: str,
        table: str,
        year: int,
        state: YearState,
        *,
        before: YearState | None,
        fence: Check | None = None,
    ) -> None:
        """Store the state of one tenant-year if the condition `fence` holds too.

        Raises ConflictError if the state has changed since `before` was read (None: there was
        none), if the tenant is gone, or if the fence does not hold.
        """
        names = {"#year": f"{table}.{year}{_PARTS}", "#former": f"{table}.{year}"}
        values: dict[str, Any] = {":state": _year_record(state)}
        condition = "attribute_not_exists(#former) AND "
        if before is None:
            condition += "attribute_exists(pk) AND attribute_not_exists(#year)"
        elif before.revision:
            condition += "#year.#revision = :revision"
            names["#revision"] = "revision"
            values[":revision"] = before.revision
        else:  # an older version has written it
            condition = "#former.built_from = :content"
            values[":content"] = before.content
        expression = "SET #year = :state REMOVE #former"
        change = Update(_TENANTS, tenant, condition, names, values, expression)
        self._records.update_all(change, *([fence] if fence else []))

    def set_behind(
        self, tenant: str, behind: Mapping[str, Behind], *, fence: Check | None = None
    ) -> None:
        """Note which days and years of each report table are not built; other tables have none.

        Raises ConflictError if the tenant is gone, or if the condition `fence` does not hold.
        """
        told = {table: _behind_record(one) for table, one in behind.items() if one != Behind()}
        expression, values = "SET behind = :behind", {":behind": told}
        condition = "attribute_exists(pk)"
        if fence:
            change = Update(_TENANTS, tenant, condition, {}, values, expression)
            self._records.update_all(change, fence)
        else:
            self._records.update(_TENANTS, tenant, expression, values=values, condition=condition)

    # -- surveys

    def survey(self, tenant: str, survey: str) -> Survey | None:
        """The survey, or None if there is none."""
        record = self._records.get(f"SURVEYS#{tenant}", survey, consistent=True)
        return _survey(tenant, record) if record else None

    def surveys(self, tenant: str) -> list[Survey]:
        """Every survey of a tenant, in order of id."""
        return [_survey(tenant, r) for r in self._records.query(f"SURVEYS#{tenant}")]

    def put_survey(self, survey: Survey) -> None:
        """Store a survey; one with its id is replaced."""
        self._records.update(
            f"SURVEYS#{survey.tenant}",
            survey.id,
            "SET #rules = :rules, #style = :style, texts = :texts, "
            "default_language = :language, display = :display",
            names={"#rules": "rules", "#style": "style"},  # reserved words
            values={
                ":rules": [[since, rule.metric, rule.label] for since, rule in survey.rules],
                ":style": survey.style,
                ":texts": {
                    language: {
                        "question": texts.question,
                        "thanks": texts.thanks,
                        "labels": list(texts.labels),
                    }
                    for language, texts in survey.texts.items()
                },
                ":language": survey.default_language,
                ":display": asdict(survey.display),
            },
        )

    def set_signed(self, survey: Survey, named: Mapping[str, str], *, new_secret: str) -> Survey:
        """Set whether the survey's `agents` or `interactions` are free or signed; return it then.

        What is not named stays as it is. `new_secret` is stored only if the survey has no secret,
        so that links that were signed earlier stay valid. Raises ConflictError if there is no such
        survey.
        """
        settings = "".join(f"{name} = :{name}, " for name in named)
        record = self._records.update(
            f"SURVEYS#{survey.tenant}",
            survey.id,
            f"SET {settings}link_secret = if_not_exists(link_secret, :secret)",
            values={f":{name}": value for name, value in named.items()} | {":secret": new_secret},
            condition="attribute_exists(pk)",
        )
        return _survey(survey.tenant, record)

    def set_closed(self, survey: Survey, closed_us: int | None) -> Survey:
        """Close a survey from a moment on, or open it again with None; return it afterwards.

        Raises ConflictError if there is no such survey.
        """
        record = self._records.update(
            f"SURVEYS#{survey.tenant}",
            survey.id,
            "SET closed_us = :closed",
            values={":closed": closed_us},
            condition="attribute_exists(pk)",
        )
        return _survey(survey.tenant, record)

    def remove_surveys(self, tenant: str) -> int:
        """Delete every survey of a tenant; return how many there were."""
        return self._records.clear(f"SURVEYS#{tenant}")

    # -- keys

    def key(self, sha256: str) -> Key | None:
        """The key with that hash, revoked and expired ones included; None if there is none."""
        record = self._records.get(f"KEY#{sha256}", "KEY", consistent=True)
        return _key(record) if record else None

    def keys(self, tenant: str | None) -> list[Key]:
        """Every key of a tenant; for None every operator key."""
        pointers = self._records.query(f"KEYS#{tenant or ''}")
        found = (self.key(pointer["sha256"]) for pointer in pointers)
        return [key for key in found if key]

    def add_key(self, key: Key) -> None:
        """Store a new key. A `passing` one's records are deleted some time after it expires."""
        ends = {}
        if key.passing and key.expires_us is not None:
            ends = {"expires_s": key.expires_us // days.SECOND}
        by_hash, by_tenant, by_id, _ = _key_places(key)
        self._records.create(
            {
                **by_hash,
                "kind": key.kind,
                "tenant": key.tenant,
                "created_us": key.created_us,
                "surveys": list(key.surveys),
                "origins": list(key.origins),
                "filters": {name: list(values) for name, values in key.filters.items()},
                "report": key.report,
                "comments": key.comments,
                "expires_us": key.expires_us,
                "label": key.label,
                "revoked_us": None,
                **ends,
            },
            {**by_tenant, "sha256": key.sha256, **ends},
            {**by_id, "sha256": key.sha256, **ends},
        )

    def note_key_use(self, key: Key, day: date) -> None:
        """Store that the key was used on a day (UTC), unless a later one is known.

        What lies more than a day after it is not known but comes from a clock that ran ahead. It
        gives way, or it would be the last use for good.
        """
        *_, use = _key_places(key)
        with suppress(ConflictError):
            self._records.update(
                use["pk"],
                use["sk"],
                "SET last_day = :day",
                values={":day": day.isoformat(), ":next": (day + days.ONE_DAY).isoformat()},
                condition="attribute_not_exists(last_day) OR last_day < :day OR last_day > :next",
            )

    def key_uses(self, tenant: str | None) -> dict[str, date]:
        """The day (UTC) on which each key of a tenant (None: operator keys) was last used, by id.

        A key that was never used has none.
        """
        uses = self._records.query(f"KEY_USES#{tenant or ''}")
        return {use["sk"]: date.fromisoformat(use["last_day"]) for use in uses}

    def remove_key(self, key: Key) -> None:
        """Delete all records of a key."""
        self._records.delete(*_key_places(key))

    def revoke_key(self, key_id: str, now_us: int) -> Key | None:
        """Revoke the key of that id and return it; None if there is none.

        To revoke it again changes nothing.
        """
        pointer = self._records.get("KEY_IDS", key_id)
        if not pointer:
            return None
        try:
            record = self._records.update(
                f"KEY#{pointer['sha256']}",
                "KEY",
                "SET revoked_us = :now",
                values={":now": now_us, ":never": None},
                condition="revoked_us = :never",
            )
        except ConflictError:
            return self.key(pointer["sha256"])
        return _key(record)


def _key_places(key: Key) -> tuple[Record, Record, Record, Record]:
    """The keys (pk, sk) of its records: the key, the tenant's list, the id, and the last use."""
    return (
        {"pk": f"KEY#{key.sha256}", "sk": "KEY"},
        {"pk": f"KEYS#{key.tenant or ''}", "sk": key.id},
        {"pk": "KEY_IDS", "sk": key.id},
        {"pk": f"KEY_USES#{key.tenant or ''}", "sk": key.id},
    )


def _tenant(record: Record) -> Tenant:
    """The tenant in a record. Raises SettingsError if the record cannot be read as one."""
    try:
        return _read_tenant(record)
    except Exception as error:  # a person, a restored table or another version may have written it
        reason = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise SettingsError(
            f"the record of tenant {record['sk']!r} cannot be read: {reason}"
        ) from error


def _read_tenant(record: Record) -> Tenant:
    years: dict[str, dict[int, YearState]] = {}
    for name, value in record.items():
        table, _, year = name.removesuffix(_PARTS).partition(".")
        if year.isdigit() and not (name.endswith(_PARTS) and f"{table}.{year}" in record):
            years.setdefault(table, {})[int(year)] = _year(int(year), value)
    behind = {table: _behind(told) for table, told in record.get("behind", {}).items()}
    return Tenant(
        id=record["sk"],
        **_given_settings(record),
        tables={
            table: TableState(years.get(table, {}), behind.get(table, Behind()))
            for table in {**years, **behind}
        },
    )


def _settings(tenant: Tenant, names: Iterable[str]) -> Record:
    """Settings as they are stored."""
    settings = {name: getattr(tenant, name) for name in names}
    if "thresholds" in settings:
        settings["thresholds"] = _timelines_record(tenant.thresholds)
    if "dimensions" in settings:
        settings["dimensions"] = [  # a list, for their order tells their columns
            [key, [[since.isoformat(), wanted] for since, wanted in timeline]]
            for key, timeline in tenant.dimensions.items()
        ]
    if "targets" in settings:
        settings["targets"] = dict(tenant.targets)
    if "adjust_for" in settings:  # apart, for versions that know no other than built-in dimensions
        settings["adjust_for"] = [name for name in tenant.adjust_for if name in ADJUSTABLE]
        settings["adjust_for_own"] = [name for name in tenant.adjust_for if name not in ADJUSTABLE]
    return settings


def _given_settings(record: Record) -> dict[str, Any]:
    """The settings in a record; an older record lacks newer settings."""
    settings = {name: record[name] for name in _SETTINGS if name in record}
    for name in {"synchronous_media", "adjust_for"} & settings.keys():
        settings[name] = tuple(settings[name])
    if own := record.get("adjust_for_own"):
        settings["adjust_for"] = (*settings["adjust_for"], *own)
    settings["dimensions"] = {
        key: tuple((date.fromisoformat(since), wanted) for since, wanted in timeline)
        for key, timeline in record.get("dimensions", ())
    }
    return settings | {"thresholds": _timelines(record.get("thresholds", {}))}


def _timelines_record(timelines: Mapping[str, Timeline]) -> Record:
    return {
        name: [[since.isoformat(), seconds] for since, seconds in timeline]
        for name, timeline in timelines.items()
    }


def _timelines(record: Record) -> dict[str, Timeline]:
    return {
        name: tuple((date.fromisoformat(since), seconds) for since, seconds in timeline)
        for name, timeline in record.items()
    }


def _year_record(state: YearState) -> Record:
    return {
        "parts": [
            {
                "run": part.run,
                "days": _bits(part.days),
                "sizes": dict(part.sizes),
                "carried": part.carried,
                "laid": {run: _bits(laid) for run, laid in part.laid.items()},
            }
            for part in state.parts
        ],
        "content": state.content,
        "as_of_us": state.as_of_us,
        "first_day": state.first_day.isoformat() if state.first_day else None,
        "revision": state.revision,
        "owed": _bits(state.owed),
    }


def _year(year: int, record: Mapping[str, Any]) -> YearState:
    first = record["first_day"]
    first_day = date.fromisoformat(first) if first else None
    if "parts" not in record:  # of an older version, in which one object has the whole year
        whole = Part("", _days(year, _ALL_DAYS), {CUBE: 0})
        return YearState(
            parts=(whole,) if record["published"] else (),
            content=record["built_from"],
            as_of_us=record["as_of_us"],
            first_day=first_day,
            revision=0,
        )
    return YearState(
        parts=tuple(
            Part(
                run=part["run"],
                days=_days(year, part["days"]),
                sizes=part["sizes"],
                carried=part["carried"],
                laid={run: _days(year, laid) for run, laid in part.get("laid", {}).items()},
            )
            for part in record["parts"]
        ),
        content=record["content"],
        as_of_us=record["as_of_us"],
        first_day=first_day,
        revision=record["revision"],
        owed=_days(year, record.get("owed", "0")),
    )


_ALL_DAYS = f"{(1 << 366) - 1:x}"


def _bits(days_of_year: Iterable[date]) -> str:
    """Days of one year as bits of a hexadecimal number, January 1st the lowest."""
    return f"{sum(1 << day.timetuple().tm_yday - 1 for day in days_of_year):x}"


def _days(year: int, bits: str) -> frozenset[date]:
    first, number = date(year, 1, 1), int(bits, 16)
    found = (first + timedelta(days=at) for at in range(366) if number >> at & 1)
    return frozenset(day for day in found if day.year == year)


def _behind_record(behind: Behind) -> Record:
    return {
        "failing": list(map(_range_text, behind.failing)),
        "waiting": list(map(_range_text, behind.waiting)),
        "years": {str(year): unbuilt.record() for year, unbuilt in behind.years.items()},
    }


def _behind(record: Mapping[str, Any]) -> Behind:
    return Behind(
        failing=tuple(map(_range, record["failing"])),
        waiting=tuple(map(_range, record["waiting"])),
        years={int(year): Unbuilt.of_record(told) for year, told in record["years"].items()},
    )


def _range_text(dates: DateRange) -> str:
    return f"{dates.start}/{dates.end}"


def _range(text: str) -> DateRange:
    first, last = map(date.fromisoformat, text.split("/"))
    return DateRange(first, last)


def _survey(tenant: str, record: Record) -> Survey:
    return Survey(
        tenant=tenant,
        id=record["sk"],
        rules=tuple((since, _rule(metric, label)) for since, metric, label in record["rules"]),
        style=record["style"],
        texts={
            language: Texts(texts["question"], texts["thanks"], tuple(texts["labels"]))
            for language, texts in record["texts"].items()
        },
        default_language=record.get("default_language", DEFAULT_LANGUAGE),
        display=_display(record.get("display", {})),
        agents=record.get("agents", "free"),
        interactions=record.get("interactions", "signed"),
        link_secret=record.get("link_secret", ""),
        closed_us=record.get("closed_us"),
    )


def _rule(metric: str, label: str) -> Rule:
    """The stored rule. Raises NewerFormatError for one that this version does not know."""
    try:
        return Rule.parse(metric, label)
    except ValueError as error:
        raise NewerFormatError(f"a survey has the rule {metric} {label}") from error


def _display(record: Record) -> Display:
    known = {field.name for field in fields(Display)}
    return Display(**{name: value for name, value in record.items() if name in known})


def _key(record: Record) -> Key:
    return Key(
        sha256=record["pk"].removeprefix("KEY#"),
        kind=record["kind"],
        tenant=record["tenant"],
        created_us=record["created_us"],
        surveys=tuple(record["surveys"]),
        origins=tuple(record["origins"]),
        filters={name: tuple(values) for name, values in record["filters"].items()},
        report=record.get("report"),
        comments=record.get("comments", False),
        expires_us=record["expires_us"],
        revoked_us=record["revoked_us"],
        label=record.get("label", ""),
        passing="expires_s" in record,
    )
