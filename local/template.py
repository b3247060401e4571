"""Reads a SAM template and translates it for CloudFormation.

This is the first step of a deployment, as `sam package` and the SAM transform are for AWS. Code
stays in its folders; CloudFormation gets a key for each.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

CODE_PROPERTY = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
ACCOUNT_ID = "123456789012"
"""moto's only account."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SUB_NAME = re.compile(r"\$\{(?!!)([^}]+)\}")


class TemplateError(Exception):
    """CloudFormation would refuse the template, or a parameter given for it."""


@dataclass(frozen=True)
class Translated:
    """A template without SAM types."""

    body: dict[str, Any]
    parameters: Mapping[str, str]
    code: Mapping[str, Path]
    """The folders of code, by their keys in the bucket."""


def translate(path: Path, parameters: Mapping[str, str], *, bucket: str, region: str) -> Translated:
    """Translate the template in a file for CloudFormation. Raises TemplateError."""
    source = _read(path)
    declared: dict[str, Any] = source.get("Parameters") or {}
    check_parameters(source, parameters)
    code = _point_code_at(source, bucket, path.resolve().parent)
    defaults = {name: str(p["Default"]) for name, p in declared.items() if "Default" in p}
    given = {name: str(value) for name, value in parameters.items()}
    body = _transform(source, defaults | given, region)
    _check_references(body)
    return Translated(body, given, code)


def read_yaml(text: str) -> Any:
    """What a template's YAML says, with the short forms of CloudFormation's functions written out.

    Raises ValueError where it is no YAML.
    """
    from samtranslator.yaml_helper import intrinsics_multi_constructor

    # as SAM's own function does, but by PyYAML's parser in C where it has one: six times as fast
    parent: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Loader", (parent,), {})
    loader.add_multi_constructor("!", intrinsics_multi_constructor)
    try:
        return yaml.load(text, loader)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        source = read_yaml(path.read_text("utf-8"))
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise TemplateError(f"{path}: {error}") from error
    if not isinstance(source, dict) or not source.get("Resources"):
        raise TemplateError(f"{path}: no Resources in it")
    return source


def check_parameters(source: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Raise TemplateError if CloudFormation would refuse these values for the template.

    As CloudFormation does before it makes anything, this checks each value by its parameter's
    declaration, and then all together by the template's rules.
    """
    declared: Mapping[str, Any] = source.get("Parameters") or {}
    if unknown := sorted(given.keys() - declared.keys()):
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    missing = [n for n, p in declared.items() if "Default" not in p and n not in given]
    if missing:
        raise TemplateError(f"the template needs a value for {', '.join(missing)}")
    for name, value in given.items():
        _check_parameter(name, declared[name], str(value))
    defaults = {name: str(p["Default"]) for name, p in declared.items() if "Default" in p}
    _check_rules(source.get("Rules") or {}, {**defaults, **given})


def _check_parameter(name: str, declared: Mapping[str, Any], value: str) -> None:
    allowed = declared.get("AllowedValues")
    if allowed and value not in map(str, allowed):
        raise TemplateError(f"{name}={value}: allowed are {', '.join(map(str, allowed))}")
    pattern = declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        raise TemplateError(f"{name}={value} does not match {pattern}")
    if declared.get("Type") != "Number":
        return
    if not _NUMBER.fullmatch(value):
        raise TemplateError(f"{name}={value} is no number")
    if "MinValue" in declared and Decimal(value) < declared["MinValue"]:
        raise TemplateError(f"{name}={value}: the least is {declared['MinValue']}")
    if "MaxValue" in declared and Decimal(value) > declared["MaxValue"]:
        raise TemplateError(f"{name}={value}: the greatest is {declared['MaxValue']}")


def _check_rules(rules: Mapping[str, Any], values: Mapping[str, str]) -> None:
    for rule in rules.values():
        if not _holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}), values):
            continue
        for assertion in rule["Assertions"]:
            if not _holds(assertion["Assert"], values):
                raise TemplateError(str(assertion["AssertDescription"]))


def _holds(condition: Any, values: Mapping[str, str]) -> bool:
    """Whether a rule's condition is true for the parameters."""
    match condition:
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case {"Fn::Or": [*inners]}:
            return any(_holds(inner, values) for inner in inners)
        case {"Fn::And": [*inners]}:
            return all(_holds(inner, values) for inner in inners)
        case {"Fn::Equals": [one, other]}:
            return _text(one, values) == _text(other, values)
    raise TemplateError(f"a rule says what is not understood here: {condition}")


def _text(operand: Any, values: Mapping[str, str]) -> str:
    match operand:
        case {"Ref": name}:
            return values[name]
    return str(operand)


def _point_code_at(source: dict[str, Any], bucket: str, folder: Path) -> dict[str, Path]:
    """Replace each folder of code by an object's address; return the folders by key."""
    globals_ = (source.get("Globals") or {}).get("Function") or {}
    code = {}
    for logical_id, resource in source["Resources"].items():
        name = CODE_PROPERTY.get(resource.get("Type", ""))
        if name is None:
            continue
        properties = resource.setdefault("Properties", {})
        if "InlineCode" in properties or properties.get("PackageType") == "Image":
            raise TemplateError(f"{logical_id}: only code in a folder can be run")
        place = properties.get(name) or globals_.get(name)
        if not isinstance(place, str) or "://" in place:
            raise TemplateError(f"{logical_id}: {name} must be a folder, it is {place!r}")
        if not (folder / place).is_dir():
            raise TemplateError(f"{logical_id}: {name} {place} is not a folder")
        key = f"{logical_id}.zip"
        code[key] = (folder / place).resolve()
        properties[name] = f"s3://{bucket}/{key}"
    return code


def _transform(source: dict[str, Any], values: dict[str, str], region: str) -> dict[str, Any]:
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)  # of its own
    # the translator has no argument for the region: it uses that of boto3's default session
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": region}):
        try:
            body: dict[str, Any] = transform(source, dict(values), _NoManagedPolicies())
        except InvalidDocumentException as error:
            raise TemplateError("; ".join(cause.message for cause in error.causes)) from error
    return body


class _NoManagedPolicies:
    """No managed policies by name, for the translator: templates name their ARNs here."""

    def load(self) -> dict[str, str]:
        return {}


def _check_references(body: Mapping[str, Any]) -> None:
    """Raise TemplateError for a Ref, GetAtt, Sub, DependsOn or Condition of an unknown name."""
    resources = set(body["Resources"])
    parameters = set(body.get("Parameters") or {})
    conditions = set(body.get("Conditions") or {})
    sections = {key: body.get(key) or {} for key in ("Conditions", "Resources", "Outputs")}
    for where, kind, name in _references(sections):
        pool = {"condition": conditions, "resource": resources}.get(kind, resources | parameters)
        if name not in pool and not name.startswith("AWS::"):
            raise TemplateError(f"{where} refers to {name}, which the template does not have")


def _references(node: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """(place, kind, name) of each reference below `node`."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item, where)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        match key, value:
            case "Ref", str():
                yield where, "any", value
            case "Fn::GetAtt", [str() as name, *_]:
                yield where, "resource", name
            case "Fn::GetAtt", str():
                yield where, "resource", value.partition(".")[0]
            case "Fn::Sub", str():
                yield from ((where, *found) for found in _names_in(value, {}))
            case "Fn::Sub", [str() as text, dict() as own]:
                yield from ((where, *found) for found in _names_in(text, own))
            case "Fn::If", [str() as name, *_]:
                yield where, "condition", name
            case "Condition", str():
                yield where, "condition", value
            case "DependsOn", str() | list():
                names = [value] if isinstance(value, str) else value
                yield from ((where, "resource", name) for name in names)
        yield from _references(value, f"{where}.{key}" if where else key)


def _names_in(text: str, own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _SUB_NAME.findall(text):
        if name not in own:
            yield ("resource", name.partition(".")[0]) if "." in name else ("any", name)
