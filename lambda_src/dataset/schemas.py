"""The schemas of training data that Bedrock knows, by name, and how a line is told apart and parsed."""

import json
from collections.abc import Callable
from typing import Any

from dataset import conversation
from dataset.records import Parsed, Record, Turn, check_names, check_text, type_name

PROMPT_COMPLETION = "prompt-completion"
CONVERSATION = "bedrock-conversation-2024"
CHAT = "chat"
ANTHROPIC_MESSAGES = "anthropic-messages"
INPUT = "input"


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
    except ValueError as error:
        return None, ("notJson", str(error))
    if not isinstance(value, dict):
        return None, ("notJson", f"the line is {type_name(value)}, not an object")
    return value, None


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
    if "prompt" in value or "completion" in value:
        return PROMPT_COMPLETION
    if isinstance(messages := value.get("messages"), list):
        strings = any(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages)
        return CHAT if strings and "schemaVersion" not in value else CONVERSATION
    if "input" in value:
        return INPUT
    return None


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
    if found is not None and SCHEMAS[found] is not SCHEMAS[schema]:
        return Parsed(faults=[("wrongSchema", f"this is {found}, not {schema}")])
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
