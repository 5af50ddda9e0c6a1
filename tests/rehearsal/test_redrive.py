"""Rehearsal.redrive: what the account shows of a redriven execution, and what it refuses."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.interpreter.services import StatesError
from tests.rehearsal.machines import machine, single, task

GLUE = "arn:aws:states:::glue:startJobRun.sync"
DAY = 86_400


class Job:
    """A job that fails so often, and counts its calls."""

    def __init__(self, failures: int = 1) -> None:
        self.failures = failures
        self.calls: list[Any] = []

    def __call__(self, arguments: Any, caller: Any) -> Any:
        """Fail or answer."""
        self.calls.append(arguments)
        if len(self.calls) <= self.failures:
            raise StatesError("Glue.Broken", "not yet")
        return {"done": True}


def of_job(job: Job, **fields: Any) -> Rehearsal:
    definition = single("glue:startJobRun.sync", {}, **fields)
    return Rehearsal.from_definitions({"Machine": definition}, handlers={GLUE: job})


def test_the_execution_is_the_same_and_goes_on() -> None:
    job = Job()
    rehearsal = of_job(job)
    run = rehearsal.run("Machine", {"a": 1})
    rehearsal.wait(DAY)
    again = rehearsal.redrive(run)
    assert again is run
    assert (run.status, run.output, run.input, run.error) == ("SUCCEEDED", {"done": True}, {"a": 1}, None)
    assert (len(job.calls), rehearsal.executions[0].arn, len(rehearsal.executions)) == (2, run.arn, 1)
    assert (run.started, run.stopped) == (0, DAY)


def test_its_ends_are_events() -> None:
    rehearsal = of_job(Job())
    run = rehearsal.run("Machine", {})
    rehearsal.wait(60)
    rehearsal.redrive(run)
    details = [event["detail"] for event in rehearsal.events]
    assert [(it["status"], it["redriveCount"], it["redriveStatus"]) for it in details] == [
        ("RUNNING", 0, "NOT_REDRIVABLE"),
        ("FAILED", 0, "REDRIVABLE"),
        ("RUNNING", 1, "NOT_REDRIVABLE"),
        ("SUCCEEDED", 1, "NOT_REDRIVABLE"),
    ]
    assert [it["redriveDate"] for it in details] == [None, None, 1_767_225_660_000, 1_767_225_660_000]
    assert [it["stopDate"] is None for it in details] == [True, False, True, False]


def test_rules_of_the_template_see_its_second_end(tmp_path: Any) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Stack")
    failing = sfn.StateMachine(
        stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(sfn.Fail(stack, "F"))
    )
    follower = sfn.StateMachine(
        stack, "Follower", definition_body=sfn.DefinitionBody.from_chainable(sfn.Succeed(stack, "S"))
    )
    pattern = events.EventPattern(
        source=["aws.states"], detail={"status": ["FAILED"], "stateMachineArn": [failing.state_machine_arn]}
    )
    letters = sqs.Queue(stack, "Letters")
    events.Rule(
        stack,
        "Rule",
        event_pattern=pattern,
        targets=[targets.SfnStateMachine(follower, dead_letter_queue=letters)],
    )
    rehearsal = Rehearsal.from_stack(stack)
    run = rehearsal.run(failing, {})
    rehearsal.redrive(run)
    started = [execution for execution in rehearsal.executions if "Follower" in execution.state_machine_arn]
    assert [execution.input["detail"]["redriveCount"] for execution in started] == [0, 1]


def test_describe_execution_shows_it() -> None:
    describing = task("aws-sdk:sfn:describeExecution", {"ExecutionArn": "{% $states.input.arn %}"})
    definitions = {"Machine": single("glue:startJobRun.sync", {}), "Describing": machine(Call=describing)}
    rehearsal = Rehearsal.from_definitions(definitions, handlers={GLUE: Job(failures=2)})
    run = rehearsal.run("Machine", {})
    first = rehearsal.run("Describing", {"arn": run.arn}).output
    rehearsal.wait(3600)
    rehearsal.redrive(run)
    second = rehearsal.run("Describing", {"arn": run.arn}).output
    rehearsal.wait(15 * DAY)
    third = rehearsal.run("Describing", {"arn": run.arn}).output
    assert (first["RedriveCount"], first["RedriveStatus"], "RedriveDate" in first) == (0, "REDRIVABLE", False)
    assert (second["RedriveCount"], second["RedriveStatus"]) == (1, "REDRIVABLE")
    assert second["RedriveDate"].startswith("2026-01-01T01:00:00")
    assert (third["RedriveStatus"], third["RedriveStatusReason"]) == (
        "NOT_REDRIVABLE",
        "Execution redrivable period exceeded",
    )


def test_a_state_machine_can_redrive_another() -> None:
    redriving = task("aws-sdk:sfn:redriveExecution", {"ExecutionArn": "{% $states.input.arn %}"})
    definitions = {"Machine": single("glue:startJobRun.sync", {}), "Redriving": machine(Call=redriving)}
    rehearsal = Rehearsal.from_definitions(definitions, handlers={GLUE: Job()})
    run = rehearsal.run("Machine", {})
    assert list(rehearsal.run("Redriving", {"arn": run.arn}).output) == ["RedriveDate"]
    assert run.status == "SUCCEEDED"
    refused = rehearsal.run("Redriving", {"arn": run.arn})
    assert refused.error == "Sfn.ExecutionNotRedrivableException"


@pytest.mark.parametrize(
    ("failures", "fields", "days", "reason"),
    [
        (0, {}, 0, "Execution is SUCCEEDED and cannot be redriven"),
        (1, {}, 15, "Execution redrivable period exceeded"),
    ],
)
def test_refusals(failures: int, fields: dict[str, Any], days: int, reason: str) -> None:
    rehearsal = of_job(Job(failures), **fields)
    run = rehearsal.run("Machine", {})
    rehearsal.wait(days * DAY)
    with pytest.raises(ValueError, match=f"ExecutionNotRedrivable: {reason}; allowed: a STANDARD execution that is"):
        rehearsal.redrive(run)
    assert len(rehearsal.events) == 2


def test_express_is_refused(tmp_path: Any) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(tmp_path)), "Stack")
    body = sfn.DefinitionBody.from_chainable(sfn.Fail(stack, "F"))
    express = sfn.StateMachine(stack, "Machine", definition_body=body, state_machine_type=sfn.StateMachineType.EXPRESS)
    rehearsal = Rehearsal.from_stack(stack)
    run = rehearsal.run(express, {})
    with pytest.raises(ValueError, match="EXPRESS executions cannot be redriven"):
        rehearsal.redrive(run)


def test_a_redriven_execution_can_be_stopped_again() -> None:
    definition = machine(
        Call=task("glue:startJobRun.sync", {}, Next="Rest"), Rest={"Type": "Wait", "Seconds": 60, "End": True}
    )
    rehearsal = Rehearsal.from_definitions({"Machine": definition}, handlers={GLUE: Job()})
    run = rehearsal.run("Machine", {})
    rehearsal.stop(at="Rest")
    assert rehearsal.redrive(run).status == "ABORTED"
    assert rehearsal.redrive(run).status == "SUCCEEDED"
    assert run.states == ["Call", "Rest"]


def test_a_map_run_needs_permission_to_redrive_its_children(tmp_path: Any) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(tmp_path)), "Stack")
    child = sfn.Fail(stack, "F")
    distributed = sfn.DistributedMap(stack, "Map", items=sfn.ProvideItems.json_array([1]), label="Label")
    distributed.item_processor(child, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType.STANDARD)
    made = sfn.StateMachine(
        stack,
        "Machine",
        definition_body=sfn.DefinitionBody.from_chainable(distributed),
        query_language=sfn.QueryLanguage.JSONATA,
    )
    rehearsal = Rehearsal.from_stack(stack)
    run = rehearsal.run(made, {})
    assert run.error == "States.ExceedToleratedFailureThreshold"
    before = set(rehearsal.permissions.used)
    rehearsal.redrive(run)
    assert run.error == "States.ExceedToleratedFailureThreshold"
    (grant,) = set(rehearsal.permissions.used) - before
    assert (grant.action, rehearsal.permissions.denied) == ("states:RedriveExecution", [])
