"""Compiles what InvokeModel needs, so that a state machine only has to join texts and to follow steps.

A body template is any JSON value with placeholders. `"{messages}"`, `"{maxTokens}"`, `"{temperature}"` and `"{topP}"`
stand for a whole value; `{prompt}` and `{system}` stand anywhere in a text. A path such as `results[0].outputText` says
where the answer is.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

WHOLE_VALUES = ("messages", "maxTokens", "temperature", "topP")
TEXTS = ("prompt", "system")
COMPLETE_STOP_REASONS = ("end_turn", "stop_sequence", "stop", "COMPLETE", "FINISH", "FINISHED", "endoftext")
"""How the providers on Bedrock call a normal end of an answer, unless the input says otherwise."""

_WHOLE = re.compile(r'"\{(' + "|".join(WHOLE_VALUES) + r')\}"')
_PLACEHOLDER = re.compile(_WHOLE.pattern + r"|\{(" + "|".join(TEXTS) + r")\}")
_PATH = re.compile(r"[^.\[\]]+|\[\d+\]")


def compile_template(template: Any) -> list[dict[str, str]]:
    """Cut a body template into texts and placeholders.

    Args:
        template: The body as JSON, with placeholders.

    Returns:
        Parts whose join is the body's JSON text: `{"text"}` as it is, `{"value"}` to be replaced by the JSON text of
        that value; of `prompt` and `system` without the quotes.
    """
    source = json.dumps(template, ensure_ascii=False)
    parts = []
    position = 0
    for found in _PLACEHOLDER.finditer(source):
        if found.start() > position:
            parts.append({"text": source[position : found.start()]})
        parts.append({"value": found[1] or found[2]})
        position = found.end()
    return [*parts, {"text": source[position:]}]


def compile_path(path: str) -> list[str | int]:
    """Return the steps of a path: fields' names and, from 0, numbers of array elements.

    Args:
        path: For example `choices[0].message.content`.
    """
    return [int(step[1:-1]) if step.startswith("[") else step for step in _PATH.findall(path)]


def placeholders(template: Any) -> set[str]:
    """Return the names of the placeholders that a body template has."""
    return {part["value"] for part in compile_template(template) if "value" in part}


def problems_with_template(template: Any, *, top_p: bool) -> Iterator[str]:
    """Say why a body template cannot work.

    Args:
        template: The body as JSON, with placeholders.
        top_p: Whether models are asked with a topP.

    Yields:
        One sentence or two for each problem, without the field's name.
    """
    found = placeholders(template)
    if found.isdisjoint(("prompt", "messages")):
        yield "has no place for the record. Put '{prompt}' into a text, or '\"{messages}\"' in place of a value."
    if {"prompt", "messages"} <= found:
        yield "has both '{prompt}' and '{messages}', so that the record would be asked twice. Keep one of them."
    needed = ["maxTokens", "temperature", *(["topP"] if top_p else [])]
    if missing := [name for name in needed if name not in found]:
        names = " and ".join(f"'\"{{{name}}}\"'" for name in missing)
        yield f"has no {names}; all models are asked with the same parameters. Put it in place of a value."
    if "topP" in found and not top_p:
        yield "has '{topP}', but the workflow's Inference sets no top_p. Remove it, or set top_p."
    if any(_PLACEHOLDER.search(json.dumps(name)) for name in _names(template)):
        yield "has a placeholder in the name of a field; only values can be filled in."
    loose = re.findall(r"\{(" + "|".join(WHOLE_VALUES) + r")\}", _WHOLE.sub("", json.dumps(template)))
    if loose:
        names = ", ".join(f"'{{{name}}}'" for name in dict.fromkeys(loose))
        yield f'has {names} within a text; it must be the whole value, such as "max_tokens": "{{maxTokens}}".'


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
