"""The foundation models that the simulated Bedrock knows, from AWS's documentation as of November 2026.

They are written down here once more, and not taken from the library's catalogue, so that a rehearsal finds an error in
the catalogue. A model that only the catalogue knows is taken from there.

Sources: the Bedrock user guide's pages on fine-tuning, hyperparameters, Provisioned Throughput, on-demand deployment
and the model life cycle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

Range = tuple[float, float]


@dataclass(frozen=True)
class FoundationModel:
    """A foundation model.

    Args:
        id: Its id for customization, for example `amazon.nova-micro-v1:0:128k`.
        inference_id: Its id for inference; Converse refuses the id for customization.
        name: Its name.
        provider: Who makes it.
        regions: Where it can be customized.
        customizations: How it can be customized.
        hyper_parameters: The range of each hyperparameter.
        records: The fewest and most training and validation records.
        provisioned: Whether a customized model can be served by Provisioned Throughput.
        on_demand: Whether a customized model can be deployed on demand.
        lifecycle: `ACTIVE` or `LEGACY`.
        validation: Whether it takes a validation data set.
    """

    id: str
    inference_id: str
    name: str
    provider: str
    regions: tuple[str, ...]
    customizations: tuple[str, ...] = ("FINE_TUNING",)
    hyper_parameters: Mapping[str, Range] = field(default_factory=dict)
    records: tuple[int, int] = (8, 20_000)
    provisioned: bool = True
    on_demand: bool = True
    lifecycle: str = "ACTIVE"
    validation: bool = True


_NOVA: dict[str, Range] = {"epochCount": (1, 5), "learningRate": (1e-6, 1e-4), "learningRateWarmupSteps": (0, 100)}
_LLAMA: dict[str, Range] = {"epochCount": (1, 10), "batchSize": (1, 1), "learningRate": (5e-6, 0.1)}
_TITAN: dict[str, Range] = {
    "epochCount": (1, 10),
    "batchSize": (1, 64),
    "learningRate": (0, 1),
    "learningRateWarmupSteps": (0, 250),
}
_COHERE: dict[str, Range] = {
    "epochCount": (1, 100),
    "batchSize": (8, 32),
    "learningRate": (5e-6, 0.1),
    "earlyStoppingThreshold": (0, 0.1),
    "earlyStoppingPatience": (1, 10),
    "evalPercentage": (5, 50),
}
_CLAUDE: dict[str, Range] = {
    "epochCount": (1, 10),
    "batchSize": (4, 256),
    "learningRateMultiplier": (0.1, 2),
    "earlyStoppingThreshold": (0, 0.1),
    "earlyStoppingPatience": (1, 10),
}
_EAST, _WEST = ("us-east-1",), ("us-west-2",)
_DISTILLED = ("FINE_TUNING", "DISTILLATION")


def _nova(size: str, window: str) -> FoundationModel:
    base = f"amazon.nova-{size.lower()}-v1:0"
    return FoundationModel(f"{base}:{window}", base, f"Nova {size}", "Amazon", _EAST, _DISTILLED, _NOVA)


def _llama(version: str, size: str, *, provisioned: bool = True, on_demand: bool = False) -> FoundationModel:
    base = f"meta.llama3-{version}-{size.lower()}-instruct-v1:0"
    name = f"Llama 3.{version} {size} Instruct"
    return FoundationModel(
        f"{base}:128k", base, name, "Meta", _WEST, _DISTILLED, _LLAMA, (100, 10_000), provisioned, on_demand
    )


MODELS = (
    _nova("Micro", "128k"),
    _nova("Lite", "300k"),
    _nova("Pro", "300k"),
    FoundationModel(
        "amazon.nova-2-lite-v1:0:256k",
        "amazon.nova-2-lite-v1:0",
        "Nova 2 Lite",
        "Amazon",
        _EAST,
        ("FINE_TUNING", "REINFORCEMENT_FINE_TUNING"),
        _NOVA,
        validation=False,
    ),
    _llama("1", "8B"),
    _llama("1", "70B"),
    _llama("2", "1B"),
    _llama("2", "3B"),
    _llama("2", "11B"),
    _llama("2", "90B"),
    _llama("3", "70B", provisioned=False, on_demand=True),
    FoundationModel("amazon.nova-premier-v1:0", "amazon.nova-premier-v1:0", "Nova Premier", "Amazon", _EAST, ()),
    FoundationModel(
        "meta.llama3-1-405b-instruct-v1:0",
        "meta.llama3-1-405b-instruct-v1:0",
        "Llama 3.1 405B Instruct",
        "Meta",
        _WEST,
        (),
    ),
    *(
        FoundationModel(
            model_id,
            inference_id,
            name,
            provider,
            _WEST,
            ("REINFORCEMENT_FINE_TUNING",),
            records=(100, 20_000),
            provisioned=False,
        )
        for model_id, inference_id, name, provider in (
            ("openai.gpt-oss-20b", "openai.gpt-oss-20b-1:0", "gpt-oss-20b", "OpenAI"),
            ("qwen.qwen3-32b", "qwen.qwen3-32b-v1:0", "Qwen3 32B", "Qwen"),
        )
    ),
    FoundationModel(
        "anthropic.claude-3-haiku-20240307-v1:0:200k",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "Claude 3 Haiku",
        "Anthropic",
        _WEST,
        hyper_parameters=_CLAUDE,
        records=(32, 10_000),
        on_demand=False,
        lifecycle="LEGACY",
    ),
    *(
        FoundationModel(
            f"{base}:{window}",
            base,
            name,
            provider,
            _EAST + _WEST,
            hyper_parameters=ranges,
            on_demand=False,
            lifecycle="LEGACY",
        )
        for base, window, name, provider, ranges in (
            ("amazon.titan-text-lite-v1", "0:4k", "Titan Text G1 - Lite", "Amazon", _TITAN),
            ("amazon.titan-text-express-v1", "0:8k", "Titan Text G1 - Express", "Amazon", _TITAN),
            ("cohere.command-text-v14", "7:4k", "Command", "Cohere", _COHERE),
            ("cohere.command-light-text-v14", "7:4k", "Command Light", "Cohere", _COHERE),
        )
    ),
)


def known_models() -> dict[str, FoundationModel]:
    """All models by their id for customization."""
    return {model.id: model for model in (*_catalogued(), *MODELS)}


def _catalogued() -> list[FoundationModel]:
    catalogue = files("bedrock_customization").joinpath("models", "catalogue.json")
    return [
        FoundationModel(
            id=model_id,
            inference_id=entry["inferenceId"],
            name=entry["name"],
            provider=model_id.partition(".")[0].capitalize(),
            regions=tuple(entry["regions"]),
            customizations=tuple(entry["customizationTypes"]),
            hyper_parameters={
                name: (rule["min"], rule["max"])
                for name, rule in entry["hyperParameters"].items()
                if "min" in rule and "max" in rule
            },
            records=(entry["records"]["min"], entry["records"]["max"]),
            provisioned="provisioned" in entry["serving"],
            on_demand="on-demand" in entry["serving"],
            lifecycle="ACTIVE" if entry["lifecycle"] == "ACTIVE" else "LEGACY",
            validation=entry["validationData"],
        )
        for model_id, entry in json.loads(catalogue.read_text(encoding="utf-8")).items()
    ]
