"""Readable views of synthesised templates."""

import json
import re
from collections.abc import Mapping
from typing import Any

from aws_cdk.assertions import Template

_ASSET_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SUB_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


def hide_asset_hashes(data: Any, path: Any = ()) -> Any:
    """Replaces each asset hash in a string by `<asset hash>`, so that changed Lambda sources change no snapshot.

    Has the shape of a syrupy matcher, which calls it with every value and the path to it.
    """
    return _ASSET_HASH.sub("<asset hash>", data) if isinstance(data, str) else data


def readable_definition(template: Template | Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    """Returns a state machine's definition as Amazon States Language.

    CloudFormation functions in it become placeholders: `${LogicalId}` for a Ref, `${LogicalId.Attribute}` for a
    GetAtt; joins and substitutions are carried out.

    Args:
        template: the synthesised template.
        logical_id: the state machine's logical id.

    Raises:
        ValueError: the resource is no state machine, or uses a function that has no readable form here.
    """
    content = template.to_json() if isinstance(template, Template) else template
    machines = {
        name: resource
        for name, resource in content["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    }
    if logical_id not in machines:
        raise ValueError(f"logical_id: {logical_id!r} is no state machine of the template; it has {sorted(machines)}")
    properties = machines[logical_id]["Properties"]
    if "Definition" in properties:
        return _flatten_values(properties["Definition"])
    if "DefinitionString" not in properties:
        raise ValueError(f"{logical_id}: its definition is not in the template; only {sorted(properties)} are")
    return json.loads(_flatten(properties["DefinitionString"]))


def _flatten_values(value: Any) -> Any:
    if isinstance(value, list):
        return [_flatten_values(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub"):
            return _flatten(value)
        return {key: _flatten_values(item) for key, item in value.items()}
    return value


def _flatten(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::GetAtt": str(dotted)}:
            return f"${{{dotted}}}"
        case {"Fn::Join": [separator, parts]}:
            return _flatten(separator).join(_flatten(part) for part in parts)
        case {"Fn::Sub": [pattern, variables]}:
            return _SUB_PLACEHOLDER.sub(
                lambda found: _flatten(variables[found[1]]) if found[1] in variables else found[0], pattern
            )
        case {"Fn::Sub": str(pattern)}:
            return pattern
    raise ValueError(f"definition: no readable form for {json.dumps(value)}; known are Ref, GetAtt, Join and Sub")
