"""The choice rules of JSONPath: a variable, an operator, and what it is compared with."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bedrock_customization.rehearsal.interpreter.execution import parse_timestamp
from bedrock_customization.rehearsal.interpreter.jsonpath.path import Path

MISSING: Any = object()
"""Stands for what a path does not find."""

Lookup = Callable[[Path], Any]
"""Follows a path; gives `MISSING` where nothing is."""

Condition = Callable[[Lookup], bool]
"""Tells whether a rule holds."""


class InvalidPathError(Exception):
    """A rule compares what a path does not find; `path` is that path."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.text)
        self.path = path


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
}


def _text(value: Any) -> Any:
    # Java compares the UTF-16 code units of two texts.
    return value.encode("utf-16-be", "surrogatepass") if isinstance(value, str) else None


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _moment(value: Any) -> datetime | None:
    return parse_timestamp(value) if isinstance(value, str) else None


_KINDS: dict[str, Callable[[Any], Any]] = {
    "Boolean": _boolean,
    "Numeric": _number,
    "String": _text,
    "Timestamp": _moment,
}
_COMPARISONS = {
    f"{kind}{order}": (_KINDS[kind], _ORDERS[order])
    for kind in _KINDS
    for order in _ORDERS
    if kind != "Boolean" or order == "Equals"
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsNull": lambda value: value is None,
    "IsNumeric": lambda value: _number(value) is not None,
    "IsString": lambda value: isinstance(value, str),
    "IsTimestamp": lambda value: _moment(value) is not None,
}
_COMBINATIONS = ("And", "Not", "Or")
OPERATORS = (*_COMPARISONS, *(f"{name}Path" for name in _COMPARISONS), *_TESTS, "IsPresent", "StringMatches")
FIELDS = {"Variable", *_COMBINATIONS, *OPERATORS}
"""The fields of a rule that say when it holds."""


def parse_condition(rule: dict[str, Any], parse_path: Callable[[Any, str], Path | None]) -> Condition:
    """Parse when a rule holds.

    Args:
        rule: The rule.
        parse_path: Parses a path that stands in a field; None if it is none, which it reports itself.

    Raises:
        ValueError: The rule has no operator or several, or compares with a value of another type.
    """
    combined = [name for name in _COMBINATIONS if name in rule]
    operators = [name for name in OPERATORS if name in rule]
    if len(combined) + len(operators) != 1:
        names = ", ".join(combined + operators) or "none"
        raise ValueError(f"got {names}; exactly one operator is needed")
    if combined:
        return _combination(combined[0], rule[combined[0]], parse_path)
    name = operators[0]
    variable = parse_path(rule.get("Variable"), "Variable")
    expected = rule[name]
    if variable is None:
        return lambda lookup: False
    if name == "IsPresent":
        _need(isinstance(expected, bool), name, expected, "a boolean")
        return lambda lookup: (lookup(variable) is not MISSING) == expected
    if name in _TESTS:
        _need(isinstance(expected, bool), name, expected, "a boolean")
        test = _TESTS[name]
        return lambda lookup: test(_value(variable, lookup)) == expected
    if name == "StringMatches":
        _need(isinstance(expected, str), name, expected, "a string")
        pattern = _pattern(expected)
        return lambda lookup: isinstance(value := _value(variable, lookup), str) and bool(pattern.fullmatch(value))
    return _comparison(name, variable, expected, parse_path)


def _comparison(name: str, variable: Path, expected: Any, parse_path: Callable[[Any, str], Path | None]) -> Condition:
    kind, order = _COMPARISONS[name.removesuffix("Path")]
    other = parse_path(expected, name) if name.endswith("Path") else None
    if not name.endswith("Path"):
        _need(kind(expected) is not None, name, expected, "a value of this type")

    def holds(lookup: Lookup) -> bool:
        left = kind(_value(variable, lookup))
        right = kind(expected if other is None else _value(other, lookup))
        return left is not None and right is not None and bool(order(left, right))

    return holds


def _combination(name: str, parts: Any, parse_path: Callable[[Any, str], Path | None]) -> Condition:
    if name == "Not":
        _need(isinstance(parts, dict), name, parts, "a rule")
        condition = parse_condition(parts, parse_path)
        return lambda lookup: not condition(lookup)
    _need(isinstance(parts, list) and all(isinstance(part, dict) for part in parts), name, parts, "an array of rules")
    _need(bool(parts), name, parts, "at least one rule")
    conditions = [parse_condition(part, parse_path) for part in parts]
    together = all if name == "And" else any
    return lambda lookup: together(condition(lookup) for condition in conditions)


def _value(path: Path, lookup: Lookup) -> Any:
    value = lookup(path)
    if value is MISSING:
        raise InvalidPathError(path)
    return value


def _pattern(text: str) -> re.Pattern[str]:
    r"""Read a pattern in which `*` stands for any characters and `\*` for an asterisk."""
    parts = re.findall(r"\\[\\*]|\*|[^*\\]+|\\", text)
    written = [
        ".*" if part == "*" else re.escape(part[1:] if len(part) == 2 and part[0] == "\\" else part) for part in parts
    ]
    return re.compile("".join(written), re.DOTALL)


def _need(right: bool, name: str, value: Any, what: str) -> None:
    if not right:
        raise ValueError(f"{name}: got {value!r}; {what} is needed")
