"""Parallel."""

from __future__ import annotations

from typing import Any

import trio

from bedrock_customization.rehearsal.interpreter.services import StatesError
from tests.rehearsal.interpreter.machines import CALL, TestServices, chain, run, types


def branch(name: str, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": CALL, "Arguments": name, "End": True, **fields}
    return {"StartAt": name, "States": {name: state}}


def timed(**seconds: float) -> TestServices:
    """Answer after so many seconds; fail after a negative number of seconds."""

    async def answer(name: str) -> str:
        await trio.sleep(abs(seconds[name]))
        if seconds[name] < 0:
            raise StatesError(f"Error{name}", "why")
        return name.lower()

    return TestServices(answer)


def test_branches_run_side_by_side_and_keep_their_order() -> None:
    execution = run(chain({"Type": "Parallel", "Branches": [branch("A"), branch("B")]}), services=timed(A=9, B=5))
    assert (execution.output, execution.duration) == (["a", "b"], 9)


def test_events() -> None:
    def passing(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}

    execution = run(chain({"Type": "Parallel", "Branches": [passing("A"), passing("B")]}))
    events = {(event["type"], _name(event)): event for event in execution.history}
    assert [event["type"] for event in execution.history] == [
        "ExecutionStarted",
        "ParallelStateEntered",
        "ParallelStateStarted",
        *["PassStateEntered"] * 2,
        *["PassStateExited"] * 2,
        "ParallelStateSucceeded",
        "ParallelStateExited",
        "ExecutionSucceeded",
    ]
    assert [events["PassStateEntered", name]["previousEventId"] for name in "AB"] == [3, 3]
    for name in "AB":
        exited, entered = events["PassStateExited", name], events["PassStateEntered", name]
        assert exited["previousEventId"] == entered["id"]
    # As recorded: the end of the branches leads to both the success and the exit.
    assert [event["previousEventId"] for event in execution.history[-3:]] == [7, 7, 9]


def _name(event: dict[str, Any]) -> str | None:
    details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
    return details.get("name")


def test_arguments_are_the_input_of_every_branch() -> None:
    def passing(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}

    branches = [passing("A"), passing("B")]
    assert run(chain({"Type": "Parallel", "Branches": branches}), {"x": 1}).output == [{"x": 1}, {"x": 1}]
    arguments = {"y": "{% $states.input.x + 1 %}"}
    state = {"Type": "Parallel", "Branches": branches, "Arguments": arguments, "Output": "{% $states.result.y %}"}
    assert run(chain(state), {"x": 1}).output == [2, 2]


def test_first_failure_cancels_the_other_branches() -> None:
    services = timed(A=100, B=-3, C=50)
    branches = [branch(name) for name in "ABC"]
    execution = run(chain({"Type": "Parallel", "Branches": branches}), services=services)
    assert (execution.error, execution.cause, execution.duration) == ("ErrorB", "why", 3)
    assert services.cancelled == 2
    assert types(execution)[-6:] == ["TaskFailed", *["TaskStateAborted"] * 3, "ParallelStateFailed", "ExecutionFailed"]
    failed = execution.history[-6]["id"]
    assert [event["previousEventId"] for event in execution.history[-5:-1]] == [failed] * 4


def test_failure_is_caught_with_its_own_error() -> None:
    states = {
        "P": {
            "Type": "Parallel",
            "Branches": [branch("A"), branch("B")],
            "Catch": [{"ErrorEquals": ["ErrorB"], "Next": "C"}],
            "Next": "D",
        },
        "C": {"Type": "Succeed"},
        "D": {"Type": "Fail"},
    }
    execution = run(states, services=timed(A=9, B=-1))
    assert execution.output == {"Error": "ErrorB", "Cause": "why"}
    assert execution.states[-1] == "C"


def test_retry_runs_every_branch_again() -> None:
    left = ["B"]
    names: list[str] = []

    def answer(name: str) -> str:
        names.append(name)
        if name in left:
            left.remove(name)
            raise StatesError("E")
        return name

    # A was called before B failed.
    retry = [{"ErrorEquals": ["E"]}]
    state = {"Type": "Parallel", "Branches": [branch("A"), branch("B")], "Retry": retry}
    assert run(chain(state), services=TestServices(answer)).output == ["A", "B"]
    assert sorted(names) == ["A", "A", "B", "B"]


def test_nested_failure_reaches_the_outermost_catch() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Parallel", "Branches": [branch("A")], "End": True}}}
    states = {
        "P": {
            "Type": "Parallel",
            "Branches": [inner, branch("B")],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "C"}],
            "End": True,
        },
        "C": {"Type": "Succeed"},
    }
    execution = run(states, services=timed(A=-1, B=9))
    assert execution.output == "ErrorA"
    # ParallelStateAborted of the branch that failed inside, TaskStateAborted of the other.
    assert types(execution).count("ParallelStateAborted") == 1
    assert types(execution).count("TaskStateAborted") == 2


def test_output_of_all_branches_is_limited() -> None:
    services = TestServices(lambda name: "x" * 150_000)
    branches = [branch("A"), branch("B")]
    assert run(chain({"Type": "Parallel", "Branches": branches}), services=services).error == "States.DataLimitExceeded"
    assert run(chain({"Type": "Parallel", "Branches": branches, "Output": 1}), services=services).output == 1


def test_runtime_error_of_a_branch_ends_the_execution_at_once() -> None:
    lost = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "End"}]}
    branches = [
        {"StartAt": "Lost", "States": {"Lost": lost, "End": {"Type": "Succeed"}}},
        {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 5, "End": True}}},
    ]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True},
        "Caught": {"Type": "Succeed"},
    }
    execution = run(states)
    assert execution.error == "States.Runtime"
    assert types(execution)[3:] == ["ChoiceStateEntered", "WaitStateEntered", "ExecutionFailed"]
    assert execution.history[-1]["previousEventId"] == 4
