"""`pulse purge`: removes the events that came with a key, or within a time.

Like `pulse erase` it runs here, with the caller's AWS credentials, and builds what has changed.
"""

import re
from datetime import date, datetime, time
from typing import Annotated

import typer

from pulse import days, lake
from pulse.cli import building, erasing, output
from pulse.cli.arguments import WAIT_S, DryRun, Stream, Wait, known_tenant
from pulse.cli.exits import WrongUseError
from pulse.cli.target import StackName, Target, find_target
from pulse.cli.times import TimeReader
from pulse.erasure.purge import Purge

_KEY_ID = re.compile(r"[0-9a-f]{12}")


def purge(
    tenant: Annotated[str, typer.Option(metavar="ID", help="The tenant whose events they are.")],
    key: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Events sent with this key; `pulse key list` shows ids."),
    ] = None,
    received_from: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Events received at this time or later; a day means its beginning."
        ),
    ] = None,
    received_to: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Events received before this time; a day means its end. Default: now.",
        ),
    ] = None,
    stream: Stream = None,
    dry_run: DryRun = False,
    wait: Wait = WAIT_S,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Remove the events that came with a key or within a time, as after a flood or a wrong import.

    They are removed from the lake, from the messages that failed or still wait, and from exports.
    Reports are built again without them. Events that the key sends from now on stay, so revoke the
    key first. Times are in the tenant's time zone unless they name an offset.

    Example:

        pulse purge --tenant acme --key 3f9a1c0b77de --received-from "2026-11-20 14:00" --dry-run
    """
    if not (key or received_from or received_to):
        raise WrongUseError("Name what is to be removed: --key, --received-from or --received-to.")
    if key is not None and not _KEY_ID.fullmatch(key):
        raise WrongUseError(f"--key takes an id as `pulse key list` shows it, not {key[:64]!r}.")
    target = find_target(stack)
    zone = known_tenant(target, tenant).timezone
    from_us = _moment(received_from, "--received-from", zone)
    to_us = _moment(received_to, "--received-to", zone, ends=True)
    if (from_us or 0) >= min(days.now_us(), days.now_us() if to_us is None else to_us):
        raise WrongUseError(
            "Nothing can have been received in that time: its end is not after its beginning."
        )
    if key:
        _tell_of_key(target, tenant, key)
    building.wait_until_stored(target.outputs.queue_url, wait)
    streams = (stream,) if stream else lake.STREAMS
    wanted = Purge(tenant, streams, days.now_us(), key, from_us, to_us)
    erasing.remove(target, wanted, dry_run=dry_run, as_json=as_json)


def _moment(text: str | None, option: str, zone: str, *, ends: bool = False) -> int | None:
    """The instant that an option means. Raises WrongUseError naming it."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-11-20"):
            day = date.fromisoformat(text) + ends * days.ONE_DAY
            return days.to_us(datetime.combine(day, time(), days.zone(zone)))
        return TimeReader(zone).read(text)
    except (ValueError, OverflowError) as error:
        raise WrongUseError(
            f"{option} takes a time such as 2026-11-20T14:03 or a day, not {text!r}."
        ) from error


def _tell_of_key(target: Target, tenant: str, key_id: str) -> None:
    """Say whether the key can still send: a purge leaves what it sends from now on."""
    found = next((k for k in target.tenants.keys(tenant) if k.id == key_id), None)
    if found is None:
        output.say(
            f"{tenant} has no key {key_id} now. Events that came with such a key are removed."
        )
    elif found.usable(days.now_us()):
        output.say(
            f"The key still works, and events that it sends from now on stay. Revoke it with "
            f"`pulse key revoke {key_id}`, and purge again a minute later."
        )
