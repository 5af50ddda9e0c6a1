"""Works out what a customization trains, serves and compares, with every default filled in."""

import re
from typing import Any

AUTOMATIC = "automatic"
# A customization id ends with the length of its context, such as `:128k`; inference does not know that ending.
CONTEXT_LENGTH = re.compile(r":\d+k$")


def plan_candidates(execution_input: dict[str, Any], models: dict[str, Any], serving: str) -> list[dict[str, Any]]:
    """Return the candidates with what they take from the input and from the catalogue.

    Args:
        execution_input: The execution input, already valid.
        models: Catalogue entries by base model identifier.
        serving: `on-demand`, `provisioned`, or `automatic`: on demand where the catalogue says that Bedrock offers it.

    Returns:
        A list of `{"name", "baseModelIdentifier", "inferenceModelId", "customizationType", "hyperParameters",
        "serving"}`; `serving` is None where nothing says how the model can be served.
    """
    given = execution_input.get("candidates") or [{}]
    planned = []
    for index, candidate in enumerate(given, start=1):
        base = candidate.get("baseModelIdentifier", execution_input["baseModelIdentifier"])
        entry = models.get(base, {})
        planned.append(
            {
                "name": "custom" if len(given) == 1 else f"custom-{index}",
                "baseModelIdentifier": base,
                "inferenceModelId": entry.get("inferenceId", CONTEXT_LENGTH.sub("", base)),
                "customizationType": execution_input.get("customizationType", "FINE_TUNING"),
                "hyperParameters": execution_input.get("hyperParameters", {}) | candidate.get("hyperParameters", {}),
                "serving": _serving(entry.get("serving"), serving),
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


def problems_with_serving(candidates: list[dict[str, Any]], models: dict[str, Any]) -> list[str]:
    """Return a sentence for each candidate that cannot be served as the workflow is set up to.

    Args:
        candidates: What `plan_candidates` returned.
        models: Catalogue entries by base model identifier.
    """
    problems = []
    for candidate in candidates:
        base = candidate["baseModelIdentifier"]
        offered = models.get(base, {}).get("serving")
        if candidate["serving"] is None:
            problems.append(
                f"baseModelIdentifier: {base!r} is not in the catalogue of models, so it is not known how its custom "
                "models are served. Deploy the workflow with serving=Serving.on_demand() or Serving.provisioned()."
            )
        elif offered is not None and candidate["serving"] not in offered:
            problems.append(
                f"baseModelIdentifier: custom models of {base!r} cannot be served {candidate['serving']}, only "
                f"{' or '.join(offered)}. Deploy the workflow with serving=Serving.automatic(), or use another model."
            )
    return list(dict.fromkeys(problems))


def _serving(offered: list[str] | None, wanted: str) -> str | None:
    if wanted != AUTOMATIC:
        return wanted
    if offered is None:
        return None
    return "on-demand" if "on-demand" in offered else offered[0]
