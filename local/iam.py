"""Makes moto's IAM judge each call as AWS would, so that a call without the right fails here, too.

It runs in moto's process. moto can check signatures and policies, but knows the resource of few
calls, cannot read policies that CloudFormation made, and takes globs for regular expressions.

It judges the identity policies of users and roles, by action, by resource and, in an Allow, by
conditions on `CONTEXT_KEYS`. In favour of the caller it ignores other conditions (an Allow counts
without them, a Deny with any does not count), trust and resource policies, and the resource of
services that `permissions_needed` does not list (only their action counts). A pre-signed link is
judged by the rights of its signer; neither its signature nor its expiry is checked.

Each decision is recorded once, so that tests can see whether a role has more rights than it needs.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, Self, TextIO
from urllib.parse import parse_qs, unquote

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.dynamodb.models import dynamodb_backends
from moto.iam import access_control
from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.models import FakeKey, s3_backends

EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
ANY_RESOURCE = "*"
"""The resource of a call whose resource is not known: every Allow of the action matches."""

LEADING_KEYS, EVENT_SOURCE, PREFIX = "dynamodb:LeadingKeys", "events:source", "s3:prefix"
CONTEXT_KEYS = (LEADING_KEYS, EVENT_SOURCE, PREFIX)
"""The condition keys that are judged: partition keys, sources of events, the listed prefix."""

Context = Mapping[str, tuple[str, ...]]
"""The values of a call for CONTEXT_KEYS."""


@dataclass(frozen=True)
class Permission:
    """A right that a call needs: an action (`s3:GetObject`), an ARN, and the condition keys."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    @classmethod
    def read(cls, line: str) -> tuple[str, Self]:
        """The caller and the permission in a line of the record."""
        told = json.loads(line)
        context = {key: tuple(values) for key, values in told["context"].items()}
        return told["caller"], cls(told["action"], told["resource"], context)

    def line(self, caller: str) -> str:
        """The line of the record, which `read` reads."""
        told = {"caller": caller, "action": self.action, "resource": self.resource}
        return json.dumps(told | {"context": self.context}) + "\n"


_PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses"}
_ACTION_OF_OPERATION = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
_WRITE_OF_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


class _Record:
    """The file with one line for each different decision, if there is one."""

    def __init__(self) -> None:
        self._file: TextIO | None = None
        self._noted: set[str] = set()
        self._lock = threading.Lock()

    def keep_in(self, path: Path | None) -> None:
        """Write to that file from now on; None writes nothing."""
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None

    def note(self, line: str) -> None:
        with self._lock:
            if self._file and line not in self._noted:
                self._noted.add(line)
                self._file.write(line)


_record = _Record()


def enforce(record: Path | None = None) -> None:
    """Judge every call to the moto of this process from now on, and record it in that file."""
    _record.keep_in(record)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    access_control.IAMPolicy.__init__ = _read_policy  # type: ignore[method-assign]
    statement: Any = access_control.IAMPolicyStatement
    statement.is_action_permitted = _judge_statement
    mixin: Any = ActionAuthenticatorMixin
    mixin._authenticate_and_authorize_action = _authorize


def _authorize(handler: Any, request_class: type[Any], resource: str = ANY_RESOURCE) -> None:
    """Raise moto's error if a call is not signed correctly or not allowed."""
    path, query = handler.raw_path, handler.parsed_url.query
    headers, signed = handler.headers, _signature_in(query)
    if "Authorization" not in headers:
        if not signed:
            return  # without credentials: only what is public can be read, and it needs no right
        headers = {**headers, **signed}
    request = request_class(
        account_id=handler.current_account,
        method=handler.method,
        path=f"{path}?{query}" if query else path,
        data=handler.data,
        body=handler.raw_body,
        headers=headers,
        action=handler._get_action(),
    )
    if not signed:
        _check_signature(request)
    if request._action == "sts:GetCallerIdentity":
        return
    policies = map(document, request._access_key.collect_policies())
    statements = [statement for policy in policies for statement in policy["Statement"]]
    for needed in permissions_needed(handler, request._action, resource):
        _record.note(needed.line(request._access_key.arn))
        if not permitted(statements, needed):
            raise _denial(request, needed.action, needed.resource)


def _check_signature(request: Any) -> None:
    """Raise moto's error if the signature is not that of the request.

    moto rebuilds the body from the form that it has read. If there is no form, that holds the
    query string, which is not signed as a body.
    """
    told = request._data
    if int(request._headers.get("Content-Length") or 0) == 0:
        request._data = {}
    try:
        request.check_signature()
    finally:
        request._data = told


def _signature_in(query: str) -> dict[str, str]:
    """The headers that say who signed a pre-signed link; empty for other links."""
    told = {name.lower(): values[0] for name, values in parse_qs(query).items()}
    if "x-amz-credential" not in told:
        return {}
    token = told.get("x-amz-security-token")
    return {
        "Authorization": f"Credential={told['x-amz-credential']},",
        **({"X-Amz-Security-Token": token} if token else {}),
    }


def permitted(statements: Iterable[Mapping[str, Any]], needed: Permission) -> bool:
    """Whether one of a caller's statements allows what is needed, and none denies it."""
    effects = {statement["Effect"] for statement in statements if _fits(statement, needed)}
    return effects == {"Allow"}


def _denial(request: Any, action: str, arn: str) -> Exception:
    """AccessDenied in the form of the service's protocol, so that botocore finds its code."""
    if isinstance(request, access_control.S3IAMRequest):
        return BucketAccessDeniedError(bucket=arn.removeprefix("arn:aws:s3:::").split("/")[0])
    if "x-www-form-urlencoded" in request._headers.get("Content-Type", ""):
        return AccessDeniedError(user_arn=request._access_key.arn, action=action)
    message = (
        f"User: {request._access_key.arn} is not authorized to perform: {action} on resource: {arn}"
    )
    error = JsonRESTError("AccessDeniedException", message)
    error.description = json.dumps(
        {"__type": "AccessDeniedException", "code": "AccessDeniedException", "message": message}
    )
    return error


def permissions_needed(handler: Any, action: str, resource: str) -> list[Permission]:
    """All rights that a call needs; `resource` is what moto takes for its resource."""
    service, _, operation = action.partition(":")
    service = _PREFIX_OF_SIGNING_NAME.get(service, service)
    find = _FINDERS.get(service)
    needed = find(handler, operation, resource) if find else [Permission(operation, resource)]
    return [replace(one, action=_action(service, one.action)) for one in needed]


def _action(service: str, operation: str) -> str:
    action = f"{service}:{operation}"
    return _ACTION_OF_OPERATION.get(action, action)


def _arn(handler: Any, service: str, tail: str) -> str:
    return f"arn:aws:{service}:{handler.region}:{handler.current_account}:{tail}"


def _body(handler: Any) -> dict[str, Any]:
    try:
        body = json.loads(handler.raw_body or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _for_s3(handler: Any, operation: str, resource: str) -> list[Permission]:
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    if handler.method == "POST" and "delete" in handler.parsed_url.query and not key:
        text = handler.raw_body.decode() if handler.raw_body else ""
        return [
            Permission(
                "DeleteObjectVersion" if "<VersionId>" in named else "DeleteObject",
                f"{resource}/{unescape(name)}",
            )
            for named in re.findall(r"<Object>(.*?)</Object>", text, re.DOTALL)
            for name in re.findall(r"<Key>(.*?)</Key>", named, re.DOTALL)
        ]
    prefixes = parse_qs(handler.parsed_url.query).get("prefix")
    needed = [Permission(operation, resource, {PREFIX: tuple(prefixes)} if prefixes else {})]
    if source := handler.headers.get("x-amz-copy-source"):
        copied = unquote(source).lstrip("/").split("?")[0]
        needed.append(Permission("GetObject", f"arn:aws:s3:::{copied}"))
    if operation == "GetObject" and _is_missing(handler, bucket, key):
        # AWS replies 404 only to callers that may list the bucket, and 403 to all others
        needed.append(Permission("ListBucket", f"arn:aws:s3:::{bucket}"))
    return needed


def _is_missing(handler: Any, bucket: str, key: str) -> bool:
    found = s3_backends[handler.current_account]["aws"].buckets.get(bucket)
    return found is not None and not isinstance(found.keys.get(key), FakeKey)  # or a delete marker


def _for_dynamodb(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)

    def table(name: str) -> str:
        return name if name.startswith("arn:") else _arn(handler, "dynamodb", f"table/{name}")

    def on(action: str, asked: Mapping[str, Any]) -> Permission:
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        arn, keys = table(asked["TableName"]) + index, _leading_keys(handler, asked)
        return Permission(action, arn, {LEADING_KEYS: keys} if keys else {})

    if operation in {"TransactWriteItems", "TransactGetItems"}:
        return [
            on(_WRITE_OF_TRANSACTION[kind], item)
            for entry in body.get("TransactItems", [])
            for kind, item in entry.items()
        ]
    if operation.startswith("Batch"):
        return [Permission(operation, table(name)) for name in body.get("RequestItems", {})]
    if "TableName" not in body:
        return [Permission(operation, ANY_RESOURCE)]
    return [on(operation, body)]


def _leading_keys(handler: Any, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The partition keys of a call on one item or one partition."""
    backend = dynamodb_backends[handler.current_account][handler.region]
    found = backend.tables.get(asked["TableName"].rsplit("/", 1)[-1])
    if found is None or "IndexName" in asked:
        return ()
    name = found.hash_key_attr
    item = asked.get("Key") or asked.get("Item")
    if item:
        return tuple(item.get(name, {}).values())
    names = {"#": name} | asked.get("ExpressionAttributeNames", {})
    values = asked.get("ExpressionAttributeValues", {})
    equalities = re.findall(r"([#\w]+)\s*=\s*(:\w+)", asked.get("KeyConditionExpression", ""))
    return tuple(
        text
        for left, right in equalities
        if names.get(left, left) == name
        for text in values.get(right, {}).values()
    )


def _for_glue(handler: Any, operation: str, resource: str) -> list[Permission]:
    """A call on the catalogue needs the right to its object and to all that contain it."""
    body = _body(handler)
    about_table, about_database = "Table" in operation, "Database" in operation
    database = body.get("DatabaseName") or (body.get("Name") if about_database else None)
    table = (
        body.get("TableName")
        or (body.get("Name") if about_table else None)
        or (body.get("TableInput") or {}).get("Name")
        or ("*" if operation == "GetTables" else None)
    )
    tails = ["catalog"]
    if database:
        tails.append(f"database/{database}")
    if database and table:
        tails.append(f"table/{database}/{table}")
    return [Permission(operation, _arn(handler, "glue", tail)) for tail in tails]


def _for_athena(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)
    executions = body.get("QueryExecutionIds") or [body.get("QueryExecutionId")]
    groups = {_workgroup_of(handler, e) for e in executions if e}
    if not groups:
        groups = {body.get("WorkGroup") or body.get("Name") or "primary"}
    return [
        Permission(operation, _arn(handler, "athena", f"workgroup/{group}")) for group in groups
    ]


def _workgroup_of(handler: Any, execution_id: str) -> str:
    execution = handler.athena_backend.executions.get(execution_id)
    return execution.workgroup.name if execution and execution.workgroup else "primary"


def _for_sqs(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)
    name = body.get("QueueName") or str(body.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return [Permission(operation, _arn(handler, "sqs", name) if name else ANY_RESOURCE)]


def _for_lambda(handler: Any, operation: str, resource: str) -> list[Permission]:
    found = re.search(r"/functions/([^/]+)", unquote(handler.path))
    if not found:
        return [Permission(operation, ANY_RESOURCE)]
    name = found[1].split(":function:")[-1].split(":")[0]
    return [Permission(operation, _arn(handler, "lambda", f"function:{name}"))]


def _for_events(handler: Any, operation: str, resource: str) -> list[Permission]:
    if operation != "PutEvents":
        return [Permission(operation, ANY_RESOURCE)]
    return [
        Permission(
            operation,
            bus if bus.startswith("arn:") else _arn(handler, "events", f"event-bus/{bus}"),
            {EVENT_SOURCE: (entry["Source"],)} if "Source" in entry else {},
        )
        for entry in _body(handler).get("Entries", [])
        for bus in [entry.get("EventBusName", "default")]
    ]


def _for_ssm(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)
    names = body.get("Names") or [body.get("Name") or body.get("Path")]
    return [
        Permission(
            operation,
            _arn(handler, "ssm", f"parameter/{name.lstrip('/')}") if name else ANY_RESOURCE,
        )
        for name in names
    ]


_FINDERS = {
    "s3": _for_s3,
    "dynamodb": _for_dynamodb,
    "glue": _for_glue,
    "athena": _for_athena,
    "lambda": _for_lambda,
    "events": _for_events,
    "sqs": _for_sqs,
    "ssm": _for_ssm,
}


_moto_read_policy = access_control.IAMPolicy.__init__


def document(policy: Any) -> dict[str, Any]:
    """The policy as a mapping whose statements are a list.

    moto has managed policies, texts, and mappings that come from CloudFormation.
    """
    if isinstance(policy, dict):
        policy = policy.get("policy_document", policy)
    text = getattr(policy, "document", policy)
    found: dict[str, Any] = json.loads(text) if isinstance(text, str) else text
    statements = found["Statement"]
    return found | {"Statement": statements if isinstance(statements, list) else [statements]}


def _read_policy(self: access_control.IAMPolicy, policy: Any) -> None:
    """As moto's own, but also for documents that CloudFormation gives as mappings."""
    _moto_read_policy(self, json.dumps(document(policy)) if isinstance(policy, dict) else policy)


def _judge_statement(
    self: Any, action: str, resource: str = ANY_RESOURCE, *_: Any
) -> access_control.PermissionResult:
    """The verdict of a statement when moto itself judges it, which it does for bucket policies."""
    statement, results = self._statement, access_control.PermissionResult
    if not _fits(statement, Permission(action, resource)):
        return results.NEUTRAL
    return results.PERMITTED if statement["Effect"] == "Allow" else results.DENIED


def _fits(statement: Mapping[str, Any], needed: Permission) -> bool:
    """Whether the statement's actions and resources match what is needed."""
    allows = statement["Effect"] == "Allow"
    if not _element_fits(statement, "Action", needed.action, ignore_case=True):
        return False
    if needed.resource != ANY_RESOURCE:
        about = _element_fits(statement, "Resource", needed.resource)
    else:
        about = allows
    if not allows:
        return about and "Condition" not in statement
    return about and _conditions_hold(statement.get("Condition", {}), needed.context)


def _conditions_hold(conditions: Mapping[str, Any], context: Context) -> bool:
    """Whether all conditions on CONTEXT_KEYS hold; others are ignored."""
    return all(
        _COMPARISONS[operator](context.get(key, ()), _as_list(patterns))
        for operator, asked in conditions.items()
        for key, patterns in asked.items()
        if key in CONTEXT_KEYS
    )


def _one_is_like(values: tuple[str, ...], patterns: list[str]) -> bool:
    return any(_any_glob_fits(patterns, value) for value in values)


def _all_are_like(values: tuple[str, ...], patterns: list[str]) -> bool:
    return all(_any_glob_fits(patterns, value) for value in values)


_COMPARISONS: Mapping[str, Callable[[tuple[str, ...], list[str]], bool]] = {
    "StringEquals": lambda values, texts: any(value in texts for value in values),
    "StringLike": _one_is_like,
    "ForAllValues:StringLike": _all_are_like,
}
"""IAM's operators. If a call has no value for a key, `ForAllValues` is true."""


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _element_fits(
    statement: Mapping[str, Any], element: str, value: str, *, ignore_case: bool = False
) -> bool:
    if f"Not{element}" in statement:
        return not _any_glob_fits(statement[f"Not{element}"], value, ignore_case)
    return _any_glob_fits(statement.get(element, []), value, ignore_case)


def _any_glob_fits(patterns: str | list[str], value: str, ignore_case: bool = False) -> bool:
    return any(_glob(glob, ignore_case).fullmatch(value) for glob in _as_list(patterns))


@cache
def _glob(glob: str, ignore_case: bool) -> re.Pattern[str]:
    regex = re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
