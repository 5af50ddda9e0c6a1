"""A run leaves nothing that is paid for, loses no message and touches nothing else, whatever goes wrong in it.

The cases are generated from the definitions of all state machines. This is a part of them that has, for every place,
each kind of fault at least once; `python -m tests.faults` runs all.
"""

from collections.abc import Callable
from functools import cache

import pytest

from tests.faults.account import Account
from tests.faults.cases import tasks, visits
from tests.faults.matrix import Case, check, covering, everything
from tests.faults.outcome import problems
from tests.faults.scenarios import SCENARIOS, Scenario

PARTS = 40


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_without_a_fault_is_as_it_should_be(scenario: Scenario) -> None:
    account = Account(scenario)
    assert problems(account, account.run()) == []


def test_every_task_of_every_machine_is_visited() -> None:
    visited = {place for scenario in SCENARIOS for place in visits(scenario).places}
    assert [place for place in tasks(SCENARIOS[0]) if place not in visited] == []


@cache
def covering_cases() -> list[Case]:
    return covering(everything())


@pytest.mark.parametrize("part", range(PARTS))
def test_no_fault_leaves_anything_behind(part: int, record_property: Callable[[str, object], None]) -> None:
    cases = covering_cases()[part::PARTS]
    record_property("faults", len(cases))
    assert cases
    assert list(check(cases)) == []
