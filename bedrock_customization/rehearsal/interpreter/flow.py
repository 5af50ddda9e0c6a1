"""How control flows through states: entering and leaving them, variables, Retry and Catch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits, retry
from bedrock_customization.rehearsal.interpreter.definition import Block, State
from bedrock_customization.rehearsal.interpreter.execution import Execution, now, timestamp
from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError, Expression
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.interpreter.services import Caller, StatesError
from bedrock_customization.rehearsal.interpreter.template import Template

if TYPE_CHECKING:
    from bedrock_customization.rehearsal.interpreter.engine import Interpreter

NOTHING: Any = object()
"""Stands for a value that is not there, where None is a JSON value."""

_COUNTS_RETRIES = ("Map", "Parallel", "Task")
_RECORDS_ABORT = ("Map", "Parallel", "Task", "Wait")


@dataclass
class Flow:
    """One thread of control in an execution: the machine itself, a branch of a Parallel, an iteration of a Map.

    Attributes:
        interpreter: Runs nested things.
        execution: The execution that it belongs to.
        cursor: The id of its last event, which the next event names as its previous one.
        variables: Every variable that can be read here, encoded for JSONata.
        sizes: The bytes of each variable.
        map_item: `Map.Item` of the context object, in an iteration.
        state: The state that it is in.
    """

    interpreter: Interpreter
    execution: Execution
    cursor: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    map_item: dict[str, Any] | None = None
    state: State | None = None

    def inner(self, cursor: int, map_item: dict[str, Any] | None = None) -> Flow:
        """Start an inner scope: it reads these variables; what it assigns stays inside."""
        item = self.map_item if map_item is None else map_item
        return replace(self, cursor=cursor, variables=dict(self.variables), sizes=dict(self.sizes), map_item=item)

    def record(self, event: str, **details: Any) -> int:
        """Add the next event of this flow to the history."""
        self.cursor = self.execution.record(event, self.cursor, **details)
        return self.cursor

    def record_abort(self, previous: int) -> None:
        """Record that a sibling's failure, or its own, ended this flow in the middle of a state."""
        if self.state is not None and self.state.type in _RECORDS_ABORT:
            self.execution.record(f"{self.state.type}StateAborted", previous)


@dataclass
class Outcome:
    """What a state did: its result, where it goes, and which fields make its output and its variables."""

    result: Any = NOTHING
    next: str | None = None
    assign: Template | None = None
    output: Template | None = None


class Visit:
    """One visit of a state: what its expressions see, and how its failures read."""

    def __init__(self, flow: Flow, state: State, input: Any, input_text: str) -> None:
        self.flow = flow
        self.state = state
        self.input = input
        self.input_text = input_text
        self.retries = 0
        details = {"name": state.name, "input": input_text, "inputDetails": {"truncated": False}}
        flow.execution.enter(state.name)
        flow.state = state
        self.came_from = flow.cursor
        self.entered = flow.record(f"{state.type}StateEntered", stateEnteredEventDetails=details)
        self._entered_at = timestamp(now())
        self._encoded: Any = NOTHING

    @property
    def caller(self) -> Caller:
        """Who calls a service here."""
        return Caller(self.flow.execution.machine, self.flow.execution.arn, self.state.name)

    def render(self, template: Template | None, default: Any = NOTHING, **states: Any) -> Any:
        """Fill in a field of the state.

        Args:
            template: The field, or None if the state does not have it.
            default: What an absent field stands for.
            states: What `$states` has besides `input` and `context`; `map_item` becomes `Map.Item` of the context.

        Raises:
            EvaluationError: An expression in it failed.
        """
        if template is None:
            return default
        if template.constant:
            return template.render(_never)
        bindings = self._bindings(**states)
        return template.render(lambda expression, location: expression.evaluate(bindings, location))

    def number(self, field: str, default: Any, least: int, most: int | None = None) -> Any:
        """Give the value of a numeric field, which an expression may compute.

        Raises:
            EvaluationError: The expression failed or did not give such a number.
        """
        template = self.state.templates.get(field)
        value = self.render(template, default)
        if template is None or template.constant:
            return value
        whole = isinstance(value, int) and not isinstance(value, bool)
        if field == "ToleratedFailurePercentage":
            whole = whole or isinstance(value, float)
        if not whole:
            raise unexpected(template, value, "number")
        if value < least or (most is not None and value > most):
            allowed = f"{least} or more" if most is None else f"{least} to {most}"
            raise EvaluationError(f"{template.described} returned {value}; allowed: {allowed}.", template.location)
        return value

    def report(self, error: StatesError, previous: int | None = None) -> StatesError:
        """Record a failed expression, and say in its cause where it stands; other errors are returned as they are.

        Args:
            error: What went wrong in this state.
            previous: The id of the event that led to it, if it is not the last one.
        """
        if not isinstance(error, EvaluationError):
            return error
        cause = self.explain(error.cause)
        details = {"error": error.error, "cause": cause, "state": self.state.name}
        if error.location:
            details["location"] = error.location
        if previous is not None:
            self.flow.cursor = previous
        self.flow.record("EvaluationFailed", evaluationFailedEventDetails=details)
        return StatesError(error.error, cause)

    def failure(self, error: str, cause: str) -> StatesError:
        """Make the error of a state that the interpreter itself fails."""
        return StatesError(error, self.explain(cause))

    def explain(self, cause: str) -> str:
        """Say where a failure happened, as Step Functions does."""
        where = f"the state '{self.state.name}' (entered at the event id #{self.entered})"
        return f"An error occurred while executing {where}. {cause}"

    def limited(self, value: Any) -> str:
        """Write a JSON value that may not exceed the payload quota.

        Raises:
            StatesError: `States.DataLimitExceeded`.
        """
        text = limits.dump(value)
        if limits.size(text) > limits.MAX_PAYLOAD_BYTES:
            raise too_large(self.state.name)
        return text

    def _bindings(self, map_item: dict[str, Any] | None = None, **states: Any) -> dict[str, Any]:
        if self._encoded is NOTHING:
            self._encoded = encode(self.input)
        state: dict[str, Any] = {"Name": self.state.name, "EnteredTime": self._entered_at}
        if self.state.type in _COUNTS_RETRIES:
            state["RetryCount"] = self.retries
        context = {**self.flow.execution.context, "State": state}
        item = map_item or self.flow.map_item
        if item is not None:
            context["Map"] = {"Item": item}
        extra = {name: encode(value) for name, value in states.items() if value is not NOTHING}
        values = {"input": self._encoded, "context": context, **extra}
        return {**self.flow.execution.functions, **self.flow.variables, "states": values}


Runner = Callable[[Visit], Awaitable[Outcome]]


def too_large(what: str) -> StatesError:
    """Make the error of a payload above 256 KiB."""
    cause = (
        f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    return StatesError(errors.DATA_LIMIT_EXCEEDED, cause)


def unexpected(template: Template, value: Any, expected: str) -> EvaluationError:
    """Make the error of an expression whose value is not of the type that its field needs."""
    got = f"Expected '{expected}', but was '{_json_type(value)}' for value: {limits.dump(value)}"
    return EvaluationError(f"{template.described} returned an unexpected result type. {got}", template.location)


def _json_type(value: Any) -> str:
    names = {bool: "boolean", dict: "object", float: "number", int: "number", list: "array", str: "string"}
    return names.get(type(value), "null")


async def run_block(flow: Flow, block: Block, input: Any, input_text: str) -> tuple[Any, str]:
    """Run states one after another until one of them ends.

    Returns:
        The output of the last state, and its JSON text.

    Raises:
        StatesError: A state failed and nothing caught it.
    """
    name: str | None = block.start_at
    while name is not None:
        input, input_text, name = await _visit(flow, block.states[name], input, input_text)
    return input, input_text


async def _visit(flow: Flow, state: State, input: Any, input_text: str) -> tuple[Any, str, str | None]:
    visit = Visit(flow, state, input, input_text)
    if state.type != "Task":
        # Concurrent branches advance in turns, as in the service: each enters its state before any leaves one. A Task
        # takes its turn when its call is scheduled.
        await trio.lowlevel.checkpoint()
    attempts = [0] * len(state.retry)
    while True:
        try:
            outcome = await flow.interpreter.runners[state.type](visit)
            output = visit.render(
                outcome.output, outcome.result if outcome.result is not NOTHING else input, result=outcome.result
            )
            return _leave(visit, output, outcome.assign, outcome.next, result=outcome.result)
        except StatesError as error:
            failure = visit.report(error)
            delay = retry.next_delay(state.retry, attempts, failure.error, flow.execution.chance)
            if delay is None:
                return _catch(visit, failure)
            visit.retries += 1
            await trio.sleep(delay)


def _catch(visit: Visit, failure: StatesError) -> tuple[Any, str, str | None]:
    for catcher in visit.state.catch:
        if errors.matches(catcher.error_equals, failure.error):
            error_output = {"Error": failure.error, "Cause": failure.cause}
            try:
                output = visit.render(catcher.output, error_output, errorOutput=error_output)
                return _leave(visit, output, catcher.assign, catcher.next, errorOutput=error_output)
            except StatesError as error:
                raise visit.report(error) from failure
    raise failure


def _leave(
    visit: Visit, output: Any, assign: Template | None, following: str | None, **states: Any
) -> tuple[Any, str, str | None]:
    """Leave a state: its variables were evaluated against the values at its entry, and become visible now."""
    flow = visit.flow
    details: dict[str, Any] = {"name": visit.state.name}
    if assign is not None:
        assigned = visit.render(assign, **states)
        texts = {name: limits.dump(value) for name, value in assigned.items()}
        sizes = {name: limits.size(text) for name, text in texts.items()}
        flow_sizes = {**flow.sizes, **sizes}
        if sum(sizes.values()) > limits.MAX_PAYLOAD_BYTES or sum(flow_sizes.values()) > limits.MAX_VARIABLES_BYTES:
            raise too_large(visit.state.name)
        text = visit.limited(output)
        flow.variables.update({name: encode(value) for name, value in assigned.items()})
        flow.sizes = flow_sizes
        details |= {"assignedVariables": texts, "assignedVariablesDetails": {"truncated": False}}
    else:
        text = visit.input_text if output is visit.input else visit.limited(output)
    details |= {"output": text, "outputDetails": {"truncated": False}}
    flow.record(f"{visit.state.type}StateExited", stateExitedEventDetails=details)
    flow.state = None
    return output, text, following


def _never(expression: Expression, location: str) -> Any:
    raise AssertionError(f"{location} was taken for constant")
