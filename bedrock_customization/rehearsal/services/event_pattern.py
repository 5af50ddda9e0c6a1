"""EventBridge event patterns: which events a rule wants."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError

_MISSING = object()


def matches(pattern: dict[str, Any], event: dict[str, Any], where: str) -> bool:
    """Whether an event matches a pattern: every field of the pattern must.

    Args:
        pattern: The event pattern.
        event: The event.
        where: Where the pattern stands, for error messages.

    Raises:
        UnsupportedTemplateError: It depends on an operator that is not known; names the operator and the field.
    """
    unknown: list[str] = []
    matched = _matches(pattern, event, where, unknown)
    if matched and unknown:
        raise UnsupportedTemplateError(f"{unknown[0]}, which the rehearsal does not know")
    return matched


def _matches(pattern: dict[str, Any], event: Any, where: str, unknown: list[str]) -> bool:
    results = []
    for key, wanted in pattern.items():
        value = event.get(key, _MISSING) if isinstance(event, dict) else _MISSING
        if key == "$or":
            results.append(any(_matches(alternative, event, where, unknown) for alternative in wanted))
        elif isinstance(wanted, dict):
            results.append(_matches(wanted, value, f"{where}.{key}", unknown))
        else:
            operators = {operator for filter_ in wanted if isinstance(filter_, dict) for operator in filter_}
            strange = sorted(operators - set(_OPERATORS))
            if strange:
                unknown.append(f"{where}.{key} uses the event pattern operator {strange[0]}")
            results.append(bool(strange) or _any_matches(wanted, value))
    return all(results)


def _any_matches(filters: list[Any], value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    if not values:
        values = [_MISSING]
    return any(_matches_one(filter_, item) for filter_ in filters for item in values)


def _matches_one(filter_: Any, value: Any) -> bool:
    if isinstance(filter_, dict):
        return all(_OPERATORS[operator](argument, value) for operator, argument in filter_.items())
    return value is not _MISSING and type(filter_) is type(value) and bool(filter_ == value)


def _anything_but(argument: Any, value: Any) -> bool:
    if value is _MISSING:
        return False
    if isinstance(argument, dict):
        return not _matches_one(argument, value)
    return value not in (argument if isinstance(argument, list) else [argument])


def _affix(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def matched(argument: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(argument, dict):
            return test(value.lower(), str(argument["equals-ignore-case"]).lower())
        return any(test(value, part) for part in (argument if isinstance(argument, list) else [argument]))

    return matched


def _wildcard(argument: Any, value: Any) -> bool:
    escaped = str(argument).replace("[", "[[]").replace("?", "[?]")
    return isinstance(value, str) and fnmatch.fnmatchcase(value, escaped)


def _numeric(argument: list[Any], value: Any) -> bool:
    tests = {"=": float.__eq__, "<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(tests[comparison](float(value), float(limit)) for comparison, limit in pairs)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": lambda argument, value: (value is not _MISSING) == argument,
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": lambda argument, value: isinstance(value, str) and value.lower() == str(argument).lower(),
    "anything-but": _anything_but,
    "wildcard": _wildcard,
    "numeric": _numeric,
}
