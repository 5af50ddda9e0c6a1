"""What a promotion leaves for others: the parameter of the current model, its history, and an event."""

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.interpreter.machines import run as interpret
from tests.support import readable_definition
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
    assert list(current["signatures"]) == ["token_f1"]
    assert current["signatures"] == run.output["evaluation"]["signatures"]
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


def promoted_of(own: CustomizationWorkflow, variables: dict[str, Any]) -> dict[str, Any]:
    """What the synthesised machine would register, given the variables of a run."""
    template = Template.from_stack(Stack.of(own))
    (definition,) = (
        readable_definition(template, name)
        for name in template.find_resources("AWS::StepFunctions::StateMachine")
        if name.startswith("CustomizationMachine")
    )
    assign = {"promoted": definition["States"]["Promote"]["Assign"]["promoted"]}
    states = {
        "Given": {"Type": "Pass", "Assign": variables, "Next": "Promote"},
        "Promote": {"Type": "Pass", "Assign": assign, "Next": "Done"},
        "Done": {"Type": "Pass", "Output": "{% $promoted %}", "End": True},
    }
    execution = interpret(states)
    assert execution.status == "SUCCEEDED", execution.cause
    return dict(execution.output)


def longest(scores: int, *, signature: int, key: int, arn: int) -> dict[str, Any]:
    """Variables of a run whose texts are as long as they may be."""
    names = [f"metric_{number:02}_{'x' * 30}" for number in range(scores)]
    models = [*(f"base-{n}" for n in (1, 2, 3)), *(f"custom-{n}" for n in range(1, 8))]
    file = {"uri": "s3://" + "b" * 63 + "/" + "k" * key, "eTag": "e" * 35, "versionId": "v" * 32}
    return {
        "input": {"customModelName": "n" * 39},
        "winner": {
            "name": "custom-7",
            "customModelArn": "m" * 1011,
            "modelId": "s" * 200,
            "baseModelIdentifier": "b" * arn,
        },
        "evaluation": {
            "metric": names[0],
            "scores": {model: dict.fromkeys(names, 0.123456789012) for model in models},
            "candidates": [{"name": f"custom-{n}", "baseline": f"base-{1 + n % 3}"} for n in range(1, 8)],
            "signatures": {name: "|".join(["part:value"] * (signature // 11)) for name in names},
            "results": "runs/0123456789abcdef/results.json",
        },
        "data": dict.fromkeys(("training", "validation", "evaluation"), file),
        "executionArn": "a" * 256,
    }


def test_a_registered_value_fits_into_a_parameter_whatever_the_evaluation(own: CustomizationWorkflow) -> None:
    large = longest(20, signature=300, key=900, arn=2048)
    registered = promoted_of(own, large)
    assert len(json.dumps(registered)) <= 8192
    (metric,) = registered["scores"]["custom"]
    assert metric == large["evaluation"]["metric"]
    assert registered["scores"] == {"custom": {metric: 0.123456789012}, "base": {metric: 0.123456789012}}
    assert registered["signatures"] == {}
    for field in ("customModelArn", "modelId", "data", "results", "execution"):
        assert registered[field]


def test_a_usual_value_is_registered_whole(own: CustomizationWorkflow) -> None:
    usual = longest(6, signature=120, key=60, arn=60)
    registered = promoted_of(own, usual)
    assert (
        len(registered["scores"]["custom"]) == len(registered["scores"]["base"]) == len(registered["signatures"]) == 6
    )
