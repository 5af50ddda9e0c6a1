"""Python's search for cyclic garbage, which a rehearsal's many living objects make slow."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 5_000


@contextmanager
def searched_rarely() -> Iterator[None]:
    """Let Python search for cyclic garbage after more allocations than usual.

    A rehearsal keeps what its executions did and leaves few cycles behind; by default a fifth of its time is spent on
    searching. All other garbage is freed at once as ever.
    """
    before = gc.get_threshold()
    if 0 < before[0] < _ALLOCATIONS:
        gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
