"""Checks the fields of Map: items, batches, results and limits."""

from __future__ import annotations

import re
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.checks import fields
from bedrock_customization.rehearsal.interpreter.checks.values import Values
from bedrock_customization.rehearsal.interpreter.definition import State
from bedrock_customization.rehearsal.interpreter.jsonata import is_expression

_LABEL = re.compile(r"[\x21-\x7e]{1,40}")
_LABEL_FORBIDDEN = set('?*<>{}[]:;,\\|^~$#%&`"/ ')
_READERS = re.compile(r"arn:[\w-]+:states:::(aws-sdk:)?s3:(getObject|listObjectsV2)")
_WRITER = re.compile(r"arn:[\w-]+:states:::(aws-sdk:)?s3:putObject")


def check_map_fields(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check and parse every field of a Map but its processor; `state` knows its mode already."""
    if not state.distributed:
        for name in fields.DISTRIBUTED_ONLY:
            if name in raw:
                values.problem(state.path, name, "is allowed in DISTRIBUTED mode only; set ProcessorConfig/Mode")
    _items(values, state, raw)
    values.number(state, "MaxConcurrency", 0, None)
    values.number(state, "ToleratedFailureCount", 0, None)
    values.number(state, "ToleratedFailurePercentage", 0, 100, whole=False)
    label = raw.get("Label")
    if label is not None and not (
        isinstance(label, str) and _LABEL.fullmatch(label) and not set(label) & _LABEL_FORBIDDEN
    ):
        allowed = f"1 to {limits.MAX_LABEL_CHARACTERS} ASCII characters"
        values.problem(state.path, "Label", f"got {label!r}; allowed: {allowed}")


def _items(values: Values, state: State, raw: dict[str, Any]) -> None:
    if "Items" in raw and "ItemReader" in raw:
        values.problem(state.path, "Items", "only one of Items and ItemReader is allowed")
    items = raw.get("Items")
    kinds = ", an object" if state.distributed else ""
    if (
        "Items" in raw
        and not isinstance(items, list | dict if state.distributed else list)
        and not is_expression(items)
    ):
        values.problem(state.path, "Items", f"got {items!r}; an array{kinds} or {{% ... %}} is needed")
    values.template(state, "Items")
    values.template(state, "ItemSelector")
    _item_reader(values, state, raw)
    _item_batcher(values, state, raw)
    _result_writer(values, state, raw)


def _item_reader(values: Values, state: State, raw: dict[str, Any]) -> None:
    reader = values.object(state, raw, "ItemReader", values.allowed["ItemReader"])
    if reader is None:
        return
    resource = reader.get("Resource")
    if not isinstance(resource, str) or not _READERS.fullmatch(resource):
        allowed = "arn:<partition>:states:::s3:getObject, arn:<partition>:states:::s3:listObjectsV2"
        values.problem(state.path, "ItemReader/Resource", f"got {resource!r}; allowed: {allowed}")
        return
    values.resource(resource, state.path, "ItemReader/Resource")
    values.part(state.templates, reader, "Arguments", state.path, "ItemReader")
    if values.arguments not in reader:
        values.problem(state.path, f"ItemReader/{values.arguments}", "missing; Bucket is needed")
    config = values.config(reader, "ReaderConfig", values.allowed["ReaderConfig"], state.path, "ItemReader")
    location = "ItemReader/ReaderConfig"
    values.one_of(config, "Transformation", ("NONE",), state.path, location)
    values.one_of(config, "CSVDelimiter", tuple(fields.CSV_DELIMITERS), state.path, location)
    if resource.endswith("getObject"):
        values.one_of(config, "InputType", ("CSV", "JSON", "JSONL"), state.path, location, needed=True)
    if config.get("InputType") == "CSV":
        values.one_of(config, "CSVHeaderLocation", ("FIRST_ROW", "GIVEN"), state.path, location, needed=True)
        headers = config.get("CSVHeaders")
        given = isinstance(headers, list) and headers and all(isinstance(header, str) for header in headers)
        if config.get("CSVHeaderLocation") == "GIVEN" and not given:
            what = f"got {headers!r}; an array of names is needed when CSVHeaderLocation is GIVEN"
            values.problem(state.path, f"{location}/CSVHeaders", what)
    values.number(state, "ItemReader/ReaderConfig/MaxItems", 0, limits.MAX_ITEMS, within=config)


def _item_batcher(values: Values, state: State, raw: dict[str, Any]) -> None:
    batcher = values.object(state, raw, "ItemBatcher", values.allowed["ItemBatcher"])
    if batcher is None:
        return
    values.part(state.templates, batcher, "BatchInput", state.path, "ItemBatcher")
    maximum = limits.MAX_PAYLOAD_BYTES
    for name, most in (("MaxItemsPerBatch", None), ("MaxInputBytesPerBatch", maximum)):
        values.number(state, f"ItemBatcher/{name}", 1, most, within=batcher)
    if not batcher.keys() & values.allowed["ItemBatcher"] - {"BatchInput"}:
        values.problem(state.path, "ItemBatcher", "MaxItemsPerBatch, MaxInputBytesPerBatch or both are needed")


def _result_writer(values: Values, state: State, raw: dict[str, Any]) -> None:
    writer = values.object(state, raw, "ResultWriter", values.allowed["ResultWriter"])
    if writer is None:
        return
    if not writer or ("Resource" in writer) != (values.arguments in writer):
        what = f"Resource and {values.arguments}, WriterConfig, or all three are needed"
        values.problem(state.path, "ResultWriter", what)
    if "Resource" in writer:
        resource = writer["Resource"]
        if not isinstance(resource, str) or not _WRITER.fullmatch(resource):
            allowed = "arn:<partition>:states:::s3:putObject"
            values.problem(state.path, "ResultWriter/Resource", f"got {resource!r}; allowed: {allowed}")
        else:
            values.resource(resource, state.path, "ResultWriter/Resource")
    values.part(state.templates, writer, "Arguments", state.path, "ResultWriter")
    config = values.config(writer, "WriterConfig", fields.WRITER_CONFIG, state.path, "ResultWriter")
    location = "ResultWriter/WriterConfig"
    values.one_of(config, "Transformation", ("NONE", "COMPACT", "FLATTEN"), state.path, location)
    values.one_of(config, "OutputType", ("JSON", "JSONL"), state.path, location)
