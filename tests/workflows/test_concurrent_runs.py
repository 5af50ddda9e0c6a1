"""Runs and releases beside one another: none sees, loses or touches what is another's."""

import hashlib
import json
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal, Run
from tests.workflows.small import execution_input, upload, workflow


@pytest.fixture
def rehearsal() -> Any:
    with Rehearsal.from_stack(Stack.of(workflow())) as rehearsal:
        upload(rehearsal, workflow())
        rehearsal.bedrock.jobs.concurrent_jobs = rehearsal.bedrock.deployments.in_progress_limit = 3
        yield rehearsal


def run_id(run: Run) -> str:
    return hashlib.sha256(run.arn.encode()).hexdigest()[:16]


def test_three_runs_at_once_of_which_one_fails_and_one_is_stopped(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("Train", "ValidationException")
    rehearsal.stop(at="GetDeployment")
    runs = rehearsal.run_all(workflow().state_machine, {name: execution_input() for name in ("one", "two", "three")})

    by_status = {run.status: run for run in runs}
    assert set(by_status) == {"FAILED", "ABORTED", "SUCCEEDED"}
    assert max(run.started for run in runs) < min(run.stopped or 0 for run in runs)
    good = by_status["SUCCEEDED"]
    assert good.output["verdict"] == "BETTER"
    assert [billed.arn for billed in rehearsal.bedrock.billed] == [good.output["model"]["modelId"]]

    for run in runs:
        (message,) = [message.message for message in rehearsal.inbox if run.arn in message.message]
        others = [run_id(other) for other in runs if other is not run]
        assert not any(other in message for other in others)
        written = json.loads(rehearsal.download(workflow().results_bucket, f"runs/{run_id(run)}/notification.json"))
        resources = [*written["release"]["released"], *written["release"]["kept"]]
        assert {resource["name"] for resource in resources} <= {f"support-{run_id(run)}"}
    keys = rehearsal.keys(workflow().results_bucket)
    assert {key.split("/")[1] for key in keys} == {run_id(run) for run in runs}


def test_the_release_is_idempotent_when_the_run_the_rule_and_the_sweep_start_it_at_once(rehearsal: Rehearsal) -> None:
    own = workflow()
    rehearsal.stop(at="GetDeployment")
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")
    run = rehearsal.run(own.state_machine, execution_input())
    assert len(rehearsal.bedrock.billed) == 1

    failure = {"error": "ABORTED", "cause": "The execution was ended from outside."}
    asked_by_the_run = {"runId": run_id(run), "name": "support", "executionArn": run.arn, "failure": failure}
    sweep = {"stateMachineArn": run.state_machine_arn, "endedWithinSeconds": 14_400}
    releases = rehearsal.run_all(
        own.release.state_machine,
        {"run": asked_by_the_run, "rule": {"executionArn": run.arn}, "sweep": {"sweep": sweep}},
    )

    assert [release.status for release in releases] == ["SUCCEEDED"] * 3
    assert [len(release.output["runs"]) for release in releases] == [1, 1, 0]
    (started,) = releases[2].output["started"]
    (swept,) = (execution for execution in rehearsal.executions if execution.arn == started)
    assert swept.status == "SUCCEEDED", swept.cause
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1
