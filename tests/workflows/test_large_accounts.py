"""Release and sweep in accounts that have had thousands of jobs and models, some of them named much alike."""

import hashlib
from typing import Any

import botocore.session
import pytest
from aws_cdk import Stack
from botocore.model import Shape

from bedrock_customization.rehearsal import Rehearsal, Run
from bedrock_customization.states.bedrock_resources import MODEL, PAGE_SIZE, PAID_KINDS, ResourceKind
from bedrock_customization.tags import EXECUTION_TAG, WORKFLOW_TAG
from tests.workflows.neighbours import FOREIGN, Neighbour
from tests.workflows.small import execution_input, lines, upload, workflow

MOST_BYTES = 256 * 1024
NAME = "stopped"


@pytest.fixture
def rehearsal() -> Any:
    with Rehearsal.from_stack(Stack.of(workflow())) as rehearsal:
        upload(rehearsal, workflow())
        yield rehearsal


def stop_a_run(rehearsal: Rehearsal) -> Run:
    """A run that is stopped while its model comes up."""
    rehearsal.stop(at="GetDeployment")
    run = rehearsal.run(workflow().state_machine, execution_input(), name=NAME)
    assert run.status == "ABORTED", run.cause
    return run


def billed_by_the_run(rehearsal: Rehearsal, run: Run) -> list[str]:
    identifier = hashlib.sha256(run.arn.encode()).hexdigest()[:16]
    return [billed.name for billed in rehearsal.bedrock.billed if billed.name == f"support-{identifier}"]


def longest(shape: Shape) -> int:
    """The bytes of a value as JSON at most; a character of a text takes up to four bytes, ARNs are ASCII."""
    if shape.type_name == "structure":
        return 2 + sum(len(name) + 4 + longest(member) for name, member in shape.members.items())
    if shape.type_name == "string":
        if shape.enum:
            return 2 + max(len(value) for value in shape.enum)
        # Account ids and foundation models' ARNs have a pattern instead of a length.
        return 2 + shape.metadata.get("max", 300) * (4 if shape.name == "ErrorMessage" else 1)
    return 32


@pytest.mark.parametrize("kind", [*PAID_KINDS, MODEL], ids=lambda kind: kind.plural)
def test_a_page_fits_into_a_result_however_long_its_texts_are(kind: ResourceKind) -> None:
    model = botocore.session.Session().get_service_model("bedrock")
    result = model.operation_model(kind.list[0].upper() + kind.list[1:]).output_shape.members
    summaries = result[kind.summaries[0].lower() + kind.summaries[1:]]
    assert PAGE_SIZE * longest(summaries.member) + longest(result["nextToken"]) < MOST_BYTES


@pytest.fixture
def neighbours(rehearsal: Rehearsal) -> list[Neighbour]:
    """Two thousand resources of each kind; some jobs still train, and some names are like those of a run."""
    rehearsal.bedrock.jobs.concurrent_jobs = rehearsal.bedrock.jobs.custom_models = 10_000
    rehearsal.bedrock.deployments.limit = 10_000
    return [
        Neighbour(
            rehearsal, f"{'team' * 9}-{number:0{16 if number % 4 == 0 else 15}x}", FOREIGN, training=number % 100 == 0
        )
        for number in range(2_000)
    ]


def test_the_rule_releases_a_run_among_thousands_of_others(rehearsal: Rehearsal, neighbours: list[Neighbour]) -> None:
    run = stop_a_run(rehearsal)
    assert billed_by_the_run(rehearsal, run) == []
    assert rehearsal.executions[-1].status == "SUCCEEDED"
    assert all(neighbour.is_untouched() for neighbour in neighbours)


def test_the_sweep_finds_a_run_among_thousands_of_others(rehearsal: Rehearsal, neighbours: list[Neighbour]) -> None:
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")
    run = stop_a_run(rehearsal)
    assert len(billed_by_the_run(rehearsal, run)) == 1
    sweep, release = rehearsal.fire(workflow().release.node.find_child("Sweep"))
    assert (sweep.status, release.status) == ("SUCCEEDED", "SUCCEEDED"), f"{sweep.cause} {release.cause}"
    assert billed_by_the_run(rehearsal, run) == []
    assert all(neighbour.is_untouched() for neighbour in neighbours)


@pytest.mark.parametrize("kind", ["jobs", "deployments", "provisioned"])
def test_the_sweep_finds_each_kind_of_resource_among_thousands_of_others(
    rehearsal: Rehearsal, neighbours: list[Neighbour], kind: str
) -> None:
    run = f"{rehearsal._names.machine(workflow().state_machine).arn.replace(':stateMachine:', ':execution:')}:forgotten"
    tags = {WORKFLOW_TAG: workflow().workflow_tag, EXECUTION_TAG: run}
    name = f"support-{hashlib.sha256(run.encode()).hexdigest()[:16]}"
    # More than a page of others that are named after the run, too.
    neighbours += [Neighbour(rehearsal, f"{name}-{number:016x}", FOREIGN) for number in range(PAGE_SIZE + 1)]
    left = Neighbour(rehearsal, name, tags, training=True)
    registry = rehearsal.bedrock.registry
    if kind != "jobs":
        left.job.status = "Completed"
    if kind != "deployments":
        registry.deployments.remove(left.deployment)
    if kind != "provisioned":
        registry.provisioned.remove(left.provisioned)
    assert [billed.name for billed in rehearsal.bedrock.billed].count(name) == 1

    sweep, release = rehearsal.fire(workflow().release.node.find_child("Sweep"))

    assert (sweep.status, release.status) == ("SUCCEEDED", "SUCCEEDED"), f"{sweep.cause} {release.cause}"
    assert name not in [billed.name for billed in rehearsal.bedrock.billed]
    assert all(neighbour.is_untouched() for neighbour in neighbours)


@pytest.fixture
def next_ones(rehearsal: Rehearsal) -> list[Neighbour]:
    """What models are named that were made from the run's own; more than a page, so that its own is on the next one."""
    arn = f"{rehearsal._names.machine(workflow().state_machine).arn.replace(':stateMachine:', ':execution:')}:{NAME}"
    identifier = hashlib.sha256(arn.encode()).hexdigest()[:16]
    tags = {WORKFLOW_TAG: workflow().workflow_tag, EXECUTION_TAG: f"{arn}-next"}
    rehearsal.bedrock.deployments.limit = 100
    names = [f"support-{identifier}-{number:016x}" for number in range(PAGE_SIZE + 1)]
    return [Neighbour(rehearsal, name, tags) for name in names]


def test_models_that_are_named_after_the_run_they_come_from_are_not_taken_for_its_own(
    rehearsal: Rehearsal, next_ones: list[Neighbour]
) -> None:
    run = stop_a_run(rehearsal)
    assert billed_by_the_run(rehearsal, run) == []
    assert all(neighbour.is_untouched() for neighbour in next_ones)


def test_a_model_that_cannot_be_deleted_is_told_as_kept(rehearsal: Rehearsal, next_ones: list[Neighbour]) -> None:
    rehearsal.upload(
        workflow().training_bucket, "train.jsonl", lines("bedrock-conversation-2024", range(110), poor=True)
    )
    rehearsal.faults.fail("DeleteModel", "AccessDeniedException")
    run = rehearsal.run(workflow().state_machine, execution_input(), name=NAME)

    assert run.output["verdict"] == "NOT_BETTER"
    assert len(rehearsal.bedrock.registry.models) == len(next_ones) + 1
    assert [kept["arn"] for kept in run.output["kept"]] == [rehearsal.bedrock.registry.models[-1].arn]
