"""An execution may have a name that Bedrock takes for a tag; every other one is refused before anything is paid for."""

from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, upload, workflow


@pytest.fixture
def rehearsal() -> Any:
    with Rehearsal.from_stack(Stack.of(workflow())) as rehearsal:
        upload(rehearsal, workflow())
        yield rehearsal


@pytest.mark.parametrize("name", ["run(1)", "läuft", "it's", "!"])
def test_a_name_that_cannot_be_a_tag_is_refused(rehearsal: Rehearsal, name: str) -> None:
    run = rehearsal.run(workflow().state_machine, execution_input(), name=name)
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert str(run.cause).startswith(f"name of the execution: got {name}; ")
    assert "CheckData" not in run.states
    assert len(rehearsal.inbox) == 1


def test_the_longest_name_of_every_kind_of_character_is_a_tag(rehearsal: Rehearsal) -> None:
    name = "Run.1_of+2=x@y-" + "z" * 65
    run = rehearsal.run(workflow().state_machine, execution_input(), name=name)
    assert run.status == "SUCCEEDED", run.cause


def test_a_name_that_step_functions_refuses_is_refused(rehearsal: Rehearsal) -> None:
    with pytest.raises(ValueError, match="InvalidName: Invalid Name: 'run one'"):
        rehearsal.run(workflow().state_machine, execution_input(), name="run one")
