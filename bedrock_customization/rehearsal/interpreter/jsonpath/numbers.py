"""Numbers that paths refer to, and what Step Functions says where they are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.services import StatesError

_OUT_OF_RANGE = {
    "MaxConcurrencyPath": "Expected non-negative integer for MaxConcurrency, got '{}' instead.",
    "MaxItemsPath": "field MaxItems must be positive",
    "ToleratedFailureCountPath": "ToleratedFailureCount cannot be negative.",
    "ToleratedFailurePercentagePath": "ToleratedFailurePercentage must be between 0 and 100.",
}
_PERCENTAGE = "ToleratedFailurePercentagePath"


def referenced_number(
    value: Any, path: str, location: str, least: int, most: int | None, failure: Callable[[str, str], StatesError]
) -> Any:
    """Check a number that a path refers to.

    Args:
        value: What the path refers to; a text of digits is a number too.
        path: The path.
        location: The field that holds the path, for example `ItemReader/ReaderConfig/MaxItemsPath`.
        least: The smallest number allowed.
        most: The greatest number allowed, if there is one.
        failure: Makes an error of the state from its name and cause.

    Raises:
        StatesError: It is no number, or not within the limits.
    """
    field = location.rsplit("/", 1)[-1]
    name = errors.ITEM_READER_FAILED if field == "MaxItemsPath" else errors.RUNTIME
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    kinds = int | float if field == _PERCENTAGE else int
    if isinstance(value, bool) or not isinstance(value, kinds):
        shown = value if isinstance(value, str) else limits.dump(value)
        kind = "float" if field == _PERCENTAGE else "integer"
        raise failure(name, f'The {field} field refers to value "{shown}" which is not a valid {kind}: {path}')
    if value < least or (most is not None and value > most):
        allowed = f"{least} or more" if most is None else f"{least} to {most}"
        generic = f"The {field} field refers to the value {{}}; allowed: {allowed}"
        raise failure(name, _OUT_OF_RANGE.get(field, generic).format(value))
    return value
