"""Finds models in the catalogue, however an execution names them."""

import re
from typing import Any

_FOUNDATION_MODEL = re.compile(r"arn:[a-z-]+:bedrock:[a-z0-9-]+::foundation-model/(.+)")
# A custom model's ARN tells the base model that it was made from.
_CUSTOM_MODEL = re.compile(r"arn:[a-z-]+:bedrock:([a-z0-9-]+):\d{12}:custom-model/(.+)/[a-z0-9]{12}")
# One of Bedrock's own inference profiles: a geography and the model's id.
_PROFILE = re.compile(
    r"(?:arn:[a-z-]+:bedrock:[a-z0-9-]+:\d{12}:inference-profile/)?(?:us-gov|us|eu|apac|jp|au|ca|global)\.(.+)"
)
# A customization id ends with the length of its context, such as `:128k`; inference does not know that ending.
_CONTEXT_LENGTH = re.compile(r":\d+k$")


def find_entry(models: dict[str, Any], identifier: str) -> dict[str, Any] | None:
    """Return a model's catalogue entry, or None if the catalogue does not know it.

    Args:
        models: The catalogue, entries by customization id.
        identifier: An id, the ARN of a foundation model, or the ARN of a custom model, which counts as its base model.
    """
    return models.get(base_model_id(identifier))


def base_model_id(identifier: str) -> str:
    """Return the id in the ARN of a foundation or custom model; any other identifier is returned as it is."""
    if found := _FOUNDATION_MODEL.fullmatch(identifier):
        return found[1]
    found = _CUSTOM_MODEL.fullmatch(identifier)
    return found[2] if found else identifier


def model_of_profile(identifier: str) -> str | None:
    """Return the model's id in the id or ARN of one of Bedrock's own inference profiles, or None if it is no such."""
    found = _PROFILE.fullmatch(identifier)
    return found[1] if found else None


def custom_model_region(identifier: str) -> str | None:
    """Return the Region in a custom model's ARN, or None if the identifier is no such ARN."""
    found = _CUSTOM_MODEL.fullmatch(identifier)
    return found[1] if found else None


def inference_id(models: dict[str, Any], identifier: str) -> str | None:
    """Return what Converse takes for a base model.

    Args:
        models: The catalogue.
        identifier: As in `find_entry`.

    Returns:
        The catalogue's id; for a model that it does not know, the id without the length of its context; None for a
        custom model of such a base model, which only what serves it can answer for.
    """
    if entry := find_entry(models, identifier):
        return str(entry["inferenceId"])
    if custom_model_region(identifier):
        return None
    return _CONTEXT_LENGTH.sub("", base_model_id(identifier))


def ids_for_customization(models: dict[str, Any], identifier: str) -> list[str]:
    """Return the active customization ids of the model that an id for inference belongs to."""
    names = {base_model_id(identifier), model_of_profile(identifier)}
    return [
        model
        for model, entry in models.items()
        if entry.get("lifecycle") == "ACTIVE"
        and not names.isdisjoint({entry.get("inferenceId"), _CONTEXT_LENGTH.sub("", model)})
    ]
