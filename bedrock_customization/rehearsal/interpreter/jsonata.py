"""JSONata as Step Functions evaluates it: its functions, its limits, and undefined kept apart from null."""

from __future__ import annotations

import datetime
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.utils import Utils

from bedrock_customization.rehearsal.interpreter.errors import QUERY_EVALUATION_ERROR
from bedrock_customization.rehearsal.interpreter.java_random import first_double
from bedrock_customization.rehearsal.interpreter.jsonata_engine import Engine
from bedrock_customization.rehearsal.interpreter.jsonata_errors import TOO_DEEP, explain
from bedrock_customization.rehearsal.interpreter.jsonata_functions import STATIC_FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonata_references import References, find_references
from bedrock_customization.rehearsal.interpreter.jsonata_values import decode
from bedrock_customization.rehearsal.interpreter.services import StatesError

_NULL = Utils.NULL_VALUE


# Most expressions name a field of the input; looking it up takes a hundredth of the time that the library needs.
_PATH = re.compile(r"\s*\$([A-Za-z_]\w*(?:\.(?!(?:and|or|in|true|false|null|function)\b)[A-Za-z_]\w*)*)\s*")
_NOT_FOUND = object()


class EvaluationError(StatesError):
    """An expression failed; `location` names the field of the state that holds it, or is empty."""

    def __init__(self, cause: str, location: str) -> None:
        super().__init__(QUERY_EVALUATION_ERROR, cause)
        self.location = location


class Expression:
    """One parsed expression; parsing is done once, evaluation many times.

    Args:
        text: The expression, without `{%` and `%}`.

    Raises:
        ValueError: The text is not JSONata.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._jsonata = Engine(text)
        except JException as error:
            raise ValueError(str(error)) from error
        self._jsonata.set_output_convert_nulls(False)
        self._jsonata.set_validate_input(False)
        self.references: References = find_references(self._jsonata.ast)
        self._names = tuple(self.references.names)
        path = _PATH.fullmatch(text)
        self._path = path[1].split(".") if path else []

    def evaluate(self, bindings: dict[str, Any], location: str) -> Any:
        """Evaluate to a JSON value.

        Args:
            bindings: What each `$name` stands for; the values are encoded with `encode`.
            location: The field that holds the expression, for the error.

        Raises:
            EvaluationError: The expression failed, returned nothing, or returned what JSON cannot hold.
        """
        if self._path:
            value = _follow(bindings, self._path)
            if value is not _NOT_FOUND:
                return decode(value)
        bound = {name: bindings[name] for name in self._names if name in bindings}
        prefix = f"The JSONata expression '{self.text}' specified for the field '{location}'"
        failed = f"{prefix} threw an error during evaluation"
        try:
            result = self._jsonata.evaluate(None, bound)
        except RecursionError as error:
            raise EvaluationError(f"{failed}: {TOO_DEEP}", location) from error
        except (JException, ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise EvaluationError(f"{failed}{explain(error)}", location) from error
        if result is None:
            raise EvaluationError(f"{prefix} returned nothing (undefined).", location)
        try:
            return decode(result)
        except TypeError:
            raise EvaluationError(f"{prefix} returned an unsupported result type.", location) from None


def _follow(bindings: dict[str, Any], path: list[str]) -> Any:
    """Look a path up where every step is a field of an object; everything else is left to the library."""
    value: Any = bindings
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _NOT_FOUND
        value = value[name]
    return value if isinstance(value, str | int | float | list | dict) or value is _NULL else _NOT_FOUND


class JsonataFunctions:
    """The functions that depend on an execution: the clock and chance.

    Args:
        now: Tells the virtual time.
        chance: The source of random numbers of the execution.
    """

    def __init__(self, now: Callable[[], datetime.datetime], chance: random.Random) -> None:
        self._now = now
        self._chance = chance
        self.bindings: dict[str, Any] = {
            **STATIC_FUNCTIONS,
            "now": Jsonata.JLambda(self._now_text),
            "millis": Jsonata.JLambda(self._millis),
            "random": Jsonata.JFunction(Jsonata.JLambda(self._random), "<n?:n>"),
            "uuid": Jsonata.JFunction(Jsonata.JLambda(self._uuid), "<:s>"),
        }

    def _millis(self) -> int:
        return round(self._now().timestamp() * 1000)

    def _now_text(self, picture: str | None = None, timezone: str | None = None) -> Any:
        return Functions.datetime_from_millis(self._millis(), picture, timezone)

    def _random(self, seed: float | None = None) -> float:
        return self._chance.random() if seed is None else first_double(int(seed))

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


def is_expression(value: Any) -> bool:
    """Tell whether a value of a definition is a JSONata expression: `{%` and `%}` must enclose the whole string."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4
