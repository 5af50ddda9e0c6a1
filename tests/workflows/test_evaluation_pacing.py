"""A model at its limit slows an evaluation down and never biases it."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from bedrock_customization import EvaluationWorkflow, Inference
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


def test_a_model_that_is_throttled_for_good_makes_no_verdict(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = records(30)
    let_models_answer(monkeypatch, answers_of(data))
    with evaluation(workflow) as rehearsed:
        rehearsed.rehearsal.faults.fail("AskModel", "BedrockRuntime.ThrottlingException", times=9 * 60)
        run = rehearsed.run(data)
        results = rehearsed.results()
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "INCONCLUSIVE"
    assert results["problems"] == {name: {"BedrockRuntime.ThrottlingException": 30} for name in ("base", "custom")}


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
