"""JSON values as text, as `$string` and `&` write them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from jsonata.utils import Utils

_PLAIN_BELOW = 21
_SMALLEST_PLAIN = -6
_MOST_WHOLE = 2**63


def string_of(value: Any, pretty: bool = False) -> str:
    """Write a value as JSON text; a text stays as it is, a function becomes an empty text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list | dict | int | float) and value is not None and value is not Utils.NULL_VALUE:
        return ""
    return _text(value, "\n" if pretty else "")


def number_text(value: float) -> str:
    """Write a number as JavaScript does, a fraction with at most 15 digits.

    Step Functions writes an integer that fits in 64 bits exactly.
    """
    if isinstance(value, int) and -_MOST_WHOLE <= value < _MOST_WHOLE:
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    shortest = repr(value if value.is_integer() else float(f"{value:.15g}"))
    sign, figures, exponent = Decimal(shortest).normalize().as_tuple()
    digits = "".join(map(str, figures))
    assert isinstance(exponent, int)
    point = len(digits) + exponent
    minus = "-" if sign else ""
    if len(digits) <= point <= _PLAIN_BELOW:
        return f"{minus}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= _PLAIN_BELOW:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{minus}{mantissa}e{point - 1:+d}"


def _text(value: Any, line: str) -> str:
    if value is None or value is Utils.NULL_VALUE:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    inner = f"{line}  " if line else ""
    if isinstance(value, list):
        items = [_text(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line}]" if items else "[]"
    if isinstance(value, dict):
        colon = ": " if line else ":"
        items = [f"{json.dumps(key, ensure_ascii=False)}{colon}{_text(item, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}" if items else "{}"
    return '""'
