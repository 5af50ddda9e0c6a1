"""Turns everything that a JSON Schema finds wrong with an execution input into sentences that name the field."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.exceptions import relevance

from dataset.findings import shorten

TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Check a pattern as JSON Schema means it: `$` is the end, and not, as in Python, also before a last line end."""
    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = validators.extend(Draft202012Validator, {"pattern": _check_pattern})


def problems_with_input(value: Any, schema: dict[str, Any]) -> list[str]:
    """Check an execution input.

    Args:
        value: The input.
        schema: Its JSON Schema, draft 2020-12; `description` of a property is quoted as the rule that was broken.

    Returns:
        One sentence or two for each problem, the field's name first; empty if there is none.
    """
    errors = sorted(_Validator(schema).iter_errors(value), key=lambda error: [str(part) for part in error.path])
    return list(dict.fromkeys(sentence for error in errors for sentence in _sentences(error, schema)))


def _sentences(error: ValidationError, root: dict[str, Any]) -> list[str]:
    if error.validator in ("anyOf", "oneOf") and error.context:
        return _sentences(max(error.context, key=_closeness), root)
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, dict):
        return [_unknown_field(error, name) for name in _unknown_names(error)]
    if error.validator == "required":
        return [_missing_field(error, root)]
    if error.validator == "dependentRequired":
        return [f"{_field(error.absolute_path)}: {error.message}."]
    rule = _rule(error)
    problem = f"{_field(error.absolute_path)}: {rule}, got {_quoted(error.instance)}."
    remedy = _remedy(error, root)
    return [f"{problem} {remedy}" if remedy else problem]


def _closeness(error: ValidationError) -> Any:
    """Prefer the alternative that came furthest, which is the one that was meant."""
    return len(error.relative_path), relevance(error)


def _rule(error: ValidationError) -> str:
    allowed = error.validator_value
    match error.validator:
        case "type":
            types = [allowed] if isinstance(allowed, str) else allowed
            return f"must be {' or '.join(TYPES[name] for name in types)}"
        case "enum":
            return f"must be one of {', '.join(map(_quoted, allowed))}"
        case "const":
            return f"must be {_quoted(allowed)}"
        case "pattern":
            return f"must match {allowed}"
        case "minLength":
            return f"must have at least {_counted(allowed, 'character')}"
        case "maxLength":
            return f"must have at most {_counted(allowed, 'character')}"
        case "minItems":
            return f"must have at least {_counted(allowed, 'entry', 'entries')}"
        case "maxItems":
            return f"must have at most {_counted(allowed, 'entry', 'entries')}"
        case "minProperties":
            return f"must have at least {_counted(allowed, 'field')}"
        case "uniqueItems":
            return "must not have the same entry twice"
        case "minimum":
            return f"must be at least {allowed}"
        case "maximum":
            return f"must be at most {allowed}"
        case "maxProperties":
            return f"must have at most {_counted(allowed, 'field')}"
        case "not" if "const" in allowed:
            return f"must not be {_quoted(allowed['const'])}"
        case "not" if allowed == {}:
            return "must be left out"
        case "exclusiveMinimum":
            return f"must be more than {allowed}"
        case "exclusiveMaximum":
            return f"must be less than {allowed}"
        case _:
            return f"is refused by the rule {error.validator!r}"


def _remedy(error: ValidationError, root: dict[str, Any]) -> str:
    if error.validator == "type" and error.validator_value == "string" and isinstance(error.instance, int | float):
        whole = isinstance(error.instance, float) and error.instance.is_integer()
        return f'Write it in quotes: "{json.dumps(int(error.instance) if whole else error.instance)}".'
    if error.validator == "enum" and isinstance(error.instance, str):
        suggestion = _suggestion(error.instance, [value for value in error.validator_value if isinstance(value, str)])
        if suggestion:
            return suggestion
    return _innermost_description(error, root)


def _innermost_description(error: ValidationError, root: dict[str, Any]) -> str:
    """Return the description of the schema that was broken, or of the nearest one around it, across references."""
    schema: Any = root
    description = ""
    path = list(error.absolute_schema_path)
    for step, following in zip(path, [*path[1:], None], strict=True):
        # The path of an error goes to `then` and `else` by way of the `if` beside them.
        if step == "if" and following in ("then", "else"):
            continue
        # The path of an error leaves references out.
        while isinstance(schema, dict) and step not in schema and "$ref" in schema:
            schema = _referred(schema["$ref"], root)
            description = _description(schema) or description
        schema = schema[step]
        if step != "properties":
            description = _description(schema) or description
    return description


def _referred(reference: str, root: dict[str, Any]) -> Any:
    schema: Any = root
    for step in reference.removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


def _missing_field(error: ValidationError, root: dict[str, Any]) -> str:
    missing = next(name for name in error.validator_value if error.message.startswith(repr(name)))
    # A rule about several fields names one that is described where the fields are.
    around = error.schema if missing in error.schema.get("properties", {}) or error.absolute_path else root
    description = _description(around.get("properties", {}).get(missing, {}))
    return f"{_field([*error.absolute_path, missing])}: missing. Add it{': ' if description else '.'}{description}"


def _unknown_names(error: ValidationError) -> list[str]:
    known = error.schema.get("properties", {})
    names = [name for name in error.instance if name not in known]
    return [name for name in names if repr(name) in error.message] or names


def _unknown_field(error: ValidationError, name: str) -> str:
    allowed = list(error.schema.get("properties", {}))
    suggestion = _suggestion(name, allowed)
    remedy = suggestion or "Remove it."
    return f"{_field([*error.absolute_path, name])}: unknown field. Allowed: {', '.join(allowed) or 'none'}. {remedy}"


def _suggestion(name: str, allowed: list[str]) -> str:
    by_lower_case = {value.lower(): value for value in allowed}
    closest = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return f"Did you mean {by_lower_case[closest[0]]}?" if closest else ""


def _description(schema: Any) -> str:
    text = str(schema.get("description", "")).strip() if isinstance(schema, dict) else ""
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def _field(path: Iterable[str | int]) -> str:
    field = ""
    for part in path:
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else str(part)
    return shorten(field) or "input"


def _quoted(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 100)


def _counted(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
