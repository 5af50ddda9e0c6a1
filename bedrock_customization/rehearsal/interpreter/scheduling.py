"""Makes runs of concurrent executions repeatable."""

from __future__ import annotations

import random
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from typing import Any

# trio shuffles the tasks that are ready at the same moment on purpose, and has no public way to stop it; these two
# names are the ones that its own Hypothesis plugin sets.
import trio._core._run as scheduler


class _OldestFirst(random.Random):
    """Stands in for the random numbers that shuffle a batch of tasks; the scheduler takes the last one first."""

    def shuffle(self, x: MutableSequence[Any]) -> None:
        x.reverse()


@contextmanager
def in_order() -> Iterator[None]:
    """Let tasks that are ready at the same moment go on in the order in which they were created.

    Wrap it around `trio.run`: the same definitions, inputs and seed then make the same history every time.
    """
    names: Any = scheduler
    before = names._ALLOW_DETERMINISTIC_SCHEDULING, names._r
    names._ALLOW_DETERMINISTIC_SCHEDULING, names._r = True, _OldestFirst()
    try:
        yield
    finally:
        names._ALLOW_DETERMINISTIC_SCHEDULING, names._r = before
