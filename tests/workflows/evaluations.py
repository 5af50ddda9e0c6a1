"""Evaluations to rehearse: small workflows, data sets and models that answer as a test wants."""

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from bedrock_customization import EvaluationWorkflow, Inference, Metric, QualityGate
from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock import inference

BASE, CUSTOM, THIRD = "amazon.nova-micro-v1:0", "amazon.nova-pro-v1:0", "amazon.nova-lite-v1:0"
MODELS = [{"name": "base", "modelId": BASE}, {"name": "custom", "modelId": CUSTOM}]
WORDS = ["river", "stone", "lamp", "cloud", "bread", "door", "music", "green", "seven", "letter", "road", "winter"]

Answer = Callable[[str, str], str]


def make_workflow(folder: Path, **options: Any) -> EvaluationWorkflow:
    """A workflow with a cheap metric, in a stack of its own."""
    defaults = {
        "metrics": [Metric.token_f1(), Metric.exact_match()],
        "quality_gate": QualityGate(metric="token_f1"),
        "inference": Inference(max_concurrency=20),
    }
    return EvaluationWorkflow(Stack(App(outdir=str(folder)), "Evaluation"), "Evaluation", **(defaults | options))


def records(count: int, seed: int = 1, **fields: Any) -> list[dict[str, Any]]:
    """Records whose references have hardly a word in common."""
    chance = random.Random(seed)
    return [
        {"prompt": f"Question {number}", "completion": " ".join(chance.choices(WORDS, k=8)) + f" {number}", **fields}
        for number in range(1, count + 1)
    ]


class Evaluation:
    """One rehearsed evaluation and what it left in the results bucket."""

    def __init__(self, workflow: EvaluationWorkflow, rehearsal: Rehearsal) -> None:
        self.workflow = workflow
        self.rehearsal = rehearsal

    def run(self, data: Sequence[Any], models: list[dict[str, Any]] = MODELS, **changes: Any) -> Any:
        lines = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in data)
        self.rehearsal.upload(self.workflow.data_bucket, "data.jsonl", lines)
        baseline = changes.pop("baseline") if "baseline" in changes else models[0]["name"]
        execution_input = {"models": models, "baseline": baseline, "evaluationDataKey": "data.jsonl"}
        return self.rehearsal.run(self.workflow.state_machine, execution_input | changes)

    def key(self, pattern: str) -> str:
        (key,) = [key for key in self.rehearsal.keys(self.workflow.results_bucket) if re.search(pattern, key)]
        return key

    def read(self, pattern: str) -> str:
        return self.rehearsal.download(self.workflow.results_bucket, self.key(pattern)).decode()

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read("responses/.*SUCCEEDED_0").splitlines()]

    def results(self) -> dict[str, Any]:
        return json.loads(self.read("results.json"))


@contextmanager
def evaluation(workflow: EvaluationWorkflow, **options: Any) -> Iterator[Evaluation]:
    with Rehearsal.from_stack(Stack.of(workflow), **options) as rehearsal:
        yield Evaluation(workflow, rehearsal)


def let_models_answer(patch: pytest.MonkeyPatch, answer: Answer, *, throttled: float = 0.0) -> list[str]:
    """Let Converse answer what a function of model id and prompt says, and throttle a share of the calls.

    Args:
        patch: Puts the stand-in models back.
        answer: The text; a text that begins with `max_tokens:` is cut off.
        throttled: The share of calls that are throttled.

    Returns:
        The model ids of all calls, throttled ones too.
    """
    chance, calls = random.Random(7), []

    def converse(request: dict[str, Any], _: Any) -> dict[str, Any]:
        calls.append(request["modelId"])
        if chance.random() < throttled:
            raise ApiError("ThrottlingException", "Too many requests, please wait before trying again.", 429)
        text = answer(request["modelId"], request["messages"][-1]["content"][0]["text"])
        reason, _, rest = text.rpartition(":")
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": rest}]}},
            "stopReason": reason or "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        }

    patch.setattr(inference, "converse", converse)
    return calls
