"""The intrinsic functions of Step Functions, `States.Format` and the like."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.jsonata_values import same

_MOST_RANGE_ITEMS = 1000
_MOST_HASHED_CHARACTERS = 10_000
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class ArgumentError(Exception):
    """An argument that the function cannot work with."""


def call(name: str, arguments: list[Any], chance: random.Random) -> Any:
    """Call an intrinsic function.

    Args:
        name: Its name, for example `States.Format`.
        arguments: JSON values; a literal template of `States.Format` is a tuple of the texts between its placeholders.
        chance: The source of random numbers.

    Raises:
        ArgumentError: An argument is of the wrong type or out of range.
    """
    if name == "States.UUID":
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))
    if name == "States.MathRandom":
        return _random(arguments, chance)
    return _FUNCTIONS[name][1](*arguments)


def accepts(name: str, count: int) -> bool:
    """Whether there is such a function and it takes so many arguments."""
    if name == "States.UUID":
        return count == 0
    if name == "States.MathRandom":
        return count in (2, 3)
    if name not in _FUNCTIONS:
        return False
    counts = _FUNCTIONS[name][0]
    return count in counts if counts else True


def names() -> list[str]:
    """Every function's name."""
    return sorted([*_FUNCTIONS, "States.MathRandom", "States.UUID"])


def _array(*items: Any) -> list[Any]:
    return list(items)


def _array_contains(array: Any, item: Any) -> bool:
    return any(same(item, other) for other in _checked(array, list, "an array"))


def _array_get_item(array: Any, index: Any) -> Any:
    items, position = _checked(array, list, "an array"), _whole(index)
    if not 0 <= position < len(items):
        raise ArgumentError(f"the index {position} is not within an array of length {len(items)}")
    return items[position]


def _array_length(array: Any) -> int:
    return len(_checked(array, list, "an array"))


def _array_partition(array: Any, size: Any) -> list[Any]:
    items, step = _checked(array, list, "an array"), _whole(size)
    if step < 1:
        raise ArgumentError(f"the chunk size must be positive, but was {step}")
    return [items[first : first + step] for first in range(0, len(items), step)]


def _array_range(first: Any, last: Any, step: Any) -> list[int]:
    low, high, by = _whole(first), _whole(last), _whole(step)
    if by == 0:
        raise ArgumentError("the increment must not be 0")
    numbers = range(low, high + (1 if by > 0 else -1), by)
    if len(numbers) > _MOST_RANGE_ITEMS:
        raise ArgumentError(f"the array would have {len(numbers)} items; allowed: {_MOST_RANGE_ITEMS}")
    return list(numbers)


def _array_unique(array: Any) -> list[Any]:
    unique: list[Any] = []
    for item in _checked(array, list, "an array"):
        if not any(same(item, other) for other in unique):
            unique.append(item)
    return unique


def _base64_decode(text: Any) -> str:
    try:
        return base64.b64decode(_checked(text, str, "a string"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ArgumentError(f"the argument is not Base64 of a text: {error}") from error


def _base64_encode(text: Any) -> str:
    return base64.b64encode(_checked(text, str, "a string").encode()).decode()


def _format(template: Any, *values: Any) -> str:
    # A literal comes in pieces: in it, escaped braces are no placeholders.
    pieces = template if isinstance(template, tuple) else _checked(template, str, "a string").split("{}")
    if len(pieces) != len(values) + 1:
        raise ArgumentError(f"{len(values)} arguments do not fit {len(pieces) - 1} placeholders")
    return "".join([pieces[0], *(_shown(value) + piece for value, piece in zip(values, pieces[1:], strict=True))])


def _shown(value: Any) -> str:
    """Write a value as Java does, which Step Functions is written in: `{a=1, b=[x, y]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _hash(data: Any, algorithm: Any) -> str:
    if algorithm not in _ALGORITHMS:
        raise ArgumentError(f"the algorithm is {algorithm!r}; allowed: {', '.join(_ALGORITHMS)}")
    text = data if isinstance(data, str) else limits.dump(data)
    if len(text) > _MOST_HASHED_CHARACTERS:
        raise ArgumentError(f"the data have {len(text)} characters; allowed: {_MOST_HASHED_CHARACTERS}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode()).hexdigest()


def _json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    if deep is not False:
        raise ArgumentError("only the shallow merge is supported; the third argument must be false")
    return {**_checked(first, dict, "an object"), **_checked(second, dict, "an object")}


def _json_to_string(value: Any) -> str:
    return limits.dump(value)


def _string_to_json(text: Any) -> Any:
    try:
        return json.loads(_checked(text, str, "a string"))
    except ValueError as error:
        raise ArgumentError(f"the argument is not JSON: {error}") from error


def _math_add(one: Any, other: Any) -> int:
    return _whole(one) + _whole(other)


def _random(arguments: list[Any], chance: random.Random) -> int:
    low, high = _whole(arguments[0]), _whole(arguments[1])
    if low >= high:
        raise ArgumentError(f"the start {low} must be smaller than the end {high}")
    source = chance if len(arguments) == 2 else random.Random(_whole(arguments[2]))
    return source.randrange(low, high)


def _string_split(text: Any, delimiters: Any) -> list[str]:
    characters = re.escape(_checked(delimiters, str, "a string"))
    whole = _checked(text, str, "a string")
    return [part for part in re.split(f"[{characters}]", whole) if part] if characters else [whole]


def _whole(value: Any) -> int:
    """Round as Java does, half up."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"a number is needed, but was {limits.dump(value)}")
    return math.floor(value + 0.5)


def _checked(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise ArgumentError(f"{what} is needed, but was {limits.dump(value)}")
    return value


_FUNCTIONS: dict[str, tuple[tuple[int, ...], Callable[..., Any]]] = {
    "States.Array": ((), _array),
    "States.ArrayContains": ((2,), _array_contains),
    "States.ArrayGetItem": ((2,), _array_get_item),
    "States.ArrayLength": ((1,), _array_length),
    "States.ArrayPartition": ((2,), _array_partition),
    "States.ArrayRange": ((3,), _array_range),
    "States.ArrayUnique": ((1,), _array_unique),
    "States.Base64Decode": ((1,), _base64_decode),
    "States.Base64Encode": ((1,), _base64_encode),
    "States.Format": (tuple(range(1, 100)), _format),
    "States.Hash": ((2,), _hash),
    "States.JsonMerge": ((3,), _json_merge),
    "States.JsonToString": ((1,), _json_to_string),
    "States.MathAdd": ((2,), _math_add),
    "States.StringSplit": ((2,), _string_split),
    "States.StringToJson": ((1,), _string_to_json),
}
