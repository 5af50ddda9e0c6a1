"""The library's functions run without their image, wherever that is built."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization import Encoder, EvaluationWorkflow, FunctionImage, Metric, QualityGate
from bedrock_customization.rehearsal import Rehearsal, UnsupportedDefinitionError
from tests.rehearsal.machines import single


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(App(outdir=str(tmp_path)), "Team")


@pytest.fixture
def repository(stack: Stack) -> ecr.IRepository:
    return ecr.Repository.from_repository_name(stack, "Repository", "team/scoring")


def rehearsed(stack: Stack, evaluation: EvaluationWorkflow) -> dict[str, Any]:
    """The output of an evaluation of one model whose answers are right and one whose answers are not."""
    lines = [
        {"prompt": f"Question {n}", "completion": f"answer {n}", "responses": {"one": f"answer {n}", "other": "none"}}
        for n in range(10)
    ]
    with Rehearsal.from_stack(stack) as rehearsal:
        rehearsal.upload(evaluation.data_bucket, "data.jsonl", "\n".join(map(json.dumps, lines)))
        models = [{"name": "one"}, {"name": "other"}]
        given = {"models": models, "baseline": "one", "evaluationDataKey": "data.jsonl"}
        run = rehearsal.run(evaluation.state_machine, given)
    assert run.status == "SUCCEEDED", run.cause
    return run.output


@pytest.mark.parametrize("tag_or_digest", ["v1", "sha256:" + "0" * 64])
def test_an_image_that_is_built_elsewhere(stack: Stack, repository: ecr.IRepository, tag_or_digest: str) -> None:
    evaluation = EvaluationWorkflow(
        stack,
        "Evaluation",
        image=FunctionImage.from_repository(repository, tag_or_digest=tag_or_digest),
        metrics=[Metric.token_f1()],
        quality_gate=QualityGate(metric="token_f1"),
    )

    output = rehearsed(stack, evaluation)

    assert output["scores"] == {"one": {"token_f1": 1.0}, "other": {"token_f1": 0.0}}


def test_scores_are_rescaled_with_the_baseline_of_the_encoder_that_stands_in(stack: Stack) -> None:
    evaluation = EvaluationWorkflow(
        stack,
        "Evaluation",
        image=FunctionImage.build(encoder=Encoder.for_language("de")),
        metrics=[Metric.bertscore(idf=True, rescale=True)],
    )

    output = rehearsed(stack, evaluation)

    assert "|rescale:0.2764/0.2764/0.2755|" in output["signatures"]["bertscore"]
    assert output["scores"]["one"]["bertscore_f1"] == pytest.approx(1, abs=1e-5)
    assert -0.4 < output["scores"]["other"]["bertscore_f1"] < 0.4


def test_somebody_elses_image_with_such_a_command_is_refused(stack: Stack, repository: ecr.IRepository) -> None:
    code = lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="v1", cmd=["dataset.handler.handler"])
    function = lambda_.DockerImageFunction(stack, "Theirs", code=code, description="Reads a dataset")
    definition = stack.to_json_string(single("lambda:invoke", {"FunctionName": function.function_arn}))
    machine = sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_string(definition))
    function.grant_invoke(machine)

    with (
        Rehearsal.from_stack(stack) as rehearsal,
        pytest.raises(UnsupportedDefinitionError, match=r"Theirs.* runs an image that the assembly does not build"),
    ):
        rehearsal.run(machine, {})
