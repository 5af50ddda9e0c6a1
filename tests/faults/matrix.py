"""Injects faults into scenarios, and tells what each leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from tests.faults.account import Account
from tests.faults.cases import Fault, faults_of
from tests.faults.outcome import passes, problems
from tests.faults.scenarios import SCENARIOS, Scenario

Case = tuple[Scenario, Fault]


def everything() -> list[Case]:
    """Every fault of every scenario."""
    return [(scenario, fault) for scenario in SCENARIOS for fault in faults_of(scenario)]


def covering(cases: Iterable[Case], *, rotate: bool = True) -> list[Case]:
    """A part of the cases that has, for every place, each kind of fault at least once.

    The errors that an API declares are two kinds of fault: those that pass and those that do not.

    Args:
        cases: All cases.
        rotate: Whether each is taken from another scenario, rather than from the first one that has it.
    """
    alike: dict[tuple[str, ...], list[Case]] = {}
    for scenario, fault in cases:
        declared = fault.kind == "error" and "." not in fault.error
        error = str(passes(fault)) if declared else fault.error
        alike.setdefault((fault.machine, fault.at, fault.kind, error), []).append((scenario, fault))
    return [several[crc32(" ".join(key).encode()) % len(several) if rotate else 0] for key, several in alike.items()]


def check(cases: Iterable[Case]) -> Iterator[str]:
    """Runs cases, and yields a line for each problem.

    Args:
        cases: The cases.
    """
    for scenario, fault in cases:
        account = Account(scenario)
        # Of the scenario itself.
        others = fault.pending(account)
        fault.inject(account)
        run = account.run()
        if fault.pending(account) > others:
            yield f"{scenario.name}, {fault}: it did not happen"
        for problem in problems(account, run, fault):
            yield f"{scenario.name}, {fault}: {problem}"
