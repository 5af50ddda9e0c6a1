"""Writes the part of a customization job's arguments that depends on the input, as Step Functions spells it."""

from typing import Any

DISTILLATION = "DISTILLATION"
REINFORCEMENT = "REINFORCEMENT_FINE_TUNING"

REINFORCEMENT_HYPERPARAMETERS: dict[str, dict[str, Any]] = {
    "epochCount": {"type": "integer", "min": 1, "max": 50},
    "batchSize": {"type": "integer", "min": 16, "max": 512},
    "learningRate": {"type": "number", "min": 1e-7, "max": 1e-3},
    "trainingSamplePerPrompt": {"type": "integer", "min": 2, "max": 16},
    "evalInterval": {"type": "integer", "min": 1, "max": 100},
    "maxPromptLength": {"type": "integer", "min": 1},
    "inferenceMaxTokens": {"type": "integer", "min": 1},
    "reasoningEffort": {"values": ["low", "medium", "high"]},
}
"""The hyperparameters of reinforcement fine-tuning: the same for every model, and not texts but numbers in the API."""


def job_arguments(
    candidate: dict[str, Any], *, training: str | None, validation: str | None, logs: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what CreateModelCustomizationJob is given for a candidate.

    Args:
        candidate: A candidate that `dataset.candidates` planned.
        training: The training data's URI; None where invocation logs are trained on.
        validation: The validation data's URI, or None.
        logs: The input's `invocationLogsConfig`, or None.

    Returns:
        `{"BaseModelIdentifier", "CustomizationType", "TrainingDataConfig"}` and, where there are any,
        `"HyperParameters"`, `"ValidationDataConfig"` and `"CustomizationConfig"`.
    """
    kind, config = candidate["customizationType"], candidate["customizationConfig"]
    data = {"S3Uri": training} if logs is None else {"InvocationLogsConfig": _invocation_logs(logs)}
    arguments = {
        "BaseModelIdentifier": candidate["baseModelIdentifier"],
        "CustomizationType": kind,
        "TrainingDataConfig": data,
    }
    if validation is not None:
        arguments["ValidationDataConfig"] = {"Validators": [{"S3Uri": validation}]}
    if kind == DISTILLATION:
        arguments["CustomizationConfig"] = {"DistillationConfig": _pascal_case(config["distillationConfig"])}
    if kind == REINFORCEMENT:
        rft = _pascal_case({"graderConfig": config["rftConfig"]["graderConfig"]})
        if parameters := reinforcement_hyperparameters(candidate):
            rft["HyperParameters"] = {_capital(name): _typed(name, text) for name, text in parameters.items()}
        arguments["CustomizationConfig"] = {"RftConfig": rft}
    elif candidate["hyperParameters"]:
        arguments["HyperParameters"] = candidate["hyperParameters"]
    return arguments


def reinforcement_hyperparameters(candidate: dict[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of a reinforcement fine-tuning, from both fields that can hold them.

    Args:
        candidate: A candidate; its `hyperParameters` go before those of its `rftConfig`.
    """
    config = candidate["customizationConfig"].get("rftConfig", {})
    return config.get("hyperParameters", {}) | candidate["hyperParameters"]


def _typed(name: str, value: Any) -> Any:
    kind = REINFORCEMENT_HYPERPARAMETERS[name].get("type")
    if kind is None:
        return value
    return int(value) if kind == "integer" else float(value)


def _invocation_logs(config: dict[str, Any]) -> dict[str, Any]:
    """Spell the fields as Step Functions does; the names of metadata, which are the user's own, stay as they are."""
    filters = config.get("requestMetadataFilters")
    rest = {name: value for name, value in config.items() if name != "requestMetadataFilters"}
    spelled: dict[str, Any] = _pascal_case(rest)
    if filters is not None:
        spelled["RequestMetadataFilters"] = _filter(filters)
    return spelled


def _filter(filters: dict[str, Any]) -> dict[str, Any]:
    return {
        _capital(name): [_filter(part) for part in value] if isinstance(value, list) else value
        for name, value in filters.items()
    }


def _pascal_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {_capital(name): _pascal_case(item) for name, item in value.items()}
    return value


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
