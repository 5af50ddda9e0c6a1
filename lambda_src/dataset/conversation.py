"""The two schemas whose records are conversations."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from dataset.content import Faults, read_blocks, read_system
from dataset.records import Parsed, Record, Turn, check_names, check_text, type_name

CONVERSATION_NAMES = frozenset({"schemaVersion", "system", "messages"})

Content = Callable[[dict[str, Any], str, Faults], Turn]


def parse_conversation(value: dict[str, Any], answer_required: bool) -> Parsed:
    """Parse a `bedrock-conversation-2024` record: `{"schemaVersion", "system": [{"text"}], "messages": [...]}`.

    Each message is `{"role": "user"|"assistant", "content": [{"text"}, ...]}`; `dataset.content` says what else a turn
    may hold.

    Args:
        value: The object on the line.
        answer_required: Whether the last turn must be the assistant's.

    Returns:
        The record and its faults.
    """
    parsed = Parsed()
    if value.get("toolConfig"):
        parsed.faults.append(("unsupportedContent", "toolConfig: tools are not trained"))
    check_names({name: value[name] for name in value if name != "toolConfig"}, CONVERSATION_NAMES, "", parsed.faults)
    _check_version(value, parsed.faults)
    system = read_system(value.get("system", []), parsed.faults)
    turns = _turns(value, parsed.faults, read_blocks)
    _check_order(turns, answer_required, parsed.faults)
    parsed.record = Record(system=system, turns=tuple(turns))
    return parsed


def parse_chat(value: dict[str, Any], answer_required: bool) -> Parsed:
    """Parse a record whose messages hold plain strings: `{"system": "...", "messages": [{"role", "content": "..."}]}`.

    A message with the role `system` comes first and is a system text. Other fields of the record are left to the grader
    that gets them.

    Args:
        value: The object on the line.
        answer_required: Whether the last turn must be the assistant's.

    Returns:
        The record and its faults.
    """
    parsed = Parsed()
    system = [check_text(value, "system", "", parsed.faults)] if "system" in value else []
    turns = _turns(value, parsed.faults, _string)
    system += [turn.text for turn in turns if turn.role == "system"]
    if any(turn.role == "system" for turn in turns[1:]):
        parsed.faults.append(("turnOrder", "a system message is not the first message"))
    turns = [turn for turn in turns if turn.role != "system"]
    _check_order(turns, answer_required, parsed.faults)
    parsed.record = Record(system=tuple(system), turns=tuple(turns))
    return parsed


def _check_version(value: dict[str, Any], faults: Faults) -> None:
    version = value.get("schemaVersion")
    if version is None:
        faults.append(("schemaVersion", "schemaVersion is missing"))
    elif version != "bedrock-conversation-2024":
        faults.append(("schemaVersion", f"schemaVersion is {version!r}"))


def _string(message: dict[str, Any], path: str, faults: Faults) -> Turn:
    return Turn(str(message.get("role")), check_text(message, "content", path, faults))


def _turns(value: dict[str, Any], faults: Faults, content: Content) -> list[Turn]:
    if "messages" not in value:
        faults.append(("missingField", "messages is missing"))
        return []
    messages = value["messages"]
    if not isinstance(messages, list):
        faults.append(("wrongType", f"messages is {type_name(messages)}, not an array"))
        return []
    turns = []
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if not isinstance(message, dict):
            faults.append(("wrongType", f"{path} is {type_name(message)}, not an object"))
            return []
        check_names(message, frozenset({"role", "content"}), f"{path}.", faults)
        turns.append(content(message, f"{path}.", faults))
    return turns


def _check_order(turns: list[Turn], answer_required: bool, faults: Faults) -> None:
    if unknown := [turn.role for turn in turns if turn.role not in ("user", "assistant")]:
        faults.append(("role", f"role {unknown[0]!r} is unknown"))
        return
    if not turns:
        if not faults:
            faults.append(("turnOrder", "there is no turn"))
        return
    if turns[0].role != "user":
        faults.append(("turnOrder", f"the first turn is the {turns[0].role}'s"))
    if any(first.role == second.role for first, second in pairwise(turns)):
        faults.append(("turnOrder", "two turns of the same role follow one another"))
    if answer_required and turns[-1].role != "assistant":
        faults.append(("turnOrder", f"the last turn is the {turns[-1].role}'s"))
