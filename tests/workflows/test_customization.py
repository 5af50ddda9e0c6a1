"""The sample app's customization, rehearsed: outcomes, failures and what each of them leaves behind."""

import json
from typing import Any

import pytest

from app import SampleStack
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.conftest import SAMPLES


@pytest.fixture
def run(rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]) -> Any:
    return rehearsal.run(stack.customization.state_machine, execution_input)


def test_good_data_is_kept(rehearsal: Rehearsal, stack: SampleStack, run: Any) -> None:
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "BETTER"
    evaluation = run.output["evaluation"]
    assert evaluation["records"] == evaluation["counted"] == 100
    assert evaluation["scores"]["custom"]["bertscore_f1"] > evaluation["scores"]["base"]["bertscore_f1"]

    (deployment,) = rehearsal.bedrock.billed
    assert deployment.arn == run.output["model"]["modelId"]
    assert [kept["arn"] for kept in run.output["kept"]] == [
        run.output["model"]["modelId"],
        run.output["model"]["customModelArn"],
    ]

    (message,) = rehearsal.inbox
    assert message.subject == "Customization dialogue-summaries: the custom model is better and was kept"
    assert run.output["model"]["modelId"] in message.message

    bucket = stack.customization.results_bucket
    report = rehearsal.download(bucket, evaluation["report"]).decode()
    assert "<html" in report
    prefix = evaluation["report"].removesuffix("report.html")
    notification = json.loads(rehearsal.download(bucket, f"{prefix}notification.json"))
    assert (notification["subject"], notification["message"]) == (message.subject, message.message)
    assert notification["evaluation"] == evaluation
    assert notification["execution"] == run.arn


def test_both_models_answers_are_kept_in_s3(rehearsal: Rehearsal, stack: SampleStack, run: Any) -> None:
    bucket = stack.customization.results_bucket
    (key,) = [key for key in rehearsal.keys(bucket) if "/responses/" in key and "SUCCEEDED" in key]
    rows = [json.loads(line) for line in rehearsal.download(bucket, key).splitlines()]
    assert sorted(int(row["id"]) for row in rows) == list(range(1, 101))
    for row in rows:
        assert row["responses"]["base"]["text"]
        assert row["responses"]["custom"]["text"]


def test_poor_data_is_rejected_and_released(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]
) -> None:
    rehearsal.upload(stack.customization.training_bucket, "train.jsonl", SAMPLES / "poor-training.jsonl")
    run = rehearsal.run(stack.customization.state_machine, execution_input)

    assert run.status == "SUCCEEDED", run.cause
    assert run.output["verdict"] == "NOT_BETTER"
    assert run.output["model"] is None
    assert rehearsal.bedrock.billed == []
    assert {released["kind"] for released in run.output["released"]} == {"Deployment", "Model"}
    (message,) = rehearsal.inbox
    assert "not better and was released" in message.subject
    assert "Still billed\n  nothing" in message.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 3}, ["epochs", "baseModelIdentifier"]),
        ({"trainingDataKey": None}, ["trainingDataKey"]),
        ({"customModelName": "under_score"}, ["customModelName", "under_score", "hyphens"]),
        ({"trainingDataKey": "trian.jsonl"}, ["trainingDataKey", "trian.jsonl", "train.jsonl"]),
        ({"evaluationDataKey": "nothing.jsonl"}, ["evaluationDataKey", "nothing.jsonl"]),
        ({"hyperParameters": {"epochCount": "9"}}, ["hyperParameters.epochCount", "1 to 5", "9"]),
        ({"baseModelIdentifier": "cohere.command-light-text-v14:7:4k"}, ["baseModelIdentifier", "amazon.nova-micro"]),
        ({"customModelName": 7}, ["customModelName"]),
    ],
)
def test_bad_input_is_refused_by_field_before_a_job_is_created_and_notified(
    rehearsal: Rehearsal,
    stack: SampleStack,
    execution_input: dict[str, Any],
    change: dict[str, Any],
    words: list[str],
) -> None:
    changed = {key: value for key, value in (execution_input | change).items() if value is not None}
    run = rehearsal.run(stack.customization.state_machine, changed)

    assert run.status == "FAILED"
    assert run.error == "InvalidInput"
    assert "Train" not in run.states
    assert rehearsal.bedrock.billed == []
    (message,) = rehearsal.inbox
    for word in words:
        assert word in run.cause
        assert word in message.message


@pytest.mark.parametrize("execution_input", [[], "text", 5, None, {}])
def test_an_input_that_is_no_object_is_refused_and_notified(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: Any
) -> None:
    run = rehearsal.run(stack.customization.state_machine, execution_input)
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert len(rehearsal.inbox) == 1


def test_a_failed_run_is_notified_once_although_the_rule_starts_the_release_too(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]
) -> None:
    rehearsal.run(stack.customization.state_machine, execution_input | {"trainingDataKey": "nothing.jsonl"})
    releases = [execution for execution in rehearsal.executions if "Release" in execution.state_machine_arn]
    assert [execution.status for execution in releases] == ["SUCCEEDED", "SUCCEEDED"]
    assert len(rehearsal.inbox) == 1


def test_two_runs_do_not_touch_each_others_objects(
    rehearsal: Rehearsal, stack: SampleStack, execution_input: dict[str, Any]
) -> None:
    bucket = stack.customization.results_bucket
    rehearsal.run(stack.customization.state_machine, execution_input)
    first = {key: rehearsal.download(bucket, key) for key in rehearsal.keys(bucket)}
    rehearsal.run(stack.customization.state_machine, execution_input)

    assert {key: rehearsal.download(bucket, key) for key in first} == first
    assert len({key.split("/")[1] for key in rehearsal.keys(bucket)}) == 2
