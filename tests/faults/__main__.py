"""Runs every fault of every scenario, in two processes: `python -m tests.faults`; it takes about an hour.

`python -m tests.faults <text>` runs those cases whose description has the text.
"""

from __future__ import annotations

import sys

from tests.faults.everything import check_everything


def main() -> int:
    """Print each problem and the number of cases; 1 if there is a problem."""
    number, problems = check_everything(sys.argv[1] if len(sys.argv) > 1 else "")
    print(*problems, sep="\n")
    print(f"{number} cases, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
