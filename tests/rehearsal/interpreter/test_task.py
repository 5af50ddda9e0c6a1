"""Task: calls, their events, time-outs, Retry and Catch."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import trio

from bedrock_customization.rehearsal.interpreter.errors import matches
from bedrock_customization.rehearsal.interpreter.services import StatesError
from tests.rehearsal.interpreter.machines import ARN, CALL, FUNCTION, SYNC, TestServices, chain, machine, run, types


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": CALL, **fields}


def failing(*errors: str) -> TestServices:
    """Fail once with each error, then answer "done"."""
    left = list(errors)

    def answer(arguments: Any) -> Any:
        if left:
            raise StatesError(left.pop(0), "the cause")
        return "done"

    return TestServices(answer)


def slow(seconds: float) -> TestServices:
    async def answer(arguments: Any) -> str:
        await trio.sleep(seconds)
        return "done"

    return TestServices(answer)


def test_arguments_and_result() -> None:
    services = TestServices(lambda arguments: {"echo": arguments})
    execution = run(chain(task(Arguments={"a": "{% $states.input.x %}", "b": None})), {"x": [1]}, services)
    assert execution.output == {"echo": {"a": [1], "b": None}}
    caller = services.callers[0]
    assert (caller.state_machine.arn, caller.execution_arn, caller.state) == (ARN, execution.arn, "S1")


def test_arguments_are_the_input_if_the_state_has_none() -> None:
    services = TestServices()
    run(chain(task()), {"x": 1}, services)
    assert services.calls == [(0, {"x": 1})]


def test_events_of_a_service_call() -> None:
    definition = machine(chain(task(Arguments={"a": 1}, TimeoutSeconds=9, HeartbeatSeconds="{% 4 %}")))
    execution = run(definition, services=TestServices(lambda arguments: [arguments]))
    assert [(event["id"], event["previousEventId"], event["type"]) for event in execution.history] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "TaskStateEntered"),
        (3, 2, "TaskScheduled"),
        (4, 3, "TaskStarted"),
        (5, 4, "TaskSucceeded"),
        (6, 5, "TaskStateExited"),
        (7, 6, "ExecutionSucceeded"),
    ]
    started, entered, scheduled, begun, succeeded, exited, ended = execution.history
    assert started["executionStartedEventDetails"] == {
        "input": "{}",
        "inputDetails": {"truncated": False},
        "roleArn": "arn:aws:iam::111122223333:role/Role",
    }
    assert entered["stateEnteredEventDetails"] == {"name": "S1", "input": "{}", "inputDetails": {"truncated": False}}
    assert scheduled["taskScheduledEventDetails"] == {
        "resourceType": "test",
        "resource": "call",
        "region": "eu-west-1",
        "parameters": '{"a":1}',
        "timeoutInSeconds": 9,
        "heartbeatInSeconds": 4,
    }
    assert begun["taskStartedEventDetails"] == {"resourceType": "test", "resource": "call"}
    assert succeeded["taskSucceededEventDetails"] == {
        "resourceType": "test",
        "resource": "call",
        "output": '[{"a":1}]',
        "outputDetails": {"truncated": False},
    }
    assert exited["stateExitedEventDetails"] == {
        "name": "S1",
        "output": '[{"a":1}]',
        "outputDetails": {"truncated": False},
    }
    assert ended["executionSucceededEventDetails"] == {"output": '[{"a":1}]', "outputDetails": {"truncated": False}}


def test_events_of_a_job() -> None:
    execution = run(chain({"Type": "Task", "Resource": SYNC}))
    assert types(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    submitted = execution.history[4]["taskSubmittedEventDetails"]
    assert (submitted["resource"], submitted["output"]) == ("call.sync", '{"Job":1}')


def test_events_of_a_lambda_function() -> None:
    execution = run(chain({"Type": "Task", "Resource": FUNCTION, "Arguments": {"a": 1}, "TimeoutSeconds": 5}))
    assert types(execution)[2:5] == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    scheduled, started, _ = execution.history[2:5]
    assert scheduled["lambdaFunctionScheduledEventDetails"] == {
        "resource": FUNCTION,
        "input": '{"a":1}',
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": 5,
    }
    assert set(started) == {"timestamp", "type", "id", "previousEventId"}


@pytest.mark.parametrize(("resource", "event"), [(CALL, "Task"), (FUNCTION, "LambdaFunction")])
def test_failed_call(resource: str, event: str) -> None:
    execution = run(chain({"Type": "Task", "Resource": resource}), services=failing("Service.Broken"))
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Service.Broken", "the cause")
    assert types(execution)[-2:] == [f"{event}Failed", "ExecutionFailed"]
    assert execution.history[-1]["executionFailedEventDetails"] == {"error": "Service.Broken", "cause": "the cause"}


@pytest.mark.parametrize(("resource", "event"), [(CALL, "Task"), (FUNCTION, "LambdaFunction")])
@pytest.mark.parametrize("timeout", [5, "{% 2 + 3 %}"])
def test_time_out(resource: str, event: str, timeout: Any) -> None:
    services = slow(100)
    execution = run(chain({"Type": "Task", "Resource": resource, "TimeoutSeconds": timeout}), services=services)
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "States.Timeout", None)
    assert (execution.duration, services.cancelled) == (5, 1)
    assert types(execution)[-2:] == [f"{event}TimedOut", "ExecutionFailed"]
    details = execution.history[-2][f"{event[0].lower()}{event[1:]}TimedOutEventDetails"]
    assert details["error"] == "States.Timeout"
    assert "cause" not in details


def test_call_that_is_quicker_than_its_time_out_succeeds() -> None:
    assert run(chain(task(TimeoutSeconds=5)), services=slow(4.9)).output == "done"


def test_heartbeats_are_not_expected_of_a_service() -> None:
    assert run(chain(task(TimeoutSeconds=50, HeartbeatSeconds=5)), services=slow(20)).output == "done"


@pytest.mark.parametrize("timeout", ["{% 0 %}", "{% 'x' %}", "{% 1.5 %}", "{% 100000000 %}"])
def test_time_out_that_is_none(timeout: str) -> None:
    execution = run(chain(task(TimeoutSeconds=timeout)))
    assert execution.error == "States.QueryEvaluationError"
    assert "TaskScheduled" not in types(execution)


def test_result_above_256_kib() -> None:
    execution = run(chain(task(Output=1)), services=TestServices(lambda arguments: "x" * 262_143))
    assert execution.error == "States.DataLimitExceeded"
    assert execution.cause == (
        "The state/task 'test' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    assert types(execution)[-2:] == ["TaskFailed", "ExecutionFailed"]


@pytest.mark.parametrize(("caught", "output"), [("States.ALL", "caught"), ("States.TaskFailed", None)])
def test_a_catcher_of_all_errors_catches_a_result_above_256_kib(caught: str, output: str | None) -> None:
    states = {
        "Call": {**task(Catch=[{"ErrorEquals": [caught], "Next": "Caught"}]), "End": True},
        "Caught": {"Type": "Pass", "Output": "caught", "End": True},
    }
    execution = run(states, services=TestServices(lambda arguments: "x" * 262_143))
    assert execution.output == output


def test_arguments_above_256_kib() -> None:
    services = TestServices()
    execution = run(chain(task(Arguments="{% $pad('', 262143, 'x') %}")), services=services)
    assert (execution.error, services.calls) == ("States.DataLimitExceeded", [])


@pytest.mark.parametrize(
    ("retry", "errors", "at"),
    [
        ([{"ErrorEquals": ["States.ALL"]}], ["E", "E", "E"], [0, 1, 3, 7]),
        ([{"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 1}], ["E", "E"], [0, 3, 6]),
        ([{"ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 1.5}], ["E", "E", "E"], [0, 2, 5, 9.5]),
        (
            [{"ErrorEquals": ["E"], "IntervalSeconds": 10, "MaxDelaySeconds": 15, "MaxAttempts": 4}],
            ["E", "E", "E"],
            [0, 10, 25, 40],
        ),
        # Every retrier counts its own attempts.
        (
            [{"ErrorEquals": ["A"], "MaxAttempts": 2}, {"ErrorEquals": ["B"], "IntervalSeconds": 10}],
            ["A", "B", "A", "B"],
            [0, 1, 11, 13, 33],
        ),
    ],
)
def test_retry(retry: list[dict[str, Any]], errors: list[str], at: list[float]) -> None:
    services = failing(*errors)
    execution = run(chain(task(Retry=retry)), services=services)
    assert execution.output == "done"
    assert [moment for moment, _ in services.calls] == at


@pytest.mark.parametrize(
    ("retry", "errors", "calls"),
    [
        ([{"ErrorEquals": ["Other"]}], ["E"], 1),
        ([{"ErrorEquals": ["E"], "MaxAttempts": 0}], ["E"], 1),
        ([{"ErrorEquals": ["E"], "MaxAttempts": 2}], ["E"] * 3, 3),
        # The first retrier that matches decides, even when it is used up.
        ([{"ErrorEquals": ["E"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"]}], ["E", "E"], 2),
        ([{"ErrorEquals": ["States.ALL"]}], ["States.Runtime"], 1),
        ([{"ErrorEquals": ["States.ALL"]}], ["States.DataLimitExceeded"], 1),
    ],
)
def test_retry_that_gives_up(retry: list[dict[str, Any]], errors: list[str], calls: int) -> None:
    services = failing(*errors)
    execution = run(chain(task(Retry=retry)), services=services)
    assert (execution.status, execution.error) == ("FAILED", errors[-1])
    assert len(services.calls) == calls


def test_full_jitter_stays_below_the_delay_and_follows_the_seed() -> None:
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}]

    def moments(seed: int) -> list[float]:
        services = failing("E", "E", "E")
        run(chain(task(Retry=retry)), services=services, seed=seed)
        return [moment for moment, _ in services.calls]

    first = moments(1)
    delays = [late - early for early, late in itertools.pairwise(first)]
    assert all(0 <= delay <= most for delay, most in zip(delays, (100, 200, 400), strict=True))
    assert first == moments(1)
    assert first != moments(2)


def test_expressions_see_the_retry_count_and_are_evaluated_again() -> None:
    services = failing("E", "E")
    run(chain(task(Arguments="{% $states.context.State.RetryCount %}", Retry=[{"ErrorEquals": ["E"]}])), None, services)
    assert [arguments for _, arguments in services.calls] == [0, 1, 2]


CAUGHT = {"Next": "Caught"}


def catching(*catch: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "S": task(Next="Fine", Catch=list(catch), **fields),
        "Fine": {"Type": "Succeed"},
        "Caught": {"Type": "Pass", "Output": {"in": "{% $states.input %}", "v": "{% $v %}"}, "End": True},
    }


def test_catch_gets_error_and_cause() -> None:
    states = catching({"ErrorEquals": ["States.ALL"], "Assign": {"v": "{% $states.errorOutput.Error %}"}, **CAUGHT})
    execution = run(states, {"q": 1}, failing("E"))
    assert execution.output == {"in": {"Error": "E", "Cause": "the cause"}, "v": "E"}
    assert types(execution)[4:7] == ["TaskFailed", "TaskStateExited", "PassStateEntered"]


def test_catch_makes_its_own_output() -> None:
    output = {"of": "{% $states.input.q %}", "error": "{% $states.errorOutput %}"}
    states = catching({"ErrorEquals": ["E"], "Output": output, "Assign": {"v": 1}, **CAUGHT})
    execution = run(states, {"q": 1}, failing("E"))
    assert execution.output == {"in": {"of": 1, "error": {"Error": "E", "Cause": "the cause"}}, "v": 1}


def test_first_catcher_that_matches_is_taken_after_the_retries() -> None:
    states = catching(
        {"ErrorEquals": ["Other"], "Assign": {"v": 1}, **CAUGHT},
        {"ErrorEquals": ["E"], "Assign": {"v": 2}, **CAUGHT},
        {"ErrorEquals": ["States.ALL"], "Assign": {"v": 3}, **CAUGHT},
        Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 1}],
    )
    services = failing("E", "E")
    assert run(states, {}, services).output["v"] == 2
    assert len(services.calls) == 2


def test_failed_expressions_of_a_task_can_be_caught() -> None:
    catcher = {"ErrorEquals": ["States.QueryEvaluationError"], "Assign": {"v": 1}, **CAUGHT}
    for fields in ({"Arguments": "{% $none %}"}, {"Output": "{% $none %}"}, {"Assign": {"x": "{% $none %}"}}):
        execution = run(catching(catcher, **fields))
        assert execution.status == "SUCCEEDED"
        assert "EvaluationFailed" in types(execution)
        field = next(iter(fields))
        assert f"specified for the field '{field}" in execution.output["in"]["Cause"]


def test_failed_expression_of_a_catcher_fails_the_state() -> None:
    catcher = {"ErrorEquals": ["States.ALL"], "Assign": {"v": "{% $none %}"}, **CAUGHT}
    execution = run(catching(catcher), services=failing("E"))
    assert execution.error == "States.QueryEvaluationError"
    assert execution.history[-2]["evaluationFailedEventDetails"]["location"] == "Catch[0]/Assign/v"


def test_caught_time_out() -> None:
    states = catching({"ErrorEquals": ["States.Timeout"], "Assign": {"v": 1}, **CAUGHT}, TimeoutSeconds=3)
    assert run(states, {}, slow(9)).output["in"] == {"Error": "States.Timeout", "Cause": ""}


@pytest.mark.parametrize(
    ("names", "error", "expected"),
    [
        (["E"], "E", True),
        (["E"], "EE", False),
        (["A", "B"], "B", True),
        (["States.ALL"], "E", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Permissions", True),
        (["States.ALL"], "States.QueryEvaluationError", True),
        (["States.ALL"], "States.ExceedToleratedFailureThreshold", True),
        (["States.ALL"], "", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.Runtime"], "States.Runtime", False),
        (["States.TaskFailed"], "E", True),
        (["States.TaskFailed"], "States.Permissions", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.HeartbeatTimeout", False),
        (["States.TaskFailed"], "States.Runtime", False),
        (["States.TaskFailed"], "States.DataLimitExceeded", False),
        (["States.Timeout"], "States.HeartbeatTimeout", True),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
        (["Lambda.ServiceException", "States.Timeout"], "States.Timeout", True),
    ],
)
def test_what_an_entry_matches(names: list[str], error: str, expected: bool) -> None:
    assert matches(names, error) is expected


def test_call_that_step_functions_cannot_make_fails_as_recorded() -> None:
    def answer(arguments: Any) -> Any:
        raise StatesError("States.Runtime", "The Parameters '{}' could not be used to start the Task: [...]")

    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    states = {"S": task(End=True, Catch=catch), "C": {"Type": "Succeed"}}
    execution = run(states, services=TestServices(answer))
    assert execution.error == "States.Runtime"
    assert (execution.cause or "").startswith(
        "An error occurred while executing the state 'S' (entered at the event id #2). The Parameters '{}' could not"
    )
    assert "TaskFailed" not in types(execution)


def test_error_and_cause_are_cut_to_their_quotas() -> None:
    def answer(arguments: Any) -> Any:
        raise StatesError("E" * 300, "c" * 40_000)

    execution = run(chain(task()), services=TestServices(answer))
    assert (len(execution.error or ""), len(execution.cause or "")) == (256, 32_768)


def test_numbers_and_texts_pass_through_unchanged() -> None:
    value = {"i": 2**60, "f": 0.1, "t": 'é😀\u2028"\\', "e": 1e21, "z": -0.5}
    execution = run(chain(task(), {"Type": "Pass", "Output": "{% $states.input %}"}), value)
    assert execution.output == value
    assert json.loads(execution.history[-1]["executionSucceededEventDetails"]["output"]) == value
