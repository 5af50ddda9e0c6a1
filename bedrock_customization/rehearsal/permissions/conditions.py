"""The Condition element of a policy statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bedrock_customization.rehearsal.permissions.matching import LITERAL, arn_like, like, plain

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {**LITERAL, "$": "$"}


class UnknownConditionError(Exception):
    """A condition uses an operator or a key that the rehearsal does not know; says which."""


class MalformedConditionError(Exception):
    """A condition uses an operator that IAM does not have, so that it refuses the policy; says which."""


class Context(Protocol):
    """What AWS knows about a request."""

    def values(self, key: str) -> Sequence[str] | None:
        """The values of a condition key, or None if the request has none.

        Raises:
            UnknownConditionError: The rehearsal cannot know.
        """


@dataclass(frozen=True)
class Condition:
    """One operator with one key.

    Args:
        operator: The operator without quantifier and `IfExists`.
        key: The key.
        wanted: The policy's values.
        quantifier: `ForAllValues`, `ForAnyValue` or nothing.
        if_exists: Whether a request without the key satisfies it.
        variables: Whether `${...}` in values is replaced.
    """

    operator: str
    key: str
    wanted: tuple[str, ...]
    quantifier: str
    if_exists: bool
    variables: bool

    def holds(self, context: Context) -> bool:
        """Whether a request satisfies it.

        Raises:
            UnknownConditionError: The operator or the key is not known.
        """
        if self.operator == "Null":
            absent = context.values(self.key) is None
            return any(absent == (wish.lower() == "true") for wish in self.wanted)
        if self.operator not in _OPERATORS:
            raise UnknownConditionError(f"the condition operator {self.operator}")
        compare, negated = _OPERATORS[self.operator]
        values = context.values(self.key)
        if not values:
            if self.quantifier:
                return self.quantifier == "ForAllValues"
            return negated or self.if_exists
        wanted = [substituted(wish, context) if self.variables else wish for wish in self.wanted]

        def satisfies(value: str) -> bool:
            return any(compare(wish, value) for wish in wanted) != negated

        return all(map(satisfies, values)) if self.quantifier == "ForAllValues" else any(map(satisfies, values))


def conditions_of(element: dict[str, dict[str, Any]], *, variables: bool) -> tuple[Condition, ...]:
    """The conditions of a statement; all must hold.

    Args:
        element: The Condition element.
        variables: Whether the policy's version knows variables.

    Raises:
        MalformedConditionError: IAM does not have an operator.
    """
    found = []
    for written, keys in element.items():
        quantifier, colon, operator = written.rpartition(":")
        if colon and quantifier not in ("ForAllValues", "ForAnyValue"):
            operator, quantifier = written, ""
        bare = operator.removesuffix("IfExists")
        if bare not in _OPERATORS and written not in ("Null", *_NOT_SIMULATED, *_NOT_SIMULATED_IF_EXISTS):
            raise MalformedConditionError(f"IAM has no condition operator {written}")
        for key, wish in keys.items():
            wanted = tuple(_text(value) for value in (wish if isinstance(wish, list) else [wish]))
            found.append(Condition(bare, key, wanted, quantifier, bare != operator, variables))
    return tuple(found)


def substituted(text: str, context: Context) -> str:
    """A text with its policy variables replaced, for example `${aws:PrincipalTag/team}`.

    Raises:
        UnknownConditionError: A variable is not known.
    """

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        values = context.values(name.strip())
        if values:
            return values[0]
        # Without a value the statement matches nothing: no ARN and no value has this character.
        return default.strip().strip("'") if default else "\0"

    return _VARIABLE.sub(value, text) if "${" in text else text


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(wish: str, value: str) -> bool:
        try:
            return compare(float(value), float(wish))
        except ValueError:
            return False

    return compared


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(wish: str, value: str) -> bool:
        try:
            return compare(_moment(value), _moment(wish))
        except ValueError:
            return False

    return compared


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Compare = Callable[[str, str], bool]
"""Compares a policy's value with a request's."""

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, wish: value == wish,
    "LessThan": lambda value, wish: value < wish,
    "LessThanEquals": lambda value, wish: value <= wish,
    "GreaterThan": lambda value, wish: value > wish,
    "GreaterThanEquals": lambda value, wish: value >= wish,
}
_ARN: Compare = lambda wish, value: arn_like(wish, value)  # noqa: E731
_IGNORING_CASE: Compare = lambda wish, value: plain(wish).lower() == value.lower()  # noqa: E731
_OPERATORS: dict[str, tuple[Compare, bool]] = {
    "StringEquals": (lambda wish, value: plain(wish) == value, False),
    "StringNotEquals": (lambda wish, value: plain(wish) == value, True),
    "StringEqualsIgnoreCase": (_IGNORING_CASE, False),
    "StringNotEqualsIgnoreCase": (_IGNORING_CASE, True),
    "StringLike": (lambda wish, value: like(wish, value), False),
    "StringNotLike": (lambda wish, value: like(wish, value), True),
    "ArnEquals": (_ARN, False),
    "ArnLike": (_ARN, False),
    "ArnNotEquals": (_ARN, True),
    "ArnNotLike": (_ARN, True),
    "Bool": (_IGNORING_CASE, False),
    **{f"Numeric{name}": (_number(compare), False) for name, compare in _COMPARISONS.items()},
    "NumericNotEquals": (_number(_COMPARISONS["Equals"]), True),
    **{f"Date{name}": (_date(compare), False) for name, compare in _COMPARISONS.items()},
    "DateNotEquals": (_date(_COMPARISONS["Equals"]), True),
}
_NOT_SIMULATED = ("IpAddress", "NotIpAddress", "BinaryEquals")
_NOT_SIMULATED_IF_EXISTS = tuple(f"{operator}IfExists" for operator in _NOT_SIMULATED)
"""Each operator's comparison, and whether it holds when none of the policy's values compares."""
