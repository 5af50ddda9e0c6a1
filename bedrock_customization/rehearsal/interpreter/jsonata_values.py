"""JSON values on their way into and out of JSONata, where undefined and null are different things."""

from __future__ import annotations

import math
from typing import Any

from jsonata.utils import Utils

_NULL = Utils.NULL_VALUE


def encode(value: Any) -> Any:
    """Mark the nulls of a JSON value, so that JSONata does not take them for undefined.

    A value without nulls is returned as it is, not copied.
    """
    if value is None:
        return _NULL
    if isinstance(value, dict):
        marked = {key: item for key, old in value.items() if (item := encode(old)) is not old}
        return {**value, **marked} if marked else value
    if isinstance(value, list):
        items = [encode(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def decode(value: Any) -> Any:
    """Turn a result of JSONata into a JSON value of its own.

    Raises:
        TypeError: The result is or holds what JSON cannot: a function or a regular expression.
    """
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if value is _NULL or value is None:
        return None
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    raise TypeError(type(value).__name__)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal; unlike in Python, 1 is not true."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    return bool(one == other)


def _number(value: float) -> int | float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
