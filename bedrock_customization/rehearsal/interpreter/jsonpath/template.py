"""Payload templates: JSON values in which a field whose name ends in `.$` holds a path or an intrinsic function."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from bedrock_customization.rehearsal.interpreter.jsonpath.intrinsic import Intrinsic
from bedrock_customization.rehearsal.interpreter.jsonpath.path import Path

Sample = Path | Intrinsic
"""What takes a value from the data."""

Evaluate = Callable[[Sample, str], Any]
"""Gives the value of a path or intrinsic function that stands in a field, for example `name.$`."""


def parse_sample(text: Any) -> Sample:
    """Parse a path or a call of an intrinsic function.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(text, str):
        raise ValueError(f"got {text!r}; a path or an intrinsic function is needed")
    return Intrinsic(text) if text.startswith("States.") else Path(text)


class PathTemplate:
    """A field of a JSONPath state: a payload template, a path, or a constant.

    Attributes:
        location: The field's name, relative to its state.
        value: The value as written.
        sample: What the field takes its value from, if it is not a template.
        constant: Whether it takes nothing from the data.

    Args:
        value: The value as written.
        location: The field's name.
        parse: Parses a path or intrinsic function that stands in a field of that name.
        whole: Whether the value is a path itself, not a template.
    """

    def __init__(
        self, value: Any, location: str, parse: Callable[[Any, str], Sample | None], whole: bool = False
    ) -> None:
        self.value = value
        self.location = location
        self.sample = parse(value, location) if whole else None
        self._fields: dict[str, PathTemplate] = {}
        self._items: list[PathTemplate] = []
        if not whole and isinstance(value, dict):
            for key, item in value.items():
                name = key.removesuffix(".$") if key.endswith(".$") else key
                self._fields[name] = PathTemplate(item, key, parse, whole=key.endswith(".$"))
        elif not whole and isinstance(value, list):
            self._items = [PathTemplate(item, location, parse) for item in value]
        self.constant: bool = self.sample is None and all(
            part.constant for part in (*self._fields.values(), *self._items)
        )

    @property
    def described(self) -> str:
        """The beginning of an error about this field's value."""
        return f"The value specified for the field '{self.location}'"

    def render(self, evaluate: Evaluate) -> Any:
        """Fill in what comes from the data; the result shares nothing with the definition."""
        if self.sample is not None:
            return evaluate(self.sample, self.location)
        if self._fields:
            return {key: part.render(evaluate) for key, part in self._fields.items()}
        if self._items:
            return [part.render(evaluate) for part in self._items]
        return copy.deepcopy(self.value)

    def samples(self) -> Iterator[Sample]:
        """Give every path and intrinsic function in it."""
        if self.sample is not None:
            yield self.sample
        for part in (*self._fields.values(), *self._items):
            yield from part.samples()
