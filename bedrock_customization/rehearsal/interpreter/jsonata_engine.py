"""jsonata-python, brought to what JSONata 2.0.6 does in Step Functions where the two differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException

from bedrock_customization.rehearsal.interpreter.jsonata_errors import token_is_known
from bedrock_customization.rehearsal.interpreter.jsonata_signatures import validate
from bedrock_customization.rehearsal.interpreter.jsonata_text import string_of
from bedrock_customization.rehearsal.interpreter.jsonata_values import same


class Engine(Jsonata):  # type: ignore[misc]
    """One parsed expression.

    The library truncates the result of `%` to a whole number, and fails where a result is infinite or not a number;
    Step Functions goes on, and writes such a result as the text `Infinity` or `NaN`.
    """

    def get_per_thread_instance(self) -> Engine:
        """Evaluate with this object; the library takes the last one that anything in the process has made."""
        return self

    def evaluate(self, input: Any, bindings: Any = None) -> Any:
        """Evaluate the expression; see the library."""
        Jsonata.CURRENT.jsonata = self
        return super().evaluate(input, bindings)

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
