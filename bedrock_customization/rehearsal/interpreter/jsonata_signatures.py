"""Checks the arguments of a JSONata function against its signature, as JSONata 2.0.6 does.

The library takes null for a missing argument and names the wrong argument; this does neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.signature import Signature
from jsonata.utils import Utils

_MISSING, _ARRAY = "m", "a"
_SYMBOLS: tuple[tuple[type, str], ...] = (
    (str, "s"),
    (bool, "b"),
    (int, "n"),
    (float, "n"),
    (list, _ARRAY),
    (dict, "o"),
)


def validate(signature: Signature, args: Sequence[Any], context: Any) -> list[Any]:
    """Give the arguments as the function takes them: the context in place of one left out, an array where one belongs.

    Args:
        signature: The function's parsed signature.
        args: The arguments of the call.
        context: The context item.

    Raises:
        JException: `T0410`, `T0411` or `T0412`, with the argument's number as the first detail.
    """
    supplied = "".join(_symbol(arg) for arg in args)
    match = _pattern(signature).fullmatch(supplied)
    if match is None:
        raise JException("T0410", -1, _first_wrong(signature, supplied))
    taken: list[Any] = []
    index = 0
    for param, symbols in zip(signature._params, match.groups(), strict=True):
        if not symbols:
            if param.context:
                if not re.fullmatch(param.regex, _symbol(context)):
                    raise JException("T0411", -1, index + 1)
                taken.append(context)
            else:
                taken.append(None)
            continue
        for symbol in symbols:
            arg = args[index]
            index += 1
            if param.type == _ARRAY and symbol != _MISSING:
                if param.subtype is not None and not _holds(arg, symbol, param.subtype):
                    raise JException("T0412", -1, index, "", param.subtype)
                arg = arg if symbol == _ARRAY else [arg]
            taken.append(arg)
    return taken


@cache
def _pattern(signature: Signature) -> re.Pattern[str]:
    return re.compile("".join(f"({param.regex})" for param in signature._params))


def _first_wrong(signature: Signature, supplied: str) -> int:
    pattern, good = "", 0
    for param in signature._params:
        pattern += param.regex
        match = re.match(pattern, supplied)
        if match is None:
            break
        good = match.end()
    return good + 1


def _holds(value: Any, symbol: str, subtype: str) -> bool:
    if symbol != _ARRAY:
        return symbol == subtype
    return all(_symbol(item) == subtype[0] for item in value)


def _symbol(value: Any) -> str:
    if value is None:
        return _MISSING
    if value is Utils.NULL_VALUE:
        return "l"
    for kind, symbol in _SYMBOLS:
        if isinstance(value, kind):
            return symbol
    if isinstance(value, Jsonata.JFunctionCallable) or Functions.is_lambda(value) or Functions.is_regex(value):
        return "f"
    return _MISSING
