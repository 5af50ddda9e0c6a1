"""The complete stack, what is rehearsed with it, and its data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App

from bedrock_customization.rehearsal import Rehearsal, Run
from tests.complete import TEACHER, CompleteStack

STACK = "Complete"
MACHINE = f"{STACK}/Customization/Machine/StateMachine"
EVALUATION = f"{STACK}/Evaluation/Machine/StateMachine"
RELEASE = f"{STACK}/Customization/Release"
TRAINING = f"{STACK}/Training"
DATA = f"{STACK}/Evaluation/DataBucket"
RESULTS = f"{STACK}/Evaluation/ResultsBucket"
INVOCATION_LOGS = f"{STACK}/InvocationLogs"
PROVISIONED_MODEL = "meta.llama3-1-8b-instruct-v1:0:128k"
DISTILLATION = {"distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": TEACHER}}}


def synthesize(directory: Path) -> None:
    """Writes the cloud assembly."""
    app = App(outdir=str(directory))
    CompleteStack(app, STACK)
    app.synth()


def politeness(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The evaluator: the longer, the politer."""
    return {
        "values": {
            row["id"]: {model: float(len(text)) for model, text in row["responses"].items()} for row in event["rows"]
        }
    }


def records(numbers: range, *, good: bool = True, conversations: bool = True) -> str:
    """Questions whose answers are a sentence of theirs, which a model can learn, or one that it cannot."""
    lines = []
    for number in numbers:
        question = f"The weather is fine on day {number}. Order {number} arrived broken."
        answer = f"Order {number} arrived broken." if good else "No."
        turns = (("user", question), ("assistant", answer))
        messages = [{"role": role, "content": [{"text": text}]} for role, text in turns]
        conversation = {"schemaVersion": "bedrock-conversation-2024", "messages": messages}
        lines.append(json.dumps(conversation if conversations else {"prompt": question, "completion": answer}))
    return "\n".join(lines)


def deploy(
    directory: Path, *, region: str = "us-east-1", handlers: Mapping[str, Any] | None = None, **options: Any
) -> Rehearsal:
    """Deploys the assembly, with the evaluator, which is not in it.

    Args:
        directory: The assembly.
        region: Where.
        handlers: Further functions.
        **options: Of the rehearsal.
    """
    functions = {"Politeness": politeness, **(handlers or {})}
    return Rehearsal.from_assembly(directory, STACK, region=region, handlers=functions, **options)


def rehearse(directory: Path, *, good: bool = True, provisioned: bool = False, **options: Any) -> Rehearsal:
    """Deploys the assembly and puts data in place.

    Args:
        directory: The assembly.
        good: Whether a model can learn from the data.
        provisioned: Whether it is to be a model that only provisioned throughput serves.
        **options: Of the rehearsal.
    """
    rehearsal = deploy(directory, region="us-west-2" if provisioned else "us-east-1", **options)
    rehearsal.upload(TRAINING, "train.jsonl", records(range(110), good=good, conversations=not provisioned))
    rehearsal.upload(DATA, "validation.jsonl", records(range(200, 210), conversations=not provisioned))
    rehearsal.upload(DATA, "evaluation.jsonl", records(range(300, 310)))
    return rehearsal


def customize(rehearsal: Rehearsal, **changes: Any) -> Run:
    """Runs the customization on that data; a field that is None is left out."""
    execution_input = {
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customModelName": "support",
        "trainingDataKey": "train.jsonl",
        "validationDataKey": "validation.jsonl",
        "evaluationDataKey": "evaluation.jsonl",
    }
    given = {name: value for name, value in (execution_input | changes).items() if value is not None}
    return rehearsal.run(MACHINE, given)
