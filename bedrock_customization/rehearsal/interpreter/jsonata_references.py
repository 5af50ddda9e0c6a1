"""What a JSONata expression refers to, found before it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata

BUILT_IN_FUNCTIONS = frozenset(name for name, value in Jsonata.static_frame.bindings.items() if value is not None)
ADDED_FUNCTIONS = frozenset({"partition", "range", "hash", "random", "uuid", "parse"})
FUNCTIONS = (BUILT_IN_FUNCTIONS | ADDED_FUNCTIONS) - {"eval"}


@dataclass
class References:
    """The names in an expression that decide whether Step Functions accepts it."""

    names: set[str] = field(default_factory=set)
    """Every `$name`, without the `$`."""
    functions: set[str] = field(default_factory=set)
    """Every `$name` that is called and that the expression does not bind itself."""
    states: set[tuple[str, ...]] = field(default_factory=set)
    """The names after `$states`, for example `("context", "Execution", "Id")`."""
    top_level: set[str] = field(default_factory=set)
    """What is read from a context that does not exist: a bare name, `$` or `$$`."""


class _Finder:
    """Walks a syntax tree; `inside` tells whether a step or predicate has set the context item."""

    def __init__(self) -> None:
        self.references = References()
        self.bound: set[str] = set()

    def walk(self, node: Any, inside: bool) -> None:
        if node is None:
            return
        if isinstance(node, list | tuple):
            for item in node:
                self.walk(item, inside)
            return
        kind = getattr(node, "type", None)
        for attribute in ("focus", "index"):
            if isinstance(name := getattr(node, attribute, None), str):
                self.bound.add(name)
        if kind == "path":
            self._path(node, inside)
        elif kind == "variable":
            self._variable(node, inside)
        elif kind == "name" and not inside:
            self.references.top_level.add(str(node.value))
        elif kind in ("function", "partial"):
            self._call(node, inside)
        elif kind == "lambda":
            self.bound.update(str(argument.value) for argument in node.arguments)
            self.walk(node.body, inside)
        elif kind == "bind":
            self.bound.add(str(node.lhs.value))
            self.walk(node.rhs, inside)
        elif kind == "apply":
            self._apply(node, inside)
        elif kind == "transform":
            for part in (node.pattern, node.update, node.delete):
                self.walk(part, True)
        else:
            self._children(node, inside)
        self._context_parts(node)

    def _context_parts(self, node: Any) -> None:
        for attribute in ("stages", "predicate"):
            for part in getattr(node, attribute, None) or []:
                self.walk(getattr(part, "expr", None), True)
        group = getattr(node, "group", None)
        if group is not None:
            self.walk(getattr(group, "lhs_object", None), True)

    def _children(self, node: Any, inside: bool) -> None:
        for attribute in ("lhs", "rhs", "lhs_object", "expressions", "expression", "condition", "then", "_else"):
            self.walk(getattr(node, attribute, None), inside)
        for term in getattr(node, "terms", None) or []:
            self.walk(getattr(term, "expression", None), True)

    def _path(self, node: Any, inside: bool) -> None:
        first = node.steps[0]
        self.walk(first, inside)
        for step in node.steps[1:]:
            self.walk(step, True)
        if getattr(first, "type", None) == "variable" and first.value == "states":
            names: list[str] = []
            for step in node.steps[1:]:
                if getattr(step, "type", None) != "name":
                    break
                names.append(str(step.value))
            self.references.states.add(tuple(names))

    def _variable(self, node: Any, inside: bool) -> None:
        name = str(node.value)
        if name == "$" or (name == "" and not inside):
            self.references.top_level.add("$" + name)
        elif name:
            self.references.names.add(name)

    def _call(self, node: Any, inside: bool) -> None:
        self._procedure(node.procedure, inside)
        self.walk(node.arguments, inside)

    def _apply(self, node: Any, inside: bool) -> None:
        self.walk(node.lhs, inside)
        if getattr(node.rhs, "type", None) == "variable":
            self._procedure(node.rhs, inside)
        else:
            self.walk(node.rhs, inside)

    def _procedure(self, node: Any, inside: bool) -> None:
        if getattr(node, "type", None) == "variable" and node.value:
            self.references.names.add(str(node.value))
            self.references.functions.add(str(node.value))
        else:
            self.walk(node, inside)


def find_references(tree: Any) -> References:
    """Find the names that a parsed expression refers to."""
    finder = _Finder()
    finder.walk(tree, False)
    found = finder.references
    found.functions -= finder.bound
    return found
