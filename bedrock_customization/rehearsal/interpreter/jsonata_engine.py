"""jsonata-python, with the arithmetic of the service: IEEE 754, as in JavaScript and Java."""

from __future__ import annotations

import math
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException


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
