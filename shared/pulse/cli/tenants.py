"""`pulse tenant`: whom reports are made for."""

from typing import Annotated, Any, Literal

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.arguments import assignments, known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.errors import ConflictError
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant

WeekStart = Literal["monday", "sunday"]
TenantId = Annotated[str, typer.Argument(metavar="ID", help="a-z, 0-9 and -, at most 63.")]

SETTINGS = ("name", "timezone", "week_start", "min_sample")

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
        made = Tenant(tenant, name or tenant, timezone, week_start)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error
    try:
        find_target(stack).tenants.create(made)
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
    tenants = list(find_target(stack).tenants.all())
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
    found = known_tenant(target, tenant)
    _show(found, target.tenants.surveys(tenant), as_json=as_json)


@app.command("set")
def set_settings(
    tenant: TenantId,
    settings: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE…", help=f"Of {', '.join(SETTINGS)}.")
    ],
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="For settings that are dated.")
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Change settings of a tenant.

    Example:

        pulse tenant set bank "name=The Bank" min_sample=10
    """
    if since is not None:
        raise WrongUseError("--from is for dated settings, and there are none yet: leave it out.")
    values: dict[str, Any] = dict(assignments(settings, "tenant set"))
    unknown = [name for name in values if name not in SETTINGS]
    if unknown:
        raise WrongUseError(f"No setting {unknown[0]!r}; there are: {', '.join(SETTINGS)}.")
    target = find_target(stack)
    found = known_tenant(target, tenant)
    try:
        if "min_sample" in values:
            values["min_sample"] = _whole(values["min_sample"])
        changed = target.tenants.set(found, **values)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error
    except ConflictError as error:
        raise FailedError("The tenant was changed meanwhile: look at it and try again.") from error
    _show(changed, target.tenants.surveys(tenant), as_json=as_json)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"min_sample must be a whole number, not {text!r}")
    return int(text)


def _show(tenant: Tenant, surveys: list[Survey] | None = None, *, as_json: bool) -> None:
    described = _described(tenant)
    result = described | {"surveys": [_survey(survey) for survey in surveys or ()]}
    listed = ", ".join(
        f"{s.id} ({s.current_rule.metric} {s.current_rule.label})" for s in surveys or ()
    )
    output.show(result, output.pairs(described | {"surveys": listed or None}), as_json=as_json)


def _described(tenant: Tenant) -> dict[str, Any]:
    scores = tenant.table("scores")
    return {
        "id": tenant.id,
        "name": tenant.name,
        "timezone": tenant.timezone,
        "week_start": tenant.week_start,
        "min_sample": tenant.min_sample,
        "first_day": scores.first_day.isoformat() if scores.first_day else None,
        "as_of": days.iso(scores.as_of_us) if scores.as_of_us is not None else None,
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
