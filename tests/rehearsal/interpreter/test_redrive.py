"""Redrive: an execution goes on with the states that were entered and not left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.services import StateMachine, StatesError
from tests.rehearsal.interpreter.machines import CALL, PUT, TestServices, chain, in_virtual_time, machine, types

REDRIVES = "{% $states.context.Execution.RedriveCount %}"


def task(arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": CALL, "Arguments": arguments, **fields}


def block(*states: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A branch or an item processor; its states are named apart from those of others."""
    named = {prefix + name: state for name, state in chain(*states).items()}
    for state in named.values():
        if "Next" in state:
            state["Next"] = prefix + state["Next"]
    return {"StartAt": f"{prefix}S1", "States": named}


def inline_map(*states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": block(*states, prefix="In"), **fields}


def map_run(kind: str, *states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = block(*states, prefix="In") | {"ProcessorConfig": mode}
    return {"Type": "Map", "ItemProcessor": processor, "Label": "Label", **fields}


def fails_first(*names: Any, times: int = 1) -> TestServices:
    """Answer with the arguments, but fail the first calls with these ones; a number is how long the answer takes."""
    left = dict.fromkeys(names, times)

    async def answer(arguments: Any) -> Any:
        if isinstance(arguments, int):
            await trio.sleep(arguments)
        if left.get(arguments, 0) > 0:
            left[arguments] -= 1
            raise StatesError("Broken", str(arguments))
        return arguments

    return TestServices(answer)


def redriven(
    definition: StateMachine | dict[str, Any],
    services: TestServices | None = None,
    input: Any = None,
    *,
    stop_after: float | None = None,
    before: Callable[[Execution], None] = lambda execution: None,
) -> Execution:
    """Run a machine, or a dictionary of states, let it fail or stop it, and redrive it an hour later."""
    source = definition if isinstance(definition, StateMachine) else machine(definition)

    async def main() -> Execution:
        interpreter = Interpreter(services or TestServices())
        execution = interpreter.prepare(source, {} if input is None else input, name="run")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interpreter.run_prepared, execution)
            if stop_after is not None:
                await trio.sleep(stop_after)
                execution.stop()
        before(execution)
        await trio.sleep(3600)
        execution.redrive()
        await interpreter.run_prepared(execution)
        return execution

    return in_virtual_time(main)


def called(services: TestServices) -> list[Any]:
    return [arguments for _, arguments in services.calls]


def test_a_failed_task_is_called_again() -> None:
    services = fails_first("b")
    ended: list[Any] = []
    execution = redriven(
        chain(task("a"), task("b"), task("c")), services, before=lambda it: ended.append((it.arn, it.status, it.cause))
    )
    assert ended == [(execution.arn, "FAILED", "b")]
    assert called(services) == ["a", "b", "b", "c"]
    assert (execution.status, execution.output, execution.error) == ("SUCCEEDED", "c", None)
    assert (execution.redrives, execution.redriven, execution.stopped) == (1, 3600, 3600)


def test_events() -> None:
    execution = redriven(chain(task("a")), fails_first("a"))
    assert types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        *["TaskScheduled", "TaskStarted", "TaskFailed"],
        "ExecutionFailed",
        "ExecutionRedriven",
        *["TaskScheduled", "TaskStarted", "TaskSucceeded"],
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in execution.history] == list(range(1, 13))
    assert [event["previousEventId"] for event in execution.history][5:8] == [5, 6, 7]
    assert execution.history[6]["executionRedrivenEventDetails"] == {"redriveCount": 1}


def test_expressions_see_the_redrive() -> None:
    shown = {"now": "{% $states.context.Execution %}", "variable": "{% $kept %}"}
    kept = {"Type": "Pass", "Assign": {"kept": REDRIVES}}
    services = fails_first("a")
    execution = redriven(chain(kept, task("a"), {"Type": "Pass", "Output": shown}), services)
    assert execution.output["variable"] == 0
    assert execution.output["now"]["RedriveCount"] == 1
    assert execution.output["now"]["RedriveTime"] == "2026-01-01T01:00:00.000Z"
    assert execution.output["now"]["StartTime"] == "2026-01-01T00:00:00.000Z"


def test_a_failed_expression_of_a_task_calls_it_again() -> None:
    services = TestServices()
    output = "{% $states.context.Execution.RedriveCount > 0 ? 1 : $error('not yet') %}"
    execution = redriven(chain(task("a", Output=output)), services)
    assert (execution.output, called(services)) == (1, ["a", "a"])


def test_retries_are_counted_anew() -> None:
    services = fails_first("a", times=5)
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 10, "BackoffRate": 2}]
    output = {"retries": "{% $states.context.State.RetryCount %}"}
    execution = redriven(chain(task("a", Retry=retry, Output=output)), services)
    assert execution.output == {"retries": 2}
    assert [time for time, _ in services.calls] == [0, 10, 30, 3630, 3640, 3660]


def test_time_outs_begin_anew() -> None:
    services = TestServices(lambda seconds: trio.sleep(seconds))
    late = "{% $states.context.Execution.RedriveCount > 0 ? 40 : 60 %}"
    execution = redriven(machine(chain(task(40), task(late)), TimeoutSeconds=90), services)
    assert "ExecutionTimedOut" in types(execution)
    assert execution.status == "SUCCEEDED"
    execution = redriven(chain(task(late, TimeoutSeconds=50)), services)
    assert (execution.status, types(execution).count("TaskTimedOut")) == ("SUCCEEDED", 1)


@pytest.mark.parametrize(
    ("wait", "until"),
    [({"Seconds": 100}, 30 + 3600 + 100), ({"Timestamp": "2026-01-01T00:01:00Z"}, 30 + 3600)],
)
def test_a_wait_waits_anew_or_is_over(wait: dict[str, Any], until: float) -> None:
    execution = redriven(chain({"Type": "Wait", **wait}), stop_after=30)
    assert (execution.status, execution.stopped) == ("SUCCEEDED", until)
    assert types(execution).count("WaitStateEntered") == 1


def test_choice_is_decided_again_and_fail_fails_again() -> None:
    redrive = {"Condition": "{% $states.context.Execution.RedriveCount > 0 %}", "Next": "Other"}
    states: dict[str, Any] = {
        "Choice": {"Type": "Choice", "Choices": [redrive]},
        "Other": {"Type": "Succeed"},
    }
    assert redriven(states).status == "SUCCEEDED"
    execution = redriven({"Fail": {"Type": "Fail", "Error": "E", "Cause": "{% 'redrive ' & " + REDRIVES[3:]}})
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "E", "redrive 1")
    assert execution.states == ["Fail"]


def test_parallel_redrives_only_the_branches_that_did_not_end() -> None:
    services = fails_first(20)
    branches = [
        block(task(5), {"Type": "Pass", "Output": {"early": REDRIVES}}, prefix="A"),
        block(task("b"), task(20), {"Type": "Pass", "Output": {"late": REDRIVES}}, prefix="B"),
        block(task(30), prefix="C"),
    ]
    execution = redriven(chain({"Type": "Parallel", "Branches": branches}), services)
    assert execution.output == [{"early": 0}, {"late": 1}, 30]
    assert called(services) == [5, "b", 30, 20, 20, 30]
    assert types(execution).count("ParallelStateStarted") == 1
    assert types(execution)[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]


def test_a_branch_keeps_its_variables() -> None:
    services = fails_first("x")
    branch = block({"Type": "Pass", "Assign": {"a": "x"}}, task("{% $a %}"), prefix="A")
    execution = redriven(chain({"Type": "Parallel", "Branches": [branch]}), services)
    assert (execution.output, called(services)) == (["x"], ["x", "x"])


def test_parallel_that_exceeded_the_data_limit_runs_as_a_whole() -> None:
    services = TestServices()
    large = "{% $states.context.Execution.RedriveCount > 0 ? 1 : $join([1..70000].$string()) %}"
    branches = [block(task("a"), prefix="A")]
    execution = redriven(chain({"Type": "Parallel", "Branches": branches, "Output": large}), services)
    assert (execution.output, called(services)) == (1, ["a", "a"])


def test_a_retried_parallel_runs_all_branches_and_a_redriven_one_does_not() -> None:
    services = fails_first(20, times=2)
    branches = [block(task(5), prefix="A"), block(task(20), prefix="B")]
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    execution = redriven(chain({"Type": "Parallel", "Branches": branches, "Retry": retry}), services)
    assert (execution.output, called(services)) == ([5, 20], [5, 20, 5, 20, 20])


def test_inline_map_redrives_failed_iterations_and_begins_the_rest() -> None:
    services = fails_first("b")
    state = inline_map(task("{% $states.input %}"), MaxConcurrency=1)
    execution = redriven(chain(state), services, ["a", "b", "c"])
    assert (execution.output, called(services)) == (["a", "b", "c"], ["a", "b", "b", "c"])
    iterations = [
        (event["type"][12:], (event.get("mapIterationStartedEventDetails") or {}).get("index"))
        for event in execution.history
        if event["type"].startswith("MapIteration")
    ]
    assert iterations == [
        *[("Started", 0), ("Succeeded", None), ("Started", 1), ("Failed", None)],
        *[("Succeeded", None), ("Started", 2), ("Succeeded", None)],
    ]


def test_inline_map_redrives_aborted_iterations() -> None:
    services = fails_first(20)
    execution = redriven(chain(inline_map(task("{% $states.input %}"))), services, [10, 20, 30])
    assert (execution.output, called(services)) == ([10, 20, 30], [10, 20, 30, 20, 30])


def test_nested_parallels_and_maps() -> None:
    services = fails_first(3)
    state = inline_map(task("{% $states.input %}"), Items=[1, 3, 5], MaxConcurrency=1)
    branches = [block(state, prefix="A"), block(task(2), prefix="B")]
    execution = redriven(chain(task("a"), {"Type": "Parallel", "Branches": branches}), services)
    assert execution.output == [[1, 3, 5], 2]
    assert called(services) == ["a", 2, 1, 3, 3, 5]


def test_twice() -> None:
    services = fails_first("b", times=2)
    states = chain(task("a"), task("b", Output=REDRIVES))

    async def main() -> Execution:
        interpreter = Interpreter(services)
        execution = await interpreter.run(machine(states), {}, name="run")
        for _ in range(2):
            execution.redrive()
            await interpreter.run_prepared(execution)
        return execution

    assert in_virtual_time(main).output == 2
    assert called(services) == ["a", "b", "b", "b"]


def test_stopped_before_its_first_state() -> None:
    async def main() -> Execution:
        interpreter = Interpreter(TestServices())
        execution = interpreter.prepare(machine(chain(task("a"))), {}, name="run")
        execution.stop()
        await interpreter.run_prepared(execution)
        execution.redrive()
        await interpreter.run_prepared(execution)
        return execution

    assert in_virtual_time(main).output == "a"


@pytest.mark.parametrize(("kind", "calls"), [("STANDARD", ["b"]), ("EXPRESS", ["first", "b"])])
def test_a_map_run_redrives_children_that_did_not_succeed(kind: str, calls: list[Any]) -> None:
    services = fails_first("b")
    second = task("{% $states.context.Execution.Input %}", Output={"redrives": REDRIVES, "is": "{% $states.result %}"})
    state = map_run(kind, task("first"), second, MaxConcurrency=1)
    arns: list[list[str]] = []
    execution = redriven(
        chain(state), services, ["a", "b", "c"], before=lambda it: arns.append([child.arn for child in it.children])
    )
    redrives = 1 if kind == "STANDARD" else 0
    assert execution.output == [
        {"redrives": 0, "is": "a"},
        {"redrives": redrives, "is": "b"},
        {"redrives": 0, "is": "c"},
    ]
    assert called(services) == ["first", "a", "first", "b", *calls, "first", "c"]
    assert [child.arn for child in execution.children][:2] == arns[0]
    (event,) = [event for event in execution.history if event["type"] == "MapRunRedriven"]
    (began,) = [event for event in execution.history if event["type"] == "MapRunStarted"]
    arn = began["mapRunStartedEventDetails"]["mapRunArn"]
    assert event["mapRunRedrivenEventDetails"] == {"mapRunArn": arn, "redriveCount": 1}
    assert types(execution)[-4:] == ["MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"]


def test_a_map_run_redrives_children_that_were_aborted_and_writes_all_results() -> None:
    services = fails_first()
    writer = {"Resource": PUT, "Arguments": {"Bucket": "b"}, "WriterConfig": {"Transformation": "COMPACT"}}
    state = map_run("STANDARD", task("{% $states.input %}"), ResultWriter=writer)
    execution = redriven(chain(state), services, [10, 50], stop_after=30)
    assert called(services) == [10, 50, 50]
    assert services.json("SUCCEEDED_0.json") == [10, 50]
    assert (execution.status, len(execution.children)) == ("SUCCEEDED", 2)


def test_a_map_run_fails_again_with_what_fails_again() -> None:
    services = fails_first("b", times=2)
    state = map_run("STANDARD", task("{% $states.input %}"), MaxConcurrency=1, ToleratedFailureCount=0)
    execution = redriven(chain(state), services, ["a", "b", "c"])
    assert (execution.error, called(services)) == ("States.ExceedToleratedFailureThreshold", ["a", "b", "b"])


def test_a_map_run_that_did_not_read_its_items_starts_anew() -> None:
    services = TestServices()
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "items"},
        "ReaderConfig": {"InputType": "JSON"},
    }

    def repair(execution: Execution) -> None:
        assert execution.error == "States.ItemReaderFailed"
        services.objects["items"] = b'["a"]'

    state = map_run("STANDARD", task("{% $states.input %}"), ItemReader=reader)
    execution = redriven(chain(state), services, before=repair)
    assert (execution.output, types(execution).count("MapRunStarted")) == (["a"], 2)


def test_a_map_run_whose_items_were_wrong_starts_anew() -> None:
    services = TestServices()
    selector = "{% $states.context.Execution.RedriveCount > 0 or $states.input = 'a' ? 'x' : $error('not yet') %}"
    selector = selector.replace("$states.input", "$states.context.Map.Item.Value")
    state = map_run("STANDARD", task("{% $states.input %}"), ItemSelector=selector, MaxConcurrency=1)
    execution = redriven(chain(state), services, ["a", "b"])
    assert (execution.output, called(services)) == (["x", "x"], ["x", "x", "x"])


def test_a_child_that_can_no_longer_be_redriven_stays_failed() -> None:
    services = fails_first("a", "b")
    state = map_run("STANDARD", task("{% $states.input %}"), ToleratedFailureCount=1, MaxConcurrency=1)

    def age(execution: Execution) -> None:
        execution.children[0].stopped = -15 * 86_400.0

    execution = redriven(chain(state), services, ["a", "b", "c"], before=age)
    assert (execution.output, called(services)) == (["b", "c"], ["a", "b", "b", "c"])


@pytest.mark.parametrize(
    ("status", "days", "events", "reason"),
    [
        ("FAILED", 14, 0, None),
        ("FAILED", 14.1, 0, "Execution redrivable period exceeded"),
        ("FAILED", 366, 0, "Execution has exceeded the max execution time"),
        ("FAILED", 0, 24_998, "Execution history event limit exceeded"),
        ("SUCCEEDED", 0, 0, "Execution is SUCCEEDED and cannot be redriven"),
    ],
)
def test_what_cannot_be_redriven(status: str, days: float, events: int, reason: str | None) -> None:
    state = {"Type": "Succeed"} if status == "SUCCEEDED" else {"Type": "Fail"}

    async def main() -> str | None:
        execution = await Interpreter(TestServices()).run(machine(chain(state)), {}, name="run")
        execution._events += events
        await trio.sleep(days * 86_400)
        return execution.not_redrivable

    assert in_virtual_time(main) == reason


def test_a_task_that_ends_as_its_execution_is_stopped_is_called_again() -> None:
    """Nothing says that its state was left."""
    running: list[Execution] = []

    def answer(arguments: Any) -> Any:
        if not running[0].redrives:
            running[0].stop()
        return arguments

    services = TestServices(answer)

    async def main() -> Execution:
        interpreter = Interpreter(services)
        running.append(interpreter.prepare(machine(chain(task("a"), task("b"))), {}, name="run"))
        await interpreter.run_prepared(running[0])
        running[0].redrive()
        await interpreter.run_prepared(running[0])
        return running[0]

    execution = in_virtual_time(main)
    assert (execution.output, called(services)) == ("b", ["a", "a", "b"])
    assert types(execution).count("TaskStateEntered") == types(execution).count("TaskStateExited") == 2
