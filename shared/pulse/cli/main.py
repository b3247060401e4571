"""The command `pulse`, with a module for each topic.

    tenants, surveys, keys     tenants, their surveys, and keys
    importing                  responses and interactions in files
    operations                  build, check, invoke, redrive
    quarantine                 shows events that could not be stored, and sends them again
    smoke_test                    a stack, tried as a whole
    erasing                    removes a person's events
    purging                    removes events that came with a key or within a time
    deleting                   deletes a tenant
    restoring                  brings back deleted or damaged events and records
    exporting, ordering        revenue for finance; single rows as files
    reporting                  numbers on the terminal
    insights                   what happened, in sentences
    publishing                 the pages into a deployed stack

Commands raise errors; this module prints them on stderr and ends with their exit code (exits.py).
"""

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pulse.cli import (
    deleting,
    erasing,
    exporting,
    importing,
    insights,
    keys,
    operations,
    output,
    publishing,
    purging,
    quarantine,
    reporting,
    restoring,
    smoke_test,
    surveys,
    tenants,
)
from pulse.cli.exits import CommandError, FailedError, NotAllowedError
from pulse.errors import PulseError
from pulse.store.stack import aws_refusal


class _Pulse(TyperGroup):
    """Runs a command line and ends with the exit code of what it raises."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            return super().main(*args, **options)
        except Exception as error:
            ending = _ending(error)
            if ending is None:
                raise
            output.say(f"pulse: {ending}")
            sys.exit(ending.exit_code)


def _ending(error: Exception) -> CommandError | None:
    """The CommandError for an error; None for an unexpected one."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, PulseError):
        return FailedError(str(error))
    if isinstance(error, OSError) and error.filename is None:  # no file of a command's: a stream
        return output.cannot_write(error)
    refusal = aws_refusal(error)
    if refusal is None:
        return None
    if refusal.denied:
        return NotAllowedError(f"{refusal.message} Check which AWS credentials this shell uses.")
    return FailedError(refusal.message)


app = typer.Typer(
    cls=_Pulse,
    name="pulse",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pulse: customer-experience reporting in your own AWS account.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        output.write(f"pulse {version('pulse')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print Pulse's version."
        ),
    ] = False,
) -> None:
    """Options before any command; each ends it by itself."""


tenants.app.command()(deleting.delete)
app.add_typer(tenants.app, name="tenant")
app.add_typer(surveys.app, name="survey")
app.add_typer(keys.app, name="key")
app.add_typer(importing.app, name="import")
app.add_typer(exporting.app, name="export")
app.add_typer(publishing.app, name="pages")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(restoring.app, name="restore")
app.command("build")(operations.build)
app.command("report")(reporting.report)
app.command("insights")(insights.insights)
app.command("redrive")(operations.redrive)
app.command("check")(operations.check)
app.command("invoke")(operations.invoke)
app.command("smoke")(smoke_test.smoke)
app.command("erase")(erasing.erase)
app.command("purge")(purging.purge)


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # builders print metrics for CloudWatch on stdout, which here is for the command's result
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    app()


if __name__ == "__main__":
    main()
