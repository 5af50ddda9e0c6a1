"""jsonata-python, brought to what JSONata 2.0.6 does in Step Functions where the two differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.utils import Utils

from bedrock_customization.rehearsal.interpreter.jsonata_errors import TOO_DEEP, TOO_LARGE, TOO_LONG, token_is_known
from bedrock_customization.rehearsal.interpreter.jsonata_signatures import validate
from bedrock_customization.rehearsal.interpreter.jsonata_text import string_of
from bedrock_customization.rehearsal.interpreter.jsonata_values import same

MAX_DEPTH = 100
# Step Functions stops an expression by time; counting its steps is the same on every computer.
MAX_STEPS = 2_000_000
# A character counts one byte, an item of an array eight; a range as it stands counts nothing.
MAX_BYTES = 6_990_256
_BYTES_PER_ITEM = 8


class Engine(Jsonata):  # type: ignore[misc]
    """One parsed expression, evaluated within the limits of Step Functions.

    The library truncates the result of `%` to a whole number, and fails where a result is infinite or not a number;
    Step Functions goes on, and writes such a result as the text `Infinity` or `NaN`.
    """

    input: Any
    environment: Any
    _depth = _steps = 0

    def get_per_thread_instance(self) -> Engine:
        """Evaluate with this object; the library takes the last one that anything in the process has made."""
        return self

    def evaluate(self, input: Any, bindings: Any = None) -> Any:
        """Evaluate the expression; see the library."""
        Jsonata.CURRENT.jsonata = self
        self._depth = self._steps = 0
        outermost = self.environment
        try:
            return super().evaluate(input, bindings)
        finally:
            self.environment = outermost

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        """Evaluate a node of the expression; as the library does, but limits are kept here and not in callbacks."""
        outer_input, outer_environment = self.input, self.environment
        self.input, self.environment = input, environment
        self._take_steps(1)
        self._depth += 1
        evaluate = _EVALUATE.get(expr.type)
        result = None if evaluate is None else evaluate(self, expr, input, environment)
        if expr.predicate is not None:
            for item in expr.predicate:
                result = self.evaluate_filter(item.expr, result, environment)
        if expr.group is not None and expr.type != "path":
            result = self.evaluate_group_expression(expr.group, result, environment)
        self._depth -= 1
        if isinstance(result, list | str) and _size(result) > MAX_BYTES:
            raise JException(TOO_LARGE, -1)
        self.input, self.environment = outer_input, outer_environment
        return _value(result, expr.keep_array) if type(result) is Utils.JList else result

    def evaluate_path(self, expr: Any, input: Any, environment: Any) -> Any:
        """Follow a path; one of plain names through objects needs none of the library's sequences."""
        plain = _plain_path(expr)
        if plain is not None:
            variable, names = plain
            value = input if variable is None else environment.lookup(variable)
            for name in names:
                if isinstance(value, list):
                    break
                value = value.get(name) if isinstance(value, dict) else None
            else:
                if not isinstance(value, list) or type(value) is list:
                    self._take_steps(len(expr.steps))
                    return value
        return super().evaluate_path(expr, input, environment)

    def _take_steps(self, number: int) -> None:
        self._steps += number
        if self._depth >= MAX_DEPTH:
            raise JException(TOO_DEEP, -1)
        if self._steps > MAX_STEPS:
            raise JException(TOO_LONG, -1)

    def evaluate_function(self, expr: Any, input: Any, environment: Any, applyto_context: Any) -> Any:
        """Call a function; an error that names none gets the name that the expression calls it by."""
        try:
            return super().evaluate_function(expr, input, environment, applyto_context)
        except JException as error:
            if not token_is_known(error):
                procedure = expr.procedure
                is_path = getattr(procedure, "type", None) == "path"
                error.token = procedure.steps[0].value if is_path else getattr(procedure, "value", None)
            raise

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        """Call something; see the library, which prints what cannot be called."""
        if not (isinstance(proc, Jsonata.JFunctionCallable) or Functions.is_lambda(proc) or Functions.is_regex(proc)):
            raise JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)

    def validate_arguments(self, signature: Any, args: Any, context: Any) -> Any:
        """Check a function's arguments."""
        known = getattr(signature, "signature", None)
        return args if known is None else validate(known, args, context)

    def evaluate_boolean_expression(self, lhs: Any, evalrhs: Callable[[], Any], op: str | None) -> Any:
        """Calculate `and` and `or`; an error on the right side names the operator, as in JSONata."""

        def right() -> Any:
            try:
                return evalrhs()
            except JException as error:
                error.token = op
                raise

        return super().evaluate_boolean_expression(lhs, right, op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> bool:
        """Look for a text, number, boolean or null in an array."""
        if lhs is None or rhs is None or isinstance(lhs, list | dict):
            return False
        return any(same(lhs, item) for item in (rhs if isinstance(rhs, list) else [rhs]))

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Join two values as text."""
        return "".join("" if value is None else string_of(value) for value in (lhs, rhs))

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Calculate; see the library."""
        if _is_number(lhs) and _is_number(rhs):
            if op == "%":
                result = math.fmod(lhs, rhs) if rhs and math.isfinite(lhs) else math.nan
                return int(result) if result.is_integer() else result
            if op == "/" and rhs == 0:
                return math.copysign(math.inf, lhs) if lhs else math.nan
        try:
            return super().evaluate_numeric_expression(lhs, rhs, op)
        except JException as error:
            if error.error == "D1001" and math.isfinite(lhs) and math.isfinite(rhs):
                return math.copysign(math.inf, lhs) * (math.copysign(1, rhs) if op in ("*", "/") else 1)
            raise


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(sequence: Any, keep_array: bool) -> Any:
    """Turn a sequence into a value: one of a single item is that item, an empty one is nothing."""
    if not sequence.sequence or sequence.tuple_stream:
        return sequence
    if keep_array:
        sequence.keep_singleton = True
    if not sequence:
        return None
    return sequence[0] if len(sequence) == 1 and not sequence.keep_singleton else sequence


def _plain_path(path: Any) -> tuple[str | None, list[str]] | None:
    """A path's variable, if it begins with one, and its names; None if it has anything else. Found once."""
    try:
        return path.plain_path  # type: ignore[no-any-return]
    except AttributeError:
        path.plain_path = _find_plain_path(path)
        return path.plain_path  # type: ignore[no-any-return]


def _find_plain_path(path: Any) -> tuple[str | None, list[str]] | None:
    special = ("stages", "predicate", "group", "focus", "index", "ancestor", "tuple", "consarray", "keep_array")
    if path.keep_singleton_array or path.group is not None or path.tuple is not None:
        return None
    if any(getattr(step, field) for step in path.steps for field in special):
        return None
    first, *rest = path.steps
    variable = str(first.value) if first.type == "variable" and first.value else None
    steps = rest if variable else path.steps
    return (variable, [str(step.value) for step in steps]) if all(step.type == "name" for step in steps) else None


def _size(value: list[Any] | str) -> int:
    if isinstance(value, Utils.RangeList):
        return 0
    return len(value) * (_BYTES_PER_ITEM if isinstance(value, list) else 1)


_EVALUATE: dict[str, Callable[[Engine, Any, Any, Any], Any]] = {
    "path": Engine.evaluate_path,
    "name": Engine.evaluate_name,
    "variable": Engine.evaluate_variable,
    "string": lambda engine, expr, *_: engine.evaluate_literal(expr),
    "number": lambda engine, expr, *_: engine.evaluate_literal(expr),
    "value": lambda engine, expr, *_: engine.evaluate_literal(expr),
    "unary": Engine.evaluate_unary,
    "binary": Engine.evaluate_binary,
    "function": lambda engine, expr, input, scope: engine.evaluate_function(expr, input, scope, Utils.NONE),
    "condition": Engine.evaluate_condition,
    "block": Engine.evaluate_block,
    "bind": Engine.evaluate_bind_expression,
    "lambda": Engine.evaluate_lambda,
    "partial": Engine.evaluate_partial_application,
    "apply": Engine.evaluate_apply_expression,
    "transform": Engine.evaluate_transform_expression,
    "regex": lambda engine, expr, *_: engine.evaluate_regex(expr),
    "wildcard": lambda engine, expr, input, _: engine.evaluate_wildcard(expr, input),
    "descendant": lambda engine, expr, input, _: engine.evaluate_descendants(expr, input),
    "parent": lambda engine, expr, _, scope: scope.lookup(expr.slot.label),
}
"""How each kind of node is evaluated."""
