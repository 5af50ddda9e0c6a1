"""EventBridge event patterns: which events a rule wants."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError

_MISSING = object()


def check(pattern: dict[str, Any], where: str) -> None:
    """Refuse a pattern with an operator that is not known.

    Args:
        pattern: The rule's event pattern.
        where: The rule, for the error message.

    Raises:
        UnsupportedTemplateError: Names the operator and the field.
    """
    for key, wanted in pattern.items():
        if key == "$or":
            for alternative in wanted:
                check(alternative, where)
        elif isinstance(wanted, dict):
            check(wanted, f"{where}.{key}")
        else:
            for filter_ in wanted:
                if isinstance(filter_, dict) and not set(filter_) <= set(_OPERATORS):
                    unknown = ", ".join(sorted(set(filter_) - set(_OPERATORS)))
                    raise UnsupportedTemplateError(
                        f"{where}.{key} uses the event pattern operator {unknown}, which the rehearsal does not know"
                    )


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether an event matches a pattern: every field of the pattern must."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
            continue
        value = event.get(key, _MISSING) if isinstance(event, dict) else _MISSING
        if isinstance(wanted, dict):
            if not matches(wanted, value if isinstance(value, dict) else {}):
                return False
        elif not _any_matches(wanted, value):
            return False
    return True


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
