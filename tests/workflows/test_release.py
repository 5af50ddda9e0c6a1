"""What a stopped run leaves behind: nothing that is paid for, and one message."""

from typing import Any

import pytest

from app import SampleStack
from bedrock_customization.rehearsal import Rehearsal

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
