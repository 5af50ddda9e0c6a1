"""One visit of a state: what its fields see of the data, and how its failures read."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.definition import Field, State
from bedrock_customization.rehearsal.interpreter.execution import now, timestamp
from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError, Expression
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.interpreter.jsonpath.choice import Condition
from bedrock_customization.rehearsal.interpreter.jsonpath.data import Data
from bedrock_customization.rehearsal.interpreter.jsonpath.numbers import referenced_number
from bedrock_customization.rehearsal.interpreter.jsonpath.result import place
from bedrock_customization.rehearsal.interpreter.jsonpath.template import PathTemplate
from bedrock_customization.rehearsal.interpreter.services import Caller, StatesError
from bedrock_customization.rehearsal.interpreter.template import Template

if TYPE_CHECKING:
    from bedrock_customization.rehearsal.interpreter.flow import Flow

NOTHING: Any = object()
"""Stands for a value that is not there, where None is a JSON value."""

_COUNTS_RETRIES = ("Map", "Parallel", "Task")


@dataclass
class Outcome:
    """What a state did: its result, where it goes, and which fields make its output and its variables."""

    result: Any = NOTHING
    next: str | None = None
    assign: Field | None = None
    output: Field | None = None


class Visit:
    """One visit of a state: what its expressions see, and how its failures read.

    Attributes:
        progress: What a Parallel or a Map has done so far, which a redrive goes on with.
    """

    def __init__(self, flow: Flow, state: State, input: Any, input_text: str) -> None:
        self.flow = flow
        self.state = state
        self.input = input
        self.input_text = input_text
        self.retries = 0
        self.progress: Any = None
        details = {"name": state.name, "input": input_text, "inputDetails": {"truncated": False}}
        flow.execution.enter(state.name)
        flow.visit = self
        self.came_from = flow.cursor
        self.entered = flow.record(f"{state.type}StateEntered", stateEnteredEventDetails=details)
        self._entered_at = timestamp(now())
        self._encoded: Any = NOTHING
        self._data: Any = NOTHING

    @property
    def data(self) -> Any:
        """The input, or what `InputPath` selects of it."""
        if self._data is NOTHING:
            template = self.state.templates.get("InputPath")
            self._data = self.input
            self._data = self.render(template, self.input)
        return self._data

    @property
    def payload(self) -> Any:
        """What the state hands to what it runs: its arguments, or its input."""
        return self.render(self.state.templates.get("Arguments"), self.data)

    @property
    def caller(self) -> Caller:
        """Who calls a service here."""
        return Caller(self.flow.execution.machine, self.flow.execution.arn, self.state.name)

    def render(self, template: Field | None, default: Any = NOTHING, **states: Any) -> Any:
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
        if isinstance(template, PathTemplate):
            return template.render(self._paths(**states).evaluate)
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
        if isinstance(template, PathTemplate):
            return referenced_number(value, template.value, template.location, least, most, self.failure)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if field == "ToleratedFailurePercentage":
            whole = whole or isinstance(value, float)
        if not whole:
            raise unexpected(template, value, "number")
        if value < least or (most is not None and value > most):
            allowed = f"{least} or more" if most is None else f"{least} to {most}"
            raise EvaluationError(f"{template.described} returned {value}; allowed: {allowed}.", template.location)
        return value

    def holds(self, condition: Template | Condition) -> bool:
        """Tell whether a choice rule holds.

        Raises:
            StatesError: It compares what is not there, or is no condition.
        """
        if not isinstance(condition, Template):
            return self._paths().holds(condition)
        holds = self.render(condition)
        if not isinstance(holds, bool):
            raise unexpected(condition, holds, "boolean")
        return holds

    def output(self, outcome: Outcome) -> Any:
        """Give the state's output."""
        result, input = outcome.result, self.input
        if not self.state.json_path:
            return self.render(outcome.output, input if result is NOTHING else result, result=result)
        if result is NOTHING:
            placed = self.data
        else:
            selected = self.render(self.state.templates.get("ResultSelector"), result, result=result)
            placed = place(self.input, self.state.result_path, selected)
        return self.render(self.state.templates.get("OutputPath"), placed, result=placed)

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

    def _context(self, map_item: dict[str, Any] | None) -> dict[str, Any]:
        state: dict[str, Any] = {"Name": self.state.name, "EnteredTime": self._entered_at}
        if self.state.type in _COUNTS_RETRIES:
            state["RetryCount"] = self.retries
        context = {**self.flow.execution.context, "State": state}
        if str(self.state.definition.get("Resource")).endswith(".waitForTaskToken"):
            token = f"{self.flow.execution.arn}#{self.entered}#{self.retries}"
            context["Task"] = {"Token": base64.b64encode(token.encode()).decode()}
        item = map_item or self.flow.map_item
        if item is not None:
            context["Map"] = {"Item": item}
        return context

    def _paths(self, map_item: dict[str, Any] | None = None, **states: Any) -> Data:
        value = states.get("errorOutput", states.get("result", NOTHING))
        return Data(
            self.data if value is NOTHING else value,
            partial(self._context, map_item),
            self.flow.variables,
            self.flow.execution.chance,
            self.failure,
        )

    def _bindings(self, map_item: dict[str, Any] | None = None, **states: Any) -> dict[str, Any]:
        if self._encoded is NOTHING:
            # Looking for a null in the text is quicker than going through the value.
            self._encoded = encode(self.input) if "null" in self.input_text else self.input
        context = self._context(map_item)
        extra = {name: encode(value) for name, value in states.items() if value is not NOTHING}
        values = {"input": self._encoded, "context": context, **extra}
        return {**self.flow.execution.functions, **self.flow.variables, "states": values}


def too_large(what: str) -> StatesError:
    """Make the error of a payload above 256 KiB."""
    cause = (
        f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    return StatesError(errors.DATA_LIMIT_EXCEEDED, cause)


def unexpected(template: Field, value: Any, expected: str) -> EvaluationError:
    """Make the error of a value that is not of the type that its field needs."""
    got = f"Expected '{expected}', but was '{_json_type(value)}' for value: {limits.dump(value)}"
    return EvaluationError(f"{template.described} returned an unexpected result type. {got}", template.location)


def _json_type(value: Any) -> str:
    names = {bool: "boolean", dict: "object", float: "number", int: "number", list: "array", str: "string"}
    return names.get(type(value), "null")


def _never(expression: Expression, location: str) -> Any:
    raise AssertionError(f"{location} was taken for constant")
