"""IAM made to judge each call in moto as AWS would, so that a role that is too narrow fails here.

Runs in moto's process. moto checks signatures and policies when asked to, but knows the resource of
few calls, cannot read policies made by CloudFormation, and takes globs for regular expressions.

What is judged: the identity policies of users and roles, by action and resource.
What is not, in favour of the caller: a statement's Condition (an Allow counts without it, a Deny
with one is passed over), trust and resource policies, and the resource of services not listed in
`permissions_needed` (their action alone counts). Pre-signed links work without a check.
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import unquote

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.iam import access_control
from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.models import s3_backends

EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
ANY_RESOURCE = "*"
"""The resource of a call whose resource is not known: every Allow for the action fits."""

Permission = tuple[str, str]
"""An action (`s3:GetObject`) and the ARN it is done to."""

_PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses"}
_ACTION_OF_OPERATION = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
}
_WRITE_OF_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def enforce() -> None:
    """From now on every call to the moto of this process is judged."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    access_control.IAMPolicy.__init__ = _read_policy  # type: ignore[method-assign]
    statement: Any = access_control.IAMPolicyStatement
    statement.is_action_permitted = _judge_statement
    mixin: Any = ActionAuthenticatorMixin
    mixin._authenticate_and_authorize_action = _authorize


def _authorize(handler: Any, request_class: type[Any], resource: str = ANY_RESOURCE) -> None:
    """Raises moto's answer to a call that is not signed well or not allowed."""
    if "Authorization" not in handler.headers:
        return  # a pre-signed link: it was made by someone who had the right
    path, query = handler.raw_path, handler.parsed_url.query
    request = request_class(
        account_id=handler.current_account,
        method=handler.method,
        path=f"{path}?{query}" if query else path,
        data=handler.data,
        body=handler.raw_body,
        headers=handler.headers,
        action=handler._get_action(),
    )
    request.check_signature()
    if request._action == "sts:GetCallerIdentity":
        return
    policies = [access_control.IAMPolicy(p) for p in request._access_key.collect_policies()]
    for action, arn in permissions_needed(handler, request._action, resource):
        if not _permitted(policies, action, arn):
            raise _denial(request, action, arn)


def _permitted(policies: list[Any], action: str, arn: str) -> bool:
    results = [policy.is_action_permitted(action, arn) for policy in policies]
    if access_control.PermissionResult.DENIED in results:
        return False
    return access_control.PermissionResult.PERMITTED in results


def _denial(request: Any, action: str, arn: str) -> Exception:
    """AccessDenied in the form of the service's protocol, so that botocore reads its code."""
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
    """Every (action, ARN) that the call of `handler` needs; `resource` is moto's own idea of it."""
    service, _, operation = action.partition(":")
    service = _PREFIX_OF_SIGNING_NAME.get(service, service)
    action = f"{service}:{operation}"
    find = _FINDERS.get(service)
    needed = find(handler, operation, resource) if find else [(operation, resource)]
    pairs = [(f"{service}:{name}" if ":" not in name else name, arn) for name, arn in needed]
    return [(_ACTION_OF_OPERATION.get(name, name), arn) for name, arn in pairs]


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
        keys = re.findall(r"<Key>(.*?)</Key>", text, re.DOTALL)
        return [("DeleteObject", f"{resource}/{unescape(name)}") for name in keys]
    needed = [(operation, resource)]
    if source := handler.headers.get("x-amz-copy-source"):
        needed.append(("GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/').split('?')[0]}"))
    if operation == "GetObject" and _is_missing(handler, bucket, key):
        # AWS says 404 only to who may list the bucket, and 403 to all others
        needed.append(("ListBucket", f"arn:aws:s3:::{bucket}"))
    return needed


def _is_missing(handler: Any, bucket: str, key: str) -> bool:
    found = s3_backends[handler.current_account]["aws"].buckets.get(bucket)
    return found is not None and key not in found.keys


def _for_dynamodb(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)

    def table(name: str) -> str:
        return name if name.startswith("arn:") else _arn(handler, "dynamodb", f"table/{name}")

    if operation in {"TransactWriteItems", "TransactGetItems"}:
        return [
            (_WRITE_OF_TRANSACTION[kind], table(item["TableName"]))
            for entry in body.get("TransactItems", [])
            for kind, item in entry.items()
        ]
    if operation.startswith("Batch"):
        return [(operation, table(name)) for name in body.get("RequestItems", {})]
    if "TableName" not in body:
        return [(operation, ANY_RESOURCE)]
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    return [(operation, table(body["TableName"]) + index)]


def _for_glue(handler: Any, operation: str, resource: str) -> list[Permission]:
    """A call on the catalogue needs the right to its object and to all that hold it."""
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
    return [(operation, _arn(handler, "glue", tail)) for tail in tails]


def _for_athena(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)
    executions = body.get("QueryExecutionIds") or [body.get("QueryExecutionId")]
    groups = {_workgroup_of(handler, e) for e in executions if e}
    if not groups:
        groups = {body.get("WorkGroup") or body.get("Name") or "primary"}
    return [(operation, _arn(handler, "athena", f"workgroup/{group}")) for group in groups]


def _workgroup_of(handler: Any, execution_id: str) -> str:
    execution = handler.athena_backend.executions.get(execution_id)
    return execution.workgroup.name if execution and execution.workgroup else "primary"


def _for_lambda(handler: Any, operation: str, resource: str) -> list[Permission]:
    found = re.search(r"/functions/([^/]+)", unquote(handler.path))
    if not found:
        return [(operation, ANY_RESOURCE)]
    name = found[1].split(":function:")[-1].split(":")[0]
    return [(operation, _arn(handler, "lambda", f"function:{name}"))]


def _for_events(handler: Any, operation: str, resource: str) -> list[Permission]:
    if operation != "PutEvents":
        return [(operation, ANY_RESOURCE)]
    buses = {entry.get("EventBusName", "default") for entry in _body(handler).get("Entries", [])}
    return [
        (operation, bus if bus.startswith("arn:") else _arn(handler, "events", f"event-bus/{bus}"))
        for bus in buses
    ]


def _for_ssm(handler: Any, operation: str, resource: str) -> list[Permission]:
    body = _body(handler)
    names = body.get("Names") or [body.get("Name") or body.get("Path")]
    return [
        (operation, _arn(handler, "ssm", f"parameter/{name.lstrip('/')}") if name else ANY_RESOURCE)
        for name in names
    ]


_FINDERS = {
    "s3": _for_s3,
    "dynamodb": _for_dynamodb,
    "glue": _for_glue,
    "athena": _for_athena,
    "lambda": _for_lambda,
    "events": _for_events,
    "ssm": _for_ssm,
}


_moto_read_policy = access_control.IAMPolicy.__init__


def _read_policy(self: access_control.IAMPolicy, policy: Any) -> None:
    """As moto's, for documents that CloudFormation left as a mapping too."""
    if isinstance(policy, dict):
        document = policy.get("policy_document", policy)
        policy = document if isinstance(document, str) else json.dumps(document)
    _moto_read_policy(self, policy)


def _judge_statement(
    self: Any, action: str, resource: str = ANY_RESOURCE, *_: Any
) -> access_control.PermissionResult:
    statement, results = self._statement, access_control.PermissionResult
    allows = statement["Effect"] == "Allow"
    if not allows and "Condition" in statement:
        return results.NEUTRAL
    if not _element_fits(statement, "Action", action, ignore_case=True):
        return results.NEUTRAL
    fits = allows if resource == ANY_RESOURCE else _element_fits(statement, "Resource", resource)
    if not fits:
        return results.NEUTRAL
    return results.PERMITTED if allows else results.DENIED


def _element_fits(
    statement: dict[str, Any], element: str, value: str, *, ignore_case: bool = False
) -> bool:
    if f"Not{element}" in statement:
        return not _any_glob_fits(statement[f"Not{element}"], value, ignore_case)
    return _any_glob_fits(statement.get(element, []), value, ignore_case)


def _any_glob_fits(patterns: str | list[str], value: str, ignore_case: bool) -> bool:
    globs = [patterns] if isinstance(patterns, str) else patterns
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return any(re.fullmatch(_as_regex(glob), value, flags) for glob in globs)


def _as_regex(glob: str) -> str:
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
