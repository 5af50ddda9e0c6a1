"""What a row holds that can be scored, and why the rest of it cannot."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scoring.shard import Line

COMPLETE_STOP_REASONS = ("end_turn", "stop_sequence")


@dataclass
class Row:
    """One record's references and the models' answers to it.

    Attributes:
        id: The record's id; for a row that has none, `byte:<offset of the row in its object>`.
        category: The record's category, if it has one.
        prompt: The record's `system` and `messages`, if the row has them.
        references: The references that are not blank.
        answers: The complete answer of each model that gave one.
        problems: For each other model why its answer does not count.
        values: For each model with an answer, the value of each metric; filled in by scoring.
    """

    id: str
    category: str | None = None
    prompt: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, float | None]] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether every model gave a complete answer that could be scored."""
        return not self.problems


def read_row(line: Line, models: Iterable[str]) -> Row:
    """Read a row.

    Args:
        line: `{"id", "category"?, "system"?, "messages"?, "references": [...], "responses": {model: {"text",
            "stopReason"} or {"error", "cause"}}}` as UTF-8 JSON.
        models: The models that must have answered.

    Returns:
        The row. Problems are `not_json`, `no_reference` and `lone_surrogate` of the row, and of a model `missing` (no
        response), the error's name, the stop reason if the answer was cut off or blocked, `no_stop_reason`,
        `not_text`, `empty` and `lone_surrogate`.
    """
    row = Row(id=f"byte:{line.start}")
    try:
        record = json.loads(line.content.decode("utf-8-sig" if line.start == 0 else "utf-8"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        row.problems = dict.fromkeys(models, "not_json")
        return row
    if isinstance(record.get("id"), str | int):
        row.id = str(record["id"])
    if isinstance(record.get("category"), str):
        row.category = record["category"]
    row.prompt = {name: record[name] for name in ("system", "messages") if name in record}
    references = record.get("references")
    texts = [text for text in references if isinstance(text, str)] if isinstance(references, list) else []
    row.references = [text for text in texts if text.strip()]
    if not row.references or not all(map(_is_unicode, row.references)):
        row.problems = dict.fromkeys(models, "lone_surrogate" if row.references else "no_reference")
        return row
    responses = record.get("responses")
    for model in models:
        response = responses.get(model) if isinstance(responses, dict) else None
        problem = _problem(response)
        if problem:
            row.problems[model] = problem
        else:
            row.answers[model] = response["text"]  # type: ignore[index]
    return row


def _problem(response: Any) -> str | None:
    if not isinstance(response, dict):
        return "missing"
    if "error" in response:
        return str(response["error"])
    text, reason = response.get("text"), response.get("stopReason")
    if text is not None and not isinstance(text, str):
        return "not_text"
    if reason not in COMPLETE_STOP_REASONS:
        return str(reason or "no_stop_reason")
    if not text or not text.strip():
        return "empty"
    return None if _is_unicode(text) else "lone_surrogate"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
