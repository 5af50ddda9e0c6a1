"""Paths of JSONPath, with the rules of Jayway's implementation, which Step Functions uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.jsonpath.filters import Filter, parse_filter

_NAME = re.compile(r"[^\s.\[\]()?*@$,'\"!=<>&|]+")
_ROOT = re.compile(r"\$\$|\$[^\W\d]\w*|\$")
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*")
_NUMBERS = re.compile(r"\s*-?\d+\s*(,\s*-?\d+\s*)*")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*")


class NotFoundError(Exception):
    """A path that points to one place points to nothing; says why as Step Functions does.

    Args:
        reason: Why, in words.
        past_the_end: Whether it points past the end of an array that is there.
    """

    def __init__(self, reason: str, past_the_end: bool = False) -> None:
        super().__init__(reason)
        self.past_the_end = past_the_end


@dataclass(frozen=True)
class _Step:
    """One step of a path: what it is called and, for a single node, which one."""

    text: str
    children: Callable[[Any], Iterator[Any]]
    key: str | int | None = None
    recursive: bool = False


class Path:
    """One parsed path.

    Attributes:
        text: The path as written.
        root: `$` for the value at hand, `$$` for the context object, or a variable's name.
        definite: Whether it points to one place; if not, it gives an array of everything that it finds.
        is_reference: Whether it is a reference path, one that a result can be put at.

    Args:
        text: The path.

    Raises:
        ValueError: The text is no path, or uses what is not known here.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        start = _ROOT.match(text)
        if start is None:
            raise ValueError(f"got {text!r}; a path begins with $")
        self.root = start[0] if start[0] in ("$", "$$") else start[0][1:]
        self._steps = list(_steps(text, start.end()))
        self.definite = all(step.key is not None and not step.recursive for step in self._steps)
        self.is_reference = self.definite and self.root == "$"

    @property
    def keys(self) -> list[str | int]:
        """The names and positions of a path that is definite."""
        return [step.key for step in self._steps if step.key is not None]

    def find(self, value: Any) -> Any:
        """Follow the path from a value.

        Raises:
            NotFoundError: Nothing is there.
        """
        found = [value]
        single = True
        at = "$"
        for index, step in enumerate(self._steps):
            definite = single
            single = single and step.key is not None and not step.recursive
            at += step.text
            starts = [node for item in found for node in _descendants(item)] if step.recursive else found
            found = [child for item in starts for child in step.children(item)]
            if definite and not found and not step.recursive and (single or not _has_children(starts[0])):
                last = index == len(self._steps) - 1
                past_the_end = last and isinstance(step.key, int) and isinstance(starts[0], list)
                raise NotFoundError(_missing(step, starts[0], at, last), past_the_end)
        return found[0] if self.definite else found


def _missing(step: _Step, node: Any, at: str, last: bool) -> str:
    if isinstance(step.key, str) and not isinstance(node, dict):
        return f"Expected to find an object with property {step.text} in path {at.removesuffix(step.text)}"
    if isinstance(step.key, int) and not isinstance(node, list):
        return f"Filter: {step.text} can only be applied to arrays. Current context is: {limits.dump(node)}"
    return f"No results for path: {at}" if last else f"Missing property in path {at}"


def _has_children(node: Any) -> bool:
    return isinstance(node, dict | list)


def _descendants(node: Any) -> Iterator[Any]:
    yield node
    for child in _all(node):
        yield from _descendants(child)


def _all(node: Any) -> Iterator[Any]:
    yield from node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _steps(text: str, at: int) -> Iterator[_Step]:
    while at < len(text):
        recursive = text.startswith("..", at)
        if recursive:
            at += 2
        elif text[at] == ".":
            at += 1
        elif text[at] != "[":
            raise ValueError(f"got {text!r}; '.' or '[' is needed at position {at + 1}")
        if text[at : at + 1] == "[":
            end = _closing(text, at)
            yield _bracket(text, text[at + 1 : end], recursive)
            at = end + 1
        elif text[at : at + 1] == "*":
            yield _Step("[*]", _all, recursive=recursive)
            at += 1
        else:
            name = _NAME.match(text, at)
            if name is None:
                raise ValueError(f"got {text!r}; a name is needed at position {at + 1}")
            if text[name.end() : name.end() + 1] == "(":
                raise ValueError(f"got {text!r}; the function {name[0]}() of JSONPath is not supported")
            yield _Step(f"['{name[0]}']", _property(name[0]), name[0], recursive)
            at = name.end()


def _closing(text: str, at: int) -> int:
    depth, quote, position = 0, "", at
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if not depth:
                return position
        position += 1
    raise ValueError(f"got {text!r}; the bracket at position {at + 1} is not closed")


def _bracket(text: str, inside: str, recursive: bool) -> _Step:
    quoted = _QUOTED.fullmatch(inside)
    if quoted is not None:
        # A backslash is kept unless it precedes the quote, as recorded executions show.
        name = (quoted[1] or "").replace("\\'", "'") if quoted[1] is not None else quoted[2].replace('\\"', '"')
        return _Step(f"['{name}']", _property(name), name, recursive)
    if inside.strip() == "*":
        return _Step("[*]", _all, recursive=recursive)
    if _NUMBERS.fullmatch(inside):
        positions = [int(part) for part in inside.split(",")]
        key = positions[0] if len(positions) == 1 else None
        return _Step(f"[{inside}]", _items(positions), key, recursive)
    bounds = _SLICE.fullmatch(inside)
    if bounds is not None:
        low, high = (None if bound is None else int(bound) for bound in bounds.groups())
        return _Step(f"[{inside}]", _slice(low, high), recursive=recursive)
    if inside.lstrip().startswith("?"):
        condition = inside.strip()[1:].strip()
        if not (condition.startswith("(") and condition.endswith(")")):
            raise ValueError(f"got {text!r}; a filter is written [?(...)]")
        return _Step("[?]", _filtered(parse_filter(condition[1:-1], _relative)), recursive=recursive)
    raise ValueError(f"got {text!r}; [{inside}] is not supported")


def _relative(text: str) -> Callable[[Any], list[Any]]:
    path = Path(f"${text.removeprefix('@')}")

    def found(item: Any) -> list[Any]:
        try:
            return [path.find(item)]
        except NotFoundError:
            return []

    return found


def _property(name: str) -> Callable[[Any], Iterator[Any]]:
    def children(node: Any) -> Iterator[Any]:
        if isinstance(node, dict) and name in node:
            yield node[name]

    return children


def _items(positions: list[int]) -> Callable[[Any], Iterator[Any]]:
    def children(node: Any) -> Iterator[Any]:
        for position in positions:
            if isinstance(node, list) and -len(node) <= position < len(node):
                yield node[position]

    return children


def _slice(low: int | None, high: int | None) -> Callable[[Any], Iterator[Any]]:
    def children(node: Any) -> Iterator[Any]:
        yield from node[low:high] if isinstance(node, list) else ()

    return children


def _filtered(condition: Filter) -> Callable[[Any], Iterator[Any]]:
    def children(node: Any) -> Iterator[Any]:
        items = node if isinstance(node, list) else [node] if isinstance(node, dict) else []
        yield from (item for item in items if condition(item))

    return children
