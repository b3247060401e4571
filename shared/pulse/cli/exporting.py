"""`pulse export revenue`: exports a month of revenue to finance by hand.

The export runs on this machine, with the caller's AWS credentials, by the same class as in the
function. It compares the files themselves, while the function relies on the records.
"""

import math
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pulse import lake
from pulse.cli import ordering, output
from pulse.cli.arguments import known_tenant
from pulse.cli.building import functions_quiet
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.errors import BuildCheckError, ConflictError
from pulse.tenants.tenant import Tenant

if TYPE_CHECKING:
    from pulse.finance.export import ExportRevenue
    from pulse.finance.manifest import Manifest

_ASK_EVERY_S = 1.0
_WAIT_S = 120.0
"""How long the command waits for another export of the same tenant."""

app = typer.Typer(no_args_is_help=True, help="Single rows as files, and revenue for finance.")


app.command("responses")(ordering.responses)
app.command("interactions")(ordering.interactions)


@app.command("revenue")
def export_revenue(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="ID", help="This tenant alone.")
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Compare a month of revenue in the finance bucket with the reports, and put what it lacks.

    An open month is mended; a closed one gets an adjustment. Without a command all this happens
    by itself after each build.

    Example:

        pulse export revenue --month 2026-10
    """
    target = find_target(stack)
    from pulse.finance.export import ExportRevenue  # slow to import: it brings pyarrow
    from pulse.finance.figures import first_day

    try:
        first_day(month)
    except ValueError as error:
        raise WrongUseError(f"--month takes a month such as 2026-10, not {month!r}.") from error
    tenants = [known_tenant(target, tenant)] if tenant else list(target.tenants.all())
    stage = ExportRevenue.from_settings(target.finance_settings)
    shown, failed = [], []
    for one in tenants:
        try:
            with functions_quiet():
                manifest = _export(stage, one, month)
        except (BuildCheckError, ConflictError) as error:
            failed.append(f"{one.id}: {error}.")
            continue
        shown.append(_shown(stage.files.bucket, one, month, manifest))
    output.show(shown, _table(shown), as_json=as_json)
    if failed:
        raise FailedError(" ".join(failed))


def _export(stage: "ExportRevenue", tenant: Tenant, month: str) -> "Manifest | None":
    """Export as soon as no other export of the tenant runs. Raises ConflictError after _WAIT_S."""
    give_up = time.monotonic() + _WAIT_S
    while True:
        try:
            return stage.export_month(tenant, month, remaining_s=lambda: math.inf)
        except ConflictError:
            if time.monotonic() >= give_up:
                raise
            time.sleep(_ASK_EVERY_S)


def _shown(bucket: str, tenant: Tenant, month: str, manifest: "Manifest | None") -> dict[str, Any]:
    """The manifest and its address; a month without interactions of the tenant has none."""
    if manifest is None:
        return {"tenant": tenant.id, "month": month, "state": None, "location": None}
    location = f"s3://{bucket}/{lake.revenue_prefix(tenant.id, month)}"
    return {**manifest.shown(), "location": location}


def _table(shown: list[dict[str, Any]]) -> Any:
    columns = ["tenant", "state", "version", "rows", "revenue", "adjustments", "files"]
    rows = [
        [
            month["tenant"],
            month["state"] or "no interactions",
            month.get("version"),
            month.get("rows"),
            _money(month.get("revenue", {})),
            _adjustments(month.get("adjustments", ())),
            month["location"],
        ]
        for month in shown
    ]
    return output.table(columns, rows, right=("version", "rows"))


def _money(revenue: dict[str, str]) -> str | None:
    return ", ".join(f"{amount} {currency}" for currency, amount in revenue.items()) or None


def _adjustments(adjustments: list[dict[str, Any]]) -> Text | None:
    changes = [f"{a['name'][-8:-4]}: {_money(a['revenue'])}" for a in adjustments]
    return Text("\n".join(changes)) if changes else None
