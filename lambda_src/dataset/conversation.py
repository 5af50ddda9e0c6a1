"""The two schemas whose records are conversations."""

from itertools import pairwise
from typing import Any

from dataset.records import Parsed, Record, Turn, check_names, check_text, type_name

Faults = list[tuple[str, str]]

CONVERSATION_NAMES = frozenset({"schemaVersion", "system", "messages"})
MEDIA = frozenset({"image", "video", "document"})


def parse_conversation(value: dict[str, Any], answer_required: bool) -> Parsed:
    """Parse a `bedrock-conversation-2024` record: `{"schemaVersion", "system": [{"text"}], "messages": [...]}`.

    Each message is `{"role": "user"|"assistant", "content": [{"text"}, ...]}`; images and videos are let through.

    Args:
        value: The object on the line.
        answer_required: Whether the last turn must be the assistant's.

    Returns:
        The record and its faults.
    """
    parsed = Parsed()
    check_names(value, CONVERSATION_NAMES, "", parsed.faults)
    _check_version(value, parsed.faults)
    system = _system_texts(value.get("system", []), parsed.faults)
    turns = _turns(value, parsed.faults, _blocks)
    _check_order(turns, answer_required, parsed.faults)
    parsed.record = Record(system=system, turns=tuple(turns))
    return parsed


def parse_chat(value: dict[str, Any], answer_required: bool) -> Parsed:
    """Parse a record whose messages hold plain strings: `{"system": "...", "messages": [{"role", "content": "..."}]}`.

    Messages with the role `system` are system texts. Other fields of the record are left to the grader that gets them.

    Args:
        value: The object on the line.
        answer_required: Whether the last turn must be the assistant's.

    Returns:
        The record and its faults.
    """
    parsed = Parsed()
    system = [check_text(value, "system", "", parsed.faults)] if "system" in value else []
    turns = _turns(value, parsed.faults, lambda message, path, faults: check_text(message, "content", path, faults))
    system += [turn.text for turn in turns if turn.role == "system"]
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


def _system_texts(system: Any, faults: Faults) -> tuple[str, ...]:
    if not isinstance(system, list):
        faults.append(("wrongType", f"system is {type_name(system)}, not an array"))
        return ()
    return tuple(_block_text(block, f"system[{index}]", faults) for index, block in enumerate(system))


def _turns(value: dict[str, Any], faults: Faults, content: Any) -> list[Turn]:
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
        turns.append(Turn(str(message.get("role")), content(message, f"{path}.", faults)))
    return turns


def _blocks(message: dict[str, Any], path: str, faults: Faults) -> str:
    if "content" not in message:
        faults.append(("missingField", f"{path}content is missing"))
        return ""
    content = message["content"]
    if not isinstance(content, list):
        faults.append(("wrongType", f"{path}content is {type_name(content)}, not an array"))
        return ""
    if not content:
        faults.append(("emptyText", f"{path}content is empty"))
    texts = []
    for index, block in enumerate(content):
        if isinstance(block, dict) and "text" not in block and len(block) == 1 and MEDIA.issuperset(block):
            continue
        if isinstance(block, dict) and "reasoningContent" in block and message.get("role") == "assistant":
            continue
        texts.append(_block_text(block, f"{path}content[{index}]", faults))
    return "\n".join(texts)


def _block_text(block: Any, path: str, faults: Faults) -> str:
    if not isinstance(block, dict):
        faults.append(("wrongType", f"{path} is {type_name(block)}, not an object"))
        return ""
    check_names(block, frozenset({"text"}), f"{path}.", faults)
    return check_text(block, "text", f"{path}.", faults)


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
