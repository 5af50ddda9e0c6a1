"""What a run does while the account trains, or deploys, as many models as it may at a time."""

from collections.abc import Iterator

import pytest
from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, upload, workflow

HOUR = 3600


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with Rehearsal.from_stack(Stack.of(workflow())) as rehearsal:
        upload(rehearsal, workflow())
        # Two candidates are trained at a time, so one of them finds the place taken.
        rehearsal.bedrock.jobs.concurrent_jobs = 1
        rehearsal.bedrock.jobs.training_seconds = 14 * HOUR
        yield rehearsal


CANDIDATES = [{"hyperParameters": {"epochCount": epochs}} for epochs in "12"]


def test_it_waits_for_a_place_even_longer_than_a_job_may_stall(rehearsal: Rehearsal) -> None:
    run = rehearsal.run(workflow().state_machine, execution_input(candidates=CANDIDATES))

    assert (run.status, run.output["failedCandidates"]) == ("SUCCEEDED", []), run.cause
    first, second = sorted(job.created for job in rehearsal.bedrock.registry.jobs)
    assert 14 * HOUR <= second - first <= 15 * HOUR


def test_a_job_that_stalls_after_it_has_waited_is_stopped_too(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.stalls = True
    run = rehearsal.run(workflow().state_machine, execution_input(candidates=CANDIDATES))

    assert (run.status, run.error) == ("FAILED", "TrainingStalled")
    assert [job.status for job in rehearsal.bedrock.registry.jobs] == ["Stopped", "Stopped"]


def test_it_does_not_wait_for_ever(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.custom_models = 0
    run = rehearsal.run(workflow().state_machine, execution_input())

    assert run.status == "FAILED"
    assert "You have reached the limit of 0 custom models." in run.cause
    assert 18 * HOUR < run.duration < 30 * HOUR
    assert rehearsal.bedrock.registry.jobs == []


def test_a_deployment_waits_until_those_of_others_are_up() -> None:
    with Rehearsal.from_stack(Stack.of(workflow())) as rehearsal:
        upload(rehearsal, workflow())
        # Both candidates are trained at the same time, but only one of them can come up.
        rehearsal.bedrock.deployments.in_progress_limit = 1
        run = rehearsal.run(workflow().state_machine, execution_input(candidates=CANDIDATES))

        assert (run.status, run.output["failedCandidates"]) == ("SUCCEEDED", []), run.cause
