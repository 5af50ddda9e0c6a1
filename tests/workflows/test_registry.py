"""What a promotion leaves for others: the parameter of the current model, its history, and an event."""

import json
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, lines, upload, workflow


@pytest.fixture
def own() -> CustomizationWorkflow:
    return workflow()


@pytest.fixture
def rehearsal(own: CustomizationWorkflow) -> Any:
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        yield rehearsal


def parameter(rehearsal: Rehearsal, operation: str = "GetParameter") -> dict[str, Any]:
    """What Systems Manager says about the only parameter of the stack."""
    aws = rehearsal._world.aws
    with aws.active():
        client = aws.client("ssm")
        (described,) = aws.forward(client, "DescribeParameters", {})["Parameters"]
        return aws.forward(client, operation, {"Name": described["Name"]})


def test_the_promoted_model_is_registered_and_announced(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.output["verdict"] == "BETTER"
    assert run.output["registrationFailure"] is None

    current = json.loads(parameter(rehearsal)["Parameter"]["Value"])
    assert {"customModelArn": current["customModelArn"], "modelId": current["modelId"]} == run.output["model"]
    assert current["customModelName"] == "support"
    assert current["baseModelIdentifier"] == "amazon.nova-micro-v1:0:128k"
    assert current["scores"]["custom"] == run.output["evaluation"]["scores"]["custom"]
    assert current["scores"]["base"] == run.output["evaluation"]["scores"]["base"]
    assert current["execution"] == run.arn
    assert current["results"] == run.output["evaluation"]["results"]
    assert current["data"]["training"]["uri"].endswith("/train.jsonl")
    assert current["data"]["training"]["versionId"]
    assert current["promotedAt"].startswith("2026-01-01T")

    (event,) = [event for event in rehearsal.events if event["source"] == "bedrock-customization"]
    assert event["detail-type"] == "Custom Model Promoted"
    assert event["detail"] == current


def test_every_promotion_stays_in_the_history(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    models = [rehearsal.run(own.state_machine, execution_input()).output["model"] for _ in range(2)]
    history = parameter(rehearsal, "GetParameterHistory")["Parameters"]
    assert [json.loads(version["Value"]).get("modelId") for version in history] == [
        None,
        *(model["modelId"] for model in models),
    ]


def test_a_model_that_is_not_better_is_not_registered(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    rehearsal.upload(own.training_bucket, "train.jsonl", lines("bedrock-conversation-2024", range(110), poor=True))
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.output["verdict"] == "NOT_BETTER"
    assert parameter(rehearsal)["Parameter"]["Value"] == "{}"


def test_a_registration_that_fails_keeps_the_model_and_says_so(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.faults.fail("RegisterModel", "Ssm.ParameterLimitExceededException", cause="Too many.")
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["registrationFailure"].endswith(
        "still names the model before it: Ssm.ParameterLimitExceededException: Too many."
    )
    (billed,) = rehearsal.bedrock.billed
    assert billed.arn == run.output["model"]["modelId"]
