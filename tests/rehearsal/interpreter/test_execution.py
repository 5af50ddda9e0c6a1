"""Executions: statuses, time-outs, stopping, limits of the history, several at once."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.services import StateMachine, StatesError
from tests.rehearsal.interpreter.machines import CALL, TestServices, chain, in_virtual_time, machine, run, types

SLOW = chain({"Type": "Task", "Resource": CALL}, {"Type": "Wait", "Seconds": 50}, {"Type": "Succeed"})


async def hundred_seconds(arguments: Any) -> str:
    await trio.sleep(100)
    return "done"


@pytest.mark.parametrize(("seconds", "state"), [(10, "S1"), (120, "S2")])
def test_machine_that_takes_too_long_times_out(seconds: int, state: str) -> None:
    services = TestServices(hundred_seconds)
    execution = run(machine(SLOW, TimeoutSeconds=seconds), services=services)
    assert (execution.status, execution.error, execution.cause) == ("TIMED_OUT", "States.Timeout", None)
    assert (execution.duration, execution.states[-1]) == (seconds, state)
    last = execution.history[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionTimedOut", 0)
    assert last["executionTimedOutEventDetails"] == {"error": "States.Timeout"}
    assert services.cancelled == (1 if state == "S1" else 0)


def test_time_out_of_the_machine_cannot_be_caught() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    states = {
        "T": {"Type": "Task", "Resource": CALL, "Catch": catch, "End": True},
        "C": {"Type": "Succeed"},
    }
    execution = run(machine(states, TimeoutSeconds=5), services=TestServices(hundred_seconds))
    assert (execution.status, execution.states) == ("TIMED_OUT", ["T"])


def test_express_machine_has_five_minutes() -> None:
    execution = run(machine(chain({"Type": "Wait", "Seconds": 301}), type="EXPRESS"))
    assert (execution.status, execution.duration) == ("TIMED_OUT", 300)
    assert run(machine(chain({"Type": "Wait", "Seconds": 299}), type="EXPRESS")).status == "SUCCEEDED"


def test_standard_machine_has_a_year() -> None:
    states = chain(*[{"Type": "Wait", "Seconds": 99_999_999}])
    assert (run(states).status, run(states).duration) == ("TIMED_OUT", 365 * 24 * 3600)


def test_express_execution_has_its_own_arn() -> None:
    execution = run(machine(chain({"Type": "Succeed"}), type="EXPRESS"))
    prefix = "arn:aws:states:eu-west-1:111122223333:express:Machine:run:"
    assert execution.arn.startswith(prefix)
    assert len(execution.arn) == len(prefix) + 36


@pytest.mark.parametrize(("at", "state", "cancelled"), [(0, "S1", 1), (40, "S1", 1), (110, "S2", 0)])
def test_stop(at: float, state: str, cancelled: int) -> None:
    services = TestServices(hundred_seconds)

    async def main() -> Execution:
        interpreter = Interpreter(services)
        execution = interpreter.prepare(machine(SLOW), {}, name="run")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interpreter.run_prepared, execution)
            await trio.sleep(at)
            await trio.testing.wait_all_tasks_blocked()
            execution.stop("Mine", "enough")
            execution.stop("Again", "ignored")
        return execution

    execution = in_virtual_time(main)
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Mine", "enough")
    assert (execution.duration, execution.states[-1], services.cancelled) == (at, state, cancelled)
    assert execution.history[-1]["executionAbortedEventDetails"] == {"error": "Mine", "cause": "enough"}
    assert types(execution).count("ExecutionAborted") == 1


@pytest.mark.parametrize("event", ["TaskStateEntered", "TaskScheduled", "TaskStarted"])
def test_execution_stopped_by_its_observer_calls_nothing_more(event: str) -> None:
    services = TestServices()

    def observe(execution: Execution, entry: dict[str, Any]) -> None:
        if entry["type"] == event:
            execution.stop()

    execution = run(SLOW, services=services, observer=observe)
    assert (execution.status, execution.error, services.calls) == ("ABORTED", None, [])
    assert types(execution)[-2:] == [event, "ExecutionAborted"]


def test_execution_stopped_before_it_began_never_begins() -> None:
    async def main() -> Execution:
        interpreter = Interpreter(TestServices())
        execution = interpreter.prepare(machine(SLOW), {}, name="run")
        execution.stop()
        await interpreter.run_prepared(execution)
        return execution

    execution = in_virtual_time(main)
    assert (execution.status, execution.states, types(execution)) == ("ABORTED", [], ["ExecutionAborted"])


def test_same_inputs_make_the_same_history() -> None:
    async def answer(item: int) -> int:
        await trio.sleep(item % 3)
        if item % 4 == 0:
            raise StatesError("E", "why")
        return item

    retry = [{"ErrorEquals": ["E"], "JitterStrategy": "FULL", "MaxAttempts": 2}]
    catch = [{"ErrorEquals": ["E"], "Next": "After"}]
    task = {"Type": "Task", "Resource": CALL, "Retry": retry, "Catch": catch, "Next": "After"}
    inner = {"In": task, "After": {"Type": "Pass", "Output": "{% $uuid() %}", "End": True}}
    processor = {"StartAt": "In", "States": inner}
    states = chain({"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 7})
    first, *others = [run(states, list(range(20)), TestServices(answer)).history for _ in range(4)]
    assert len(first) > 200
    assert all(history == first for history in others)


def test_stopping_ends_branches_iterations_and_children() -> None:
    inner = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": CALL, "End": True}}}
    distributed = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "D",
        "States": {"D": {"Type": "Task", "Resource": CALL, "End": True}},
    }
    branch = {"StartAt": "M", "States": {"M": {"Type": "Map", "Items": [1], "ItemProcessor": distributed, "End": True}}}
    services = TestServices(hundred_seconds)

    async def main() -> Execution:
        interpreter = Interpreter(services)
        source = machine(chain({"Type": "Parallel", "Branches": [inner, branch]}))
        execution = interpreter.prepare(source, {}, name="run")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interpreter.run_prepared, execution)
            await trio.sleep(5)
            execution.stop()
        return execution

    execution = in_virtual_time(main)
    assert (execution.status, services.cancelled, services.running) == ("ABORTED", 2, 0)
    assert [child.status for child in execution.children] == ["ABORTED"]


def loop(counter: str = "") -> dict[str, Any]:
    return {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Condition": False, "Next": "End"}], "Default": "A"},
        "End": {"Type": "Succeed"},
    }


def test_history_is_limited_to_25000_events() -> None:
    execution = run(loop())
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause == "The execution reached the maximum number of history events (25000)."
    assert len(execution.history) == 25_000
    assert execution.history[-1]["type"] == "ExecutionFailed"
    assert execution.history[-1]["id"] == 25_000


def test_full_history_cannot_be_caught() -> None:
    processor = {"StartAt": "A", "States": loop()}
    states = {
        "M": {
            "Type": "Map",
            "Items": [1, 2],
            "ItemProcessor": processor,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}],
            "Next": "C",
        },
        "C": {"Type": "Succeed"},
    }
    execution = run(states)
    assert (execution.error, len(execution.history)) == ("States.Runtime", 25_000)
    assert "C" not in execution.states


def test_endless_express_execution_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXPRESS_EVENTS", 30_000)
    assert run(machine(loop(), type="EXPRESS")).status == "TIMED_OUT"


def test_several_executions_share_one_clock() -> None:
    async def main() -> list[Execution]:
        interpreter = Interpreter(TestServices(hundred_seconds))
        executions = [interpreter.prepare(machine(SLOW), {"n": number}) for number in range(3)]
        async with trio.open_nursery() as nursery:
            for execution in executions:
                nursery.start_soon(interpreter.run_prepared, execution)
        assert trio.current_time() == 150
        assert set(interpreter.executions) == {execution.arn for execution in executions}
        return executions

    executions = in_virtual_time(main)
    assert len({execution.arn for execution in executions}) == 3
    for execution in executions:
        assert (execution.status, execution.duration, execution.output) == ("SUCCEEDED", 150, "done")
        assert [event["id"] for event in execution.history] == list(range(1, len(execution.history) + 1))


class Nesting(TestServices):
    """Starts another machine and waits for it, as `startExecution.sync:2` does."""

    interpreter: Interpreter
    child: StateMachine

    async def call(self, resource: str, arguments: Any, caller: Any) -> Any:
        execution = await self.interpreter.run(self.child, arguments, parent_arn=caller.execution_arn)
        if execution.status != "SUCCEEDED":
            raise StatesError("States.TaskFailed", f"{execution.status}: {execution.error}")
        return execution.output


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({"Type": "Pass", "Output": "{% $states.input.a + 1 %}"}, ("SUCCEEDED", 2, None)),
        ({"Type": "Fail", "Error": "E"}, ("FAILED", None, "FAILED: E")),
        ({"Type": "Wait", "Seconds": 99}, ("FAILED", None, "TIMED_OUT: States.Timeout")),
    ],
)
def test_nested_execution(child: dict[str, Any], expected: tuple[str, Any, str | None]) -> None:
    async def main() -> Execution:
        services = Nesting()
        services.child = StateMachine(
            "arn:aws:states:eu-west-1:111122223333:stateMachine:Child",
            {"QueryLanguage": "JSONata", "StartAt": "S1", "TimeoutSeconds": 9, "States": chain(child)},
        )
        services.interpreter = Interpreter(services)
        parent = machine({"P": {"Type": "Task", "Resource": CALL, "End": True}})
        return await services.interpreter.run(parent, {"a": 1})

    execution = in_virtual_time(main)
    assert (execution.status, execution.output, execution.cause) == expected
    assert execution.states == ["P", "S1"]


def test_observer_sees_every_event_when_it_happens() -> None:
    seen: list[tuple[str, float]] = []
    run(
        SLOW,
        services=TestServices(hundred_seconds),
        observer=lambda _, event: seen.append((event["type"], trio.current_time())),
    )
    assert ("TaskSucceeded", 100.0) in seen
    assert ("WaitStateExited", 150.0) in seen
    assert seen[0] == ("ExecutionStarted", 0.0)


def test_timestamps_are_virtual() -> None:
    execution = run(SLOW, services=TestServices(hundred_seconds))
    assert execution.history[-1]["timestamp"].isoformat() == "2026-01-01T00:02:30+00:00"


@pytest.mark.parametrize("value", [float("nan"), "x" * 262_143])
def test_input_that_step_functions_does_not_take(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        run(chain({"Type": "Succeed"}), value)


def test_input_is_copied() -> None:
    value = {"a": [1]}
    services = TestServices(lambda arguments: arguments["a"].append(2))
    execution = run(chain({"Type": "Task", "Resource": CALL, "Output": "{% $states.input %}"}), value, services)
    assert (value, execution.input, execution.output) == ({"a": [1]},) * 3
