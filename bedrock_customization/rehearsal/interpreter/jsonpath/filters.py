"""The filters of JSONPath: `[?(@.price < 10 && @.category == 'fiction')]`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

Filter = Callable[[Any], bool]
"""Tells whether an item is kept."""

Relative = Callable[[str], Callable[[Any], list[Any]]]
"""Parses a path such as `@.price`; what it gives finds one value in an item, or none."""

_Operand = Callable[[Any], Any]
_NOTHING: Any = object()
_TOKEN = re.compile(
    r"\s*(?:(?P<path>@(?:\.?[\w-]+|\[[^\]]*\]|\.)*)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<pattern>/(?:[^/\\]|\\.)+/i?)"
    r"|(?P<operator>==|!=|<=|>=|=~|&&|\|\||[<>!()\[\],])"
    r"|(?P<word>[A-Za-z]+))"
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse_filter(text: str, relative: Relative) -> Filter:
    """Parse the condition between `?(` and `)`.

    Args:
        text: The condition.
        relative: Parses the paths in it.

    Raises:
        ValueError: It is no condition, or uses what is not known here.
    """
    parser = _Parser(text, relative)
    condition = parser.either()
    if parser.tokens:
        raise ValueError(f"got the filter {text!r}; {parser.tokens[0][1]!r} is not expected")
    return condition


class _Parser:
    def __init__(self, text: str, relative: Relative) -> None:
        self.text = text
        self.relative = relative
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            token = _TOKEN.match(text, at)
            if token is None or token.lastgroup is None:
                raise ValueError(f"got the filter {text!r}; {text[at:].strip()!r} is not supported")
            self.tokens.append((token.lastgroup, token[token.lastgroup]))
            at = token.end()

    def take(self, *wanted: str) -> str | None:
        if self.tokens and self.tokens[0][1] in wanted and self.tokens[0][0] in ("operator", "word"):
            return self.tokens.pop(0)[1]
        return None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise ValueError(f"got the filter {self.text!r}; {wanted!r} is missing")

    def either(self) -> Filter:
        conditions = [self.both()]
        while self.take("||"):
            conditions.append(self.both())
        return lambda item: any(condition(item) for condition in conditions)

    def both(self) -> Filter:
        conditions = [self.one()]
        while self.take("&&"):
            conditions.append(self.one())
        return lambda item: all(condition(item) for condition in conditions)

    def one(self) -> Filter:
        if self.take("!"):
            denied = self.one()
            return lambda item: not denied(item)
        if self.take("("):
            condition = self.either()
            self.need(")")
            return condition
        left = self.operand()
        compare = self.take("==", "!=", "<", "<=", ">", ">=", "=~", "in", "nin")
        if compare is None:
            return lambda item: left(item) is not _NOTHING
        right = self.operand()
        return lambda item: _holds(compare, left(item), right(item))

    def operand(self) -> _Operand:
        if self.take("["):
            items: list[_Operand] = []
            while not self.take("]"):
                items.append(self.operand())
                self.take(",")
            return lambda item: [part(item) for part in items]
        if not self.tokens:
            raise ValueError(f"got the filter {self.text!r}; it ends too early")
        kind, text = self.tokens.pop(0)
        if kind == "path":
            find = self.relative(text)
            return lambda item: next(iter(find(item)), _NOTHING)
        if kind == "pattern":
            flags = re.IGNORECASE if text.endswith("i") else 0
            compiled = re.compile(text[1 : text.rindex("/")], flags)
            return lambda _: compiled
        if (kind == "word" and text not in _CONSTANTS) or kind == "operator":
            raise ValueError(f"got the filter {self.text!r}; {text!r} is not supported")
        value: Any = _CONSTANTS.get(text)
        if kind == "number":
            value = float(text) if re.search(r"[.eE]", text) else int(text)
        elif kind == "text":
            value = re.sub(r"\\(.)", r"\1", text[1:-1])
        return lambda _: value


def _holds(compare: str, left: Any, right: Any) -> bool:
    if compare == "==":
        return _equal(left, right)
    if compare == "!=":
        return not _equal(left, right)
    if compare in ("in", "nin"):
        found = isinstance(right, list) and any(_equal(left, item) for item in right)
        return found == (compare == "in")
    if compare == "=~":
        return isinstance(left, str | int | float) and right.fullmatch(str(left)) is not None
    if (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return bool(_ORDERS[compare](left, right))
    return False


def _equal(left: Any, right: Any) -> bool:
    if left is _NOTHING or right is _NOTHING:
        return left is right
    if (_is_number(left) and isinstance(right, str)) or (isinstance(left, str) and _is_number(right)):
        return str(left) == str(right)
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
