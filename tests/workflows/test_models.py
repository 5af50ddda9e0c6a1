"""Every active model of the catalogue, each customization type and serving mode of it, rehearsed on little data."""

from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization.models.catalogue import catalogue
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import GRADER, execution_input, upload, workflow

KINDS = {"on-demand": "custom-model-deployment", "provisioned": "provisioned-model"}
SCHEMAS = {"DISTILLATION": "bedrock-conversation-2024", "REINFORCEMENT_FINE_TUNING": "chat"}
REINFORCEMENT = {
    "rftConfig": {
        "graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}},
        "hyperParameters": {"epochCount": 2, "batchSize": 16, "reasoningEffort": "low"},
    }
}


def configuration(identifier: str, kind: str) -> dict[str, Any] | None:
    """What a customization type takes besides; the first teacher that the catalogue has for the model."""
    if kind == "DISTILLATION":
        teacher, forms = next(iter(catalogue()[identifier]["teachers"].items()))
        named = teacher if "on-demand" in forms else f"us.{teacher}"
        teaching = {"teacherModelIdentifier": named, "maxResponseLengthForInference": 500}
        return {"distillationConfig": {"teacherModelConfig": teaching}}
    return REINFORCEMENT if kind == "REINFORCEMENT_FINE_TUNING" else None


def cases() -> list[Any]:
    return [
        pytest.param(identifier, kind, serving, id=f"{identifier} {kind} {serving}")
        for identifier, entry in catalogue().items()
        if entry["lifecycle"] == "ACTIVE"
        for kind in entry["customizationTypes"]
        for serving in entry["serving"]
    ]


@pytest.mark.parametrize(("identifier", "kind", "serving"), cases())
def test_an_active_model_can_be_customized_and_served(identifier: str, kind: str, serving: str) -> None:
    entry = catalogue()[identifier]
    own = workflow(entry["regions"][0], serving)
    hyper_parameters = {name: str(rule["default"]) for name, rule in entry["hyperParameters"].items()}
    if kind == "REINFORCEMENT_FINE_TUNING":
        hyper_parameters = {"learningRate": "0.00001"}
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own, SCHEMAS.get(kind, entry["schema"]), count=max(entry["records"]["min"], 100) + 10)
        run = rehearsal.run(
            own.state_machine,
            execution_input(
                baseModelIdentifier=identifier,
                customizationType=kind,
                hyperParameters=hyper_parameters,
                customizationConfig=configuration(identifier, kind),
            ),
        )
        assert run.status == "SUCCEEDED", run.cause
        (job,) = rehearsal.bedrock.registry.jobs
        assert job.request["customizationType"] == kind
        assert job.request["baseModelIdentifier"] == identifier
        served = {resource.kind for resource in rehearsal.bedrock.billed}
        assert served == ({KINDS[serving]} if run.output["verdict"] == "BETTER" else set())
        assert run.output["verdict"] in ("BETTER", "NOT_BETTER")


def test_the_arguments_of_a_distillation_and_of_a_reinforcement_are_bedrocks() -> None:
    requests = {}
    for kind, identifier in (
        ("DISTILLATION", "amazon.nova-micro-v1:0:128k"),
        ("REINFORCEMENT_FINE_TUNING", "amazon.nova-2-lite-v1:0:256k"),
    ):
        own = workflow("us-east-1", "on-demand")
        with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
            upload(rehearsal, own, SCHEMAS[kind])
            rehearsal.run(
                own.state_machine,
                execution_input(
                    baseModelIdentifier=identifier,
                    customizationType=kind,
                    customizationConfig=configuration(identifier, kind),
                    hyperParameters={"epochCount": "3"},
                ),
            )
            requests[kind] = rehearsal.bedrock.registry.jobs[0].request
    assert requests["DISTILLATION"]["customizationConfig"] == {
        "distillationConfig": {
            "teacherModelConfig": {
                "teacherModelIdentifier": "amazon.nova-pro-v1:0",
                "maxResponseLengthForInference": 500,
            }
        }
    }
    assert requests["DISTILLATION"]["hyperParameters"] == {"epochCount": "3"}
    reinforcement = requests["REINFORCEMENT_FINE_TUNING"]
    assert "hyperParameters" not in reinforcement
    assert reinforcement["customizationConfig"]["rftConfig"] == {
        "graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}},
        "hyperParameters": {"epochCount": 3, "batchSize": 16, "reasoningEffort": "low"},
    }
