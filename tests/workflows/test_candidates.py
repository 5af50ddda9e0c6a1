"""Candidates beside one another: hyperparameters, base models, and models that exist already."""

from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, lines, upload, workflow

LITE, PRO = "amazon.nova-lite-v1:0:300k", "amazon.nova-pro-v1:0:300k"


@pytest.fixture
def own() -> CustomizationWorkflow:
    return workflow()


@pytest.fixture
def rehearsal(own: CustomizationWorkflow) -> Any:
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        yield rehearsal


def test_three_candidates_of_which_one_fails_keep_the_best_and_bill_nothing_else(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.faults.fail("Train", "Bedrock.ValidationException", cause="The job cannot be created.")
    epochs = [{"hyperParameters": {"epochCount": epoch}} for epoch in "123"]
    run = rehearsal.run(own.state_machine, execution_input(candidates=epochs))

    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "BETTER"
    (failed,) = run.output["failedCandidates"]
    assert failed["error"] == "Bedrock.ValidationException"
    assert "The job cannot be created." in failed["cause"]
    winner = run.output["evaluation"]["winner"]
    assert winner != failed["name"]
    assert set(run.output["evaluation"]["scores"]) == {"base", "custom-1", "custom-2", "custom-3"} - {failed["name"]}

    (billed,) = rehearsal.bedrock.billed
    assert billed.arn == run.output["model"]["modelId"]
    assert billed.name.endswith(winner.removeprefix("custom"))
    (model,) = rehearsal.bedrock.registry.models
    assert model.arn == run.output["model"]["customModelArn"]
    assert {released["kind"] for released in run.output["released"]} == {"Deployment", "Model"}


def test_no_more_than_two_are_trained_at_a_time(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    candidates = [{"hyperParameters": {"epochCount": epoch}} for epoch in "1234"]
    run = rehearsal.run(own.state_machine, execution_input(candidates=candidates))
    assert run.status == "SUCCEEDED", run.cause
    created = sorted(job.created for job in rehearsal.bedrock.registry.jobs)
    assert created[1] - created[0] < rehearsal.bedrock.jobs.training_seconds <= created[2] - created[0]


def test_candidates_of_several_base_models_are_compared_with_all_of_them(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    candidates = [{}, {"baseModelIdentifier": LITE}, {"baseModelIdentifier": PRO}]
    run = rehearsal.run(own.state_machine, execution_input(candidates=candidates))

    assert run.status == "SUCCEEDED", run.cause
    scores = run.output["evaluation"]["scores"]
    assert set(scores) == {"base-1", "base-2", "base-3", "custom-1", "custom-2", "custom-3"}
    assert run.output["verdict"] == "BETTER"
    assert run.output["evaluation"]["winner"].startswith("custom-")
    assert run.output["evaluation"]["baseline"] == ["base-1", "base-2", "base-3"]
    assert [candidate["name"] for candidate in run.output["evaluation"]["candidates"]] == [
        "custom-1", "custom-2", "custom-3",
    ]  # fmt: skip


def test_a_base_model_that_beats_the_others_is_not_promoted(
    rehearsal: Rehearsal, own: CustomizationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second base model answers as a custom model that learned the task does.
    first = rehearsal.run(own.state_machine, execution_input())
    good = first.output["model"]["modelId"]
    poor = lines("bedrock-conversation-2024", range(110), poor=True)
    rehearsal.upload(own.training_bucket, "train.jsonl", poor)
    candidates = [{}, {"baseModelIdentifier": LITE, "baseInferenceModelIdentifier": "amazon.nova-lite-v1:0"}]
    target = rehearsal.bedrock._target
    knowledge = target(good)[1]

    def answers_well(model_id: str) -> Any:
        base, learned = target(model_id)
        return (base, knowledge) if model_id == "amazon.nova-lite-v1:0" else (base, learned)

    monkeypatch.setattr(rehearsal.bedrock, "_target", answers_well)
    run = rehearsal.run(own.state_machine, execution_input(candidates=candidates))

    assert run.status == "SUCCEEDED", run.cause
    scores = run.output["evaluation"]["scores"]
    assert scores["base-2"]["token_f1"] > scores["base-1"]["token_f1"]
    assert {candidate["baseline"] for candidate in run.output["evaluation"]["candidates"]} == {"base-2"}
    assert run.output["verdict"] == "NOT_BETTER"
    assert run.output["model"] is None
    assert [billed.arn for billed in rehearsal.bedrock.billed] == [good]


def test_a_model_that_exists_is_served_and_compared_without_training(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    first = rehearsal.run(own.state_machine, execution_input())
    model = first.output["model"]["customModelArn"]
    run = rehearsal.run(
        own.state_machine, execution_input(trainingDataKey=None, customModelArn=model, customizationType="IMPORTED")
    )
    assert run.status == "SUCCEEDED", run.cause
    assert "Train" not in run.states
    assert run.output["model"]["customModelArn"] == model
    assert run.output["model"]["modelId"] != first.output["model"]["modelId"]
    assert len(rehearsal.bedrock.registry.jobs) == 1
    assert f"custom model {model}, paid by the month" in rehearsal.inbox[-1].message


def test_a_model_that_exists_is_not_deleted_when_it_loses(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    poor = lines("bedrock-conversation-2024", range(110), poor=True)
    rehearsal.upload(own.training_bucket, "train.jsonl", poor)
    rehearsal.faults.fail("Evaluate", "States.Timeout")
    first = rehearsal.run(own.state_machine, execution_input())
    assert first.status == "FAILED"
    (model,) = rehearsal.bedrock.registry.models
    run = rehearsal.run(
        own.state_machine, execution_input(candidates=[{"customModelArn": model.arn}], trainingDataKey=None)
    )
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "NOT_BETTER"
    assert rehearsal.bedrock.registry.models == [model]
    assert rehearsal.bedrock.billed == []
    mail = rehearsal.inbox[-1]
    assert mail.subject.endswith("the custom model is not better and is not served any more")
    assert f"custom model {model.arn}, paid by the month" in mail.message.partition("Still billed")[2]
