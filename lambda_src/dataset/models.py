"""Checks an execution input against what the catalogue says about the models that it names."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from dataset.candidates import trained
from dataset.catalogue import base_model_id, custom_model_region, find_entry, ids_for_customization
from dataset.findings import shorten
from dataset.jobs import REINFORCEMENT, REINFORCEMENT_HYPERPARAMETERS, reinforcement_hyperparameters

RETIRED = ("LEGACY", "END_OF_LIFE")

# Python would take more for a number, such as 1_000, nan and digits of any script.
_WRITTEN = {
    "integer": re.compile(r"[+-]?[0-9]+"),
    "number": re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
}


def problems_with_models(
    execution_input: dict[str, Any], candidates: list[dict[str, Any]], models: dict[str, Any], region: str | None
) -> list[str]:
    """Check lifecycle, Region, customization type, validation set and hyperparameters.

    Args:
        execution_input: The execution input, already valid.
        candidates: What `dataset.candidates` planned of it.
        models: The catalogue; a model that is not in it is not checked.
        region: The Region that the job runs in, or None if it is not known.

    Returns:
        One sentence or two for each problem, the field's name first.
    """
    problems: list[str] = []
    for candidate in candidates:
        problems += _problems_with_identifier(candidate, models, region)
    for candidate in trained(candidates):
        entry = find_entry(models, candidate["baseModelIdentifier"])
        if entry is not None:
            problems += _problems_with_training(execution_input, candidate, entry, region)
        problems += _problems_with_hyperparameters(execution_input, candidate, entry)
    return list(dict.fromkeys(problems))


def unknown_models(candidates: list[dict[str, Any]], models: dict[str, Any]) -> list[str]:
    """Return a sentence for each base model that is not in the catalogue.

    Args:
        candidates: What `dataset.candidates` planned.
        models: The catalogue.
    """
    sentences = []
    for base in dict.fromkeys(candidate["baseModelIdentifier"] for candidate in candidates):
        if find_entry(models, base) is None:
            closest = difflib.get_close_matches(base_model_id(base), models, n=1)
            meant = f"; did you mean {closest[0]!r}" if closest else ""
            sentences.append(f"{base!r} is not in the catalogue{meant}")
    return sentences


def cautions(candidates: list[dict[str, Any]], models: dict[str, Any]) -> list[str]:
    """Return what the catalogue says is not certain about the models that are trained.

    Args:
        candidates: What `dataset.candidates` planned.
        models: The catalogue.
    """
    bases = dict.fromkeys(candidate["baseModelIdentifier"] for candidate in trained(candidates))
    entries = {base: find_entry(models, base) or {} for base in bases}
    return [f"{base!r}: {entry['caution']}" for base, entry in entries.items() if "caution" in entry]


def _field(execution_input: dict[str, Any], candidate: dict[str, Any], name: str) -> str:
    """Return where the input has a field of a candidate: in the candidate's own entry or beside all of them."""
    if not candidate["field"]:
        return name
    index = int(candidate["field"].removeprefix("candidates[").removesuffix("]."))
    return f"{candidate['field']}{name}" if name in execution_input["candidates"][index] else name


def _problems_with_identifier(candidate: dict[str, Any], models: dict[str, Any], region: str | None) -> Iterator[str]:
    base, custom_model = candidate["baseModelIdentifier"], candidate["customModelArn"]
    if find_entry(models, base) is None and (meant := ids_for_customization(models, base)):
        yield (
            f"baseModelIdentifier: {base!r} is an id for inference. For customization use "
            f"{' or '.join(map(repr, meant))}."
        )
    for field, identifier in (("baseModelIdentifier", base), ("customModelArn", custom_model)):
        place = custom_model_region(identifier) if identifier else None
        if region and place and place != region:
            yield (
                f"{field}: {identifier!r} is in {place}, this workflow runs in {region}. Copy the model with "
                "CreateModelCopyJob, or deploy the workflow there."
            )


def _problems_with_training(
    execution_input: dict[str, Any], candidate: dict[str, Any], entry: dict[str, Any], region: str | None
) -> Iterator[str]:
    base = candidate["baseModelIdentifier"]
    field = _field(execution_input, candidate, "baseModelIdentifier")
    if entry.get("lifecycle") in RETIRED:
        replacement = f" Use {entry['replacement']!r} instead." if entry.get("replacement") else ""
        yield f"{field}: {base!r} is {entry['lifecycle']}, Bedrock does not customize it any more.{replacement}"
        return
    regions = entry.get("regions")
    if region and regions and region not in regions:
        yield (
            f"{field}: {base!r} cannot be customized in {region}, only in {', '.join(regions)}. Deploy the stack "
            f"there, or choose a model that can be customized in {region}."
        )
    customization_type, types = candidate["customizationType"], entry.get("customizationTypes")
    if types and customization_type not in types:
        yield f"customizationType: {base!r} has no {customization_type}. Allowed: {', '.join(types)}."
    if execution_input.get("validationDataKey") and not entry.get("validationData", True):
        yield f"validationDataKey: {base!r} takes no validation set. Remove the field."


def _problems_with_hyperparameters(
    execution_input: dict[str, Any], candidate: dict[str, Any], entry: dict[str, Any] | None
) -> Iterator[str]:
    base = candidate["baseModelIdentifier"]
    if candidate["customizationType"] == REINFORCEMENT:
        known: dict[str, Any] | None = REINFORCEMENT_HYPERPARAMETERS
        parameters = reinforcement_hyperparameters(candidate)
    else:
        known = (entry or {}).get("hyperParameters")
        parameters = candidate["hyperParameters"]
    if known is None:
        return
    for name, value in parameters.items():
        path = _hyperparameter_field(execution_input, candidate, name)
        if name in known:
            if rule := _broken_rule(str(value), known[name]):
                default = known[name].get("default")
                usual = f" The default is {default}." if default is not None else ""
                yield f"{path}: must be {rule} for {base!r}, got {shorten(repr(value), 100)}.{usual}"
        else:
            closest = difflib.get_close_matches(name.lower(), {key.lower(): key for key in known}, n=1)
            meant = next((key for key in known if closest and key.lower() == closest[0]), None)
            remedy = f"Did you mean {meant}?" if meant else "Remove it."
            allowed = ", ".join(known) or "none"
            yield f"{path}: {base!r} does not know it. Allowed: {allowed}. {remedy}"


def _hyperparameter_field(execution_input: dict[str, Any], candidate: dict[str, Any], name: str) -> str:
    """Return where the value of a hyperparameter comes from: the candidate's entry, the input, or its `rftConfig`."""
    field = _field(execution_input, candidate, "hyperParameters")
    if field != "hyperParameters":
        index = int(candidate["field"].removeprefix("candidates[").removesuffix("]."))
        if name not in execution_input["candidates"][index]["hyperParameters"]:
            field = "hyperParameters"
    if name not in candidate["hyperParameters"]:
        field = f"{_field(execution_input, candidate, 'customizationConfig')}.rftConfig.hyperParameters"
    return f"{field}.{shorten(name, 100)}"


def _broken_rule(text: str, rule: dict[str, Any]) -> str | None:
    """Return the rule in words if a value breaks it."""
    values = [str(value) for value in rule.get("values", [])]
    if text in values:
        return None
    low, high = rule.get("min"), rule.get("max")
    kind = "a whole number" if rule.get("type") == "integer" else "a number"
    words = [f"{kind}{_range(low, high)}", *values] if "type" in rule else values
    written = _WRITTEN[rule["type"]].fullmatch(text) if "type" in rule else None
    if written and (low is None or float(text) >= low) and (high is None or float(text) <= high):
        return None
    return " or ".join(words)


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f" that is {low}"
    if low is None:
        return f" of at most {high}"
    return f" of at least {low}" if high is None else f" from {low} to {high}"
