"""ItemReader: the items of a distributed Map, read from Amazon S3."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.checks.fields import CSV_DELIMITERS
from bedrock_customization.rehearsal.interpreter.map_items import MapItem, from_json
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Visit, unexpected

_GZIP = b"\x1f\x8b"


async def read_items(visit: Visit) -> list[MapItem]:
    """Read the items of an object, or list the objects of a bucket.

    Raises:
        StatesError: `States.ItemReaderFailed`: the objects cannot be read, or are not what `InputType` says.
    """
    reader = visit.state.definition["ItemReader"]
    template = visit.state.templates["ItemReader/Arguments"]
    arguments = visit.render(template)
    if not isinstance(arguments, dict):
        raise unexpected(template, arguments, "object")
    config = reader.get("ReaderConfig", {})
    most = visit.number("ItemReader/ReaderConfig/MaxItems", 0, 0, limits.MAX_ITEMS) or limits.MAX_ITEMS
    try:
        if reader["Resource"].endswith("listObjectsV2"):
            items = await _listed_objects(visit, reader["Resource"], arguments, most)
        else:
            items = await _object_items(visit, reader["Resource"], arguments, config)
    except StatesError as error:
        if error.error == errors.ITEM_READER_FAILED:
            raise
        raise StatesError(errors.ITEM_READER_FAILED, error.cause or error.error) from error
    return items[:most]


async def _listed_objects(visit: Visit, resource: str, arguments: dict[str, Any], most: int) -> list[MapItem]:
    items: list[MapItem] = []
    token: dict[str, Any] = {}
    source = f"S3://{arguments.get('Bucket')}"
    while len(items) < most:
        page = await visit.flow.interpreter.services.call(resource, {**arguments, **token}, visit.caller)
        items += [
            MapItem(len(items) + index, item, source=source) for index, item in enumerate(page.get("Contents") or [])
        ]
        if not page.get("NextContinuationToken"):
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    return items


async def _object_items(
    visit: Visit, resource: str, arguments: dict[str, Any], config: dict[str, Any]
) -> list[MapItem]:
    result = await visit.flow.interpreter.services.call(resource, arguments, visit.caller)
    body = result["Body"]
    data: bytes = body.encode() if isinstance(body, str) else body
    if data.startswith(_GZIP):
        data = gzip.decompress(data)
    source = f"S3://{arguments.get('Bucket')}/{arguments.get('Key')}"
    try:
        text = data.decode("utf-8-sig")
        if config["InputType"] == "JSONL":
            lines = (line for line in text.split("\n") if line.strip())
            return [MapItem(index, json.loads(line), source=source) for index, line in enumerate(lines)]
        if config["InputType"] == "CSV":
            return from_json(_csv_rows(text, config), source)
        value = _pointed(json.loads(text), config.get("ItemsPointer", ""))
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise StatesError(errors.ITEM_READER_FAILED, f"{source} is not {config['InputType']}: {error}") from error
    if not isinstance(value, list | dict):
        raise StatesError(errors.ITEM_READER_FAILED, "Attempting to map over non-iterable node.")
    return from_json(value, source)


def _csv_rows(text: str, config: dict[str, Any]) -> list[Any]:
    delimiter = CSV_DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    if config["CSVHeaderLocation"] == "GIVEN":
        headers = config["CSVHeaders"]
    else:
        headers, rows = (rows[0], rows[1:]) if rows else ([], [])
    return [dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False)) for row in rows]


def _pointed(value: Any, pointer: str) -> Any:
    """Follow a JSON Pointer (RFC 6901)."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            cause = "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
            raise StatesError(errors.ITEM_READER_FAILED, cause) from None
    return value
