"""`pulse tenant create`, `list`, `show` and `set`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

import typer

from pulse import days, lake
from pulse.cli import output
from pulse.cli.arguments import assignments, day, known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.errors import ConflictError
from pulse.serve.own import own_dimensions, taken_names
from pulse.store.finance import Finance
from pulse.store.tenants import Tenants
from pulse.tenants.own_dimensions import OwnDimensions, declared
from pulse.tenants.rules import is_on_scale
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant, earliest
from pulse.tenants.thresholds import (
    KINDS,
    Timeline,
    beginning,
    changed_timeline,
    is_threshold,
    threshold_of_target,
)
from pulse.texts import tidy

WeekStart = Literal["monday", "sunday"]
TenantId = Annotated[str, typer.Argument(metavar="ID", help="a-z, 0-9 and -, at most 63.")]

SETTINGS = (
    *("name", "timezone", "week_start", "min_sample", "satisfaction_scale", "satisfaction_from"),
    *("synchronous_media", "adjust_for", "display_name", "logo_url", "privacy_url"),
)
_DIMENSIONS = "dimensions"
_KEYS = (
    f"{', '.join(SETTINGS)}, {_DIMENSIONS}, and MEDIUM.{'|'.join(KINDS)}, each also with _target"
)

app = typer.Typer(no_args_is_help=True, help="The tenants that reports are made for.")


@app.command()
def create(
    tenant: TenantId,
    name: Annotated[str | None, typer.Option(help="What people call it. Default: its id.")] = None,
    timezone: Annotated[
        str,
        typer.Option(metavar="ZONE", help="Whose days its reports count. Fixed once it has data."),
    ] = "UTC",
    week_start: Annotated[WeekStart, typer.Option(help="The first day of its weeks.")] = "monday",
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Make a tenant.

    Example:

        pulse tenant create bank --name "The Bank" --timezone Europe/Berlin
    """
    try:
        made = Tenant(tenant, tenant if name is None else _name(name), timezone, week_start)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error
    target = find_target(stack)
    if Finance(target.outputs.table).is_closed(tenant):
        raise FailedError(
            f"A tenant {tenant!r} was deleted, and its revenue is booked in the finance bucket: "
            "take another id, or that revenue would be adjusted."
        )
    try:
        target.tenants.create(made)
    except ConflictError as error:
        raise FailedError(
            f"The tenant {tenant!r} exists already. See it with: pulse tenant show {tenant}"
        ) from error
    _show(made, as_json=as_json)


@app.command("list")
def list_tenants(stack: StackName = None, as_json: output.Json = False) -> None:
    """List all tenants.

    Example:

        pulse tenant list --json
    """
    target = find_target(stack)
    moments = target.as_of()
    tenants = [tenant.as_of(moments) for tenant in target.tenants.all()]
    columns = ("id", "name", "timezone", "first_day", "as_of")
    rows = [[_described(tenant)[column] for column in columns] for tenant in tenants]
    output.show(
        [_described(tenant) for tenant in tenants], output.table(columns, rows), as_json=as_json
    )


@app.command()
def show(tenant: TenantId, stack: StackName = None, as_json: output.Json = False) -> None:
    """Show a tenant: its settings, its surveys and how far its reports reach.

    Example:

        pulse tenant show bank
    """
    target = find_target(stack)
    moments = target.as_of()
    found = known_tenant(target, tenant).as_of(moments)
    _show(found, target.tenants.surveys(tenant), as_json=as_json)


@app.command("set")
def set_settings(
    tenant: TenantId,
    settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help=f"Of {_KEYS}.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="Since when what is dated is in force."),
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Change settings of a tenant; within a minute every process knows them.

    Thresholds are whole seconds, or none, and each has a history by the tenant's days. Without
    --from the first value of one is in force for all days, a later one from tomorrow on. Targets
    say how many in a hundred should be within one, or none: pages colour by them. On
    synchronous media (voice,chat unless set) being accepted is the first response; a change holds
    for what is written from then on. Agents are compared within the dimensions of adjust_for
    (channel,country unless set), which may be the tenant's own. Survey pages show anybody
    display_name, the picture at logo_url and a link to privacy_url (both https); an empty value
    takes one away.

    Where satisfaction_from names a survey (or none), the score of an answer to it stands for the
    satisfaction of the interaction that it is linked to, if that has none of its own. The survey
    must be on the satisfaction scale.

    The dimensions are keys of tags by which answers are told apart in reports, such as team,plan,
    or none: up to four, each for good. They have a history like thresholds, and hold for answers
    that are sent from then on.

    Example:

        pulse tenant set bank voice.accept=20 voice.finish=300 --from 2027-01-01
        pulse tenant set bank dimensions=team,plan
    """
    values = assignments(settings, "tenant set")
    values = {tidy(name): text for name, text in values.items()}
    dated = {name: values.pop(name) for name in [*values] if is_threshold(name)}
    own = values.pop(_DIMENSIONS, None)
    targets = {name: values.pop(name) for name in [*values] if threshold_of_target(name)}
    _check_names({**values, **targets}, since)
    first_day = day(since, "--from") if since is not None else None
    target = find_target(stack)
    moments = target.as_of()
    found = known_tenant(target, tenant)
    try:
        changes: dict[str, Any] = values | _thresholds(found, dated, first_day)
        changes |= _targets(found, targets)
        if own is not None:
            changes[_DIMENSIONS] = _own_dimensions(found, own, first_day)
        if "name" in values:
            changes["name"] = _name(values["name"])
        if "display_name" in values:
            changes["display_name"] = tidy(values["display_name"])
        if "min_sample" in values:
            changes["min_sample"] = _whole("min_sample", values["min_sample"])
        for name in {"synchronous_media", "adjust_for"} & values.keys():
            changes[name] = _listed(values[name])
        if values.get("satisfaction_from") == "none":
            changes["satisfaction_from"] = ""
        if changes.keys() & {"satisfaction_from", "satisfaction_scale"}:
            _check_satisfaction(replace(found, **changes), target.tenants)
        changed = target.tenants.set(found, **changes)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error
    except ConflictError as error:
        raise FailedError("The tenant was changed meanwhile: look at it and try again.") from error
    if own is not None and found.started:
        output.say("Answers that are written already keep the dimensions of their time.")
    if _reaches_back(found, changed):
        output.say("Interactions that are written already keep the thresholds of their time.")
    _show(changed.as_of(moments), target.tenants.surveys(tenant), as_json=as_json)


def _check_names(undated: Mapping[str, str], since: str | None) -> None:
    for name in undated:
        if name not in SETTINGS and not threshold_of_target(name):
            raise WrongUseError(f"No setting {name!r}; there are: {_KEYS}.")
        if since is not None:
            raise WrongUseError(
                f"--from is for thresholds and dimensions, and {name} is none: leave it out."
            )


def _check_satisfaction(tenant: Tenant, tenants: Tenants) -> None:
    """Raise ValueError if satisfactions come from a survey that has none."""
    if not tenant.satisfaction_from:
        return
    survey = tenants.survey(tenant.id, tenant.satisfaction_from)
    if survey is None:
        raise ValueError(f"satisfaction_from: there is no survey {tenant.satisfaction_from!r}")
    label = survey.current_rule.label
    if not is_on_scale(label, tenant.satisfaction_scale):
        raise ValueError(
            f"satisfaction_from: the survey {survey.id} is on the scale {label}, and the tenant's "
            f"satisfaction_scale is {tenant.satisfaction_scale}: its scores are no satisfactions"
        )


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("A tenant's name cannot be empty")
    return text


def _listed(text: str) -> tuple[str, ...]:
    """The items of a setting, which are separated by commas; empty for none."""
    return () if text == "none" else tuple(dict.fromkeys(map(tidy, text.split(","))))


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{name} must be a whole number, not {text!r}")
    return int(text)


def _thresholds(
    tenant: Tenant, given: Mapping[str, str], since: date | None
) -> dict[str, dict[str, Timeline]]:
    """The setting `thresholds` with the given ones in force; empty if none are given."""
    if not given:
        return {}
    tomorrow = days.today(tenant.timezone) + days.ONE_DAY
    timelines = dict(tenant.thresholds)
    for name, text in given.items():
        seconds = None if text == "none" else _whole(name, text)
        before = timelines.get(name, ())
        timelines[name] = changed_timeline(before, since or beginning(before, tomorrow), seconds)
    return {"thresholds": timelines}


def _own_dimensions(tenant: Tenant, text: str, since: date | None) -> OwnDimensions:
    """The tenant's own dimensions with those listed in force, and no others."""
    keys = _listed(text)
    if taken := sorted(_taken(keys, tenant)):
        raise ValueError(
            f"queries and replies have something else of the name {', '.join(taken)}, in whatever "
            "case: send the tag under another key"
        )
    tomorrow = days.today(tenant.timezone) + days.ONE_DAY
    return declared(tenant.dimensions, keys, since, tomorrow)


def _taken(keys: Collection[str], tenant: Tenant) -> Iterator[str]:
    """Those of the keys that are the names of something else, in whatever case.

    A key that reports tell of the tenant already may be such a name: it was allowed once.
    """
    lowered = {name.lower() for name in taken_names()}
    known = {dimension.name for dimension in own_dimensions([tenant])}
    for key in keys:
        if key.lower() in lowered and key not in known:
            yield key


def _targets(tenant: Tenant, given: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """The setting `targets` with the given ones; empty if none are given."""
    if not given:
        return {}
    targets = dict(tenant.targets)
    for name, text in given.items():
        threshold = threshold_of_target(name) or name
        targets.pop(threshold, None)
        if text != "none":
            targets[threshold] = _whole(name, text.removesuffix("%"))
    return {"targets": targets}


def _reaches_back(before: Tenant, after: Tenant) -> bool:
    """Whether a threshold was changed for days that may have interactions already."""
    today = days.today(after.timezone)
    return any(
        since <= today and (since, seconds) not in before.thresholds.get(name, ())
        for name, timeline in after.thresholds.items()
        for since, seconds in timeline
    )


def _show(tenant: Tenant, surveys: list[Survey] | None = None, *, as_json: bool) -> None:
    described = _described(tenant)
    result = described | {"surveys": [_survey(survey) for survey in surveys or ()]}
    listed = ", ".join(
        f"{s.id} ({s.current_rule.metric} {s.current_rule.label})" for s in surveys or ()
    )
    lines = described | {"surveys": listed or None}
    del lines["thresholds"], lines["targets"]
    lines[_DIMENSIONS] = _own_lines(tenant.dimensions)
    lines["synchronous_media"] = ", ".join(tenant.synchronous_media) or "none"
    lines["adjust_for"] = ", ".join(tenant.adjust_for) or "none"
    lines |= {name: _timeline(timeline) for name, timeline in sorted(tenant.thresholds.items())}
    lines |= {f"{name}_target": f"{pct} %" for name, pct in sorted(tenant.targets.items())}
    output.show(result, output.pairs(lines), as_json=as_json)


def _timeline(timeline: Timeline) -> str:
    """A threshold's history as people read it: 20 s, none from 2027-01-01."""
    parts = []
    for since, seconds in timeline:
        value = "none" if seconds is None else f"{seconds} s"
        parts.append(value if since == days.FIRST_DAY else f"{value} from {since}")
    return ", ".join(parts)


def _own_lines(own: OwnDimensions) -> str | None:
    """The keys with their histories: team, plan from 2027-01-01, shop not from 2027-02-01."""
    parts = []
    for key, timeline in own.items():
        for since, wanted in timeline:
            day = "" if since == days.FIRST_DAY else f" from {since}"
            parts.append(f"{key}{'' if wanted else ' not'}{day}")
    return ", ".join(parts) or None


def _described(tenant: Tenant) -> dict[str, Any]:
    tables = tenant.tables.values()
    first_day = min((table.first_day for table in tables if table.first_day), default=None)
    as_of_us = earliest(tenant.table(dataset.name).as_of_us for dataset in lake.DATASETS)
    return {
        "id": tenant.id,
        "name": tenant.name,
        "timezone": tenant.timezone,
        "week_start": tenant.week_start,
        "min_sample": tenant.min_sample,
        "satisfaction_scale": tenant.satisfaction_scale,
        "satisfaction_from": tenant.satisfaction_from or None,
        "synchronous_media": list(tenant.synchronous_media),
        "adjust_for": list(tenant.adjust_for),
        "dimensions": {
            key: [{"from": since.isoformat(), "in_force": wanted} for since, wanted in timeline]
            for key, timeline in tenant.dimensions.items()
        },
        "targets": dict(sorted(tenant.targets.items())),
        "display_name": tenant.display_name or None,
        "logo_url": tenant.logo_url or None,
        "privacy_url": tenant.privacy_url or None,
        "thresholds": {
            name: [{"from": since.isoformat(), "seconds": seconds} for since, seconds in timeline]
            for name, timeline in sorted(tenant.thresholds.items())
        },
        "first_day": first_day.isoformat() if first_day else None,
        "as_of": days.iso(as_of_us) if as_of_us is not None else None,
    }


def _survey(survey: Survey) -> dict[str, Any]:
    rule = survey.current_rule
    return {
        "id": survey.id,
        "metric": rule.metric,
        "scale": rule.label,
        "style": survey.style,
        "languages": sorted(survey.texts),
    }
