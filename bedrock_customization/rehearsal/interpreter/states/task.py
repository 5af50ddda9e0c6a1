"""Task: one call of a service or a Lambda function, with its time-out."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.flow import Flow
from bedrock_customization.rehearsal.interpreter.services import Caller, StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Outcome, Visit, too_large

_NOT_TRUNCATED = {"truncated": False}


async def run_task(visit: Visit) -> Outcome:
    """Call the state's resource and wait for its result, in virtual time.

    `HeartbeatSeconds` is checked and shown in the history; nothing that can be rehearsed sends heartbeats, so it is
    not enforced, as in the service.

    Raises:
        StatesError: The call failed, took longer than `TimeoutSeconds`, or its result is too large.
    """
    state = visit.state
    text = visit.limited(visit.payload)
    timeout = visit.number("TimeoutSeconds", None, 1, limits.MAX_SECONDS)
    heartbeat = visit.number("HeartbeatSeconds", None, 1, limits.MAX_SECONDS)
    events = _Events(visit, text, timeout, heartbeat)
    result = NOTHING
    await trio.lowlevel.checkpoint()
    events.started()
    try:
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            await trio.lowlevel.checkpoint_if_cancelled()
            caller = Caller(
                visit.flow.execution.machine, visit.flow.execution.arn, state.name, partial(events.submitted)
            )
            result = await visit.flow.interpreter.services.call(state.definition["Resource"], json.loads(text), caller)
        if result is NOTHING:
            raise StatesError(errors.TIMEOUT)
        output = limits.dump(result)
        if limits.size(output) > limits.MAX_PAYLOAD_BYTES:
            failure = too_large(events.limit_name)
            failure.of_result = True
            raise failure
    except StatesError as error:
        if error.error == errors.RUNTIME:
            # The service was not called; as in the service, no event says so, and the cause names the state.
            raise visit.failure(errors.RUNTIME, error.cause) from error
        events.failed(error, timed_out=result is NOTHING and error.error == errors.TIMEOUT)
        raise
    events.succeeded(output)
    templates = state.templates
    return Outcome(json.loads(output), state.next, templates.get("Assign"), templates.get("Output"))


class _Events:
    """The history of one call: `LambdaFunction...` and `Activity...` events for ARNs of such, else `Task...` events."""

    def __init__(self, visit: Visit, arguments: str, timeout: int | None, heartbeat: int | None) -> None:
        self.flow: Flow = visit.flow
        resource: str = visit.state.definition["Resource"]
        parts = resource.split(":")
        is_activity = parts[2] == "states" and parts[5] == "activity"
        self.family = "LambdaFunction" if parts[2] == "lambda" else "Activity" if is_activity else "Task"
        if self.family != "Task":
            self.limit_name = resource
            scheduled: dict[str, Any] = {
                "resource": resource,
                "input": arguments,
                "inputDetails": _NOT_TRUNCATED,
            }
            self.common: dict[str, Any] = {}
        else:
            service, action = _integration(parts)
            self.limit_name = service
            self.common = {"resourceType": service, "resource": action}
            region = visit.flow.execution.machine.arn.split(":")[3]
            scheduled = {**self.common, "region": region, "parameters": arguments}
        scheduled |= {} if timeout is None else {"timeoutInSeconds": timeout}
        scheduled |= {} if heartbeat is None else {"heartbeatInSeconds": heartbeat}
        self._record("Scheduled", scheduled)

    def started(self) -> None:
        self._record("Started", self.common)

    def submitted(self, response: Any) -> None:
        details = {**self.common, "output": limits.dump(response), "outputDetails": _NOT_TRUNCATED}
        self._record("Submitted", details)

    def succeeded(self, output: str) -> None:
        self._record("Succeeded", {**self.common, "output": output, "outputDetails": _NOT_TRUNCATED})

    def failed(self, error: StatesError, timed_out: bool) -> None:
        details = {**self.common, "error": error.error}
        if error.cause:
            details["cause"] = error.cause
        self._record("TimedOut" if timed_out else "Failed", details)

    def _record(self, event: str, details: dict[str, Any]) -> None:
        name = f"{self.family}{event}"
        key = f"{name[0].lower()}{name[1:]}EventDetails"
        self.flow.record(name, **({key: details} if details else {}))


def _integration(parts: list[str]) -> tuple[str, str]:
    """Split `arn:aws:states:::aws-sdk:s3:getObject` into `aws-sdk:s3` and `getObject`."""
    names = parts[5:]
    split = 2 if names[0] == "aws-sdk" else 1
    return ":".join(names[:split]), ":".join(names[split:])
