"""`pulse tenant delete`: deletes a tenant.

Like `pulse erase` it runs on this machine, with the caller's AWS credentials, and builds the days
that other tenants share with the deleted one.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from pulse.cli import building, erasing, output
from pulse.cli.arguments import DryRun, known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target


def delete(
    tenant: Annotated[str, typer.Argument(metavar="ID", help="The tenant to delete.")],
    yes: Annotated[
        str | None, typer.Option(metavar="ID", help="The tenant's id again, to confirm.")
    ] = None,
    with_finance: Annotated[
        bool, typer.Option("--with-finance", help="Delete its files in the finance bucket as well.")
    ] = False,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Delete a tenant for good, with everything that belongs to it alone.

    First its keys are revoked. Then its events are removed from wherever they are stored, and its
    reports, exports, surveys, names of agents and keys. Its revenue files stay as they were booked,
    unless you give --with-finance. This takes some minutes, and can be run again if it was
    interrupted. Data of other tenants do not change.

    Example:

        pulse tenant delete acme --dry-run

        pulse tenant delete acme --yes acme
    """
    if not dry_run and yes != tenant:
        raise WrongUseError(
            f"This deletes everything of {tenant!r} for good. See first what it would delete, with "
            f"--dry-run; then confirm it with: --yes {tenant}"
        )
    target = find_target(stack)
    found = known_tenant(target, tenant)
    from pulse.erasure.deletion import Deletion  # slow to import: it talks to Athena

    settings, outputs = target.build_settings, target.outputs
    with building.functions_quiet():
        stage = Deletion.from_settings(
            settings, outputs.dead_letter_queue_url, outputs.finance_bucket, output.say
        )
        if dry_run:
            key, receipt = None, stage.preview(found, with_finance=with_finance)
        else:
            key, receipt = stage.run(
                found,
                with_finance=with_finance,
                rebuild=lambda: building.rebuild(settings, reports=False),
            )
            building.rebuild(settings)
    result = {**receipt, "receipt": key}
    output.show(result, _text(result), as_json=as_json)
    if receipt["found_again"]:
        raise FailedError(
            f"{receipt['found_again']:,} rows have arrived meanwhile; see the receipt."
        )


def _text(result: Mapping[str, Any]) -> RenderableType:
    counts = result["tenant_deleted"]
    facts = {name.replace("_", " "): f"{number:,}" for name, number in counts.items()}
    return Group(erasing.receipt_text(result), Text(), output.pairs(facts))
