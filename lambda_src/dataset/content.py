"""What a turn of a `bedrock-conversation-2024` record holds: text blocks, media and reasoning."""

from typing import Any

from dataset.records import Turn, check_names, check_text, type_name

Faults = list[tuple[str, str]]

MEDIA = frozenset({"image", "video", "document"})
TOOLS = frozenset({"toolUse", "toolResult"})
REASONING = "reasoningContent"


def read_system(system: Any, faults: Faults) -> tuple[str, ...]:
    """Return the system texts; whatever is wrong is added to the faults.

    Args:
        system: The record's field `system`, an array of text blocks.
        faults: Where faults are added.
    """
    if not isinstance(system, list):
        faults.append(("wrongType", f"system is {type_name(system)}, not an array"))
        return ()
    return tuple(_text(block, f"system[{index}]", faults) for index, block in enumerate(system))


def read_blocks(message: dict[str, Any], path: str, faults: Faults) -> Turn:
    """Return a turn with its texts, media and reasoning; whatever is wrong is added to the faults.

    A turn of the user may hold media, `{"image"|"video"|"document": {"format", "source": {"s3Location": {"uri"}}}}`;
    one of the assistant may hold reasoning, `{"reasoningContent": {"reasoningText": {"text"}}}`. Whether a model takes
    them is another matter.

    Args:
        message: The message.
        path: Where it is in the record, for example `messages[0].`.
        faults: Where faults are added.
    """
    role = str(message.get("role"))
    if "content" not in message:
        faults.append(("missingField", f"{path}content is missing"))
        return Turn(role, "")
    content = message["content"]
    if not isinstance(content, list):
        faults.append(("wrongType", f"{path}content is {type_name(content)}, not an array"))
        return Turn(role, "")
    if not content:
        faults.append(("emptyText", f"{path}content is empty"))
    texts: list[str] = []
    media: list[str] = []
    reasoning: list[str] = []
    for index, block in enumerate(content):
        place = f"{path}content[{index}]"
        kind = next(iter(block), None) if isinstance(block, dict) and len(block) == 1 else None
        if kind in MEDIA:
            media.append(_medium(kind, block[kind], role, place, faults))
        elif kind in TOOLS:
            faults.append(("unsupportedContent", f"{place} is {kind}: tools are not trained"))
        elif kind == REASONING:
            reasoning.append(_reasoning(block[kind], role, place, faults))
        else:
            texts.append(_text(block, place, faults))
    return Turn(role, "\n".join(texts), tuple(media), "\n".join(reasoning))


def _medium(kind: str, medium: Any, role: str, path: str, faults: Faults) -> str:
    if role != "user":
        faults.append(("unsupportedContent", f"{path} is {kind} in a turn of the {role}"))
    found = medium.get("format") if isinstance(medium, dict) else None
    source = medium.get("source") if isinstance(medium, dict) else None
    location = source.get("s3Location") if isinstance(source, dict) else None
    uri = location.get("uri") if isinstance(location, dict) else None
    if not isinstance(found, str):
        faults.append(("media", f"{path}.{kind}.format is missing"))
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        faults.append(("media", f"{path}.{kind}.source.s3Location.uri is not a URI that begins with s3://"))
    return f"{kind}/{str(found).lower()}"


def _reasoning(content: Any, role: str, path: str, faults: Faults) -> str:
    if role != "assistant":
        faults.append(("unsupportedContent", f"{path} is reasoning in a turn of the {role}"))
    text = content.get("reasoningText") if isinstance(content, dict) else None
    if not isinstance(text, dict):
        faults.append(("missingField", f"{path}.{REASONING}.reasoningText is missing"))
        return ""
    return check_text(text, "text", f"{path}.{REASONING}.reasoningText.", faults)


def _text(block: Any, path: str, faults: Faults) -> str:
    if not isinstance(block, dict):
        faults.append(("wrongType", f"{path} is {type_name(block)}, not an object"))
        return ""
    check_names(block, frozenset({"text"}), f"{path}.", faults)
    return check_text(block, "text", f"{path}.", faults)
