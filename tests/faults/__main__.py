"""Runs every fault of every scenario, in two processes: `python -m tests.faults`; it takes about an hour.

`python -m tests.faults <text>` runs those cases whose description has the text.
"""

from __future__ import annotations

import sys

from tests.faults.everything import check_everything


def main() -> int:
    """Print each problem as it is found, and the number of cases; 1 if there is a problem."""
    cases = found = 0
    for number, problems in check_everything(sys.argv[1] if len(sys.argv) > 1 else ""):
        cases, found = cases + number, found + len(problems)
        for problem in problems:
            print(problem, flush=True)
        print(f"\r{cases} cases", end="", file=sys.stderr, flush=True)
    print(f"\r{cases} cases, {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
