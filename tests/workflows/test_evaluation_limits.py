"""No state carries more than 256 KiB, whatever the data: the worst cases, with the limits of the options."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from jsonschema import Draft202012Validator

import comparison
from bedrock_customization import EvaluationWorkflow, Evaluator, Inference, Metric, QualityGate
from bedrock_customization.options import MAX_TOKENS_LIMIT
from bedrock_customization.rehearsal.interpreter.jsonata import Expression
from bedrock_customization.rehearsal.interpreter.jsonata_functions import STATIC_FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock
from bedrock_customization.schemas import schema
from tests.support import readable_definition
from tests.workflows.evaluations import evaluation, let_models_answer, make_workflow

STATE_BYTES = 256 * 1024
RESULTS_SCHEMA = json.loads((Path(comparison.__file__).parent / "results.schema.json").read_text())
GIBIBYTE = 1 << 30
PROVISIONED_MODEL = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model"
# Answers as large as a state has room for beside the record, written with characters of all sizes and escapes.
TEXTS = {
    "ascii": "a",
    "escaped": '"\\\n',
    "control": "\u0001",
    "umlaut": "\u00e4",
    "chinese": "\u4e2d",
    "emoji": "\U0001f600",
}
MODELS_BYTES = 30_000  # what the data check lets the models of an input have


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> EvaluationWorkflow:
    options = {"inference": Inference(max_tokens=MAX_TOKENS_LIMIT)}
    workflow = make_workflow(tmp_path_factory.mktemp("cdk.out"), **options)
    workflow.allow_asking_models([f"{PROVISIONED_MODEL}/*"])
    return workflow


def json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def provisioned(names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "modelId": f"{PROVISIONED_MODEL}/{number:012d}"} for number, name in enumerate(names)]


def record_of(size: int) -> dict[str, Any]:
    record = {"prompt": "", "completion": "\u00e4 reference"}
    normalised = {
        "id": "1",
        "messages": [{"role": "user", "content": [{"text": ""}]}],
        "references": ["\u00e4 reference"],
    }
    record["prompt"] = "x" * (size - json_bytes(normalised))
    return record


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("models", [1, 10])
def test_the_largest_record_with_the_largest_answers_fits_every_state(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch, text: str, models: int
) -> None:
    monkeypatch.setattr(Bedrock, "_target", lambda self, model_id: (None, None))
    names = [f"m{n}".ljust(63, "x") for n in range(models)]
    largest = min(200_000, 250_000 - models * MAX_TOKENS_LIMIT * 4)
    limit = (250_000 - largest) // models
    counted = json_bytes(text) - 2 if text.isascii() else 4
    answer = text * ((limit - 4) // counted)  # four for brackets and quotes
    let_models_answer(monkeypatch, lambda model, prompt: f"end_turn:{answer}" if len(prompt) > 99 else "yes")
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run([record_of(largest)], provisioned(names))
        (row,) = rehearsed.rows()
    assert run.status == "SUCCEEDED", run.cause
    assert {name: response.get("text") for name, response in row["responses"].items()} == dict.fromkeys(names, answer)
    assert json_bytes(row) <= STATE_BYTES
    child = rehearsed.rehearsal.executions[0].execution.children[0]
    assert json_bytes(child.input) + MODELS_BYTES - json_bytes(child.input["models"]) <= STATE_BYTES


def test_a_larger_record_is_left_out_and_a_larger_answer_is_recorded_as_such(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bedrock, "_target", lambda self, model_id: (None, None))
    names = [f"m{n}" for n in range(10)]
    largest = 250_000 - 10 * MAX_TOKENS_LIMIT * 4
    data = [*({"prompt": f"Question {n}", "completion": "yes"} for n in range(200)), record_of(largest + 1)]
    let_models_answer(monkeypatch, lambda model, prompt: "a" * 40_000 if prompt == "Question 7" else "yes")
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, provisioned(names))
        results = rehearsed.results()
    assert (run.output["records"], run.output["counted"]) == (201, 199)
    assert results["problems"] == {name: {"AnswerTooLarge": 1} for name in names}


def test_an_answer_larger_than_a_state_is_recorded_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_models_answer(monkeypatch, lambda model, prompt: "a" * 300_000 if prompt == "Question 7" else "yes")
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        run = rehearsed.run([{"prompt": f"Question {n}", "completion": "yes"} for n in range(200)])
        results = rehearsed.results()
    assert run.output["counted"] == 199
    assert results["problems"]["base"] == {"States.DataLimitExceeded": 1}


@pytest.mark.parametrize(
    "files",
    [
        [0],
        [1],
        [512 * 1024],
        [512 * 1024 + 1],
        [5 * GIBIBYTE] * 9 + [GIBIBYTE],
        [100],
    ],
)
def test_the_list_of_shards_covers_every_byte_and_fits_a_variable(
    workflow: EvaluationWorkflow, files: list[int]
) -> None:
    keys = [f"runs/{'0' * 16}/responses/{'0' * 36}/SUCCEEDED_{number}.json" for number in range(len(files))]
    manifest = {"ResultFiles": {"SUCCEEDED": [{"Key": k, "Size": s} for k, s in zip(keys, files, strict=True)]}}
    text = definition(workflow)["States"]["ListShards"]["Assign"]["shards"].removeprefix("{%").removesuffix("%}")
    states = {"result": {"Body": json.dumps(manifest)}}
    shards = Expression(text).evaluate({"states": encode(states), **STATIC_FUNCTIONS}, "Assign")
    assert [shard["index"] for shard in shards] == list(range(len(shards)))
    for key, size in zip(keys, files, strict=True):
        ranges = [(shard["start"], shard["end"]) for shard in shards if shard["key"] == key]
        assert [start for start, _ in ranges[1:]] == [end for _, end in ranges[:-1]]
        assert (ranges[0][0], ranges[-1][1]) == (0, size) if size else not ranges
    assert json_bytes(shards) <= STATE_BYTES * 0.8


MEASURE = """
def handler(event, context):
    return {"values": {row["id"]: {m: len(t) / 7 for m, t in row["responses"].items()} for row in event["rows"]}}
"""


def test_ten_models_with_ten_evaluators_and_many_categories_fit_every_state(tmp_path: Path) -> None:
    stack = Stack(App(outdir=str(tmp_path)), "Evaluation")
    code, runtime = lambda_.Code.from_inline(MEASURE), lambda_.Runtime.PYTHON_3_12
    evaluators = [
        Evaluator(
            name=f"e{number}".ljust(40, "x"),
            function=lambda_.Function(stack, f"Evaluator{number}", code=code, handler="index.handler", runtime=runtime),
        )
        for number in range(10)
    ]
    metrics = [Metric.rouge(), Metric.exact_match(), Metric.quasi_exact_match(), Metric.token_f1()]
    workflow = EvaluationWorkflow(
        stack,
        "Evaluation",
        metrics=[*metrics, Metric.answer_length()],
        evaluators=evaluators,
        quality_gate=QualityGate(metric="token_f1", min_coverage=0.3),
    )
    names = [f"m{number}".ljust(63, "x") for number in range(10)]
    data = [
        {
            "completion": f"river stone lamp {number}",
            "category": f"{number % 60} ".ljust(3000, "\u4e2d"),
            "responses": {name: f"river {'very ' * place}{number}" for place, name in enumerate(names)},
        }
        for number in range(120)
    ]
    for number, record in enumerate(data[60:]):
        record["responses"] = {name: {"text": "cut", "stopReason": f"{number}".ljust(2000, "y")} for name in names}
    largest: dict[str, int] = {}

    def measure(run: Any, event: dict[str, Any]) -> None:
        for details in event.values():
            if isinstance(details, dict) and "name" in details:
                texts = [*details.get("assignedVariables", {}).values(), details.get("output", "")]
                sizes = [len(text.encode()) for text in texts]
                largest[details["name"]] = max([largest.get(details["name"], 0), *sizes])

    with evaluation(workflow, observer=measure) as rehearsed:
        run = rehearsed.run(data, [{"name": name} for name in names])
        assert run.status == "SUCCEEDED", run.cause
        results = rehearsed.results()
    assert (run.output["counted"], len(run.output["candidates"]), len(results["categories"])) == (60, 9, 50)
    assert len(run.output["scores"][names[0]]) == 17
    assert all(len(kinds) == 21 for kinds in results["problems"].values())
    assert largest["CompareModels"] <= STATE_BYTES / 2, "room for BERTScore and another evaluation's longer names"
    assert max(largest.values()) <= STATE_BYTES / 2
    Draft202012Validator(schema("evaluation-output")).validate(run.output)
    Draft202012Validator(RESULTS_SCHEMA).validate(results)


@pytest.mark.parametrize("case", ["nothing counts", "one record", "no candidate", "two baselines"])
def test_outputs_and_results_follow_their_schemas(tmp_path: Path, case: str) -> None:
    names = {"no candidate": ["a"], "two baselines": ["a", "b", "c"]}.get(case, ["a", "b"])
    count = 1 if case == "one record" else 20
    answer = {"text": "cut", "stopReason": "max_tokens"} if case == "nothing counts" else "river"
    data = [{"completion": f"river {n}", "responses": dict.fromkeys(names, answer)} for n in range(count)]
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        baseline = names[:2] if case == "two baselines" else names[0]
        run = rehearsed.run(data, [{"name": name} for name in names], baseline=baseline)
        results = rehearsed.results()
    assert run.status == "SUCCEEDED", run.cause
    Draft202012Validator(schema("evaluation-output")).validate(run.output)
    Draft202012Validator(RESULTS_SCHEMA).validate(results)


def test_an_event_with_the_largest_input_fits(workflow: EvaluationWorkflow) -> None:
    fields = definition(workflow)["States"]["CheckEvaluationData"]["Arguments"]["Payload"]
    names = [f"m{n}".ljust(63, "x") for n in range(10)]
    largest = {
        "models": [model | {"invokeModel": {"bodyTemplate": {"x": "x" * 3000}}} for model in provisioned(names)],
        "baseline": names[0],
        "evaluationDataKey": "x" * 1024,
    }
    assert json_bytes(fields | {"input": largest}) <= STATE_BYTES / 2
    assert fields["inputSchema"] == schema("evaluation-input")


def definition(workflow: EvaluationWorkflow) -> dict[str, Any]:
    template = Template.from_stack(Stack.of(workflow))
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine")
    return readable_definition(template, machine)
