"""A better model whose serving is released: the model stays, and nothing is paid for but its storage."""

import json
from collections.abc import Iterator
from functools import cache

import pytest
from aws_cdk import Stack

from bedrock_customization import CustomizationWorkflow, OnSuccess, Serving
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, upload, workflow_with


@cache
def own() -> CustomizationWorkflow:
    return workflow_with(on_success=OnSuccess.RELEASE_SERVING)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with Rehearsal.from_stack(Stack.of(own())) as rehearsal:
        upload(rehearsal, own())
        yield rehearsal


def models(rehearsal: Rehearsal) -> list[str]:
    return [model.arn for model in rehearsal.bedrock.registry.models]


def test_the_winner_is_kept_and_not_served(rehearsal: Rehearsal) -> None:
    run = rehearsal.run(own().state_machine, execution_input())

    assert (run.status, run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert rehearsal.bedrock.billed == []
    assert [released["kind"] for released in run.output["released"]] == ["Deployment"]
    assert [kept["kind"] for kept in run.output["kept"]] == ["Model"]
    assert run.output["model"] == {"customModelArn": models(rehearsal)[0], "modelId": None}


def test_others_are_told_that_it_is_not_served(rehearsal: Rehearsal) -> None:
    run = rehearsal.run(own().state_machine, execution_input())

    (event,) = [event for event in rehearsal.events if event["source"] == "bedrock-customization"]
    assert event["detail"]["modelId"] is None
    assert event["detail"]["customModelArn"] == run.output["model"]["customModelArn"]
    (mail,) = rehearsal.inbox
    assert mail.subject == "Customization support: the custom model is better and was kept"
    next_step = mail.message.partition("Next step\n")[2]
    assert next_step.startswith("  The custom model is not served. Serve it when it is needed.\n  arn:aws:bedrock:")
    notification = next(key for key in rehearsal.keys(own().results_bucket) if key.endswith("/notification.json"))
    assert json.loads(rehearsal.download(own().results_bucket, notification))["modelId"] is None


def test_only_the_best_candidate_is_kept(rehearsal: Rehearsal) -> None:
    candidates = [{"hyperParameters": {"epochCount": epochs}} for epochs in ("1", "2")]
    run = rehearsal.run(own().state_machine, execution_input(candidates=candidates))

    assert run.output["verdict"] == "BETTER"
    assert rehearsal.bedrock.billed == []
    assert models(rehearsal) == [run.output["model"]["customModelArn"]]


@pytest.mark.parametrize("state", ["Promote", "TagAsKept", "RegisterModel", "Release", "DeleteDeployment", "Notify"])
def test_a_stop_leaves_no_serving_and_loses_no_model(rehearsal: Rehearsal, state: str) -> None:
    rehearsal.stop(at=state)
    run = rehearsal.run(own().state_machine, execution_input())

    assert run.status == "ABORTED"
    assert rehearsal.bedrock.billed == []
    assert len(models(rehearsal)) == 1
    assert len(rehearsal.inbox) == 1


def test_an_existing_model_is_only_asked(rehearsal: Rehearsal) -> None:
    trained = rehearsal.run(own().state_machine, execution_input()).output["model"]["customModelArn"]
    run = rehearsal.run(
        own().state_machine,
        execution_input(trainingDataKey=None, customizationType="IMPORTED", customModelArn=trained),
    )

    assert (run.status, run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert run.output["model"] == {"customModelArn": trained, "modelId": None}
    assert rehearsal.bedrock.billed == []
    assert models(rehearsal) == [trained]


def test_provisioned_throughput_is_released() -> None:
    provisioned = workflow_with(serving=Serving.provisioned(), on_success=OnSuccess.RELEASE_SERVING)
    with Rehearsal.from_stack(Stack.of(provisioned)) as rehearsal:
        rehearsal.bedrock.provisioned_models.no_commitment_units = 1
        upload(rehearsal, provisioned)
        run = rehearsal.run(provisioned.state_machine, execution_input())
        assert run.output["verdict"] == "BETTER"
        assert rehearsal.bedrock.billed == []
        assert len(models(rehearsal)) == 1
