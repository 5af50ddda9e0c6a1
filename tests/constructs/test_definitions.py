"""What must hold for every state of every machine, whatever the options."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from bedrock_customization import CustomizationWorkflow, Inference, Serving
from tests.support import readable_definition


def synthesise(**options: Any) -> Template:
    stack = Stack(App(), "Stack")
    CustomizationWorkflow(stack, "Customization", **options)
    return Template.from_stack(stack)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({}, id="defaults"),
        pytest.param({"serving": Serving.on_demand()}, id="on demand"),
        pytest.param({"serving": Serving.provisioned(model_units=2)}, id="provisioned"),
        pytest.param({"inference": Inference(requests_per_minute=4, max_concurrency=1)}, id="paced"),
    ],
)
def definitions(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    template = synthesise(**request.param)
    machines = template.find_resources("AWS::StepFunctions::StateMachine")
    return {name: readable_definition(template, name) for name in machines}


def all_states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        for inner in [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", []):
            yield from all_states(inner)


def every_state(definitions: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [pair for definition in definitions.values() for pair in all_states(definition)]


def test_there_are_three_machines_in_jsonata(definitions: dict[str, dict[str, Any]]) -> None:
    assert len(definitions) == 3
    assert {definition["QueryLanguage"] for definition in definitions.values()} == {"JSONata"}


def test_training_waits_for_the_job(definitions: dict[str, dict[str, Any]]) -> None:
    resources = [state["Resource"] for name, state in every_state(definitions) if name == "Train"]
    assert resources == ["arn:${AWS::Partition}:states:::bedrock:createModelCustomizationJob.sync"]


def test_every_task_has_a_timeout_and_retries_with_full_jitter_and_a_bounded_delay(
    definitions: dict[str, dict[str, Any]],
) -> None:
    tasks = [(name, state) for name, state in every_state(definitions) if state["Type"] == "Task"]
    assert len(tasks) > 15
    for name, state in tasks:
        assert state["TimeoutSeconds"] > 0, name
        assert state["Retry"], name
        for retrier in state["Retry"]:
            assert retrier["JitterStrategy"] == "FULL", name
            assert retrier["MaxDelaySeconds"] > 0, name


def test_every_choice_has_a_default(definitions: dict[str, dict[str, Any]]) -> None:
    for name, state in every_state(definitions):
        if state["Type"] == "Choice":
            assert "Default" in state, name


def test_every_distributed_map_writes_its_results_to_s3(definitions: dict[str, dict[str, Any]]) -> None:
    maps = [
        state
        for _, state in every_state(definitions)
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
    ]
    assert [state["Label"] for state in maps] == ["GenerateResponses", "ScoreResponses"]
    for state in maps:
        assert state["ResultWriter"]["Resource"] == "arn:${AWS::Partition}:states:::s3:putObject"
        assert state["ResultWriter"]["WriterConfig"] == {"OutputType": "JSONL", "Transformation": "FLATTEN"}


def test_no_throughput_is_bought_with_a_commitment(definitions: dict[str, dict[str, Any]]) -> None:
    assert "CommitmentDuration" not in json.dumps(definitions)


def test_state_names_are_unique_in_a_machine(definitions: dict[str, dict[str, Any]]) -> None:
    for definition in definitions.values():
        names = [name for name, _ in all_states(definition)]
        assert sorted(names) == sorted(set(names))


def test_a_definition_fits_the_service_with_room(definitions: dict[str, dict[str, Any]]) -> None:
    for name, definition in definitions.items():
        assert len(json.dumps(definition)) < 256 * 1024, name


def test_whatever_fails_in_the_attempt_is_released(definitions: dict[str, dict[str, Any]]) -> None:
    (machine,) = [definition for definition in definitions.values() if "Attempt" in definition["States"]]
    for name in ("Attempt", "Promote"):
        (catcher,) = machine["States"][name]["Catch"]
        assert catcher["ErrorEquals"] == ["States.ALL"]
        assert catcher["Next"] == "ReleaseAfterFailure"
        assert set(catcher["Assign"]) >= {"failure", "keep", "deleteModels"}
