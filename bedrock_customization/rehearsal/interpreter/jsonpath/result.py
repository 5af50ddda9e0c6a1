"""`ResultPath`: where a state's result is put in its input."""

from __future__ import annotations

from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.services import StatesError


def place(input: Any, keys: tuple[str | int, ...] | None, result: Any) -> Any:
    """Put a result into an input, which is not changed.

    Args:
        input: The input as the state got it.
        keys: The steps of the path: none replaces the input, None discards the result.
        result: The result.

    Raises:
        StatesError: `States.ReferencePathConflict`: the path leads through something that is no object.
    """
    if keys is None:
        return input
    if not keys:
        return result
    key, *rest = keys
    if isinstance(key, int):
        if isinstance(input, list) and 0 <= key < len(input):
            return [*input[:key], place(input[key], tuple(rest), result), *input[key + 1 :]]
        raise _conflict(keys, input)
    if input is None:
        input = {}
    if not isinstance(input, dict):
        raise _conflict(keys, input)
    return {**input, key: place(input.get(key), tuple(rest), result)}


def _conflict(keys: tuple[str | int, ...], input: Any) -> StatesError:
    path = "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return StatesError(
        errors.REFERENCE_PATH_CONFLICT, f"Unable to apply ReferencePath {path} to input {limits.dump(input)}"
    )
