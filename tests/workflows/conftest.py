"""The sample app, synthesised once, and what its rehearsals start with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from app import SampleStack
from bedrock_customization.rehearsal import Rehearsal

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    app = App(outdir=str(tmp_path_factory.mktemp("cdk.out")))
    return SampleStack(app, "BedrockCustomization", email="team@example.com")


@pytest.fixture
def rehearsal(stack: SampleStack) -> Iterator[Rehearsal]:
    """A rehearsal of the sample app with the sample data in place."""
    with Rehearsal.from_stack(stack) as rehearsal:
        rehearsal.upload(stack.customization.training_bucket, "train.jsonl", SAMPLES / "train.jsonl")
        for name in ("validation.jsonl", "evaluation.jsonl"):
            rehearsal.upload(stack.customization.validation_bucket, name, SAMPLES / name)
        yield rehearsal


@pytest.fixture
def execution_input() -> dict[str, Any]:
    return json.loads((SAMPLES / "input.json").read_text(encoding="utf-8"))
