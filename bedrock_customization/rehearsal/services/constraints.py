"""The limits that an API model declares for a request: lengths, ranges, enumerations and patterns.

A service checks them and answers ValidationException; botocore alone does not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from bedrock_customization.rehearsal.services.api_error import ApiError

# The published pattern on the left takes time exponential in the number of hyphens; the other accepts the same names.
_LINEAR_PATTERNS = {r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*": r"[a-zA-Z0-9][a-zA-Z0-9+.-]*"}


def check(request: dict[str, Any], shape: Shape) -> None:
    """Refuse a request that breaks a declared limit.

    Args:
        request: The request in the API's own spelling.
        shape: The operation's input shape.

    Raises:
        ApiError: ValidationException in the wording of AWS, naming each offending member.
    """
    found = list(_violations(request, shape, ""))
    if found:
        plural = "s" if len(found) > 1 else ""
        raise ApiError("ValidationException", f"{len(found)} validation error{plural} detected: " + "; ".join(found))


def _violations(value: Any, shape: Shape, path: str) -> list[str]:
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            return []
        return [
            violation
            for name, member in shape.members.items()
            if name in value
            for violation in _violations(value[name], member, f"{path}.{name}" if path else name)
        ]
    if isinstance(shape, ListShape):
        inner = [v for i, item in enumerate(value) for v in _violations(item, shape.member, f"{path}.{i + 1}.member")]
        return _out_of_range(len(value), shape, path, "length", value) + inner
    if isinstance(shape, MapShape):
        return [v for key, item in value.items() for v in _violations(item, shape.value, f"{path}.{key}")]
    if isinstance(value, str):
        return _string_violations(value, shape, path)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _out_of_range(value, shape, path, "value", value)
    return []


def _string_violations(value: str, shape: Shape, path: str) -> list[str]:
    too_long = _out_of_range(len(value), shape, path, "length", value)
    if too_long:
        return too_long
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        return [_wording(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")]
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        return [_wording(value, path, f"Member must satisfy regular expression pattern: {pattern}")]
    return []


def _out_of_range(size: float, shape: Shape, path: str, what: str, value: Any) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        return [_wording(value, path, f"Member must have {what} greater than or equal to {low}")]
    if high is not None and size > high:
        return [_wording(value, path, f"Member must have {what} less than or equal to {high}")]
    return []


def _wording(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


@lru_cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_LINEAR_PATTERNS.get(pattern, pattern))
