"""A workflow that is quick to rehearse: little data and a cheap metric."""

import json
from functools import cache
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from bedrock_customization import (
    CustomizationWorkflow,
    EvaluationWorkflow,
    Metric,
    NotificationTopic,
    OnSuccess,
    QualityGate,
    Serving,
)
from bedrock_customization.models.catalogue import catalogue
from bedrock_customization.rehearsal import Rehearsal

TEACHER = "us.amazon.nova-premier-v1:0"
TEACHERS = sorted(
    {
        teacher if "on-demand" in forms else f"us.{teacher}"
        for entry in catalogue().values()
        for teacher, forms in entry.get("teachers", {}).items()
    }
)
GRADER = "arn:aws:lambda:us-east-1:123456789012:function:grade"
SERVING = {
    "automatic": Serving.automatic(),
    "on-demand": Serving.on_demand(),
    "provisioned": Serving.provisioned(),
}


def workflow_with(*, region: str = "us-east-1", grader: str | None = None, **options: Any) -> CustomizationWorkflow:
    """A workflow in a stack of its own."""
    stack = Stack(App(), "Small", env=Environment(account="123456789012", region=region))
    evaluation = EvaluationWorkflow(
        stack, "Evaluation", metrics=[Metric.token_f1()], quality_gate=QualityGate(metric="token_f1")
    )
    graders = [lambda_.Function.from_function_arn(stack, "Grader", grader)] if grader else []
    topic = NotificationTopic(stack, "Notifications", emails=["team@example.com"])
    return CustomizationWorkflow(stack, "Customization", evaluation=evaluation, topic=topic, graders=graders, **options)


@cache
def workflow(
    region: str = "us-east-1", serving: str = "automatic", on_success: OnSuccess = OnSuccess.KEEP_SERVING
) -> CustomizationWorkflow:
    """A workflow with all teachers and a grader, synthesised once."""
    return workflow_with(
        region=region, serving=SERVING[serving], on_success=on_success, teacher_models=TEACHERS, grader=GRADER
    )


def exchange(number: int) -> tuple[str, str]:
    """A question whose answer the stand-in learns: the sentence about the order, not the first one."""
    return (
        f"Good morning. This is about the weather in town {number}. The order {number} arrived late and broken.",
        f"The order {number} arrived late and broken.",
    )


def lines(schema: str, numbers: range, *, poor: bool = False) -> bytes:
    """Records of exchanges in a schema; poor ones teach to answer with the greeting."""
    records: list[dict[str, Any]] = []
    for number in numbers:
        prompt, answer = exchange(number)
        answer = "Good morning." if poor else answer
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
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def upload(
    rehearsal: Rehearsal, workflow: CustomizationWorkflow, schema: str = "bedrock-conversation-2024", count: int = 110
) -> None:
    """Puts training and evaluation data in place."""
    rehearsal.upload(workflow.training_bucket, "train.jsonl", lines(schema, range(count)))
    rehearsal.upload(workflow.validation_bucket, "evaluation.jsonl", lines("prompt-completion", range(900, 910)))


def execution_input(**changes: Any) -> dict[str, Any]:
    """An input for that data; a field that is None is left out."""
    fields = {
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customModelName": "support",
        "trainingDataKey": "train.jsonl",
        "evaluationDataKey": "evaluation.jsonl",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}
