"""The example that compares two base models, rehearsed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from jsonschema import Draft202012Validator

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.schemas import schema
from examples.compare_base_models.app import CompareBaseModelsStack

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "compare_base_models"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> CompareBaseModelsStack:
    return CompareBaseModelsStack(App(outdir=str(tmp_path_factory.mktemp("cdk.out"))), "CompareBaseModels")


@pytest.fixture
def rehearsal(stack: CompareBaseModelsStack) -> Iterator[Rehearsal]:
    with Rehearsal.from_stack(stack) as rehearsal:
        yield rehearsal


@pytest.fixture
def execution_input() -> dict[str, Any]:
    return json.loads((EXAMPLE / "input.json").read_text(encoding="utf-8"))


def test_nothing_of_a_customization_is_deployed(stack: CompareBaseModelsStack) -> None:
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::StepFunctions::StateMachine", 1)
    template.resource_count_is("AWS::SNS::Topic", 0)
    assert "CreateModelCustomizationJob" not in json.dumps(template.to_json())


def test_two_base_models_are_compared(
    stack: CompareBaseModelsStack, rehearsal: Rehearsal, execution_input: dict[str, Any]
) -> None:
    rehearsal.upload(stack.evaluation.data_bucket, "evaluation.jsonl", ROOT / "samples" / "evaluation.jsonl")
    run = rehearsal.run(stack.evaluation.state_machine, execution_input)
    assert run.status == "SUCCEEDED", run.cause
    Draft202012Validator(schema("evaluation-output")).validate(run.output)
    # The simulated base models answer alike, and a tie is not an improvement.
    assert (run.output["verdict"], run.output["winner"], run.output["counted"]) == ("NOT_BETTER", None, 100)
    report = rehearsal.download(stack.evaluation.results_bucket, run.output["report"]).decode()
    assert "pro is not better than micro" in report


def test_answers_that_are_already_there_are_compared(
    stack: CompareBaseModelsStack, rehearsal: Rehearsal, execution_input: dict[str, Any]
) -> None:
    lines = (ROOT / "samples" / "evaluation.prompt-completion.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        first, _, _ = record["prompt"].partition("\n\n")
        record["responses"] = {"micro": first, "pro": record["completion"].partition(".")[0]}
    rehearsal.upload(stack.evaluation.data_bucket, "evaluation.jsonl", "\n".join(map(json.dumps, records)))
    models = [{"name": model["name"]} for model in execution_input["models"]]
    run = rehearsal.run(stack.evaluation.state_machine, execution_input | {"models": models})
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["verdict"], run.output["winner"]) == ("BETTER", "pro")
    assert "GenerateResponses" not in run.states
