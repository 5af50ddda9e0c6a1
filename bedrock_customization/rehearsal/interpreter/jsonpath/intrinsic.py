"""Calls of intrinsic functions: `States.Format('Hello {}', $.name)`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.interpreter.jsonpath import functions
from bedrock_customization.rehearsal.interpreter.jsonpath.path import Path

_NAME = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_TEXT = re.compile(r"\s*'((?:[^'\\]|\\['{}\\])*)'")
_CONSTANT = re.compile(r"\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?=\s*[,)])")
_PATH = re.compile(r"\s*(\$(?:[^,()\[\]]|\[(?:[^\[\]'\"]|'[^']*'|\"[^\"]*\")*\])*)")
_ESCAPE = re.compile(r"\\(['{}\\])")
_PLACEHOLDER = re.compile(r"(\\.)|(\{\})")
_CONSTANTS = {"true": True, "false": False, "null": None}

Argument = Callable[[Callable[[Path], Any], random.Random], Any]
"""Gives the value of an argument: it looks paths up, and may draw random numbers."""


class Intrinsic:
    """One parsed call.

    Attributes:
        text: The call as written.
        paths: Every path in it.

    Args:
        text: The call.

    Raises:
        ValueError: The text is no call of a function that exists, with as many arguments as it takes.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.paths: list[Path] = []
        self._call, end = self._parsed(0)
        if text[end:].strip():
            raise ValueError(f"got {text!r}; {text[end:].strip()!r} is not expected")

    def call(self, lookup: Callable[[Path], Any], chance: random.Random) -> Any:
        """Call the function.

        Args:
            lookup: Follows a path.
            chance: The source of random numbers.

        Raises:
            functions.ArgumentError: An argument is of the wrong type or out of range.
        """
        return self._call(lookup, chance)

    def _parsed(self, at: int) -> tuple[Argument, int]:
        text = self.text
        name = _NAME.match(text, at)
        if name is None:
            raise ValueError(f"got {text!r}; a call of an intrinsic function is needed at position {at + 1}")
        function, arguments, at = name[1], list[Argument](), name.end()
        while not text[at:].lstrip().startswith(")"):
            if arguments:
                comma = re.compile(r"\s*,").match(text, at)
                if comma is None:
                    raise ValueError(f"got {text!r}; ',' or ')' is needed at position {at + 1}")
                at = comma.end()
            argument, at = self._argument(at, template=function == "States.Format" and not arguments)
            arguments.append(argument)
        if not functions.accepts(function, len(arguments)):
            known = ", ".join(functions.names())
            raise ValueError(f"got {text!r}; {function} with {len(arguments)} arguments is not one of {known}")

        def called(lookup: Callable[[Path], Any], chance: random.Random) -> Any:
            return functions.call(function, [argument(lookup, chance) for argument in arguments], chance)

        return called, text.index(")", at) + 1

    def _argument(self, at: int, template: bool) -> tuple[Argument, int]:
        text = self.text
        literal = _TEXT.match(text, at)
        if literal is not None:
            pieces = _PLACEHOLDER.sub(lambda part: part[1] or "\0", literal[1]).split("\0")
            texts = tuple(_ESCAPE.sub(r"\1", piece) for piece in pieces)
            value: Any = texts if template else _ESCAPE.sub(r"\1", literal[1])
            return (lambda _lookup, _chance: value), literal.end()
        constant = _CONSTANT.match(text, at)
        if constant is not None:
            word = constant[1]
            number = float(word) if re.search(r"[.eE]", word) and word not in _CONSTANTS else word
            value = _CONSTANTS[word] if word in _CONSTANTS else number if isinstance(number, float) else int(number)
            return (lambda _lookup, _chance: value), constant.end()
        found = _PATH.match(text, at)
        if found is not None:
            path = Path(found[1].rstrip())
            self.paths.append(path)
            return (lambda lookup, _chance: lookup(path)), found.end()
        return self._parsed(at)
