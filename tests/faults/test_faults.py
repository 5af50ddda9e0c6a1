"""A run leaves nothing that is paid for, loses no message and touches nothing else, whatever goes wrong in it.

The cases are generated from the definitions of all state machines. This is a part of them that has, for every place,
each kind of fault at least once; `python -m tests.faults` runs all.
"""

import pytest

from tests.faults.account import Account
from tests.faults.cases import tasks, visits
from tests.faults.everything import check_everything
from tests.faults.outcome import problems
from tests.faults.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_without_a_fault_is_as_it_should_be(scenario: Scenario) -> None:
    account = Account(scenario)
    assert problems(account, account.run()) == []


def test_every_task_of_every_machine_is_visited() -> None:
    visited = {place for scenario in SCENARIOS for place in visits(scenario).places}
    assert [place for place in tasks(SCENARIOS[0]) if place not in visited] == []


def test_no_fault_leaves_anything_behind(request: pytest.FixtureRequest) -> None:
    parts = list(check_everything(whole=False))
    request.config.get_terminal_writer().line(f"{sum(number for number, _ in parts)} cases of faults")
    assert all(number for number, _ in parts)
    assert [problem for _, problems in parts for problem in problems] == []
