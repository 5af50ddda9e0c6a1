"""EvaluationWorkflow without a customization."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack

from bedrock_customization import EvaluationWorkflow, Inference, Metric, QualityGate
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.conftest import SAMPLES


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> EvaluationWorkflow:
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("cdk.out"))), "Evaluation")
    return EvaluationWorkflow(
        stack,
        "Evaluation",
        metrics=[Metric.rouge(), Metric.token_f1()],
        quality_gate=QualityGate(metric="rouge_l"),
        inference=Inference(max_concurrency=20),
    )


def evaluate(workflow: EvaluationWorkflow, models: list[dict[str, str]], data: Path):
    with Rehearsal.from_stack(Stack.of(workflow)) as rehearsal:
        rehearsal.upload(workflow.data_bucket, "evaluation.jsonl", data)
        return rehearsal.run(
            workflow.state_machine,
            {"models": models, "baseline": models[0]["name"], "evaluationDataKey": "evaluation.jsonl"},
        )


def test_a_model_is_not_better_than_itself(workflow: EvaluationWorkflow) -> None:
    models = [{"name": name, "modelId": "amazon.nova-micro-v1:0"} for name in ("one", "two")]
    run = evaluate(workflow, models, SAMPLES / "evaluation.jsonl")

    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "NOT_BETTER"
    (candidate,) = run.output["candidates"]
    assert candidate["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert candidate["ties"] == 100


def test_both_schemas_give_the_same_scores(workflow: EvaluationWorkflow) -> None:
    models = [
        {"name": "micro", "modelId": "amazon.nova-micro-v1:0"},
        {"name": "pro", "modelId": "amazon.nova-pro-v1:0"},
    ]
    runs = [
        evaluate(workflow, models, SAMPLES / name)
        for name in ("evaluation.jsonl", "evaluation.prompt-completion.jsonl")
    ]
    assert runs[0].output["scores"] == runs[1].output["scores"]


def test_a_model_that_cannot_be_asked_fails_the_run_by_name(workflow: EvaluationWorkflow) -> None:
    models = [
        {"name": "micro", "modelId": "amazon.nova-micro-v1:0"},
        {"name": "tuning", "modelId": "amazon.nova-micro-v1:0:128k"},
    ]
    run = evaluate(workflow, models, SAMPLES / "evaluation.jsonl")
    assert run.status == "FAILED"
    assert run.error == "BedrockRuntime.ValidationException"
    assert "GenerateResponses" not in run.states
