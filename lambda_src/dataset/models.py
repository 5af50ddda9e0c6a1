"""Checks an execution input against what the catalogue says about the models that it names."""

import difflib
import math
from collections.abc import Iterator
from typing import Any

from dataset.findings import shorten

RETIRED = ("LEGACY", "END_OF_LIFE")


def trained_models(execution_input: dict[str, Any]) -> list[str]:
    """Return the base models that the input trains, each once.

    Args:
        execution_input: The execution input; each of its `candidates` may name a `baseModelIdentifier` of its own.
    """
    return list(dict.fromkeys(base for _, base, _ in _candidates(execution_input) if base))


def problems_with_models(execution_input: dict[str, Any], models: dict[str, Any], region: str | None) -> list[str]:
    """Check customization type, lifecycle, Region, validation set and hyperparameters of every model that is trained.

    Args:
        execution_input: The execution input, already valid by its schema.
        models: Catalogue entries by base model identifier; a model that is not there is not checked.
        region: The Region that the job runs in, or None if it is not known.

    Returns:
        One sentence or two for each problem, the field's name first.
    """
    problems: list[str] = []
    for path, base, _ in _candidates(execution_input):
        if base in models:
            problems += _problems_with_model(f"{path}baseModelIdentifier", base, models[base], execution_input, region)
    for path, base, parameters in _hyperparameters(execution_input):
        if base in models:
            problems += _problems_with_hyperparameters(path, base, parameters, models[base])
    return list(dict.fromkeys(problems))


def _candidates(execution_input: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield where each trained model is named, its identifier, and the candidate."""
    base = execution_input.get("baseModelIdentifier", "")
    for index, candidate in enumerate(execution_input.get("candidates") or [{}]):
        own = "baseModelIdentifier" in candidate
        yield f"candidates[{index}]." if own else "", candidate.get("baseModelIdentifier", base), candidate


def _hyperparameters(execution_input: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    shared = execution_input.get("hyperParameters", {})
    for index, (_, base, candidate) in enumerate(_candidates(execution_input)):
        yield "hyperParameters", base, shared
        yield f"candidates[{index}].hyperParameters", base, candidate.get("hyperParameters", {})


def _problems_with_model(
    field: str, base: str, entry: dict[str, Any], execution_input: dict[str, Any], region: str | None
) -> Iterator[str]:
    if entry.get("lifecycle") in RETIRED:
        replacement = f" Use {entry['replacement']!r} instead." if entry.get("replacement") else ""
        yield f"{field}: {base!r} is {entry['lifecycle']}, Bedrock does not customize it any more.{replacement}"
    regions = entry.get("regions")
    if region and regions and region not in regions:
        yield f"{field}: {base!r} cannot be customized in {region}, only in {', '.join(regions)}."
    customization_type = execution_input.get("customizationType", "FINE_TUNING")
    types = entry.get("customizationTypes")
    if types and customization_type not in types:
        yield f"customizationType: {base!r} has no {customization_type}. Allowed: {', '.join(types)}."
    if execution_input.get("validationDataKey") and not entry.get("validationData", True):
        yield f"validationDataKey: {base!r} takes no validation set. Remove the field."


def _problems_with_hyperparameters(
    path: str, base: str, parameters: dict[str, Any], entry: dict[str, Any]
) -> Iterator[str]:
    known = entry.get("hyperParameters")
    if known is None:
        return
    for name, text in parameters.items():
        if name in known:
            if rule := _broken_rule(str(text), known[name]):
                default = known[name].get("default")
                usual = f" The default is {default}." if default is not None else ""
                yield f"{path}.{name}: must be {rule} for {base!r}, got {shorten(repr(text), 100)}.{usual}"
        else:
            closest = difflib.get_close_matches(name.lower(), {key.lower(): key for key in known}, n=1)
            meant = next((key for key in known if closest and key.lower() == closest[0]), None)
            remedy = f"Did you mean {meant}?" if meant else "Remove it."
            allowed = ", ".join(known) or "none"
            yield f"{path}.{shorten(name, 100)}: {base!r} does not know it. Allowed: {allowed}. {remedy}"


def _broken_rule(text: str, rule: dict[str, Any]) -> str | None:
    """Return the rule in words if a value breaks it."""
    values = [str(value) for value in rule.get("values", [])]
    if text in values:
        return None
    low, high = rule.get("min"), rule.get("max")
    kind = "a whole number" if rule.get("type") == "integer" else "a number"
    words = [f"{kind}{_range(low, high)}", *values] if "type" in rule else values
    try:
        number = float(text)
    except ValueError:
        return " or ".join(words)
    broken = (
        "type" not in rule
        or not math.isfinite(number)
        or (rule["type"] == "integer" and not text.strip().lstrip("+-").isdigit())
        or (low is not None and number < low)
        or (high is not None and number > high)
    )
    return " or ".join(words) if broken else None


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f" that is {low}"
    if low is None:
        return f" of at most {high}"
    return f" of at least {low}" if high is None else f" from {low} to {high}"
