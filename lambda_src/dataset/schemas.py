"""The schemas of training data that Bedrock knows, by name, and how a line is told apart and parsed."""

import json
from collections.abc import Callable
from typing import Any

from dataset import conversation
from dataset.lookalikes import lookalike
from dataset.records import Parsed, Record, Turn, check_names, check_text, type_name

PROMPT_COMPLETION = "prompt-completion"
CONVERSATION = "bedrock-conversation-2024"
CHAT = "chat"
ANTHROPIC_MESSAGES = "anthropic-messages"
INPUT = "input"
CALLED = {
    CHAT: "OpenAI's chat format",
    INPUT: 'unlabelled text, {"input"}',
    PROMPT_COMPLETION: '{"prompt", "completion"}',
}
"""What people call a schema, where its name does not say it."""


def parse_json(text: str) -> tuple[Any, tuple[str, str] | None]:
    """Parse one line strictly: no NaN or Infinity, no field twice, one object and nothing else.

    Args:
        text: The line.

    Returns:
        The object and no fault, or None and the fault.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError:
        return None, ("notJson", "nested too deeply")
    except json.JSONDecodeError as error:
        return None, ("notJson", _in_words(error))
    except ValueError as error:
        too_long = str(error).startswith("Exceeds the limit")
        return None, ("notJson", "a number has thousands of digits" if too_long else str(error))
    if not isinstance(value, dict):
        return None, ("notJson", f"the line is {type_name(value)}, not an object")
    return value, None


def _in_words(error: json.JSONDecodeError) -> str:
    place = f"at character {error.pos + 1}"
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
        return "the line ends before the object does"
    if error.msg == "Extra data":
        return f"something follows the object, {place}"
    if error.msg.startswith("Invalid control character"):
        code = ord(error.doc[error.pos])
        return f"a control character, U+{code:04X}, is not escaped, {place}"
    return f"{error.msg[:1].lower()}{error.msg[1:]}, {place}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"field {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return value


def recognise(value: dict[str, Any]) -> str | None:
    """Return the name of the schema that a record seems to be written in, or None."""
    if lookalike(value):
        return None
    if "prompt" in value or "completion" in value:
        return PROMPT_COMPLETION
    if isinstance(messages := value.get("messages"), list):
        strings = any(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages)
        return CHAT if strings and "schemaVersion" not in value else CONVERSATION
    if "input" in value:
        return INPUT
    return None


def unknown(value: dict[str, Any]) -> str:
    """Say what a record is that is in no schema of Bedrock's."""
    fields = f"fields: {', '.join(value) or 'none'}"
    found = lookalike(value)
    return f"this looks like {found[0]}; {fields}" if found else fields


def parse(value: dict[str, Any], schema: str, *, answer_required: bool = True) -> Parsed:
    """Parse a record of a known schema.

    Args:
        value: The object on the line.
        schema: A key of `SCHEMAS`.
        answer_required: Whether the record has to end with an answer; not so for prompts that a teacher model answers.

    Returns:
        The record and its faults. A record of another known schema has the one fault `wrongSchema`.
    """
    found = recognise(value)
    if found is None and lookalike(value):
        return Parsed(faults=[("unknownSchema", unknown(value))])
    if found is not None and SCHEMAS[found] is not SCHEMAS[schema]:
        return Parsed(faults=[("wrongSchema", f"this is {CALLED.get(found, found)}, not {CALLED.get(schema, schema)}")])
    parsed = SCHEMAS[schema](value, answer_required)
    if any(_has_lone_surrogate(text) for text in parsed.record.texts):
        parsed.faults.append(("loneSurrogate", "a text holds half of a UTF-16 pair"))
    return parsed


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _parse_prompt_completion(value: dict[str, Any], answer_required: bool) -> Parsed:
    parsed = Parsed()
    check_names(value, frozenset({"prompt", "completion"}), "", parsed.faults)
    turns = [Turn("user", check_text(value, "prompt", "", parsed.faults))]
    if answer_required or "completion" in value:
        turns.append(Turn("assistant", check_text(value, "completion", "", parsed.faults)))
    parsed.record = Record(turns=tuple(turns))
    return parsed


def _parse_input(value: dict[str, Any], answer_required: bool) -> Parsed:
    parsed = Parsed()
    check_names(value, frozenset({"input"}), "", parsed.faults)
    parsed.record = Record(turns=(Turn("user", check_text(value, "input", "", parsed.faults)),))
    return parsed


SCHEMAS: dict[str, Callable[[dict[str, Any], bool], Parsed]] = {
    PROMPT_COMPLETION: _parse_prompt_completion,
    CONVERSATION: conversation.parse_conversation,
    CHAT: conversation.parse_chat,
    ANTHROPIC_MESSAGES: conversation.parse_chat,
    INPUT: _parse_input,
}
"""How each schema is parsed: `prompt-completion` (Titan Text, Cohere, Llama 3.1), `bedrock-conversation-2024` (Nova,
Llama 3.2 and 3.3, distillation), `chat` (reinforcement fine-tuning), `anthropic-messages` (Claude 3 Haiku),
`input` (continued pre-training)."""
