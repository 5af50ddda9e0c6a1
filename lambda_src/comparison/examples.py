"""Finds prompts, references and answers of the few records that the report shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

CHUNK_BYTES = 1 << 20
MAXIMUM_CHARACTERS = 1500

_ID = re.compile(rb'"id"\s*:\s*"((?:[^"\\]|\\.)*)"')


def find_rows(client: Any, bucket: str, keys: list[str], wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Stream JSONL objects and keep the rows with the wanted ids.

    Args:
        client: A boto3 S3 client.
        bucket: The bucket.
        keys: The objects' keys.
        wanted: Ids of rows.

    Returns:
        The rows by id; an id that is nowhere is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    encoded = {identifier.encode() for identifier in wanted}
    for key in keys:
        if len(found) == len(wanted):
            break
        for line in client.get_object(Bucket=bucket, Key=key)["Body"].iter_lines(chunk_size=CHUNK_BYTES):
            # Parsing every line would take far longer than searching it.
            if encoded.isdisjoint(match[1] for match in _ID.finditer(line)):
                continue
            row = json.loads(line)
            if row["id"] in wanted:
                found[row["id"]] = row
    return found


def shown_record(identifier: str, record: dict[str, Any], row: dict[str, Any], models: list[str]) -> dict[str, Any]:
    """Return what the report shows of a record.

    Args:
        identifier: The record's id.
        record: The normalised evaluation record; empty if it was not found.
        row: The row with all answers; empty if it was not found.
        models: The models in the order in which their answers are shown.

    Returns:
        `{"id", "turns": [{"label", "text", "note"}], "references": [...], "answers": [...]}`.
    """
    references = record.get("references") or row.get("references") or []
    return {
        "id": identifier,
        "turns": [_shown(label, text) for label, text in _turns(record)]
        or [_shown("Prompt", "(there is none in the data)" if record else "(not found)")],
        "references": [_shown("Reference", text) for text in references],
        "answers": [_shown(model, _answer(row.get("responses", {}).get(model, {}))) for model in models],
    }


def _turns(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for block in record.get("system", []):
        yield "System", block["text"]
    messages = record.get("messages", [])
    for message in messages:
        text = "\n".join(block.get("text", "") for block in message["content"])
        yield "Prompt" if len(messages) == 1 else message["role"].capitalize(), text


def _answer(response: dict[str, Any]) -> str:
    if "error" in response:
        return f"(no answer: {response['error']})"
    return str(response.get("text", "(not found)"))


def _shown(label: str, text: str) -> dict[str, Any]:
    cut = len(text) > MAXIMUM_CHARACTERS
    note = f"The first {MAXIMUM_CHARACTERS:,} of {len(text):,} characters are shown." if cut else ""
    return {"label": label, "text": text[:MAXIMUM_CHARACTERS], "note": note}
