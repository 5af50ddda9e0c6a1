"""Brings evaluation records of every format into the one form that models are asked in."""

import json
from typing import Any

from dataset import schemas
from dataset.content import MEDIA
from dataset.conversion import convert_record
from dataset.evaluation_models import RecordNeeds
from dataset.findings import WARNINGS
from dataset.given_answers import given_answers
from dataset.records import Parsed, Record, Turn, check_text

OWN_NAMES = ("references", "category", "responses")
"""What evaluation data have beside the fields of a schema."""
SCHEMA_NAMES = {
    schemas.PROMPT_COMPLETION: frozenset({"prompt", "completion"}),
    schemas.CONVERSATION: frozenset({"schemaVersion", "system", "messages"}),
}
"""The fields of each schema that evaluation data may have; others travel with the data and are left out."""


EXPECTED = 'evaluation data are {"prompt", "completion"} or bedrock-conversation-2024'


def normalise(
    value: dict[str, Any], identifier: str, needs: RecordNeeds | None = None
) -> tuple[dict[str, Any] | None, Parsed]:
    """Bring a record into the one form that models are asked in.

    Args:
        value: A record of either schema or of another format that is converted, optionally with `references`,
            `category` and `responses`.
        identifier: The record's id.
        needs: What the models need of it.

    Returns:
        The normalised record, or None if it has a fault; and what was parsed, with the faults.
    """
    needs = needs or RecordNeeds()
    value = _in_a_known_schema(value)
    parsed = _parse(value, needs)
    if parsed is None:
        return None, Parsed(faults=[("unknownSchema", f"{schemas.unknown(value)}; {EXPECTED}")])
    record: dict[str, Any] = {"id": identifier}
    if parsed.record.system:
        record["system"] = [{"text": text} for text in parsed.record.system]
    turns = parsed.record.turns[:-1] if parsed.record.completion is not None else parsed.record.turns
    if turns:
        record["messages"] = [{"role": turn.role, "content": [{"text": turn.text}]} for turn in turns]
    record["references"] = _references(value, parsed)
    if "category" in value:
        record["category"] = check_text(value, "category", "", parsed.faults)
    if answers := given_answers(value, needs.given, parsed.faults):
        record["responses"] = answers
    if needs.prompt and not parsed.faults and not turns:
        parsed.faults.append(("turnOrder", "there is no turn before the answer"))
    _check_templates(record, needs, parsed)
    _check_size(record, needs, parsed)
    return (None if parsed.faults else record), parsed


def _in_a_known_schema(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record of another format as a conversation; one that cannot be converted is returned as it is."""
    if schemas.recognise(value) in SCHEMA_NAMES:
        return value
    try:
        converted = convert_record(value, schemas.CONVERSATION, answer_required=False)
    except ValueError:
        return value
    return converted | {name: value[name] for name in OWN_NAMES if name in value}


def _parse(value: dict[str, Any], needs: RecordNeeds) -> Parsed | None:
    schema = schemas.recognise(value)
    if not needs.prompt and "prompt" not in value and "messages" not in value:
        return _parse_without_prompt(value)
    if schema not in SCHEMA_NAMES:
        return None
    own = {name: value[name] for name in value if name in SCHEMA_NAMES[schema]}
    parsed = schemas.parse(own, schema, answer_required=False)
    # A record with media is left out, whether or not they are well described.
    parsed.faults = [fault for fault in parsed.faults if fault[0] not in WARNINGS and fault[0] != "media"]
    if schema == schemas.CONVERSATION and _has_media(value):
        parsed.faults.append(("unsupportedContent", "a turn holds something else than text"))
    return parsed


def _parse_without_prompt(value: dict[str, Any]) -> Parsed:
    parsed = Parsed()
    if "completion" in value:
        parsed.record = Record(turns=(Turn("assistant", check_text(value, "completion", "", parsed.faults)),))
    return parsed


def _check_templates(record: dict[str, Any], needs: RecordNeeds, parsed: Parsed) -> None:
    if needs.single_turn and len(record.get("messages", [])) > 1:
        names = ", ".join(needs.single_turn)
        parsed.faults.append(("templateTurns", f"several turns, but the body template of {names} takes one"))
    if needs.no_system and "system" in record:
        names = ", ".join(needs.no_system)
        parsed.faults.append(("templateSystem", f"a system text, but the body template of {names} takes none"))


def encode(record: dict[str, Any]) -> bytes:
    """Return a record as one line of UTF-8 JSON, without the line end."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _check_size(record: dict[str, Any], needs: RecordNeeds, parsed: Parsed) -> None:
    if parsed.faults:
        return
    try:
        size = len(encode(record))
    except UnicodeEncodeError:
        parsed.faults.append(("loneSurrogate", "a text holds half of a UTF-16 pair"))
        return
    if size > needs.record_bytes:
        parsed.faults.append(("recordTooLarge", f"{size} bytes, at most {needs.record_bytes}"))
    if needs.asked:
        record["answerLimit"] = needs.answer_bytes(size)


def _references(value: dict[str, Any], parsed: Parsed) -> list[str]:
    further = value.get("references", [])
    if not isinstance(further, list) or any(not isinstance(text, str) for text in further):
        parsed.faults.append(("wrongType", "references is not an array of strings"))
        return []
    if any(not text.strip() for text in further):
        parsed.faults.append(("emptyText", "a text in references is blank"))
    completion = parsed.record.completion
    references = list(dict.fromkeys([*([completion] if completion is not None else []), *further]))
    if not references and not parsed.faults:
        parsed.faults.append(("noReference", "there is no completion, no last assistant turn and no references"))
    return references


def _has_media(value: dict[str, Any]) -> bool:
    contents = [
        message["content"] for message in value["messages"] if isinstance(message, dict) and "content" in message
    ]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return any(isinstance(block, dict) and not MEDIA.isdisjoint(block) for block in blocks)
