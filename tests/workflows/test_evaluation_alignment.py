"""Faults that make scores lie: answers of other records, lost records, cut-off answers, memorised data."""

import random
from pathlib import Path
from typing import Any

import pytest

from app import SampleStack
from bedrock_customization import EvaluationWorkflow, Inference, QualityGate
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.conftest import SAMPLES
from tests.workflows.evaluations import CUSTOM, evaluation, let_models_answer, make_workflow, records


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> EvaluationWorkflow:
    return make_workflow(tmp_path_factory.mktemp("cdk.out"))


def references(data: list[dict[str, Any]]) -> dict[str, str]:
    return {record["prompt"]: record["completion"] for record in data}


def test_every_answer_stays_with_its_record_whatever_the_order_of_answers(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = records(60)
    right = references(data)
    let_models_answer(monkeypatch, lambda model, prompt: right.get(prompt, "yes") if model == CUSTOM else "no idea")
    with evaluation(workflow) as rehearsed:
        chance = random.Random(3)
        monkeypatch.setattr(rehearsed.rehearsal.bedrock, "latency", lambda operation: chance.uniform(0.1, 30))
        run = rehearsed.run(data)
        rows = rehearsed.rows()
    assert run.output["verdict"] == "BETTER"
    assert run.output["scores"]["custom"]["exact_match"] == 1
    assert all(row["responses"]["custom"]["text"] == row["references"][0] for row in rows)
    assert sorted(row["id"] for row in rows) == sorted(str(number) for number in range(1, 61))


@pytest.mark.parametrize("shift", [1, -1])
def test_given_answers_that_are_shifted_by_one_are_refused(workflow: EvaluationWorkflow, shift: int) -> None:
    data = records(40)
    expected = [record["completion"] for record in data]
    for number, record in enumerate(data):
        record["responses"] = {"ours": f"Well, {expected[number]}", "theirs": expected[(number + shift) % 40]}
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [{"name": "ours"}, {"name": "theirs"}])
    side = "after" if shift == 1 else "before"
    assert (run.status, run.error) == ("FAILED", "InvalidData")
    assert f"shiftedAnswers: the answers of 'theirs' fit the references of the record {side}" in run.cause
    assert "ours" not in run.cause
    assert "ScoreResponses" not in run.states


@pytest.mark.parametrize(("lost", "verdict"), [(0, "BETTER"), (1, "BETTER"), (2, "INCONCLUSIVE")])
def test_lost_records_lower_the_coverage(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch, lost: int, verdict: str
) -> None:
    data = records(100)
    right = references(data)
    let_models_answer(monkeypatch, lambda model, prompt: right.get(prompt, "yes") if model == CUSTOM else "no idea")

    def lose_rows(run: Any, event: dict[str, Any]) -> None:
        if event.get("stateEnteredEventDetails", {}).get("name") == "ListShards":
            key = rehearsed.key("responses/.*SUCCEEDED_0")
            rows = rehearsed.read(key).splitlines(keepends=True)
            rehearsed.rehearsal.upload(workflow.results_bucket, key, "".join(rows[lost:]))

    with evaluation(workflow, observer=lose_rows) as rehearsed:
        run = rehearsed.run(data)
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["verdict"], run.output["counted"]) == (verdict, 100 - lost)
    assert run.output["coverage"] == pytest.approx(1 - lost / 100)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("max_tokens:The answer is", "max_tokens"),
        ("content_filtered:I cannot", "content_filtered"),
        ("end_turn:", "empty"),
        ("end_turn: \n ", "empty"),
    ],
)
def test_an_incomplete_answer_never_counts(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch, bad: str, problem: str
) -> None:
    data = records(50)
    right = references(data)

    def answer(model: str, prompt: str) -> str:
        if model == CUSTOM and prompt == "Question 7":
            return bad
        return right.get(prompt, "yes") if model == CUSTOM else "no idea"

    let_models_answer(monkeypatch, answer)
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data)
        results = rehearsed.results()
    assert run.output["verdict"] == "INCONCLUSIVE"
    assert (run.output["records"], run.output["counted"], run.output["coverage"]) == (50, 49, 0.98)
    assert results["problems"] == {"custom": {problem: 1}}


@pytest.mark.parametrize("error", ["BedrockRuntime.ValidationException", "BedrockRuntime.AccessDeniedException"])
def test_an_answer_that_failed_is_recorded_with_its_error(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    data = records(50)
    right = references(data)
    let_models_answer(monkeypatch, lambda model, prompt: right.get(prompt, "yes") if model == CUSTOM else "no idea")
    with evaluation(workflow) as rehearsed:
        rehearsed.rehearsal.faults.fail("AskModel", error, cause="the model's words " + "x" * 1000)
        run = rehearsed.run(data)
        failed = [answer for row in rehearsed.rows() for answer in row["responses"].values() if "error" in answer]
        problems = rehearsed.results()["problems"]
    assert (run.output["verdict"], run.output["counted"]) == ("INCONCLUSIVE", 49)
    assert failed == [{"error": error, "cause": ("the model's words " + "x" * 1000)[:200]}]
    assert problems == {"base": {error: 1}}


def test_answers_that_are_cut_off_by_max_tokens_are_no_answers(tmp_path: Path) -> None:
    workflow = make_workflow(tmp_path, inference=Inference(max_tokens=3), quality_gate=QualityGate(metric="token_f1"))
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run((SAMPLES / "evaluation.prompt-completion.jsonl").read_text().splitlines()[:20])
    assert (run.status, run.output["verdict"]) == ("SUCCEEDED", "INCONCLUSIVE")
    assert (run.output["counted"], run.output["winner"]) == (0, None)


def test_an_evaluation_set_that_was_trained_on_is_refused_before_training(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]
) -> None:
    lines = (SAMPLES / "train.jsonl").read_text().splitlines()[:50]
    rehearsal.upload(stack.customization.validation_bucket, "evaluation.jsonl", "\n".join(lines))
    run = rehearsal.run(stack.customization.state_machine, execution_input)
    assert (run.status, run.error) == ("FAILED", "InvalidData")
    assert "exactOverlap" in run.cause
    assert "Train" not in run.states
