"""As much of Liquid as docs/recipes.md uses, and how Zendesk fills a webhook's body with it.

Filters mean what Ruby's mean: `split: ' '` splits at any white space, lines and tabs included.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

_TOKEN = re.compile(r"(\{%.*?%\}|\{\{.*?\}\})", re.DOTALL)
_ARGUMENTS = re.compile(r"'([^']*)'|(\d+)")
_PIPE = re.compile(r"\|(?=(?:[^']*'[^']*')*[^']*$)")


def _truncate(text: str, length: str) -> str:
    most = int(length)
    return text if len(text) <= most else text[: most - 3] + "..."


def _date(text: str, form: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    offset = moment.strftime("%z")
    return moment.strftime(form.replace("%:z", f"{offset[:3]}:{offset[3:]}"))


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "split": lambda text, separator: text.split(None if separator == " " else separator),
    "join": lambda parts, glue: glue.join(parts),
    "replace": lambda text, old, new: text.replace(old, new),
    "truncate": _truncate,
    "downcase": lambda text: text.lower(),
    "date": _date,
}


def render(template: str, values: Mapping[str, Any], *, escapes: bool) -> str:
    """The template filled in; `escapes`: each value is escaped for JSON as it is put in."""
    named = dict(values)

    def put(text: str) -> str:
        return json.dumps(text)[1:-1] if escapes else text

    def run(tokens: Iterator[str], shown: bool) -> tuple[str, str]:
        """What is written up to the tag that ends the block, and that tag."""
        written: list[str] = []
        for token in tokens:
            if token.startswith("{{"):
                written.append(put(_evaluate(token[2:-2], named)) if shown else "")
            elif token.startswith("{%"):
                tag, _, rest = token[2:-2].strip().partition(" ")
                if tag == "assign" and shown:
                    name, _, expression = rest.partition("=")
                    named[name.strip()] = _evaluate(expression, named)
                elif tag == "if":
                    written.append(branch(tokens, rest, shown))
                elif tag in ("elsif", "else", "endif"):
                    return "".join(written), f"{tag} {rest}".strip()
                elif tag != "assign":
                    raise ValueError(f"no such tag here: {tag}")
            else:
                written.append(token if shown else "")
        return "".join(written), ""

    def branch(tokens: Iterator[str], condition: str, shown: bool) -> str:
        taken = False
        written = ""
        while True:
            holds = not taken and _holds(condition, named)
            text, end = run(tokens, shown and holds)
            written += text
            taken = taken or holds
            if end == "endif":
                return written
            condition = end.partition(" ")[2] or "true"

    return run(iter(_TOKEN.split(template)), True)[0]


def _evaluate(expression: str, values: Mapping[str, Any]) -> str:
    subject, *filters = _PIPE.split(expression)
    value = _look_up(subject.strip(), values)
    for each in filters:
        name, _, arguments = each.strip().partition(":")
        given = [text or number for text, number in _ARGUMENTS.findall(arguments)]
        value = _FILTERS[name](value, *given)
    return str(value)


def _look_up(path: str, values: Mapping[str, Any]) -> Any:
    if path.startswith("'"):
        return path.strip("'")
    value: Any = values
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return value


def _holds(condition: str, values: Mapping[str, Any]) -> bool:
    if condition == "true":
        return True
    for part in condition.split(" or "):
        subject, _, text = part.partition(" contains ")
        if text.strip().strip("'") in _look_up(subject.strip(), values):
            return True
    return False
