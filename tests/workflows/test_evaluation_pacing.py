"""A model at its limit slows an evaluation down and never biases it."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from aws_cdk import Duration

from bedrock_customization import EvaluationWorkflow, Inference
from bedrock_customization.rehearsal.services.bedrock import inference
from tests.workflows.evaluations import CUSTOM, MODELS, evaluation, let_models_answer, make_workflow, records


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> EvaluationWorkflow:
    return make_workflow(tmp_path_factory.mktemp("cdk.out"))


def answers_of(data: list[dict[str, Any]]) -> Any:
    right = {record["prompt"]: record["completion"].split() for record in data}
    return lambda model, prompt: " ".join(right.get(prompt, ["yes"])[: 5 if model == CUSTOM else 3])


def test_five_percent_throttling_changes_no_score(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = records(200)
    runs, calls = [], []
    for throttled in (0.0, 0.05):
        made = let_models_answer(monkeypatch, answers_of(data), throttled=throttled)
        with evaluation(workflow) as rehearsed:
            runs.append(rehearsed.run(data))
        calls.append(len(made))
    quiet, busy = runs
    assert calls[0] == 402
    assert calls[1] > 410
    assert busy.duration > quiet.duration
    assert busy.output == quiet.output
    assert busy.output["counted"] == 200


@pytest.mark.parametrize("concurrency", [5, 60])
def test_a_model_at_its_quota_only_slows_an_evaluation_that_is_not_paced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    data = records(120)
    let_models_answer(monkeypatch, answers_of(data))
    workflow = make_workflow(tmp_path, inference=Inference(max_concurrency=concurrency))
    runs, problems = [], []
    for quota in ({}, {CUSTOM: 4}):
        with evaluation(workflow) as rehearsed:
            rehearsed.rehearsal.bedrock.requests_per_minute = quota
            runs.append(rehearsed.run(data))
            problems.append(rehearsed.results()["problems"])
    free, limited = runs
    assert limited.status == "SUCCEEDED", limited.cause
    assert limited.output == free.output
    assert (limited.output["verdict"], limited.output["counted"], problems) == ("BETTER", 120, [{}, {}])
    assert free.duration < 60
    assert 120 / 4 * 60 <= limited.duration < 2 * 120 / 4 * 60


def test_a_model_at_its_quota_is_asked_by_invoke_model_until_it_answers(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = records(40)
    answer = answers_of(data)

    def invoke(request: dict[str, Any], *_: Any) -> dict[str, Any]:
        body = {"text": answer(CUSTOM, json.loads(request["body"])["prompt"]), "reason": "stop"}
        return {"body": json.dumps(body).encode()}

    monkeypatch.setattr(inference, "invoke", invoke)
    let_models_answer(monkeypatch, answer)
    calling = {
        "bodyTemplate": {"prompt": "{prompt}", "tokens": "{maxTokens}", "temperature": "{temperature}"},
        "answerPath": "text",
        "stopReasonPath": "reason",
    }
    with evaluation(workflow) as rehearsed:
        rehearsed.rehearsal.bedrock.requests_per_minute = {CUSTOM: 4}
        run = rehearsed.run(data, [MODELS[0], MODELS[1] | {"invokeModel": calling}])
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["counted"], run.output["verdict"]) == (40, "BETTER")


def test_a_quota_that_needs_more_time_than_there_is_fails_the_run_with_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = records(300)
    let_models_answer(monkeypatch, answers_of(data))
    workflow = make_workflow(tmp_path, timeout=Duration.hours(1))
    with evaluation(workflow) as rehearsed:
        rehearsed.rehearsal.bedrock.requests_per_minute = {CUSTOM: 4}
        run = rehearsed.run(data)
    assert (run.status, run.error) == ("FAILED", "InsufficientTime")
    assert run.cause.startswith("timeout: the models did not answer all records in 0.833 of the 1 hours")
    assert all(word in run.cause for word in ("Raise timeout", "fewer records", "quota", "max_concurrency"))
    assert 50 <= run.duration / 60 < 60


def test_a_model_without_any_quota_left_stops_the_check_of_the_models_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_models_answer(monkeypatch, answers_of([]))
    workflow = make_workflow(tmp_path, timeout=Duration.hours(1))
    with evaluation(workflow) as rehearsed:
        rehearsed.rehearsal.bedrock.requests_per_minute = {CUSTOM: 0}
        run = rehearsed.run(records(10))
    assert (run.status, run.error) == ("FAILED", "InsufficientTime")
    assert "GenerateResponses" not in run.states
    assert 50 <= run.duration / 60 < 60


@pytest.mark.parametrize(("concurrency", "pace"), [(1, 4), (5, 4), (3, 30)])
def test_no_model_gets_more_requests_a_minute_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int, pace: int
) -> None:
    data = records(40)
    times: dict[str, list[float]] = {}
    answer = answers_of(data)

    def timed(model: str, prompt: str) -> str:
        times.setdefault(model, []).append(trio.current_time())
        return answer(model, prompt)

    let_models_answer(monkeypatch, timed)
    workflow = make_workflow(tmp_path, inference=Inference(max_concurrency=concurrency, requests_per_minute=pace))
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data)
    assert run.output["counted"] == 40
    for made in times.values():
        asked = made[1:]
        assert len(asked) == 40
        for start in asked:
            within = sum(start <= moment < start + 60 for moment in asked)
            assert within <= pace
        assert (asked[-1] - asked[0]) / 60 <= 40 / pace * 1.3, "no slower than it has to be"


def test_more_records_than_the_time_allows_are_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    workflow = make_workflow(tmp_path, inference=Inference(max_concurrency=1, requests_per_minute=4))
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(records(6000), MODELS)
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    message = json.loads(run.cause)["errorMessage"]
    assert message.startswith("evaluationDataKey: 6000 records at 4 requests a minute take 25 hours")
    assert "CheckModels" not in run.states
