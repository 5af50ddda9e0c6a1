"""Small state machines and services for the interpreter's tests."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import trio
from trio.testing import MockClock

from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.scheduling import in_order
from bedrock_customization.rehearsal.interpreter.services import (
    Caller,
    StateMachine,
    StatesError,
    UnsupportedDefinitionError,
)

Result = TypeVar("Result")

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine"
ROLE = "arn:aws:iam::111122223333:role/Role"
CALL = "arn:aws:states:::test:call"
SYNC = "arn:aws:states:::test:call.sync"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:fn"
GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
PUT = "arn:aws:states:::s3:putObject"


class TestServices:
    """Answers `test:call` with a function of its arguments, and keeps S3 objects in a dictionary."""

    __test__ = False

    def __init__(self, answer: Callable[..., Any] | None = None, objects: dict[str, bytes] | None = None) -> None:
        self.answer = answer or (lambda arguments: arguments)
        self.objects = objects or {}
        self.calls: list[tuple[float, Any]] = []
        self.callers: list[Caller] = []
        self.running = 0
        self.most_running = 0
        self.cancelled = 0

    def check(self, resource: str) -> None:
        """Know the resources above."""
        if resource not in (CALL, SYNC, FUNCTION, GET, LIST, PUT):
            raise UnsupportedDefinitionError(f"got {resource!r}; allowed: {CALL}")

    def start_map_run(self, caller: Caller) -> None:
        """Let every Map Run start."""

    def redrive_map_run(self, caller: Caller, children: Sequence[str]) -> None:
        """Let every Map Run be redriven."""

    async def call(self, resource: str, arguments: Any, caller: Caller) -> Any:
        """Answer at once, or after the time that the answer waits."""
        if resource == GET:
            key = arguments.get("Key")
            if not isinstance(key, str) or key not in self.objects:
                raise StatesError("S3.NoSuchKeyException", "The specified key does not exist.")
            return {"Body": self.objects[key]}
        if resource == LIST:
            return self._listing(arguments)
        if resource == PUT:
            self.objects[arguments["Key"]] = arguments["Body"]
            return {}
        self.calls.append((trio.current_time(), arguments))
        self.callers.append(caller)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            result = self.answer(arguments)
            if resource == SYNC:
                caller.submitted({"Job": 1})
            return await result if inspect.isawaitable(result) else result
        except trio.Cancelled:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def _listing(self, arguments: dict[str, Any]) -> dict[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(arguments.get("Prefix", "")))
        first = int(arguments.get("ContinuationToken", 0))
        page = {"Contents": [{"Key": key, "Size": len(self.objects[key])} for key in keys[first : first + 2]]}
        return page | ({"NextContinuationToken": str(first + 2)} if first + 2 < len(keys) else {})

    def json(self, suffix: str) -> Any:
        """Read the one JSON object whose key ends so."""
        (key,) = [key for key in self.objects if key.endswith(suffix)]
        return json.loads(self.objects[key])


def machine(states: dict[str, Any], *, type: str = "STANDARD", **fields: Any) -> StateMachine:
    """Make a JSONata machine that starts at its first state."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
    return StateMachine(ARN, definition, ROLE, type)


def chain(*states: dict[str, Any]) -> dict[str, Any]:
    """Name states S1, S2, ... and let each go to the next."""
    named = {}
    for number, state in enumerate(states, start=1):
        ends = state["Type"] in ("Succeed", "Fail") or "Next" in state or state["Type"] == "Choice"
        goes = {} if ends else {"End": True} if number == len(states) else {"Next": f"S{number + 1}"}
        named[f"S{number}"] = {**state, **goes}
    return named


def run(
    definition: StateMachine | dict[str, Any], input: Any = None, services: TestServices | None = None, **options: Any
) -> Execution:
    """Run a machine, or a dictionary of states, to its end in virtual time."""
    source = definition if isinstance(definition, StateMachine) else machine(definition)

    async def main() -> Execution:
        return await Interpreter(services or TestServices(), **options).run(
            source, {} if input is None else input, name="run"
        )

    return in_virtual_time(main)


def in_virtual_time(main: Callable[[], Awaitable[Result]]) -> Result:
    """Run in virtual time, every time in the same order."""
    with in_order():
        return trio.run(main, clock=MockClock(autojump_threshold=0))


def evaluate(expression: str, input: Any = None) -> Any:
    """Evaluate an expression as the output of a Pass state."""
    execution = run({"S": {"Type": "Pass", "Output": "{% " + expression + " %}", "End": True}}, input)
    if execution.status == "FAILED":
        return execution.error
    return execution.output


def types(execution: Execution) -> list[str]:
    """Give the types of the events."""
    return [event["type"] for event in execution.history]
