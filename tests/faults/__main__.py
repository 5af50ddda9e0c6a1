"""Runs every fault of every scenario, in two processes: `python -m tests.faults`; it takes about half an hour.

`python -m tests.faults <text>` runs those cases whose description has the text.
"""

from __future__ import annotations

import io
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context

_PROCESSES = 2


def _prepare() -> None:
    os.environ.setdefault("CDK_VALIDATION", "false")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def _check(part: int, text: str) -> tuple[int, list[str]]:
    """Checks every second case; the functions' own logs are not shown."""
    from tests.faults.matrix import check, everything

    cases = [case for case in everything() if text in f"{case[0].name}, {case[1]}"][part::_PROCESSES]
    with redirect_stdout(io.StringIO()):
        return len(cases), list(check(cases))


def main() -> int:
    """Print each problem and the number of cases; 1 if there is a problem."""
    text = sys.argv[1] if len(sys.argv) > 1 else ""
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        parts = list(pool.map(_check, range(_PROCESSES), [text] * _PROCESSES))
    found = [problem for _, problems in parts for problem in problems]
    print(*found, sep="\n")
    print(f"{sum(number for number, _ in parts)} cases, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
