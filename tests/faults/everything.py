"""Runs cases in two processes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from itertools import repeat
from multiprocessing import get_context

_PROCESSES = 2
_PARTS = 100


def check_everything(text: str = "") -> Iterator[tuple[int, list[str]]]:
    """Run cases.

    Args:
        text: What the descriptions of the cases have.

    Yields:
        For some of them how many they are, and a line for each problem.
    """
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        yield from pool.map(_check, range(_PARTS), repeat(text))


def _prepare() -> None:
    os.environ.setdefault("CDK_VALIDATION", "false")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def _check(part: int, text: str) -> tuple[int, list[str]]:
    """Checks some of the cases; the functions' own logs are not shown."""
    from tests.faults.matrix import check, everything

    with redirect_stdout(io.StringIO()):
        cases = [case for case in everything() if text in f"{case[0].name}, {case[1]}"][part::_PARTS]
        return len(cases), list(check(cases))
