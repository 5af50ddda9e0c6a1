"""What a stopped run leaves behind: nothing that is paid for, and one message."""

import hashlib
from typing import Any

import pytest

from app import SampleStack
from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.tags import EXECUTION_TAG, WORKFLOW_TAG
from tests.workflows.neighbours import Neighbour

BEFORE_THE_VERDICT = ["CheckData", "Train", "CreateDeployment", "GetDeployment", "Evaluate", "AskModel", "ScoreShard"]
AFTER_THE_VERDICT = ["TagAsKept", "Release", "KeepDeployment", "ComposeMessage", "WriteNotification", "Notify"]


@pytest.mark.parametrize("state", BEFORE_THE_VERDICT)
def test_a_run_that_is_stopped_before_its_verdict_leaves_nothing(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any], state: str
) -> None:
    rehearsal.stop(at=state)
    run = rehearsal.run(stack.customization.state_machine, execution_input)

    assert run.status == "ABORTED"
    assert rehearsal.bedrock.billed == []
    (message,) = rehearsal.inbox
    assert "ABORTED" in message.message
    assert rehearsal.undelivered == []


@pytest.mark.parametrize("state", AFTER_THE_VERDICT)
def test_a_run_that_is_stopped_after_its_verdict_keeps_at_most_the_winner(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any], state: str
) -> None:
    rehearsal.stop(at=state)
    run = rehearsal.run(stack.customization.state_machine, execution_input)

    assert run.status == "ABORTED"
    assert len(rehearsal.bedrock.billed) == (0 if state == "TagAsKept" else 1)
    assert len(rehearsal.inbox) == 1


def test_a_stopped_release_is_taken_up_again(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]
) -> None:
    rehearsal.stop(at="FindDeployments")
    rehearsal.run(stack.customization.state_machine, execution_input | {"trainingDataKey": "nothing.jsonl"})
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1


def test_what_a_run_of_a_replaced_machine_left_is_found_by_the_sweep(rehearsal: Rehearsal, stack: SampleStack) -> None:
    run = "arn:aws:states:us-east-1:123456789012:execution:ReplacedMachine:run"
    tags = {WORKFLOW_TAG: stack.customization.workflow_tag, EXECUTION_TAG: run}
    left = Neighbour(rehearsal, f"support-{hashlib.sha256(run.encode()).hexdigest()[:16]}", tags)
    assert {left.deployment.arn, left.provisioned.arn} == {billed.arn for billed in rehearsal.bedrock.billed}

    sweep, release = rehearsal.fire(stack.customization.release.node.find_child("Sweep"))

    assert (sweep.status, release.status) == ("SUCCEEDED", "SUCCEEDED"), f"{sweep.cause} {release.cause}"
    assert rehearsal.bedrock.billed == []
    assert rehearsal.inbox == []
