"""Works out what a customization trains, serves and compares, with every default filled in."""

from collections.abc import Iterator
from typing import Any

from dataset.catalogue import find_entry, inference_id
from dataset.findings import shorten

AUTOMATIC = "automatic"
IMPORTED = "IMPORTED"
MAXIMUM_MODELS = 10
"""The most models that one evaluation compares."""

_INHERITED = (
    "baseModelIdentifier",
    "baseInferenceModelIdentifier",
    "customizationType",
    "customizationConfig",
    "customModelArn",
)


def plan_candidates(execution_input: dict[str, Any], models: dict[str, Any], serving: str) -> list[dict[str, Any]]:
    """Return the candidates with what they take from the input and from the catalogue.

    Args:
        execution_input: The execution input, already valid.
        models: The catalogue.
        serving: `on-demand`, `provisioned`, or `automatic`: on demand where the catalogue says that Bedrock offers it.

    Returns:
        A list of `{"name", "field", "baseModelIdentifier", "inferenceModelId", "customizationType", "hyperParameters",
        "customizationConfig", "serving", "customModelArn"}`. `field` is where the input describes the candidate, empty
        or for example `candidates[1].`; `serving` and `inferenceModelId` are None where nothing tells them,
        `customModelArn` is None for a candidate that has to be trained.
    """
    given = execution_input.get("candidates")
    planned = []
    for index, own in enumerate(given or [{}]):
        candidate = {field: execution_input[field] for field in _INHERITED if field in execution_input} | own
        if "baseModelIdentifier" in own and "baseInferenceModelIdentifier" not in own:
            candidate.pop("baseInferenceModelIdentifier", None)
        base = candidate["baseModelIdentifier"]
        custom_model = candidate.get("customModelArn")
        entry = find_entry(models, custom_model or base) or find_entry(models, base)
        planned.append(
            {
                "name": "custom" if given is None or len(given) == 1 else f"custom-{index + 1}",
                "field": "" if given is None else f"candidates[{index}].",
                "baseModelIdentifier": base,
                "inferenceModelId": candidate.get("baseInferenceModelIdentifier") or inference_id(models, base),
                "customizationType": IMPORTED if custom_model else candidate.get("customizationType", "FINE_TUNING"),
                "hyperParameters": execution_input.get("hyperParameters", {}) | own.get("hyperParameters", {}),
                "customizationConfig": candidate.get("customizationConfig", {}),
                "serving": _serving(entry, serving),
                "customModelArn": custom_model,
            }
        )
    return planned


def base_models(candidates: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the models that the candidates are compared with, each once, the baseline first.

    Args:
        candidates: What `plan_candidates` returned.

    Returns:
        A list of `{"name", "modelId"}`.
    """
    identifiers = list(dict.fromkeys(candidate["inferenceModelId"] for candidate in candidates))
    if len(identifiers) == 1:
        return [{"name": "base", "modelId": identifiers[0]}]
    return [{"name": f"base-{index}", "modelId": model} for index, model in enumerate(identifiers, start=1)]


def describe(candidate: dict[str, Any]) -> str:
    """Return in words what tells a candidate from others: its base model and hyperparameters, or its custom model.

    Args:
        candidate: A candidate that `plan_candidates` planned.
    """
    if candidate["customModelArn"]:
        return str(candidate["customModelArn"])
    parameters = [f"{name} {value}" for name, value in candidate["hyperParameters"].items()]
    return shorten(", ".join([candidate["baseModelIdentifier"], *parameters]), 300)


def trained(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the candidates that have to be trained.

    Args:
        candidates: What `plan_candidates` returned.
    """
    return [candidate for candidate in candidates if candidate["customModelArn"] is None]


def problems_with_serving(candidates: list[dict[str, Any]], models: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each candidate that cannot be served as the workflow is set up to, or not be compared.

    Args:
        candidates: What `plan_candidates` returned.
        models: The catalogue.
    """
    for candidate in candidates:
        base = candidate["baseModelIdentifier"]
        entry = find_entry(models, candidate["customModelArn"] or base) or {}
        offered = entry.get("serving")
        field = f"{candidate['field']}baseModelIdentifier"
        if candidate["serving"] is None:
            yield (
                f"{field}: {base!r} is not in the catalogue of models, so it is not known how its custom "
                "models are served. Deploy the workflow with serving=Serving.on_demand() or Serving.provisioned()."
            )
        elif offered is not None and candidate["serving"] not in offered:
            yield (
                f"{field}: custom models of {base!r} cannot be served {candidate['serving']}, only "
                f"{' or '.join(offered)}. Deploy the workflow with serving=Serving.automatic(), or use another model."
            )
        if candidate["inferenceModelId"] is None:
            yield (
                f"{candidate['field']}baseInferenceModelIdentifier: missing. {base!r} is a custom model of an unknown "
                "base model; give the id of the model that the candidate shall be compared with."
            )
    models_compared = len(candidates) + len(base_models(candidates))
    if models_compared > MAXIMUM_MODELS:
        yield (
            f"candidates: with their base models these are {models_compared} models; an evaluation compares at most "
            f"{MAXIMUM_MODELS}. Start several executions."
        )


def _serving(entry: dict[str, Any] | None, wanted: str) -> str | None:
    if wanted != AUTOMATIC:
        return wanted
    if entry is None:
        return None
    offered = entry["serving"]
    return "on-demand" if "on-demand" in offered else str(offered[0])
