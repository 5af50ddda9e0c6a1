"""JSON values of a definition in which strings may be JSONata expressions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from bedrock_customization.rehearsal.interpreter.jsonata import Expression, is_expression

Evaluate = Callable[[Expression, str], Any]
"""Evaluates an expression that stands at a location, for example `Output/items[0]`."""


class Template:
    """A value of a definition, parsed once: `Arguments`, `Output`, `Assign`, `Items` and the like.

    Args:
        value: The value as written.
        location: The field that holds it, relative to its state.
        parse: Parses the text between `{%` and `%}` that stands at a location.
    """

    def __init__(self, value: Any, location: str, parse: Callable[[str, str], Expression]) -> None:
        self.location = location
        self.value = value
        self.expression: Expression | None = None
        self._fields: dict[str, Template] = {}
        self._items: list[Template] = []
        if is_expression(value):
            self.expression = parse(value[2:-2].strip(), location)
        elif isinstance(value, dict):
            self._fields = {key: Template(item, f"{location}/{key}", parse) for key, item in value.items()}
        elif isinstance(value, list):
            self._items = [Template(item, f"{location}[{index}]", parse) for index, item in enumerate(value)]
        self.constant: bool = self.expression is None and all(
            part.constant for part in (*self._fields.values(), *self._items)
        )

    @property
    def described(self) -> str:
        """The beginning of an error about this field's expression."""
        text = self.expression.text if self.expression else ""
        return f"The JSONata expression '{text}' specified for the field '{self.location}'"

    def render(self, evaluate: Evaluate) -> Any:
        """Fill in the expressions; the result shares nothing with the definition."""
        if self.constant:
            return copy.deepcopy(self.value) if isinstance(self.value, dict | list) else self.value
        if self.expression is not None:
            return evaluate(self.expression, self.location)
        if self._fields:
            return {key: field.render(evaluate) for key, field in self._fields.items()}
        return [item.render(evaluate) for item in self._items]

    def expressions(self) -> Iterator[tuple[Expression, str]]:
        """Give every expression with its location."""
        if self.expression is not None:
            yield self.expression, self.location
        for part in (*self._fields.values(), *self._items):
            yield from part.expressions()
