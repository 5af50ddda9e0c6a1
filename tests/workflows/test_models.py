"""Every active model of the catalogue, each customization type and serving mode of it, rehearsed on little data."""

import json
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from bedrock_customization import CustomizationWorkflow, EvaluationWorkflow, Metric, QualityGate, Serving
from bedrock_customization.models.catalogue import catalogue
from bedrock_customization.rehearsal import Rehearsal

TEACHER = "us.amazon.nova-premier-v1:0"
GRADER = "arn:aws:lambda:us-east-1:123456789012:function:grade"
SERVING = {"on-demand": Serving.on_demand(), "provisioned": Serving.provisioned()}
KINDS = {"on-demand": "custom-model-deployment", "provisioned": "provisioned-model"}


@cache
def workflow(region: str, serving: str) -> CustomizationWorkflow:
    stack = Stack(App(), "Models", env=Environment(account="123456789012", region=region))
    evaluation = EvaluationWorkflow(
        stack, "Evaluation", metrics=[Metric.token_f1()], quality_gate=QualityGate(metric="token_f1")
    )
    return CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation,
        serving=SERVING[serving],
        teacher_models=[TEACHER],
        graders=[lambda_.Function.from_function_arn(stack, "Grader", GRADER)],
        training_timeout=Duration.hours(4),
    )


def exchange(number: int) -> tuple[str, str]:
    """A question whose answer the stand-in learns: the sentence about the order, not the first one."""
    return (
        f"Good morning. This is about the weather in town {number}. The order {number} arrived late and broken.",
        f"The order {number} arrived late and broken.",
    )


def lines(schema: str, numbers: range) -> str:
    records: list[dict[str, Any]] = []
    for number in numbers:
        prompt, answer = exchange(number)
        texts = {"user": prompt, "assistant": answer}
        if schema == "prompt-completion":
            records.append({"prompt": prompt, "completion": answer})
        elif schema == "chat":
            records.append({"messages": [{"role": "user", "content": prompt}], "reference_answer": answer})
        elif schema == "input":
            records.append({"input": prompt})
        else:
            messages = [{"role": role, "content": [{"text": text}]} for role, text in texts.items()]
            records.append({"schemaVersion": "bedrock-conversation-2024", "messages": messages})
    return "".join(json.dumps(record) + "\n" for record in records)


SCHEMAS = {"DISTILLATION": "bedrock-conversation-2024", "REINFORCEMENT_FINE_TUNING": "chat"}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "DISTILLATION": {
        "distillationConfig": {
            "teacherModelConfig": {"teacherModelIdentifier": TEACHER, "maxResponseLengthForInference": 500}
        }
    },
    "REINFORCEMENT_FINE_TUNING": {
        "rftConfig": {
            "graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}},
            "hyperParameters": {"epochCount": 2, "batchSize": 16, "reasoningEffort": "low"},
        }
    },
}


def cases() -> list[Any]:
    return [
        pytest.param(identifier, kind, serving, id=f"{identifier} {kind} {serving}")
        for identifier, entry in catalogue().items()
        if entry["lifecycle"] == "ACTIVE"
        for kind in entry["customizationTypes"]
        for serving in entry["serving"]
    ]


def prepare(rehearsal: Rehearsal, workflow: CustomizationWorkflow, schema: str) -> None:
    rehearsal.upload(workflow.training_bucket, "train.jsonl", lines(schema, range(110)).encode())
    evaluation = lines("prompt-completion", range(200, 210)).encode()
    rehearsal.upload(workflow.validation_bucket, "evaluation.jsonl", evaluation)


@pytest.mark.parametrize(("identifier", "kind", "serving"), cases())
def test_an_active_model_can_be_customized_and_served(identifier: str, kind: str, serving: str) -> None:
    entry = catalogue()[identifier]
    own = workflow(entry["regions"][0], serving)
    hyper_parameters = {name: str(rule["default"]) for name, rule in entry["hyperParameters"].items()}
    if kind == "REINFORCEMENT_FINE_TUNING":
        hyper_parameters = {"learningRate": "0.00001"}
    execution_input = {
        "baseModelIdentifier": identifier,
        "customModelName": "support",
        "customizationType": kind,
        "hyperParameters": hyper_parameters,
        "trainingDataKey": "train.jsonl",
        "evaluationDataKey": "evaluation.jsonl",
        **({"customizationConfig": CONFIGURATIONS[kind]} if kind in CONFIGURATIONS else {}),
    }
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        prepare(rehearsal, own, SCHEMAS.get(kind, entry["schema"]))
        run = rehearsal.run(own.state_machine, execution_input)

        assert run.status == "SUCCEEDED", run.cause
        (job,) = rehearsal.bedrock.registry.jobs
        assert job.request["customizationType"] == kind
        assert job.request["baseModelIdentifier"] == identifier
        billed = {resource.kind for resource in rehearsal.bedrock.billed}
        assert billed == ({KINDS[serving]} if run.output["verdict"] == "BETTER" else set())
        assert {released["kind"] for released in run.output["released"]} <= {"Deployment", "ProvisionedModel", "Model"}
