"""`pulse pages publish`: uploads the built pages to a deployed stack's bucket.

An upgrade does no harm to people who use the pages: assets are uploaded before the documents that
name them, and those of earlier versions stay for pages that are open.
"""

from pathlib import Path
from typing import Annotated

import typer

from pulse.cli import output
from pulse.cli.exits import WrongUseError
from pulse.cli.target import find_target
from pulse.pages import REQUIRED, WIDGET, cache_control, files, media_type
from pulse.store.objects import Objects

app = typer.Typer(no_args_is_help=True, help="The pages that people look at.")


@app.callback()
def _topic() -> None:
    """Keeps `publish` a command of its own, though it is the only one."""


@app.command()
def publish(
    stack: Annotated[
        str,
        typer.Option(
            "--stack",
            metavar="NAME",
            help="The deployed stack, reached with this shell's AWS credentials. "
            "The embedded one serves the folder by itself.",
        ),
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The built pages.", show_default=True)
    ] = Path("web", "dist"),
    replace_widget: Annotated[
        bool,
        typer.Option(
            "--replace-widget",
            help=f"Put {WIDGET} even where another one is published: sites that include that one "
            "with integrity= then load none.",
        ),
    ] = False,
    as_json: output.Json = False,
) -> None:
    """Put the dashboard, the survey page and the widget where a deployed stack serves them from.

    Example:

        make pages && pulse pages publish --stack pulse
    """
    found = files(folder)
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise WrongUseError(
            f"{folder} has no {', '.join(missing)}: build the pages first, by `make pages`."
        )
    target = find_target(stack)
    bucket = Objects(target.outputs.pages_bucket)
    if not replace_widget and _published_otherwise(bucket, found[WIDGET].read_bytes()):
        del found[WIDGET]
        output.say(
            f"{WIDGET} stays as it was published: sites include it by its hash. "
            "--replace-widget puts the new one."
        )
    for name, path in found.items():
        bucket.put_page(
            name,
            path.read_bytes(),
            media_type=media_type(name),
            cache_control=cache_control(name),
        )
    result = {"url": target.pages_url, "bucket": bucket.bucket, "files": list(found)}
    text = f"{len(found)} files put into {bucket.bucket}\n{target.pages_url}"
    output.show(result, text, as_json=as_json)


def _published_otherwise(bucket: Objects, widget: bytes) -> bool:
    return WIDGET in bucket.keys(WIDGET) and bucket.get(WIDGET) != widget
