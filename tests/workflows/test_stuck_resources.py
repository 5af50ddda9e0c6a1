"""What cannot be released, or described, or listed, costs no other run its release or its message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal, Run
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError
from tests.faults.scenarios import PROVISIONED_MODEL, WEST
from tests.workflows.small import execution_input, lines, upload, workflow

# Of a history.
MOST_EVENTS = 25_000


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with Rehearsal.from_stack(Stack.of(workflow(WEST))) as rehearsal:
        upload(rehearsal, workflow(WEST))
        rehearsal.upload(workflow(WEST).training_bucket, "train.jsonl", lines("prompt-completion", range(100)))
        rehearsal.bedrock.provisioned_models.no_commitment_units = 20
        rehearsal.bedrock.jobs.concurrent_jobs = 20
        yield rehearsal


def customize(rehearsal: Rehearsal, name: str, **changes: Any) -> Run:
    changes = {"baseModelIdentifier": PROVISIONED_MODEL, **changes}
    return rehearsal.run(workflow(WEST).state_machine, execution_input(**changes), name=name)


def lose_the_event(rehearsal: Rehearsal) -> None:
    """The rule does not start a release for the next run that ends badly."""
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")


def sweep(rehearsal: Rehearsal) -> list[Run]:
    return rehearsal.fire(workflow(WEST).release.node.find_child("Sweep"))


def stop(rehearsal: Rehearsal, name: str, at: str = "GetProvisionedModel", **changes: Any) -> Run:
    lose_the_event(rehearsal)
    rehearsal.stop(at=at)
    run = customize(rehearsal, name, **changes)
    assert run.status == "ABORTED"
    return run


class Stuck:
    """Lets nobody delete the provisioned throughput that there is."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.arns = {billed.arn for billed in rehearsal.bedrock.billed}
        rehearsal._world.api.interceptors.append(self)

    def before(self, call: ApiCall) -> None:
        if call.parameters.get("provisionedModelId") in self.arns and call.operation.startswith("Delete"):
            raise ApiError("AccessDeniedException", "An organization's policy denies it.", 403)

    def after(self, call: ApiCall, result: Any) -> None:
        pass


def test_many_stuck_resources_fit_into_a_history_and_are_told(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("Evaluate", "States.TaskFailed")
    rehearsal.faults.fail("DeleteProvisionedModel", "AccessDeniedException", times=10_000)
    run = customize(rehearsal, "many", candidates=[{"hyperParameters": {"epochCount": str(n)}} for n in range(1, 10)])
    assert run.status == "FAILED"
    assert len(rehearsal.bedrock.billed) == 9
    (message,) = rehearsal.inbox
    assert message.message.count("could not be released: ") == 9
    releases = [execution for execution in rehearsal.executions if "Release" in execution.state_machine_arn]
    assert {release.error for release in releases} == {"ReleaseTimedOut"}
    assert max(len(release.history) for release in releases) < MOST_EVENTS / 2


def test_stuck_runs_do_not_keep_a_sweep_from_another(rehearsal: Rehearsal) -> None:
    for name in "abcdef":
        stop(rehearsal, name)
    Stuck(rehearsal)
    stop(rehearsal, "free")
    assert len(rehearsal.bedrock.billed) == 7
    swept, *releases = sweep(rehearsal)
    assert swept.status == "SUCCEEDED", swept.cause
    assert sorted(release.status for release in releases) == ["FAILED"] * 6 + ["SUCCEEDED"]
    assert len(rehearsal.bedrock.billed) == 6
    assert len(rehearsal.inbox) == 7


@pytest.mark.parametrize("quotes", [80_000, 120_000])
def test_an_input_that_no_state_can_read_hinders_no_release(rehearsal: Rehearsal, quotes: int) -> None:
    large = customize(rehearsal, "large", notes='"' * quotes)
    assert large.status == "FAILED"
    assert rehearsal.undelivered == []
    (message,) = rehearsal.inbox
    assert large.arn in message.message
    stop(rehearsal, "stopped")
    rehearsal.wait(3600)
    assert [execution.status for execution in sweep(rehearsal)] == ["SUCCEEDED"] * 3
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 2


@pytest.mark.parametrize("state", ["ListRuns", "SweepJobs", "SweepDeployments", "SweepProvisionedModels", "ReadTags"])
def test_a_sweep_that_cannot_list_something_releases_the_rest_and_fails(rehearsal: Rehearsal, state: str) -> None:
    stop(rehearsal, "stopped")
    rehearsal.faults.fail(state, "States.Permissions", times=1)
    swept, *releases = sweep(rehearsal)
    assert (swept.status, swept.error) == ("FAILED", "SweepFailed")
    assert "States.Permissions" in swept.cause
    assert {release.status for release in releases} == {"SUCCEEDED"}
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1


def test_a_sweep_that_cannot_start_a_release_fails(rehearsal: Rehearsal) -> None:
    stop(rehearsal, "stopped")
    rehearsal.faults.fail("StartRelease", "States.Permissions")
    (swept,) = sweep(rehearsal)
    assert (swept.status, swept.error) == ("FAILED", "SweepFailed")
    assert len(rehearsal.bedrock.billed) == 1


@pytest.mark.parametrize("at", ["GetProvisionedModel", "CheckData"])
def test_a_release_that_was_started_without_an_answer_is_not_started_again(rehearsal: Rehearsal, at: str) -> None:
    """The second is over before the call is repeated."""
    stop(rehearsal, "stopped", at)
    rehearsal.faults.lose_response("StartRelease")
    swept, release = sweep(rehearsal)
    assert (swept.status, release.status) == ("SUCCEEDED", "SUCCEEDED"), f"{swept.cause} {release.cause}"
    assert rehearsal.bedrock.billed == []


def test_models_that_cannot_be_listed_fail_no_good_run(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("FindModels", "AccessDeniedException", times=1000)
    run = customize(rehearsal, "good")
    assert run.status == "SUCCEEDED", run.cause
    assert len(rehearsal.bedrock.billed) == 1
    assert len(rehearsal.inbox) == 1


def test_models_that_cannot_be_listed_cost_no_message(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("FindModels", "AccessDeniedException", times=1000)
    rehearsal.faults.fail("Evaluate", "States.TaskFailed")
    assert customize(rehearsal, "bad").status == "FAILED"
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1


@pytest.mark.parametrize("readable", [True, False])
def test_a_winner_whose_tags_cannot_be_set_is_not_kept(rehearsal: Rehearsal, readable: bool) -> None:
    rehearsal.faults.fail("TagAsKept", "InternalServerException", times=9)
    if not readable:
        rehearsal.faults.fail("ReadTagsOfWinner", "AccessDeniedException")
    run = customize(rehearsal, "untagged")
    assert (run.status, run.error) == ("FAILED", "Bedrock.InternalServerException")
    assert rehearsal.bedrock.billed == []
    (message,) = rehearsal.inbox
    assert "promoted" not in message.message


def test_a_verdict_is_told_although_something_could_not_be_released(rehearsal: Rehearsal) -> None:
    rehearsal.upload(workflow(WEST).training_bucket, "train.jsonl", lines("prompt-completion", range(100), poor=True))
    rehearsal.faults.fail("DeleteProvisionedModel", "AccessDeniedException", times=1000)
    run = customize(rehearsal, "stuck")
    assert (run.status, run.error) == ("FAILED", "ReleaseTimedOut")
    assert "AccessDeniedException" in run.cause
    (message,) = rehearsal.inbox
    assert "NOT_BETTER" in message.message
    assert "could not be released" in message.message


def test_a_verdict_that_cannot_be_sent_is_written_all_the_same(rehearsal: Rehearsal) -> None:
    rehearsal.upload(workflow(WEST).training_bucket, "train.jsonl", lines("prompt-completion", range(100), poor=True))
    rehearsal.faults.fail("DeleteProvisionedModel", "AccessDeniedException", times=1000)
    rehearsal.faults.fail("NotifyOfWhatIsLeft", "AuthorizationErrorException")
    run = customize(rehearsal, "unsent")
    assert (run.status, run.error) == ("FAILED", "ReleaseTimedOut")
    assert "LeftUnnotified" in run.states
    (key,) = [key for key in rehearsal.keys(workflow(WEST).results_bucket) if key.endswith("notification.json")]
    written = json.loads(rehearsal.download(workflow(WEST).results_bucket, key))
    assert written["evaluation"]["verdict"] == "NOT_BETTER"


def test_a_stopped_run_whose_input_no_state_can_read_is_told(rehearsal: Rehearsal) -> None:
    rehearsal.stop(at="Prepare")
    run = customize(rehearsal, "large", notes='"' * 120_000)
    assert run.status == "ABORTED"
    (message,) = rehearsal.inbox
    assert message.subject == "Customization large: was stopped"
    assert "Somebody stopped the execution." in message.message


def test_whoever_wrote_a_message_can_be_too_large_to_be_described(rehearsal: Rehearsal) -> None:
    rehearsal.stop(at="Notify")
    rehearsal.faults.fail("DescribeItsWriter", "States.DataLimitExceeded")
    assert customize(rehearsal, "large").status == "ABORTED"
    assert rehearsal.faults.pending == []
    assert len(rehearsal.inbox) == 1


def test_a_run_that_cannot_be_found_again_is_released_all_the_same(rehearsal: Rehearsal) -> None:
    """Its provisioned throughput is still being created, so that the release looks again."""
    rehearsal.stop(at="GetProvisionedModel")
    rehearsal.faults.fail("FindRunAgain", "States.Permissions", times=100)
    assert customize(rehearsal, "stopped").status == "ABORTED"
    assert "FindRunAgain" in rehearsal.executions[-1].states
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1
