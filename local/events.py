"""Invocations of Lambda functions within moto: by lambda:Invoke, and by EventBridge's rules.

It runs in moto's process. moto would start a container for the first and raise an error for the
second; here both become a message to the stack, which runs the function:

    {"function": name, "payload": the event, "wait": true}     answered by {"result"} or {"error"}
    {"function": name, "payload": the event, "wait": false}    answered by null once it is accepted
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jsonpath_ng.parser import parse as parse_json_path
from moto.awslambda.models import LambdaFunction
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

CallFunction = Callable[[dict[str, Any]], Any]


def install(call_function: CallFunction) -> None:
    """Send every call of a function in this process's moto to `call_function`."""

    def invoke(self: LambdaFunction, body: Any, headers: Any, response_headers: Any) -> str | bytes:
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return ""  # IAM has allowed the call by now
        wait = kind == "RequestResponse"
        payload = json.loads(body) if body else {}
        message = {"function": self.function_name, "payload": payload, "wait": wait}
        answer = call_function(message)
        if not wait:
            return ""
        if "error" in answer:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(answer["error"]).encode()
        return json.dumps(answer["result"]).encode()

    moto_send = Rule.send_to_targets

    def send_to_targets(self: Rule, event: Any, transform_input: bool = True) -> None:
        if self.state != "ENABLED":
            return
        functions = [t for t in self.targets if ":lambda:" in t["Arn"]]
        others = [t for t in self.targets if t not in functions]
        if functions and self.event_pattern.matches_event(event):
            for target in functions:
                name = target["Arn"].split(":function:")[1].split(":")[0]
                payload = target_payload(target, event)
                call_function({"function": name, "payload": payload, "wait": False})
        if others:
            rest = copy.copy(self)
            rest.targets = others
            moto_send(rest, event, transform_input)

    functions_of_moto: Any = LambdaFunction
    functions_of_moto.invoke = invoke
    rules_of_moto: Any = Rule
    rules_of_moto.send_to_targets = send_to_targets


def target_payload(target: dict[str, Any], event: dict[str, Any]) -> Any:
    """The event that a rule's target gets for `event`, in which moto has the time as a number."""
    if "Input" in target:
        return json.loads(target["Input"])
    seen = {key: value for key, value in event.items() if key != "ingestion-time"}
    seen["time"] = _as_text(event["time"])
    if "InputPath" in target:
        found = parse_json_path(target["InputPath"]).find(seen)
        return found[0].value if found else None
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        whole: Any = seen | {"ingestion-time": event["ingestion-time"]}
        return EventTemplateParser.parse(
            transformer["InputTemplate"], transformer.get("InputPathsMap", {}), whole
        )
    return seen


def _as_text(time: Any) -> str:
    try:
        moment = datetime.fromtimestamp(float(time), UTC)
    except ValueError:
        return str(time)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
