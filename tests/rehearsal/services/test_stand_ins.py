"""Functions stand for integrations and activities, and their tasks look like those of the service."""

from __future__ import annotations

from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal, StatesError, UnsupportedDefinitionError
from tests.rehearsal.machines import machine, single

GLUE = "arn:aws:states:::glue:startJobRun.sync"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"


def events(run: Any) -> list[str]:
    return [event["type"] for event in run.history][2:-2]


def test_a_function_stands_for_an_integration() -> None:
    seen: list[Any] = []

    def start(arguments: Any, caller: Any) -> Any:
        seen.append((arguments, caller.state))
        return {"JobRunState": "SUCCEEDED"}

    definition = single("glue:startJobRun.sync", {"JobName": "job"})
    run = Rehearsal.from_definitions({"M": definition}, handlers={GLUE: start}).run("M", {})
    assert (run.status, run.output) == ("SUCCEEDED", {"JobRunState": "SUCCEEDED"})
    assert seen == [({"JobName": "job"}, "Call")]
    assert events(run) == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_its_failures_are_errors_that_a_state_can_catch() -> None:
    def fail(arguments: Any, caller: Any) -> Any:
        raise StatesError("Glue.ConcurrentRunsExceededException", "too many")

    caught = single(
        "glue:startJobRun.sync", {}, Catch=[{"ErrorEquals": ["Glue.ConcurrentRunsExceededException"], "Next": "Rest"}]
    )
    caught["States"]["Rest"] = {"Type": "Pass", "End": True}
    run = Rehearsal.from_definitions({"M": caught}, handlers={GLUE: fail}).run("M", {})
    assert run.output == {"Error": "Glue.ConcurrentRunsExceededException", "Cause": "too many"}

    def break_(arguments: Any, caller: Any) -> Any:
        raise KeyError("JobName")

    run = Rehearsal.from_definitions({"M": single("glue:startJobRun.sync", {})}, handlers={GLUE: break_}).run("M", {})
    assert (run.error, run.cause) == ("KeyError", "'JobName'")


def test_a_function_answers_a_task_that_waits_for_its_token() -> None:
    tokens: list[str] = []

    def approve(arguments: Any, caller: Any) -> Any:
        tokens.append(arguments["MessageBody"]["token"])
        return {"approved": True}

    arguments = {"QueueUrl": "q", "MessageBody": {"token": "{% $states.context.Task.Token %}"}}
    path = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": TOKEN, "End": True}}}
    path["States"]["Ask"]["Parameters"] = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}  # type: ignore[index]
    definitions = {"M": single("sqs:sendMessage.waitForTaskToken", arguments), "P": path}
    rehearsal = Rehearsal.from_definitions(definitions, handlers={TOKEN: approve})
    for name in definitions:
        assert rehearsal.run(name, {}).output == {"approved": True}
    assert len(set(tokens)) == 2
    assert all(tokens)


def test_a_function_stands_for_an_activity() -> None:
    definition = machine(Paint={"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 5, "End": True})
    run = Rehearsal.from_definitions({"M": definition}, handlers={ACTIVITY: lambda input, caller: [input]}).run("M", 1)
    assert run.output == [1]
    assert events(run) == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def test_a_function_called_through_the_integration_has_the_events_of_a_task() -> None:
    definition = single("lambda:invoke", {"FunctionName": "echo"})
    run = Rehearsal.from_definitions({"M": definition}, handlers={"echo": lambda event, context: event}).run("M", {})
    assert events(run) == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:echo"
    direct = machine(Call={"Type": "Task", "Resource": arn, "End": True})
    run = Rehearsal.from_definitions({"M": direct}, handlers={"echo": lambda event, context: event}).run("M", {})
    assert events(run) == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]


def test_what_it_returns_must_be_json() -> None:
    rehearsal = Rehearsal.from_definitions(
        {"M": single("glue:startJobRun.sync", {})}, handlers={GLUE: lambda arguments, caller: object()}
    )
    with pytest.raises(TypeError, match=r"handlers\['arn:aws:states:::glue:startJobRun.sync'\]: it returned"):
        rehearsal.run("M", {})


@pytest.mark.parametrize("resource", ["glue:startJobRun.sync", "http:invoke", "sqs:sendMessage.waitForTaskToken"])
def test_the_refusal_says_that_a_function_can_stand_for_it(resource: str) -> None:
    with pytest.raises(UnsupportedDefinitionError) as caught:
        Rehearsal.from_definitions({"M": single(resource, {})}).run("M", {})
    assert f"pass handlers={{'arn:aws:states:::{resource}': ...}}" in str(caught.value)
