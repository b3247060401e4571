"""docs/http.md and the code agree about the codes of errors, rejected items and warnings."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from pulse import errors
from pulse.ingest.fields import RejectedError
from pulse.ingest.interactions import InteractionReader
from pulse.ingest.reader import ItemReader
from pulse.ingest.responses import ResponseReader
from pulse.ingest.sessions import SessionReader
from pulse.streams.interactions import MILESTONES
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from tests.contract.http_page import ROOT, cells, tables
from tests.unit.ingest.memory import directory

PACKAGE = ROOT / "shared" / "pulse"


# -- codes of errors


_STATUSES: dict[str, int] = {
    name: error.status
    for name, error in vars(errors).items()
    if isinstance(error, type)
    and issubclass(error, errors.RequestError)
    and error is not errors.RequestError
} | {
    "_InternalError": 500,
    "TooManyGroupsError": 422,
    "refusal": 400,
    "_choice": 400,
    "_too_many": 429,
}
"""What makes an error of a request: its exceptions, and functions that make one of a code."""
_CODE = re.compile(r"[a-z]+(_[a-z]+)+")
_STREAMS = ("responses", "interactions", "sessions")


def _error_codes() -> Iterator[tuple[str, int]]:
    """Each code that the source raises an error of, with its status."""
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        tree = ast.parse(path.read_text())
        assigned = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            made = _made(node)
            if made is None:
                continue
            callee, arguments = made
            for argument in arguments:
                for code in _codes_in(argument, assigned):
                    yield code, _STATUSES[callee]


def _made(node: ast.AST) -> tuple[str, list[ast.expr]] | None:
    """What makes an error, and those of its arguments among which the code is."""
    if not isinstance(node, ast.Call):
        return None
    callee = node.func
    if isinstance(callee, ast.Attribute) and callee.attr == "__init__":
        return ("TooManyGroupsError", node.args[:1])
    name = callee.id if isinstance(callee, ast.Name) else ""
    if name == "refusal":
        return name, node.args[1:2]
    if name == "_choice":
        return name, node.args[3:4]
    return (name, node.args[:1]) if name in _STATUSES else None


def _codes_in(argument: ast.expr, assigned: Mapping[str, ast.expr]) -> Iterator[str]:
    """The codes that an argument may be: a text, one of two, or one for each name."""
    if isinstance(argument, ast.Name) and argument.id in assigned:
        argument = assigned[argument.id]
    if isinstance(argument, ast.IfExp):
        yield from _codes_in(argument.body, assigned)
        yield from _codes_in(argument.orelse, assigned)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else None for part in argument.values]
        of = {"stream": _STREAMS, "name": ("stream", "format")}
        [placeholder] = [part for part in argument.values if isinstance(part, ast.FormattedValue)]
        assert isinstance(placeholder.value, ast.Name)
        for value in of[placeholder.value.id]:
            yield "".join(str(part or value) for part in parts)


def test_every_code_of_an_error_is_listed_with_its_status_and_no_other() -> None:
    told = [(row[0].strip("`"), int(row[1])) for row in cells("Codes of errors", "code")]
    assert len(told) == len(set(told))
    assert set(told) == set(_error_codes())


def test_the_codes_are_in_the_order_of_their_statuses_and_of_the_alphabet() -> None:
    told = [(int(row[1]), row[0]) for row in cells("Codes of errors", "code")]
    assert told == sorted(told)


# -- codes of rejected items


SURVEY = Survey("acme", "s1", ((0, Rule.make("csat", 1, 5)),))
CLOSED = replace(SURVEY, id="closed", closed_us=0)
NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
LONG = "x" * 5_000
_BAD: tuple[Any, ...] = (
    None,
    [],
    {},
    True,
    "x",
    LONG,
    -1,
    4.5,
    10**9,
    10**18,
    "1.00000001",
    "(none)",
    "2026-11-20T10:00:00Z",
    "2026-11-21T12:30:00Z",
    "1980-01-01T00:00:00Z",
    "2026-11-22",
    "1980-01-01",
    {"x": 1},
    {"x": LONG},
    {"": "x"},
    {str(number): "x" for number in range(21)},
    {"amount": "x", "currency": "EUR"},
    {"amount": "1.00001", "currency": "EUR"},
    {"amount": 10**15, "currency": "EUR"},
    {"amount": 1},
    {"amount": 1, "currency": 1},
    {"amount": 1, "currency": LONG},
    {"amount": 1, "currency": "XXX"},
    {"currency": "EUR"},
)
_GOOD: dict[type[ItemReader], dict[str, Any]] = {
    ResponseReader: {"survey_id": "s1", "score": 4},
    InteractionReader: {
        "interaction_id": "i1",
        "media_type": "voice",
        "entered_at": "2026-11-21T11:00:00Z",
    },
    SessionReader: {
        "session_id": "a1",
        "agent_id": "a1",
        "media_type": "voice",
        "day": "2026-11-21",
        "active_seconds": 1,
        "engaged_seconds": 1,
    },
}

_PAIRS: dict[type[ItemReader], list[dict[str, Any]]] = {
    ResponseReader: [
        {"age_ms": 1, "answered_at": "2026-11-20T10:00:00Z"},
        {"response_id": "r-1"},
        {"survey_id": CLOSED.id},
    ],
    InteractionReader: [
        {"entered_at": "2020-01-01T00:00:00Z", name: "2026-11-20T10:00:00Z"} for name in MILESTONES
    ],
    SessionReader: [],
}
"""Fields that are wrong together, or with what is known of the survey."""


def _faults() -> set[tuple[str, str]]:
    """(code, field) of every fault of items that are good but for one field, or for two."""
    found = set()
    for kind, good in _GOOD.items():
        bad = [{**good, name: value} for name, value in product((*kind.stream.sent, "typo"), _BAD)]
        lacking = [{n: v for n, v in good.items() if n != name} for name in good]
        together = [{**good, **pair} for pair in _PAIRS[kind]]
        for item, key in product((*bad, *lacking, *together, "no object"), _keys(kind)):
            reader = kind(directory(Tenant("acme", "Acme"), SURVEY, CLOSED), key, "acme", NOON_US)
            try:
                reader.read(item)
            except RejectedError as error:
                found.add((error.fault.code, _field(error.fault.field)))
    return found


def _field(name: str) -> str:
    """The field's name; of a tag and of a member that revenue has not, whatever its name, one."""
    whole, dot, _ = name.partition(".")
    return f"{whole}.x" if dot and name not in ("revenue.amount", "revenue.currency") else name


def _keys(kind: type[ItemReader]) -> list[Key]:
    kinds = ("secret", "publishable") if kind is ResponseReader else ("secret",)
    keys = [Key("0" * 64, name, "acme", 0) for name in kinds]
    return [*keys, Key("0" * 64, "secret", "acme", 0, surveys=("other", "s1"))]


_OF_MANY = {"the item": [""], "any other name, also in `revenue`": ["typo", "revenue.x"]}
"""The fields, as the items here have them, that the page describes without naming them."""


def test_every_code_of_a_rejected_item_is_listed_with_its_fields_and_no_other() -> None:
    told = set()
    for codes, of, _ in cells("Codes of rejected items", "code"):
        fields = _OF_MANY.get(of) or re.findall(r"`([^`]+)`", of)
        fields = [*fields, "tags.x"] if of.endswith(", a tag") else fields
        told |= set(product(re.findall(r"`([^`]+)`", codes), fields))
    assert told == _faults()


# -- codes of warnings


def test_every_warning_of_what_is_read_is_listed_and_no_other() -> None:
    [*_, read] = tables("Codes of warnings")
    assert {row[0].strip("`") for row in read[1:]} == set(_warning_codes())


def _warning_codes() -> Iterator[str]:
    """Each code of a pair of code and sentence in what answers readers."""
    tree = ast.parse((PACKAGE / "serve" / "warnings.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            code = node.elts[0]
            if isinstance(code, ast.Constant) and _CODE.fullmatch(str(code.value)):
                yield str(code.value)
            if isinstance(code, ast.JoinedStr):
                yield "sessions_not_told_apart"  # of the tables beside another one the only one
    insights = sorted((PACKAGE / "serve" / "insights").glob("*.py"))
    for file in (PACKAGE / "serve/dimensions.py", PACKAGE / "serve/comments/routes.py", *insights):
        yield from re.findall(r'"code": "(\w+)"', file.read_text())


def test_every_warning_of_what_was_stored_is_listed_and_no_other() -> None:
    stored, _ = tables("Codes of warnings")
    tree = ast.parse((PACKAGE / "ingest" / "responses.py").read_text())
    given = {
        (ast.literal_eval(node.args[1]), ast.literal_eval(node.args[0]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "FieldError"
    }
    assert {(row[0].strip("`"), row[1].strip("`")) for row in stored[1:]} == given
