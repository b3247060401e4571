"""`pulse erase`: a person who wants to be forgotten.

It runs here, with the caller's AWS credentials, and builds what changed as `pulse build` does.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from pulse import days
from pulse.cli import operating, output
from pulse.cli.arguments import WAIT_S, DryRun, Wait, known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, Target, find_target
from pulse.erasure.letters import Person, Sought
from pulse.errors import BuildCheckError, PulseError
from pulse.ingest.fields import NAME_LIMIT
from pulse.settings import BuildDailySettings

_MORE_BUILDS = 2


def erase(
    tenant: Annotated[str, typer.Option(metavar="ID", help="Whose customer it is.")],
    customer: Annotated[
        str, typer.Option(metavar="ID", help="The customer_id that the person's events name.")
    ],
    dry_run: DryRun = False,
    wait: Wait = WAIT_S,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Erase a person for good: from the lake, from what failed or still waits, from exports.

    Removed are the rows that name the customer, their interactions and what belongs to them.
    Reports are built again without them. It takes some minutes and asks nothing.

    Example:

        pulse erase --tenant acme --customer C-1042
    """
    if not customer or len(customer) > NAME_LIMIT or not customer.isprintable():
        raise WrongUseError(f"--customer takes a text of 1 to {NAME_LIMIT} characters.")
    target = find_target(stack)
    found = known_tenant(target, tenant)
    operating.wait_until_stored(target.outputs.queue_url, wait)
    person = Person(found.id, customer, found.timezone, days.now_us())
    remove(target, person, dry_run=dry_run, as_json=as_json)


def remove(target: Target, sought: Sought, *, dry_run: bool, as_json: bool) -> None:
    """Remove what is sought and show the receipt, or what would be on it."""
    from pulse.erasure.erase import Erase  # slow to import: it talks to Athena

    settings = target.build_settings
    with operating.functions_quiet():
        stage = Erase.from_settings(settings, target.outputs.dead_letter_queue_url, output.say)
        if dry_run:
            receipt, key = stage.preview(sought), None
        else:
            output.say("Looking for what is to go …")
            key, receipt = stage.run(sought, rebuild=lambda: rebuild(settings))
    result = receipt.shown() | {"receipt": key}
    output.show(result, receipt_text(result), as_json=as_json)
    if receipt.found_again:
        raise FailedError(f"{receipt.found_again:,} rows have come meanwhile: run it again.")


def rebuild(settings: BuildDailySettings, *, reports: bool = True) -> None:
    """Build what has changed: days, and their reports unless these are to wait.

    Raises FailedError, saying what to do, where that does not succeed.

    A build that read a day while it was rewritten refuses its own result: the next one is right.
    """
    try:
        for _ in range(_MORE_BUILDS):
            with suppress(BuildCheckError):
                operating.build_daily(settings)
                break
        else:
            operating.build_daily(settings)
        if reports:
            operating.build_reports(settings)
    except PulseError as error:
        raise FailedError(
            f"{error}. The rows are gone, but not all reports are built without them "
            "yet: run `pulse build`, then this again for the receipt."
        ) from error


def receipt_text(result: Mapping[str, Any]) -> RenderableType:
    """The receipt for people."""
    done = result["receipt"] is not None
    purged = result.get("purged", {})
    facts = {
        "tenant": result["tenant"],
        **({} if purged else {"customer (SHA-256)": result["customer_sha256"]}),
        **{name.replace("_", " "): _told(value) for name, value in purged.items() if value},
        "erased at": result["erased_at"] if done else "dry run: nothing was changed",
        **{f"{stream} removed": f"{n:,}" for stream, n in result["removed"].items()},
        **{f"days of {stream}": ", ".join(days) for stream, days in result["days"].items()},
        "older versions": result["versions_removed"],
        "quarantine lines": result["quarantine_lines"],
        "dead letters": "{changed} changed, {removed} removed".format(**result["dead_letters"]),
        "exports withdrawn": ", ".join(result["exports_withdrawn"]) or 0,
    }
    if done:
        facts |= {
            "files of exports removed": result["files_removed"],
            "results of statements removed": result["results_removed"],
            "days rebuilt": len(result["days_rebuilt"]),
            "a new search finds": result["found_again"],
            "receipt": result["receipt"],
        }
    if not result["objects"]:
        return output.pairs(facts)
    objects = output.table(
        ["object", "removed", "left", "SHA-256 before", "after"],
        [
            [o["key"], o["removed"], o["left"], o["sha256_before"], o["sha256_after"]]
            for o in result["objects"]
        ],
        right=["removed", "left"],
    )
    return Group(output.pairs(facts), Text(), objects)


def _told(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
