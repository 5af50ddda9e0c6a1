"""Runs all cases in two processes."""

from __future__ import annotations

import io
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context

_PROCESSES = 2


def check_everything(text: str) -> tuple[int, list[str]]:
    """Run the cases whose description has a text.

    Returns:
        How many they are, and a line for each problem.
    """
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        parts = list(pool.map(_check, range(_PROCESSES), [text] * _PROCESSES))
    return sum(number for number, _ in parts), [problem for _, problems in parts for problem in problems]


def _prepare() -> None:
    os.environ.setdefault("CDK_VALIDATION", "false")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def _check(part: int, text: str) -> tuple[int, list[str]]:
    """Checks every second case; the functions' own logs are not shown."""
    from tests.faults.matrix import check, everything

    with redirect_stdout(io.StringIO()):
        cases = [case for case in everything() if text in f"{case[0].name}, {case[1]}"][part::_PROCESSES]
        return len(cases), list(check(cases))
