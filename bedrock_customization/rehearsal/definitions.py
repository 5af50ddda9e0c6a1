"""Reads the definition of a state machine of a template."""

from __future__ import annotations

import json
from typing import Any

from bedrock_customization.rehearsal.assembly import Assets, UnsupportedTemplateError
from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError


def definition_of(properties: dict[str, Any], assets: Assets, where: str) -> dict[str, Any]:
    """A state machine's definition, from its string, its object or its asset, with its substitutions.

    Args:
        properties: The resolved properties of the `AWS::StepFunctions::StateMachine`.
        assets: The assembly's assets.
        where: What error messages call the state machine.

    Raises:
        UnsupportedTemplateError: It is somewhere else.
        UnsupportedDefinitionError: It is no JSON.
    """
    if "DefinitionString" in properties:
        text = str(properties["DefinitionString"])
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        key = str(properties.get("DefinitionS3Location", {}).get("Key", ""))
        found = assets.text(key)
        if found is None:
            kind = "AWS::StepFunctions::StateMachine"
            raise UnsupportedTemplateError(
                f"{where}.Properties.DefinitionS3Location ({kind}) is no asset of the assembly"
            )
        text = found
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", json.dumps(str(value))[1:-1])
    try:
        definition: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnsupportedDefinitionError(
            f"{where} (AWS::StepFunctions::StateMachine): its definition is no JSON: {error}"
        ) from error
    return definition
