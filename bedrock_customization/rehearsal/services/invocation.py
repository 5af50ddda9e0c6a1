"""What a function has for itself while it runs, in all the threads that it starts: variables, output, and its turn.

Another function that it invokes runs in the same process. So what the process has once is looked up in the context,
which threads inherit while an account is active.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from threading import Lock
from typing import Any

_VARIABLES: ContextVar[dict[Any, Any] | None] = ContextVar("variables", default=None)
_OUTPUT: ContextVar[io.StringIO | None] = ContextVar("output", default=None)
_INVOKING: ContextVar[Lock | None] = ContextVar("invoking", default=None)


@contextmanager
def own_turn() -> Iterator[None]:
    """Inside, nothing else runs that the caller's threads invoke: the process can import for one function at a time."""
    with _INVOKING.get() or nullcontext():
        token = _INVOKING.set(Lock())
        try:
            yield
        finally:
            _INVOKING.reset(token)


@contextmanager
def own_output(output: io.StringIO) -> Iterator[None]:
    """Inside, what is printed goes to this text."""
    token = _OUTPUT.set(output)
    try:
        with contextlib.redirect_stdout(_Output()):
            yield
    finally:
        _OUTPUT.reset(token)


@contextmanager
def own_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Inside, the environment has these variables too; afterwards it is as before."""
    environ: Any = os.environ
    before, data = dict(environ), environ._data
    token = _VARIABLES.set(dict(data))
    environ._data = data if isinstance(data, _Variables) else _Variables(data)
    environ.update(variables)
    try:
        yield
    finally:
        added = set(environ) - set(before)
        _VARIABLES.reset(token)
        environ._data = data
        # What child processes inherit.
        for name in added:
            os.unsetenv(name)
        environ.update(before)


class _Variables(MutableMapping[Any, Any]):
    """The variables of the function that asks; else the process's own."""

    def __init__(self, of_process: dict[Any, Any]) -> None:
        self._of_process = of_process

    def _of_caller(self) -> dict[Any, Any]:
        own = _VARIABLES.get()
        return self._of_process if own is None else own

    def __getitem__(self, name: Any) -> Any:
        return self._of_caller()[name]

    def __setitem__(self, name: Any, value: Any) -> None:
        self._of_caller()[name] = value

    def __delitem__(self, name: Any) -> None:
        del self._of_caller()[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._of_caller())

    def __len__(self) -> int:
        return len(self._of_caller())


class _Output(io.TextIOBase):
    def write(self, text: str) -> int:
        return (_OUTPUT.get() or sys.__stdout__ or io.StringIO()).write(text)
