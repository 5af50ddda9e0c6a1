"""Which metrics an evaluation computes: those of its own, those of the user, and how shards are scored."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from bedrock_customization import EvaluationWorkflow, Evaluator, Inference, Metric, QualityGate
from bedrock_customization.rehearsal import Rehearsal
from scoring.bertscore.precision import bfloat16_available
from tests.workflows.conftest import SAMPLES
from tests.workflows.evaluations import MODELS, Evaluation, evaluation, let_models_answer, make_workflow, records

POLITENESS = """
def handler(event, context):
    def value(text):
        return float("please" in text)
    return {"values": {row["id"]: {m: value(t) for m, t in row["responses"].items()} for row in event["rows"]}}
"""


def polite_workflow(folder: Path, code: str = POLITENESS) -> EvaluationWorkflow:
    stack = Stack(App(outdir=str(folder)), "Evaluation")
    function = lambda_.Function(
        stack,
        "Politeness",
        code=lambda_.Code.from_inline(code),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_12,
    )
    return EvaluationWorkflow(
        stack,
        "Evaluation",
        metrics=[Metric.token_f1()],
        evaluators=[Evaluator(name="politeness", function=function)],
        quality_gate=QualityGate(metric="politeness"),
        inference=Inference(max_concurrency=20),
    )


def test_the_gate_can_decide_on_a_metric_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_models_answer(monkeypatch, lambda model, prompt: "Wait, please." if "pro" in model else "Wait.")
    with evaluation(polite_workflow(tmp_path)) as rehearsed:
        run = rehearsed.run(records(20, category="tone"))
        results = rehearsed.results()
        rows = rehearsed.rows()
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["verdict"], run.output["winner"], run.output["metric"]) == ("BETTER", "custom", "politeness")
    assert run.output["scores"]["custom"]["politeness"] == 1
    assert results["signatures"]["politeness"].startswith("politeness|evaluator:arn:aws:lambda:")
    assert rows[0]["messages"] == [{"role": "user", "content": [{"text": "Question 1"}]}]


def test_an_evaluator_that_returns_no_numbers_stops_the_run_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_models_answer(monkeypatch, lambda model, prompt: "Wait.")
    with evaluation(polite_workflow(tmp_path, POLITENESS.replace("float(", "str("))) as rehearsed:
        run = rehearsed.run(records(20))
    assert run.status == "FAILED"
    failed = rehearsed.rehearsal.executions[0].execution.children[-1]
    assert failed.error == "InvalidEvaluation"
    assert "evaluators.politeness: the function" in failed.cause
    assert "returned 'False' for row '1' and model 'base'" in failed.cause


def test_inverse_document_frequencies_are_those_of_all_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (SAMPLES / "evaluation.prompt-completion.jsonl").read_text().splitlines()[:24]
    outputs = []
    for number, bytes_of_a_shard in enumerate((1 << 20, 2048)):
        monkeypatch.setattr("bedrock_customization.states.scoring._SHARD_BYTES", bytes_of_a_shard)
        workflow = make_workflow(
            tmp_path / str(number),
            metrics=[Metric.bertscore(idf=True)],
            quality_gate=QualityGate(metric="bertscore_f1"),
        )
        with evaluation(workflow) as rehearsed:
            run = rehearsed.run(lines, MODELS[:1])
        assert run.status == "SUCCEEDED", run.cause
        outputs.append((run.states.count("ScoreShard"), run.output["scores"]["base"]["bertscore_f1"]))
        assert run.states.count("CountShard") == outputs[-1][0]
    assert outputs[0][0] == 1
    assert outputs[1][0] > 3
    assert outputs[1][1] == pytest.approx(outputs[0][1], abs=1e-6)


@pytest.mark.parametrize(("available", "precision"), [(True, "bf16(deviation<=0.01)"), (False, "fp32")])
def test_bfloat16_is_chosen_in_the_stack_and_the_results_say_whether_it_was_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, available: bool, precision: str
) -> None:
    if not bfloat16_available():  # oneDNN then refuses to compute it, and torch itself does
        monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": available})
    lines = (SAMPLES / "evaluation.prompt-completion.jsonl").read_text().splitlines()[:20]
    workflow = make_workflow(
        tmp_path,
        metrics=[Metric.bertscore(precision="bf16")],
        quality_gate=QualityGate(metric="bertscore_f1"),
    )
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(lines, MODELS[:2])
        results = rehearsed.results()
    assert run.status == "SUCCEEDED", run.cause
    assert f"|precision:{precision}|" in results["signatures"]["bertscore"]


def test_a_shard_that_fails_is_retried_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedrock_customization.states.scoring._SHARD_BYTES", 2048)
    let_models_answer(monkeypatch, lambda model, prompt: "Wait.")
    workflow = make_workflow(tmp_path)
    with Rehearsal.from_stack(Stack.of(workflow)) as rehearsal:
        rehearsal.faults.fail("ScoreShard", "Lambda.Unknown", times=2)
        run = Evaluation(workflow, rehearsal).run(records(60))
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["counted"] == 60
    scoring = [child for child in rehearsal.executions[0].execution.children if "ScoreShard" in child.states]
    scheduled = [sum(event["type"] == "TaskScheduled" for event in child.history) for child in scoring]
    assert len(scoring) > 4
    assert sum(scheduled) == len(scoring) + 2
    assert max(scheduled) <= 3


def test_several_references_count_with_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_models_answer(monkeypatch, lambda model, prompt: "blue sky" if "pro" in model else "grey sea")
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        run = rehearsed.run([{"prompt": f"Question {n}", "references": ["grey rain", "blue sky"]} for n in range(20)])
    assert run.output["scores"] == {
        "base": {"token_f1": 0.5, "exact_match": 0},
        "custom": {"token_f1": 1, "exact_match": 1},
    }


def test_results_by_category(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = records(20, category="first") + [
        record | {"category": "second", "prompt": "Other " + record["prompt"]} for record in records(15, seed=2)
    ]
    right = {record["prompt"]: record["completion"] for record in data if record["category"] == "first"}
    let_models_answer(monkeypatch, lambda model, prompt: right.get(prompt, "no") if "pro" in model else "no")
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        rehearsed.run(data)
        categories = rehearsed.results()["categories"]
    found = {c["name"]: (c["counted"], c["metrics"]["token_f1"]["differences"]["custom"]["mean"]) for c in categories}
    assert found == {"first": (20, 1), "second": (15, 0)}


def test_bad_records_are_named_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    good: list[Any] = records(400)
    bad = [
        {"prompt": "No reference"},
        {"messages": [{"role": "customer", "content": [{"text": "Hi"}]}], "references": ["x"]},
        {"prompt": "x" * 260_000, "completion": "Too large"},
        "{not json",
    ]
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        run = rehearsed.run([*good[:3], *bad, *good[3:]])
        report = json.loads(rehearsed.read("evaluation-report.json"))
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["records"], run.output["counted"]) == (404, 400)
    assert {finding["kind"]: finding["lines"] for finding in report["findings"]} == {
        "noReference": [4],
        "role": [5],
        "recordTooLarge": [6],
        "notJson": [7],
    }


def test_too_many_bad_records_stop_the_run_before_a_model_is_asked(tmp_path: Path) -> None:
    with evaluation(make_workflow(tmp_path)) as rehearsed:
        run = rehearsed.run([*records(90), *["{not json"] * 2, {"prompt": "No reference"}])
    assert (run.status, run.error) == ("FAILED", "InvalidData")
    assert "notJson, 2 times: line 91: " in run.cause
    assert "noReference, 1 time: line 93" in run.cause
    assert "CheckModels" not in run.states
