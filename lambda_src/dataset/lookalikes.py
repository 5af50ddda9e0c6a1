"""Formats of training data that other tools write, so that a report can name them and `convertData` can read them."""

from collections.abc import Callable
from typing import Any

SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def lookalike(value: dict[str, Any]) -> tuple[str, dict[str, Any] | None] | None:
    """Return the name of the foreign format that a record seems to be in, and the record in a schema of Bedrock's.

    Args:
        value: The object on a line.

    Returns:
        The format's name, and the translated record, or None where nothing can stand for it; None for any other record.
        Texts are taken as they are, whatever their types.
    """
    names = set(value)
    if "messages" in names or "completion" in names:
        return None
    for name, fields, translate in _FORMATS:
        if fields <= names:
            return name, translate(value)
    lower = {field.lower(): field for field in value}
    if {"prompt", "completion"} <= set(lower):
        renamed = {field.lower(): text for field, text in value.items()}
        return "prompt and completion in capital letters", renamed
    return None


def _alpaca(value: dict[str, Any]) -> dict[str, Any]:
    instruction, further = value["instruction"], value.get("input")
    both = isinstance(instruction, str) and isinstance(further, str) and further.strip()
    return {"prompt": f"{instruction}\n\n{further}" if both else instruction, "completion": value["output"]}


def _sharegpt(value: dict[str, Any]) -> dict[str, Any] | None:
    turns = value["conversations"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return None
    messages = [
        {"role": SPEAKERS.get(str(turn.get("from")), str(turn.get("from"))), "content": turn.get("value")}
        for turn in turns
    ]
    return {"messages": messages}


def _pair(prompt: str, completion: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda value: {"prompt": value[prompt], "completion": value[completion]}


_FORMATS: tuple[tuple[str, frozenset[str], Callable[[dict[str, Any]], dict[str, Any] | None]], ...] = (
    (
        "preference pairs, which no customization type of Bedrock takes",
        frozenset({"chosen", "rejected"}),
        lambda _: None,
    ),
    ("Alpaca's format", frozenset({"instruction", "output"}), _alpaca),
    ("ShareGPT's format", frozenset({"conversations"}), _sharegpt),
    ("question and answer", frozenset({"question", "answer"}), _pair("question", "answer")),
    ("input and output", frozenset({"input", "output"}), _pair("input", "output")),
    ("prompt and response", frozenset({"prompt", "response"}), _pair("prompt", "response")),
    ("instruction and response", frozenset({"instruction", "response"}), _pair("instruction", "response")),
    ("plain texts", frozenset({"text"}), lambda value: {"input": value["text"]}),
)
