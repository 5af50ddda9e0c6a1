"""The outputs of all machines keep to their schemas, whatever came of the run."""

from typing import Any

import pytest
from aws_cdk import Stack
from jsonschema import Draft202012Validator

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.schemas import schema
from tests.workflows.small import execution_input, lines, upload, workflow

NAMES = ("customization-output", "evaluation-output", "release-output")


def problems(name: str, value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema(name)).iter_errors(value)]


@pytest.mark.parametrize("name", [*NAMES, "customization-input", "evaluation-input"])
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("outcome", ["better", "not better", "one failed", "failed"])
def test_outputs_keep_to_their_schemas(outcome: str) -> None:
    own = workflow()
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        asked = execution_input(candidates=[{}, {}])
        if outcome == "not better":
            poor = lines("bedrock-conversation-2024", range(110), poor=True)
            rehearsal.upload(own.training_bucket, "train.jsonl", poor)
        if outcome == "one failed":
            rehearsal.faults.fail("Train", "Bedrock.ValidationException")
        if outcome == "failed":
            rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"
        run = rehearsal.run(own.state_machine, asked)

        assert run.status == ("FAILED" if outcome == "failed" else "SUCCEEDED"), run.cause
        seen = set()
        for execution in rehearsal.executions:
            kind = "release" if "Release" in execution.state_machine_arn else "customization"
            kind = "evaluation" if "EvaluationMachine" in execution.state_machine_arn else kind
            if execution.status == "SUCCEEDED":
                assert problems(f"{kind}-output", execution.output) == []
                seen.add(kind)
        assert seen == ({"release"} if outcome == "failed" else {"customization", "evaluation", "release"})


def test_bedrocks_message_is_the_cause_of_a_failed_job() -> None:
    own = workflow()
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"
        run = rehearsal.run(own.state_machine, execution_input())
    assert "Encountered an internal error when processing the request" in run.cause


@pytest.mark.parametrize("serving", ["on-demand", "provisioned"])
def test_bedrocks_message_is_the_cause_of_a_failed_serving(serving: str) -> None:
    own = workflow("us-east-1", serving)
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        bedrock = rehearsal.bedrock
        (bedrock.deployments if serving == "on-demand" else bedrock.provisioned_models).failure = "Not enough capacity."
        run = rehearsal.run(own.state_machine, execution_input())
        assert (run.status, run.cause) == ("FAILED", "Not enough capacity.")
        assert bedrock.billed == []


@pytest.mark.parametrize("serving", ["on-demand", "provisioned"])
def test_a_model_that_is_never_ready_is_given_up_and_released(serving: str) -> None:
    own = workflow("us-east-1", serving)
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        bedrock = rehearsal.bedrock
        (bedrock.deployments if serving == "on-demand" else bedrock.provisioned_models).creation_seconds = 3 * 3600
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "FAILED"
        assert "status Creating after 120 minutes" in run.cause
        assert bedrock.billed == []
