"""`pulse erase`: removes a person's events.

It runs on this machine, with the caller's AWS credentials, and builds what has changed as
`pulse build` does.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from pulse import days
from pulse.cli import building, output
from pulse.cli.arguments import WAIT_S, DryRun, Wait, known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, Target, find_target
from pulse.erasure.person import Person
from pulse.erasure.sought import Sought
from pulse.streams.fields import NAME_LIMIT
from pulse.texts import tidy


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
    customer = tidy(customer)
    if not customer or len(customer) > NAME_LIMIT or not customer.isprintable():
        raise WrongUseError(f"--customer takes a text of 1 to {NAME_LIMIT} characters.")
    target = find_target(stack)
    found = known_tenant(target, tenant)
    building.wait_until_stored(target.outputs.queue_url, wait)
    person = Person(found.id, customer, found.timezone, days.now_us())
    remove(target, person, dry_run=dry_run, as_json=as_json)


def remove(target: Target, sought: Sought, *, dry_run: bool, as_json: bool) -> None:
    """Remove these rows and print the receipt; a dry run prints what would be on it."""
    from pulse.erasure.erase import Erase  # slow to import: it talks to Athena

    settings = target.build_settings
    with building.functions_quiet():
        stage = Erase.from_settings(settings, target.outputs.dead_letter_queue_url, output.say)
        if dry_run:
            receipt, key = stage.preview(sought), None
        else:
            output.say("Looking for what is to be removed …")

            def rebuild() -> None:
                building.rebuild(settings, erased_of=sought.tenant)

            key, receipt = stage.run(sought, rebuild=rebuild)
        near = stage.search.near(sought) if isinstance(sought, Person) else {}
    result = receipt.shown() | {"receipt": key}
    if isinstance(sought, Person):
        result["left"] = near  # not in the receipt, which must name nobody
    if near:
        told = ", ".join(f"{name!r} ({count:,} rows)" for name, count in near.items())
        output.say(
            f"Left are rows of ids that differ in case or accents alone: {told}. Erase these too "
            "if they are the same person's."
        )
    output.show(result, receipt_text(result), as_json=as_json)
    if receipt.found_again:
        raise FailedError(f"{receipt.found_again:,} rows have arrived meanwhile: run it again.")


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
